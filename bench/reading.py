"""A page of an imported site: against bare Waitress, against the ordinary way of writing it, and
how many statements each screen takes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import markdown_tree
from servers import Server, free_port, script, serving
from sqlalchemy import event, func, select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session
from table import CannotMeasure, Line
from timing import Page as Address
from workspace import POSTGRESQL, SQLITE, Workspace, in_full, waitress_threads

from myproject.content.references import Reference
from myproject.content.types import Page
from myproject.db.engine import Database
from myproject.tree.node import PUBLISHED, Node
from myproject.tree.urls import join_path, paths_of
from myproject.tree.visibility import PUBLISHED_ONLY

DEPTH = 5
#: Where the content is imported, so that its own third level is the site's fifth.
AT = "/a/b"
ROUNDS = 7
#: Headers that Waitress, or the client's connection, adds by itself.
OWN_HEADERS = frozenset({"date", "server", "connection"})


@dataclass(frozen=True, slots=True)
class Site:
    """An imported site.

    :ivar paths: of all its pages by id, encoded.
    :ivar path: of a page at depth five, the one whose text is of median length.
    :ivar seconds: that the import took.
    """

    url: URL
    paths: dict[int, str]
    path: str
    seconds: float


class Reading:
    """Measurements of an imported site.

    :param content: a directory of Markdown; None for a generated one.
    :param seconds: of each run of wrk.
    """

    def __init__(self, work: Workspace, content: Path | None, seconds: float) -> None:
        self.work, self.seconds = work, seconds
        self._given = content

    @cached_property
    def content(self) -> Path:
        """The directory that is imported."""
        if self._given is not None:
            return self._given
        folder = self.work.folder / "content"
        markdown_tree.write_tree(folder)
        return folder

    @cached_property
    def site(self) -> Site:
        """The content, imported into SQLite."""
        return self.load(SQLITE)

    def load(self, kind: str) -> Site:
        """Import the content into a new database."""
        content, url = self.content, self.work.new_database(kind)
        started = time.monotonic()
        self.work.command(url, "import", str(content), "--at", AT, "--skip-errors")
        seconds = time.monotonic() - started
        database = Database(url)
        try:
            with database.read_session() as session:
                return _inspect(session, url, seconds)
        finally:
            database.dispose()

    # -- the page ---------------------------------------------------------------------------------

    def page(self) -> Iterator[Line]:
        """Compare one page with bare Waitress and with the ordinary way."""
        what = f"page at depth {DEPTH}"
        with ExitStack() as stack:
            ours = stack.enter_context(self.work.server(self.site.url))
            headers, body = ours.get(self.site.path)
            bare = stack.enter_context(self._bare(headers, body))
            naive = stack.enter_context(self._naive("lazy"))
            kinder = stack.enter_context(self._naive("sql"))
            same = len({_page(server, self.site.path) for server in (ours, naive, kinder)}) == 1
            rates = self._alternate((ours, bare, naive, kinder), self.site.path)
        threads = waitress_threads()
        yield Line.fact(f"{what}, SQLite", median(rates[0]), _spread(rates[0]))
        yield Line.fact("  its size", len(body) / 1000, "kB")
        bare_rate = median(rates[1])
        yield Line.fact("  bare Waitress, same bytes and headers", bare_rate, _spread(rates[1]))
        ratio = _ratio(rates[0], rates[1])
        yield Line.at_least(f"{what} / bare Waitress", ratio, 0.1, f"ratio, {threads} threads")
        yield Line.fact("  one query per segment", median(rates[2]), _spread(rates[2]))
        unit = "times, same page" if same else "times, pages differ a little"
        yield Line.at_least(f"{what} / one query per segment", _ratio(rates[0], rates[2]), 4, unit)
        kinder_to_it = "  / the same without lazy loads of children's children"
        yield Line.fact(kinder_to_it, _ratio(rates[0], rates[3]), unit)
        yield from self._on_postgresql(what)

    def _on_postgresql(self, what: str) -> Iterator[Line]:
        what = f"{what} / bare Waitress, PostgreSQL"
        try:
            site = self.load(POSTGRESQL)
        except CannotMeasure as reason:
            yield Line.missing(what, reason)
            return
        with ExitStack() as stack:
            ours = stack.enter_context(self.work.server(site.url))
            bare = stack.enter_context(self._bare(*ours.get(site.path)))
            rates = self._alternate((ours, bare), site.path, rounds=3)
        yield Line.fact(what, _ratio(*rates), f"{median(rates[0]):.0f} requests/s")

    def _alternate(
        self, servers: Sequence[Server], path: str, rounds: int = ROUNDS
    ) -> list[list[float]]:
        for server in servers:
            server.requests_per_second(path, 1)
        rates: list[list[float]] = [[] for _ in servers]
        for _ in range(rounds):
            for server, measured in zip(servers, rates, strict=True):
                measured.append(server.requests_per_second(path, self.seconds))
        return rates

    @contextmanager
    def _bare(self, headers: dict[str, str], body: bytes) -> Iterator[Server]:
        folder, port = self.work.folder, free_port()
        pairs = [pair for pair in headers.items() if pair[0].lower() not in OWN_HEADERS]
        (folder / "headers.json").write_text(json.dumps(pairs), encoding="utf-8")
        (folder / "body").write_bytes(body)
        arguments = (port, waitress_threads(), folder / "headers.json", folder / "body")
        with serving(script("bare.py", *arguments), port, folder / "bare.log") as server:
            yield server

    @contextmanager
    def _naive(self, has_children: str) -> Iterator[Server]:
        port, log = free_port(), self.work.folder / f"naive-{has_children}.log"
        arguments = (in_full(self.site.url), port, waitress_threads(), has_children)
        with serving(script("naive.py", *arguments), port, log) as server:
            yield server

    # -- importing and memory ---------------------------------------------------------------------

    def importing(self) -> Iterator[Line]:
        """Time the import, counted for a thousand pages."""
        site = self.site
        pages = len(site.paths)
        seconds = site.seconds * 1000 / pages
        unit = f"seconds for 1,000 pages ({pages:,} in {site.seconds:.1f})"
        yield Line.at_most("import of Markdown", seconds, 20, unit)

    def memory(self) -> Iterator[Line]:
        """Ask for every page several times, and see how large the server has become."""
        paths = list(self.site.paths.values())
        with self.work.server(self.site.url) as server:
            server.get(self.site.path)
            before = server.resident_mib()
            requests = paths * max(2, -(-4000 // len(paths)))
            server.get_all(requests)
            after = server.resident_mib()
        yield Line.fact("memory of a server after one request", before, "MiB resident")
        yield Line.at_most(f"  after {len(requests):,} requests", after, 120, "MiB resident")

    # -- statements -------------------------------------------------------------------------------

    def statements(self) -> Iterator[Line]:
        """Count the statements that screens take."""
        application, database = self.work.application(self.site.url)
        links = _path_with_references(database, self.site)
        screens = {
            f"the page measured at depth {DEPTH}": self.site.path,
            "page with links to other pages": links,
            "folder with children": AT,
            "front page": "/",
            "children of a place, as a fragment": f"{AT}/@@children",
            "Markdown source": f"{self.site.path}/@@source",
        }
        # What grants give is in memory from the first request on.
        _count(application, database, "/")
        for what, path in screens.items():
            if path is not None:
                yield Line.fact(what, _count(application, database, path), "statements")


def _page(server: Server, path: str) -> bytes:
    """Return a page without its server's port, which its canonical link names."""
    return server.get(path)[1].replace(f":{server.port}".encode(), b"")


