"""What the number of pages costs a search, for rare and for common words, on either database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import trees
from sqlalchemy import Connection, insert, select
from table import Line
from timing import Page, medians
from workspace import SECRET, Workspace, in_full

from myproject import configure
from myproject.addons.search.models import DOCUMENT
from myproject.addons.search.texts import VERSION
from myproject.db.engine import Database
from myproject.db.migrations import upgrade
from myproject.tree.node import ROOT_ID, Node

NODE = Node.__table__

#: Nodes at each level, at most as many pages are searched.
SMALL, LARGE = (10, 9, 10), (10, 100, 9, 10)
#: Words of a page, out of a vocabulary in which few are common and most are rare.
WORDS, VOCABULARY = 150, 30_000
#: In every how many-th page a word is.
EVERY = {"rare": 20_000, "medium": 100, "common": 1}
#: Rows that are written at once.
CHUNK = 2_000

#: How many times as long a search may take among a hundred times as many pages.
ALLOWED = 3


class Searching:
    """Measurements on one kind of database.

    :param kind: ``SQLite`` or ``PostgreSQL``.
    :param seconds: of each measurement.
    """

    def __init__(self, work: Workspace, kind: str, seconds: float) -> None:
        self.work, self.kind, self.seconds = work, kind, seconds

    def searching(self) -> Iterator[Line]:
        """Compare searches among 100,000 pages with those among 1,000."""
        sites = [self._site(fan_outs) for fan_outs in (SMALL, LARGE)]
        questions = {
            "a rare word": "?q=rare",
            "a word of every hundredth page": "?q=medium",
            "a word of every page": "?q=common",
            "two common words": "?q=common+w0000",
            "a word of every title": "?q=tree",
            "a suggestion": "-suggestions?q=w01",
        }
        for what, question in questions.items():
            yield self._compare(what, sites, f"/@@search{question}")
        yield self._compare(
            "a suggestion out of all titles", sites, "/@@search-suggestions?q=tr", demanded=False
        )
        # A section of a tenth of the site, which is a hundred times as large in the large one.
        section = f"/n{trees.FIRST}/@@search"
        for what, question in (("a medium word", "?q=medium"), ("a common word", "?q=common")):
            yield self._compare(f"{what} in a section", sites, section + question, demanded=False)
        for _, database in sites:
            database.dispose()

    def _compare(
        self, what: str, sites: list[tuple[Any, Database]], path: str, *, demanded: bool = True
    ) -> Line:
        pages = [Page(application, [path]) for application, _ in sites]
        small, large = medians([page.get for page in pages], self.seconds, warm_up=10)
        title = f"search for {what}, 100,000 / 1,000 pages, {self.kind}"
        unit = f"times, {large:.2f} / {small:.2f} ms"
        if not demanded:
            return Line.fact(title, large / small, unit)
        return Line.at_most(title, large / small, ALLOWED, unit)

    def _site(self, fan_outs: tuple[int, ...]) -> tuple[Any, Database]:
        settings = {
            "sqlalchemy.url": in_full(self.work.new_database(self.kind)),
            "myproject.session_secret": SECRET,
            "myproject.addons": "search",
        }
        config = configure({"__file__": "bench.ini"}, **settings)
        registry: Any = config.registry
        database: Database = registry.database
        upgrade(database, registry.extensions.migrations())
        with database.writer.begin() as connection:
            trees.grow(connection, fan_outs)
            write_documents(connection)
        trees.finish(database)
        return config.make_wsgi_app(), database


def write_documents(connection: Connection) -> None:
    """Give each node a document of its own, of words as they are distributed in texts."""
    chance = random.Random(7)
    vocabulary = [f"w{number:04d}" for number in range(VOCABULARY)]
    weights = list(accumulate(1 / (number + 1) for number in range(VOCABULARY)))
    columns = (NODE.c.id, NODE.c.title, NODE.c.modified_at)
    # A new root has a document already.
    rows = connection.execute(select(*columns).where(NODE.c.id != ROOT_ID)).all()
    for start in range(0, len(rows), CHUNK):
        documents = []
        for row in rows[start : start + CHUNK]:
            words = chance.choices(vocabulary, cum_weights=weights, k=WORDS)
            # The newest and the oldest pages have the rare one, too.
            words += [word for word, every in EVERY.items() if row.id % every in (7, 7 % every)]
            chance.shuffle(words)
            text = " ".join(words)
            documents.append(
                {
                    "node_id": row.id,
                    "title": f"{row.title} w{row.id % VOCABULARY:04d}".lower(),
                    "summary": "",
                    "text": text,
                    "shown": text,
                    "language": "simple",
                    "version": VERSION,
                    "modified_at": row.modified_at,
                }
            )
        connection.execute(insert(DOCUMENT), documents)
