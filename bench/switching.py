"""What add-ons cost that are switched on: the start of the application, statements and time of a
page."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from table import Line
from timing import Page, medians
from workspace import SECRET, SQLITE, Workspace, in_full

from myproject import configure
from myproject.db.migrations import upgrade
from myproject.extend.switching import available

#: Starts of each kind, one after the other by turns.
STARTS = 9
#: What is asked for: how many times as long, and how many more statements.
ALLOWED, STATEMENTS = 1.5, 3

#: Measured within, so that finding and reading Python itself does not hide the difference.
_START = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
started = time.perf_counter()
from myproject import create_app
create_app({}, **json.loads(sys.argv[1]))
print(time.perf_counter() - started)
"""


class Switching:
    """Measurements of a site with none and with all bundled add-ons.

    :param seconds: of each measurement.
    """

    def __init__(self, work: Workspace, seconds: float) -> None:
        self.work, self.seconds = work, seconds
        self.all = " ".join(sorted(available()))

    def switching(self) -> Iterator[Line]:
        """Compare a site with all add-ons to one with none."""
        url = self.work.new_database(SQLITE)
        with_none, with_all = self._settings(url, ""), self._settings(url, self.all)
        applications = [self._application(settings) for settings in (with_none, with_all)]
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(STARTS):
            for times, settings in zip(seconds, (with_none, with_all), strict=True):
                times.append(_start(settings))
        ratio = median(seconds[1]) / median(seconds[0])
        yield Line.fact("start, no add-on", median(seconds[0]), "seconds")
        yield Line.at_most("start, all add-ons", ratio, ALLOWED, "times that with none")
        none, everything = (_statements(app) for app in applications)
        yield Line.at_most(
            "statements of a page, all add-ons",
            everything - none,
            STATEMENTS,
            "more than with none",
        )
        times = medians([Page(app, ["/"]).get for app in applications], self.seconds)
        yield Line.fact("time of a page, all add-ons", times[1] / times[0], "times that with none")

    def _settings(self, url: URL, addons: str) -> dict[str, str]:
        return {
            "sqlalchemy.url": in_full(url),
            "myproject.session_secret": SECRET,
            "myproject.addons": addons,
        }

    @staticmethod
    def _application(settings: dict[str, str]) -> Any:
        config: Any = configure({}, **settings)
        upgrade(config.registry.database, config.registry.extensions.migrations())
        return config.make_wsgi_app()


def _start(settings: dict[str, str]) -> float:
    command = [sys.executable, "-c", _START, json.dumps(settings)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _statements(app: Any) -> int:
    seen: list[str] = []

    @event.listens_for(app.registry.database.reader, "before_cursor_execute")
    def remember(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    for _ in range(2):
        seen.clear()
        Page(app, ["/"]).get(0)
    return len(seen)
