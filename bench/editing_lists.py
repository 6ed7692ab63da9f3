"""What the screen of a page's contents costs, by how many pages there are in it."""

from __future__ import annotations

from collections.abc import Iterator

import trees
from growing import Growing
from sqlalchemy import BigInteger, String, cast, literal, update
from table import Line
from timing import Page, medians

from myproject.db.engine import Database
from myproject.tree.node import Node

#: Pages in the two lists that are compared.
FEW, MANY = 100, 100_000

#: What is looked at, and by how much the long list may be slower; None where nothing is promised.
CASES = (
    ("first page", "", 1.3),
    ("by title", "?sort=title", 1.3),
    ("by last change", "?sort=-modified", 1.3),
    ("by name", "?sort=name", None),
    ("by type", "?sort=type", None),
    ("of one state", "?state=published", None),
)


class Contents:
    """Measurements on one kind of database.

    :param growing: makes databases of that kind.
    """

    def __init__(self, growing: Growing, seconds: float) -> None:
        self.growing, self.seconds = growing, seconds

    def contents(self) -> Iterator[Line]:
        """Compare the contents of a page with 100,000 children with those of one with 100."""
        growing = self.growing
        database_of = growing.work.new_database(growing.kind)
        application, database = growing.work.application(database_of)
        with database.writer.begin() as connection:
            trees.skip_foreign_keys(connection)
            sections = trees.add_children(connection, 1, 1, 2)
            few = trees.add_children(connection, sections.first, sections.first, FEW)
            many = trees.add_children(connection, sections.last, sections.last, MANY)
            boss = trees.administrator(connection)
        _give_titles(database, few)
        _give_titles(database, many)
        trees.finish(database)
        cookie = trees.sign_in(application, database, boss)
        for what, query, limit in CASES:
            pages = [
                Page(application, [f"/n{trees.FIRST + which}/@@contents{query}"], cookie)
                for which in (0, 1)
            ]
            small, large = medians([page.get for page in pages], self.seconds * 2)
            title = f"contents {MANY:,} / {FEW} siblings, {what}, {growing.kind}"
            against = f"times, {large:.2f} / {small:.2f} ms"
            if limit is None:
                yield Line.fact(title, large / small, against)
            else:
                yield Line.at_most(title, large / small, limit, against)


def _give_titles(database: Database, level: trees.Level) -> None:
    """Give the nodes of a level titles in no order."""
    table = Node.__table__
    # Multiplied by a prime, neighbours are far from one another.
    shuffled = cast(table.c.id, BigInteger) * 7919 % 1_000_003
    statement = update(table).where(table.c.id.between(level.first, level.last))
    with database.writer.begin() as connection:
        connection.execute(statement.values(title=literal("Page ") + cast(shuffled, String)))
