"""What machines read: a sitemap of a million pages, and feeds of sections of them."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trees
from growing import Growing
from table import CannotMeasure, Line
from timing import Page, medians
from webob import Request
from workspace import SECRET, in_full

from myproject import configure
from myproject.db.migrations import upgrade

#: Mebibytes by which a process may grow while it sends a million URLs.
ALLOWED = 50


class Crawling:
    """Measurements in the large tree of one kind of database; they add an index to it.

    :param seconds: of each measurement.
    """

    def __init__(self, growing: Growing, seconds: float) -> None:
        self.growing, self.kind, self.seconds = growing, growing.kind, seconds

    def crawling(self) -> Iterator[Line]:
        """Read the whole sitemap, and feeds."""
        _, database, levels = self.growing.large
        settings = {
            "sqlalchemy.url": in_full(database.url),
            "myproject.session_secret": SECRET,
            "myproject.addons": "sitemap feeds",
        }
        config: Any = configure({}, **settings)
        own = config.registry.database
        upgrade(own, config.registry.extensions.migrations())
        application = config.make_wsgi_app()
        trees.finish(own)
        yield from self._sitemap(application)
        section = trees.path_to(levels, levels[1].first)
        feeds = [Page(application, [f"{path}/@@feed.atom"]) for path in ("", section)]
        times = medians([feed.get for feed in feeds], self.seconds)
        yield Line.fact(f"feed of a site of 1,000,000 nodes, {self.kind}", times[0], "ms")
        yield Line.fact("  of a section of 100,000", times[1], "ms")
        own.dispose()

    def _sitemap(self, application: Any) -> Iterator[Line]:
        index = _read(application, "/sitemap.xml").decode()
        parts = re.findall(r"/sitemap-\d+\.xml", index)
        # What the process needs for any of them, it has now.
        _read(application, parts[0])
        gc.collect()
        before, started = _resident(), time.perf_counter()
        urls, most = 0, before
        for part in parts:
            for piece in _pieces(application, part):
                urls += piece.count(b"<url>")
            most = max(most, _resident())
        seconds = time.perf_counter() - started
        what = f"sitemap of {urls:,} pages, {self.kind}"
        yield Line.at_most(what, most - before, ALLOWED, "MiB that the process grows by")
        yield Line.fact("  all of its parts", seconds, "seconds")


def _pieces(application: Any, path: str) -> Iterator[bytes]:
    response = Request.blank(path).get_response(application)
    if response.status_int != 200:
        raise CannotMeasure(f"{path} answers {response.status}")
    try:
        yield from response.app_iter
    finally:
        if hasattr(response.app_iter, "close"):
            response.app_iter.close()


def _read(application: Any, path: str) -> bytes:
    return b"".join(_pieces(application, path))


def _resident() -> float:
    """Return the memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20