def _ratio(over: Sequence[float], under: Sequence[float]) -> float:
    return median(a / b for a, b in zip(over, under, strict=True))


def _spread(rates: Sequence[float]) -> str:
    """Return the unit, and how far single runs lay apart: what a ratio of them is worth."""
    return f"requests/s, {min(rates):,.0f} to {max(rates):,.0f}"


def _inspect(session: Session, url: URL, seconds: float) -> Site:
    table = Node.__table__
    ids = session.scalars(select(table.c.id).where(table.c.state == PUBLISHED)).all()
    lengths = dict(session.execute(select(Page.__table__.c.id, func.length(Page.body_html))).all())
    names = paths_of(session, ids, PUBLISHED_ONLY)
    deep = sorted(
        (lengths[node_id], node_id)
        for node_id, path in names.items()
        if len(path) == DEPTH and lengths.get(node_id)
    )
    if not deep:
        raise CannotMeasure(f"the content has no page at its level {DEPTH - 2}")
    paths = {node: join_path(path) for node, path in names.items() if node in lengths}
    return Site(url, paths, paths[deep[len(deep) // 2][1]], seconds)


def _path_with_references(database: Database, site: Site) -> str | None:
    with database.read_session() as session:
        ids = session.scalars(select(Reference.source_id).order_by(Reference.source_id))
        return next((site.paths[node] for node in ids if node in site.paths), None)


def _count(application: Any, database: Database, path: str) -> int:
    seen: list[str] = []

    def remember(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(database.reader, "before_cursor_execute", remember)
    try:
        Address(application, [path]).get(0)
    finally:
        event.remove(database.reader, "before_cursor_execute", remember)
    return len(seen)
