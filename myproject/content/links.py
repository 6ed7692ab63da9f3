"""Links between pages as people ask for them: what leads to a page or into a section, and what
leads nowhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session

from myproject.content.references import Reference
from myproject.db.base import Id
from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.tree.timing import seen_state
from myproject.tree.trash import Trashed
from myproject.tree.urls import climb, path_columns, paths_from_rows, paths_of
from myproject.tree.visibility import BoundarySet, Visibility, is_member, parameters_of, visible

_NODE, _REFERENCE = Node.__table__, Reference.__table__


def leading_into(section: Select[Any], limit: int) -> Select[*tuple[Any, ...]]:
    """Return the statement for what leads from elsewhere into sections: columns ``source_id``, a
    page that has such links, and ``count``, that of all of them, the same in each row.

    Links from what lies in the trash, or below it, do not count.

    :param section: one column with the ids of the sections' nodes.
    :param limit: pages at most, those with the smallest ids.
    """
    return (
        select(_REFERENCE.c.source_id, func.sum(func.count()).over().label("count"))
        .where(
            _REFERENCE.c.target_id.in_(section),
            _REFERENCE.c.source_id.not_in(section),
            _REFERENCE.c.source_id.not_in(select(_in_trash().c.id)),
        )
        .group_by(_REFERENCE.c.source_id)
        .order_by(_REFERENCE.c.source_id)
        .limit(limit)
    )


def _in_trash() -> CTE:
    """Return a recursive query, column ``id``, of all that lies in the trash."""
    top = select(Trashed.__table__.c.node_id.label("id")).cte("in_trash", recursive=True)
    # Each once, whatever else above it is there as well.
    return top.union(select(_NODE.c.id).join_from(top, _NODE, _NODE.c.parent_id == top.c.id))


# -- what leads to a page -------------------------------------------------------------------------


class Backlink(NamedTuple):
    """A page whose content leads to another.

    :ivar names: from the root down.
    """

    id: int
    title: str
    type: str
    state: str
    names: tuple[str, ...]


class Backlinks(NamedTuple):
    """Some of the pages that lead to one.

    :ivar after: what to go on from; None where these are the last ones.
    """

    pages: list[Backlink]
    after: int | None


def load_backlinks(
    session: Session, node_id: int, visibility: Visibility, *, after: int = 0, limit: int = 50
) -> Backlinks:
    """Return pages whose content leads to a node, as far as whoever asks may see them.

    One statement. A few pages of those that it reads may turn out to lie below one that may not be
    seen, so that there can be fewer than *limit* although there are more to come.

    :param after: id of the page to go on from.
    """
    chosen = (
        select(_REFERENCE.c.source_id)
        .join(_NODE, _NODE.c.id == _REFERENCE.c.source_id)
        .where(
            _REFERENCE.c.target_id == node_id,
            _REFERENCE.c.source_id != node_id,
            _REFERENCE.c.source_id > after,
            visible(_NODE.c, visibility.kind),
        )
        .order_by(_REFERENCE.c.source_id)
        .limit(limit + 1)
        .cte("chosen")
    )
    up = climb(chosen)
    query = (
        select(
            *path_columns(up), _NODE.c.title, _NODE.c.type, seen_state(_NODE.c).label("page_state")
        )
        .join_from(up, _NODE, _NODE.c.id == up.c.origin)
        .order_by(up.c.origin, up.c.height.desc())
    )
    rows = session.connection().execute(query, visibility.parameters()).all()
    paths = paths_from_rows((row[:6] for row in rows), visibility)
    facts = {row[0]: row for row in rows}
    ids = list(facts)[:limit]
    pages = [
        Backlink(each, facts[each].title, facts[each].type, facts[each].page_state, paths[each])
        for each in ids
        if each in paths
    ]
    return Backlinks(pages, ids[-1] if len(facts) > limit else None)


# -- what leads nowhere ---------------------------------------------------------------------------


class Break(StrEnum):
    """Why a link leads readers nowhere."""

    GONE = "gone"
    TRASHED = "trashed"
    DRAFT = "draft"
    PRIVATE = "private"


class Broken(NamedTuple):
    """A page with a link that leads readers nowhere.

    :ivar source: names of the page from the root down.
    :ivar target_id: of the page that the link leads to; 0 where nobody knows its number.
    :ivar target_title: empty where it is gone.
    :ivar target_boundary: where it lies, for who may know of it; None where it is gone.
    """

    source_id: int
    source: tuple[str, ...]
    source_title: str
    target_id: int
    target_title: str
    target_boundary: int | None
    reason: Break


class Place(NamedTuple):
    """The last link of a page of the list."""

    source_id: int
    target_id: int


def load_broken(
    session: Session,
    visibility: Visibility,
    public: BoundarySet,
    *,
    within: BoundarySet,
    of: int | None = None,
    reason: Break | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> tuple[list[Broken], Place | None]:
    """Return links between pages that readers cannot follow, and what to go on from.

    Drafts are listed for links to what is gone or in the trash only: that they lead to another
    draft is in order until one of them is published. Two statements.

    :param visibility: of whoever asks.
    :param public: where readers without an account may see pages.
    :param within: the boundaries that the pages with the links have to lie in.
    :param of: the page with the links; all pages when left out.
    :param reason: of one kind only.
    :param after: the link to go on from.
    """
    source, target = _NODE.alias("source"), _NODE.alias("target")
    veiled = _veiled()
    hidden = select(veiled.c.id)
    trashed = hidden.where(veiled.c.trashed)
    is_live = source.c.id.not_in(hidden) & _is_in(source.c.boundary_id, public, "public")
    why = case(
        (target.c.id.is_(None), Break.GONE.value),
        (target.c.id.in_(trashed), Break.TRASHED.value),
        (and_(is_live, target.c.id.in_(hidden)), Break.DRAFT.value),
        (
            and_(is_live, ~_is_in(target.c.boundary_id, public, "public")),
            Break.PRIVATE.value,
        ),
    ).label("why")
    query = (
        select(
            _REFERENCE.c.source_id,
            source.c.title,
            _REFERENCE.c.target_id,
            target.c.title,
            target.c.boundary_id,
            why,
        )
        .join(source, source.c.id == _REFERENCE.c.source_id)
        .outerjoin(target, target.c.id == _REFERENCE.c.target_id)
        .where(
            source.c.id.not_in(trashed),
            _is_in(source.c.boundary_id, within, "within"),
            why == reason.value if reason else why.is_not(None),
        )
        .order_by(_REFERENCE.c.source_id, _REFERENCE.c.target_id)
        .limit(limit + 1)
    )
    if of is not None:
        query = query.where(_REFERENCE.c.source_id == of)
    if after is not None:
        query = query.where(
            tuple_(_REFERENCE.c.source_id, _REFERENCE.c.target_id)
            > tuple_(literal(after.source_id, Id), literal(after.target_id, Id))
        )
    parameters = parameters_of({"public": public, "within": within})
    rows = session.connection().execute(query, parameters).all()
    paths = paths_of(session, {row[0] for row in rows}, visibility) if rows else {}
    found = [
        Broken(row[0], paths[row[0]], row[1], row[2], row[3] or "", row[4], Break(row[5]))
        for row in rows[:limit]
        if row[0] in paths
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return found, None if last is None else Place(last[0], last[2])


def _is_in(column: ColumnElement[int], boundaries: BoundarySet, name: str) -> ColumnElement[bool]:
    return is_member(column, boundaries.kind, name)


def _veiled() -> CTE:
    """Return a recursive query of all that no reader can reach because of a state, its own or one
    above: ``id``, and whether it lies in the trash."""
    in_trash = _NODE.c.state == TRASHED
    trashed = type_coerce(case((in_trash, true()), else_=false()), Boolean).label("trashed")
    top = select(_NODE.c.id, trashed)
    veiled = top.where(seen_state(_NODE.c) != PUBLISHED).cte("veiled", recursive=True)
    below = case((or_(veiled.c.trashed, in_trash), true()), else_=false())
    # Each once, or twice: a draft within a draft is below both.
    return veiled.union(
        select(_NODE.c.id, type_coerce(below, Boolean)).join_from(
            veiled, _NODE, _NODE.c.parent_id == veiled.c.id
        )
    )
