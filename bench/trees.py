"""Trees of any size, made by the database itself: one INSERT for each level, and no page rendered.

Where two trees or two places are compared, the pages compared are alike: the same length of text,
the same number of siblings, no children.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pyramid.interfaces import ISessionFactory
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy import (
    BigInteger,
    Connection,
    String,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import DBAPIError

from myproject.content.types import Page
from myproject.db.engine import Database
from myproject.security.logins import start_login
from myproject.security.models import Grant, Principal, User
from myproject.security.permissions import ADMINISTRATOR
from myproject.security.policy import LOGIN
from myproject.tree.actor import Actor
from myproject.tree.boundaries import Boundary
from myproject.tree.node import ROOT_ID, Node

NODE, PAGE = Node.__table__, Page.__table__

_SENTENCE = "There are seven words in this sentence. "

#: Stored HTML of the pages that are asked for: about 8 kB.
BODY = "".join(
    f'<h2 id="part-{number}">Part {number}</h2>\n<p>{_SENTENCE * 20}</p>\n' for number in range(10)
)
TOC = [[2, f"part-{number}", f"Part {number}"] for number in range(10)]

#: Names are numbered from here, so that all are of one length.
FIRST = 100_000

#: Nodes at each level. A section at level 1 of the large tree has 100,000 descendants.
SMALL, LARGE = (1, 1, 9, 10, 10), (10, 100, 9, 10, 10)


@dataclass(frozen=True, slots=True)
class Level:
    """Nodes that were made together.

    :ivar first, last: their ids, without gaps.
    :ivar fan_out: how many of them each parent got.
    """

    first: int
    last: int
    fan_out: int


def grow(connection: Connection, fan_outs: Sequence[int]) -> list[Level]:
    """Make a tree below the root in which each node of a level has the same number of children."""
    skip_foreign_keys(connection)
    levels = [Level(ROOT_ID, ROOT_ID, 1)]
    for fan_out in fan_outs:
        levels.append(add_children(connection, levels[-1].first, levels[-1].last, fan_out))
    return levels


def add_children(connection: Connection, first: int, last: int, count: int) -> Level:
    """Give each node between two ids *count* children, all of them pages with a short text."""
    number = select(literal(0).label("n")).cte("number", recursive=True)
    number = number.union_all(select(number.c.n + 1).where(number.c.n < count - 1))
    start = connection.scalar(select(func.max(NODE.c.id))) or ROOT_ID
    name = literal("n").concat(cast(number.c.n + FIRST, String))
    rows = (
        select(
            (start + 1 + (NODE.c.id - first) * count + number.c.n).label("id"),
            NODE.c.id.label("parent_id"),
            name.label("name"),
            (cast(number.c.n, BigInteger) * (1 << 16)).label("position"),
            literal("page").label("type"),
            literal("A page of the tree").label("title"),
        )
        .join_from(NODE, number, literal(1) == literal(1))
        .where(NODE.c.id.between(first, last))
        # In the order of the ids, as a tree that was written page by page.
        .order_by(NODE.c.id, number.c.n)
    )
    names = ("id", "parent_id", "name", "position", "type", "title")
    connection.execute(insert(NODE).from_select(names, rows))
    end = start + (last - first + 1) * count
    pages = select(NODE.c.id, literal("text"), literal("<p>A short text.</p>\n"))
    pages = pages.where(NODE.c.id.between(start + 1, end)).order_by(NODE.c.id)
    connection.execute(insert(PAGE).from_select(("id", "body", "body_html"), pages))
    return Level(start + 1, end, count)


def share(connection: Connection, level: Level, *, private: bool) -> int:
    """Grant every tenth node of a level to somebody, and return who that is.

    :param private: whether each node of the level stops inheriting; otherwise all inherit, and
        only those with a grant are boundaries.
    """
    principal, user = Principal.__table__, User.__table__
    values = {"kind": "user", "name": "somebody", "title": "Somebody"}
    somebody = connection.scalar(insert(principal).values(**values).returning(principal.c.id))
    connection.execute(insert(user).values(id=somebody, active=True))
    tenth = NODE.c.id % 10 == 0
    chosen = NODE.c.id.between(level.first, level.last) & (true() if private else tenth)
    boundary, grant = Boundary.__table__, Grant.__table__
    places = select(NODE.c.id, literal(not private)).where(chosen)
    connection.execute(insert(boundary).from_select(("node_id", "inherits"), places))
    given = select(NODE.c.id, literal(somebody), literal("reader")).where(chosen, tenth)
    connection.execute(insert(grant).from_select(("node_id", "principal_id", "role"), given))
    connection.execute(update(NODE).where(chosen).values(boundary_id=NODE.c.id))
    return somebody or 0


def administrator(connection: Connection) -> int:
    """Make an administrator, and return who that is."""
    principal, user = Principal.__table__, User.__table__
    values = {"kind": "user", "name": "boss", "title": "Boss"}
    boss = connection.scalar(insert(principal).values(**values).returning(principal.c.id))
    connection.execute(insert(user).values(id=boss, active=True))
    grant = {"node_id": 1, "principal_id": boss, "role": ADMINISTRATOR}
    connection.execute(insert(Grant.__table__).values(grant))
    return boss or 0


def sign_in(application: Any, database: Database, user_id: int) -> str:
    """Sign somebody in, and return the header that says so."""
    with database.transaction() as session:
        user = session.get_one(User, user_id)
        token = start_login(session, user, Actor(), "", timedelta(days=1))
    request, response = Request.blank("/"), Response()
    request.registry = application.registry
    cookies = application.registry.getUtility(ISessionFactory)(request)
    cookies[LOGIN] = token
    for callback in request.response_callbacks:
        callback(request, response)
    return response.headers["Set-Cookie"].partition(";")[0]


def write_bodies(connection: Connection, ids: Sequence[int]) -> None:
    """Give the pages with these ids the long text."""
    values = {"body_html": BODY, "toc": TOC}
    for start in range(0, len(ids), 500):
        chosen = ids[start : start + 500]
        connection.execute(update(PAGE).where(PAGE.c.id.in_(chosen)).values(values))


def sample(level: Level, count: int) -> list[int]:
    """Return ids of some pages of a level, spread over all of it, the same ones every time."""
    ids = range(level.first, level.last + 1)
    return random.Random(7).sample(ids, min(count, len(ids)))


def path_to(levels: Sequence[Level], node_id: int) -> str:
    """Return the address of a node of a tree made by :func:`grow`, worked out from its number."""
    names = []
    for above, level in zip(reversed(levels[:-1]), reversed(levels[1:]), strict=True):
        offset = node_id - level.first
        names.append(f"n{FIRST + offset % level.fan_out}")
        node_id = above.first + offset // level.fan_out
    return "/" + "/".join(reversed(names))


def finish(database: Database) -> None:
    """Have the database count its rows, as it does by itself sooner or later."""
    with database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            sequence = func.pg_get_serial_sequence("node", "id")
            connection.execute(select(func.setval(sequence, func.max(NODE.c.id))))
            connection.exec_driver_sql("VACUUM ANALYZE")
        else:
            connection.exec_driver_sql("ANALYZE")


def skip_foreign_keys(connection: Connection) -> None:
    """Spare PostgreSQL the check of each of a million references, where the user may do that."""
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            connection.execute(text("SET LOCAL session_replication_role = replica"))
    except DBAPIError:
        return
