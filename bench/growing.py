"""What depth, size and fan-out cost, in generated trees on either database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import trees
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session
from table import Line, number
from timing import Page, medians
from workspace import Workspace

from myproject.content.journal import Journal
from myproject.content.plans import Planner
from myproject.content.registry import ContentType, ContentTypes
from myproject.content.types import Page as PageType
from myproject.db.engine import Database
from myproject.security.access import Policies, load_policies
from myproject.security.models import AUTHENTICATED_ID, EVERYONE_ID
from myproject.security.permissions import Roles
from myproject.security.sharing import INHERITING_STOPPED, Change, Sharing, granted
from myproject.tree.actor import Actor
from myproject.tree.listing import Key, load_neighbourhood
from myproject.tree.node import ROOT_ID, TRASHED, Node
from myproject.tree.operations import Tree
from myproject.tree.visibility import EVERYTHING, Visibility

#: Different pages that are asked for in each tree.
PAGES = 500
SIBLINGS = 10
DEEP = 20

_TYPES = ContentTypes()
_TYPES.add(ContentType("page", PageType, "Page"))


class Growing:
    """Measurements on one kind of database.

    :param kind: ``SQLite`` or ``PostgreSQL``.
    :param seconds: of each measurement.
    """

    def __init__(self, work: Workspace, kind: str, seconds: float) -> None:
        self.work, self.kind, self.seconds = work, kind, seconds

    # -- size -------------------------------------------------------------------------------------

    @cached_property
    def large(self) -> tuple[Page, Database, list[trees.Level]]:
        """A tree of a million nodes."""
        return self._tree(trees.LARGE)

    def _tree(self, fan_outs: tuple[int, ...]) -> tuple[Page, Database, list[trees.Level]]:
        application, database = self.work.application(self.work.new_database(self.kind))
        with database.writer.begin() as connection:
            levels = trees.grow(connection, fan_outs)
            chosen = trees.sample(levels[-1], PAGES)
            trees.write_bodies(connection, chosen)
        trees.finish(database)
        paths = [trees.path_to(levels, node_id) for node_id in chosen]
        return Page(application, paths), database, levels

    def size(self) -> Iterator[Line]:
        """Compare pages of a tree of a thousand nodes with pages of one of a million."""
        small, large = self._tree(trees.SMALL), self.large
        times = medians((small[0].get, large[0].get), self.seconds * 3)
        sizes = f"{_count(large[1]):,} / {_count(small[1]):,} nodes"
        what = f"a page among {sizes}, {self.kind}"
        yield Line.at_most(what, times[1] / times[0], 1.1, _against(times[1], times[0]))

    # -- depth ------------------------------------------------------------------------------------

    def depth(self) -> Iterator[Line]:
        """Compare a page at depth 20 with one at depth 1."""
        application, database = self.work.application(self.work.new_database(self.kind))
        with database.writer.begin() as connection:
            levels = [trees.add_children(connection, 1, 1, SIBLINGS)]
            for _ in range(DEEP):
                last = levels[-1].last
                levels.append(trees.add_children(connection, last, last, SIBLINGS))
            trees.write_bodies(connection, [levels[0].first, levels[DEEP - 1].first])
        trees.finish(database)
        first, last = f"/n{trees.FIRST}", f"/n{trees.FIRST + SIBLINGS - 1}"
        shallow, deep = Page(application, [first]), Page(application, [last * (DEEP - 1) + first])
        times = medians((shallow.get, deep.get), self.seconds * 3)
        what = f"a page at depth {DEEP} / depth 1, {self.kind}"
        yield Line.at_most(what, times[1] / times[0], 1.25, _against(times[1], times[0]))

    # -- structure --------------------------------------------------------------------------------

    def moving(self) -> Iterator[Line]:
        """Rename and move a section with 100,000 descendants, and a single page."""
        _, database, levels = self.large
        section, page, other = levels[1].first, levels[-1].first, levels[1].last
        below = (levels[-1].last - levels[1].last) // (levels[1].last - levels[1].first + 1)
        for verb, action in (("renaming", _rename), ("moving", _move), ("trashing", _trash)):
            with database.transaction() as session:
                written = _rows_written(session, lambda tree, act=action: act(tree, section, other))
            what = f"{verb} a section of {below:,} nodes, {self.kind}"
            yield Line(what, number(written), "node rows written", "1", written == 1)
            runs = [_transaction(database, action, moved, other) for moved in (section, page)]
            times = medians(runs, self.seconds, warm_up=2)
            what = "  / the same for a single page, kept in the journal"
            yield Line.at_most(what, times[0] / times[1], 1.5, _against(*times))
        plans = [_plan(database, moved, other) for moved in (section, page)]
        times = medians(plans, self.seconds, warm_up=1)
        what = f"  its plan, {self.kind}; of a single page: {times[1]:.2f} ms"
        yield Line(what, f"{times[0]:.0f}", "ms", "<= 300", times[0] <= 300)

    # -- sharing ----------------------------------------------------------------------------------

    def sharing(self) -> Iterator[Line]:
        """Make a section with 100,000 descendants a boundary, and change what is granted there."""
        _, database, levels = self.large
        section = levels[1].first + 1
        below = (levels[-1].last - levels[1].last) // (levels[1].last - levels[1].first + 1)
        with _updates_of_node(database) as updates:
            started = time.perf_counter()
            with database.transaction() as session:
                _share(session, section, granted(AUTHENTICATED_ID, "editor"))
            seconds = time.perf_counter() - started
        what = f"making a boundary over {below:,} nodes, {self.kind}"
        yield Line(what, number(len(updates)), "UPDATE statements", "1", len(updates) == 1)
        yield Line.fact("  in", seconds, "seconds")
        for change in (granted(AUTHENTICATED_ID, "manager"), INHERITING_STOPPED):
            with database.transaction() as session:
                written = _rows_written(
                    session, lambda tree, act=change: _share(tree.session, section, act)
                )
            what = f"  then {change.event.value.replace('-', ' ')} there"
            yield Line(what, number(written), "node rows written", "0", written == 0)

    # -- listings ---------------------------------------------------------------------------------

    def listing(self) -> Iterator[Line]:
        """Compare a section of 10,000 children with one of 100."""
        application, database = self.work.application(self.work.new_database(self.kind))
        with database.writer.begin() as connection:
            sections = trees.add_children(connection, 1, 1, 2)
            few = trees.add_children(connection, sections.first, sections.first, 100)
            many = trees.add_children(connection, sections.last, sections.last, 10_000)
        trees.finish(database)
        addresses = []
        for name, level in ((f"/n{trees.FIRST}", few), (f"/n{trees.FIRST + 1}", many)):
            middle = level.fan_out // 2 - 1
            key = Key(middle * (1 << 16), level.first + middle)
            addresses += [Page(application, [name]), Page(application, [f"{name}?after={key}"])]
        times = medians([page.get for page in addresses], self.seconds * 2)
        for what, index in (("first page", 0), ("page in the middle", 1)):
            what = f"listing of 10,000 / 100 children, {what}, {self.kind}"
            small, large = times[index], times[index + 2]
            yield Line.fact(what, large / small, _against(large, small))

    # -- access -----------------------------------------------------------------------------------

    def filtered(self) -> Iterator[Line]:
        """Compare listings that are filtered for somebody with 1,000 grants with what an
        administrator gets, who sees everything: whole screens, and the statement alone."""
        cases = (
            ("grants elsewhere", True, True),
            ("1,000 of them granted, all visible", False, False),
            ("1,000 of them granted, 9,000 private", True, False),
        )
        for what, private, elsewhere in cases:
            application, database = self.work.application(self.work.new_database(self.kind))
            with database.writer.begin() as connection:
                sections = trees.add_children(connection, 1, 1, 2)
                section = sections.first
                children = trees.add_children(connection, section, section, 10_000)
                level = children
                if elsewhere:
                    level = trees.add_children(connection, sections.last, sections.last, 10_000)
                somebody = trees.share(connection, level, private=private)
                boss = trees.administrator(connection)
            trees.finish(database)
            cookies = [trees.sign_in(application, database, who) for who in (somebody, boss)]
            for where, key in (("first", ""), ("middle", f"?after={Key(5_000 << 16, 0)}")):
                path = f"/n{trees.FIRST}{key}"
                pages = [Page(application, [path], cookie) for cookie in cookies]
                times = medians([page.get for page in pages], self.seconds * 2)
                title = f"listing of 10,000, {what}, {where} page / unfiltered, {self.kind}"
                yield Line.at_most(title, times[0] / times[1], 1.3, _against(*times))
            policies = _policies(database)
            yield self._statement(database, section, policies, somebody)
        yield self._policies(policies, somebody)

    def _statement(
        self, database: Database, section: int, policies: Policies, somebody: int
    ) -> Line:
        principals = frozenset({EVERYONE_ID, AUTHENTICATED_ID, somebody})
        with database.read_session() as session:
            node, access = session.get_one(Node, section), policies.access(principals)
            seen = access.below(node), access.below(session.get_one(Node, ROOT_ID))

            def look(turn: int, seen: tuple[Visibility, Visibility] = seen) -> None:
                load_neighbourhood(session, node, *seen)

            everything = (EVERYTHING, EVERYTHING)
            times = medians((look, lambda turn: look(turn, everything)), self.seconds)
        return Line.fact("  its statement alone", times[0] / times[1], _against(*times))

    def _policies(self, policies: Policies, somebody: int) -> Line:
        principals = frozenset({EVERYONE_ID, AUTHENTICATED_ID, somebody})

        def work_out(turn: int) -> None:
            Policies(policies.places, policies.roles).access(principals)

        (time,) = medians((work_out,), self.seconds, warm_up=1)
        return Line.fact(f"  access of one user, 10,001 boundaries, {self.kind}", time, "ms")


def _share(session: Session, node_id: int, change: Change) -> None:
    Sharing(session, Roles(), Actor(), None).make(session.get_one(Node, node_id), change)


@contextmanager
def _updates_of_node(database: Database) -> Iterator[list[str]]:
    """Collect the statements of a block that write rows of the node table."""
    found: list[str] = []

    def remember(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "UPDATE node " in statement:
            found.append(statement)

    event.listen(database.writer, "before_cursor_execute", remember)
    yield found
    event.remove(database.writer, "before_cursor_execute", remember)


def _policies(database: Database) -> Policies:
    with database.read_session() as session:
        return load_policies(session, Roles())


def _against(over: float, under: float) -> str:
    return f"times, {over:.2f} / {under:.2f} ms"


def _count(database: Database) -> int:
    with database.read_session() as session:
        return session.scalar(select(func.count()).select_from(Node.__table__)) or 0


def _rename(tree: Tree, node_id: int, other_id: int) -> None:
    node = tree.session.get_one(Node, node_id)
    Journal(tree).rename(
        node, node.name.removesuffix("x") if node.name.endswith("x") else f"{node.name}x"
    )


def _move(tree: Tree, node_id: int, other_id: int) -> None:
    """Move a node below another one; and, the next time, back to the root."""
    node = tree.session.get_one(Node, node_id)
    target = 1 if node.parent_id == other_id else other_id
    names = {node_id: f"moved-{node_id}"}
    Journal(tree).move([node], tree.session.get_one(Node, target), names=names)


def _trash(tree: Tree, node_id: int, other_id: int) -> None:
    """Put a node into the trash; and, the next time, back."""
    node, journal = tree.session.get_one(Node, node_id), Journal(tree)
    change = journal.restore if node.state == TRASHED else journal.trash
    change([node])


def _plan(database: Database, node_id: int, other_id: int) -> Any:
    """Return what plans a node's move below another one, for somebody who may do it."""
    roles = Roles()

    def run(turn: int) -> None:
        with database.read_session() as session:
            policies = load_policies(session, roles)
            planner = Planner(session, _TYPES, policies, None)
            nodes = [session.get_one(Node, each) for each in (node_id, other_id)]
            planner.move(nodes[:1], nodes[1])

    return run


def _transaction(database: Database, action: Any, node_id: int, other_id: int) -> Any:
    def run(turn: int) -> None:
        with database.transaction() as session:
            action(Tree(session), node_id, other_id)

    return run


def _rows_written(session: Session, act: Any) -> int:
    """Return how many rows of the node table a block writes, as the database itself tells."""
    if session.connection().dialect.name == "postgresql":
        # Every version of a row carries the number of the transaction that wrote it; those of
        # savepoints are greater than their transaction's own.
        own = session.scalar(text("SELECT pg_current_xact_id()::text::bigint"))
        act(Tree(session))
        rows = text("SELECT count(*) FROM node WHERE xmin::text::bigint >= :own & 4294967295")
        return session.scalar(rows, {"own": own}) or 0
    for statement in (
        "CREATE TEMP TABLE written (id INTEGER)",
        "CREATE TEMP TRIGGER writing AFTER UPDATE ON main.node "
        "BEGIN INSERT INTO written VALUES (new.id); END",
    ):
        session.execute(text(statement))
    act(Tree(session))
    written = session.scalar(text("SELECT count(*) FROM written")) or 0
    session.execute(text("DROP TRIGGER temp.writing"))
    session.execute(text("DROP TABLE temp.written"))
    return written
