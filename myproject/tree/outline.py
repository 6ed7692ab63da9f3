"""Several branches of the tree at once, for a tree that opens branch by branch.

However deep a place lies, all branches on the way to it come with one statement: of each the part
around the way, so a page among a hundred thousand siblings is found as quickly as one among ten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from myproject.db.base import Id
from myproject.tree.listing import START, Key
from myproject.tree.node import Node
from myproject.tree.visibility import Kind, Visibility, visible

_NODE = Node.__table__


class Twig(NamedTuple):
    """A node as the tree shows it."""

    id: int
    parent_id: int
    name: str
    position: int
    type: str
    title: str
    nav_title: str
    state: str
    boundary_id: int
    draft_id: int | None
    stage: str
    publish_at: dt.datetime | None
    expire_at: dt.datetime | None
    has_children: bool

    @property
    def key(self) -> Key:
        """Its place among its siblings."""
        return Key(self.position, self.id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A branch to load: the visible children of a node, or a part of them.

    :ivar below: what of them may be seen, and of theirs.
    :ivar around: a child that has to be among them; in the middle where there are many.
    :ivar after, before: where to go on from, or up to.
    """

    parent_id: int
    below: Visibility
    around: Key | None = None
    after: Key | None = None
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """The children of a node, or a part of them.

    :ivar earlier, later: whether there are more on that side.
    """

    twigs: Sequence[Twig]
    earlier: bool = False
    later: bool = False


def load_branches(session: Session, wanted: Sequence[Wanted], *, size: int = 50) -> list[Branch]:
    """Return branches, in the order in which they are asked for; one statement for all.

    :param size: nodes of each at most.
    """
    if not wanted:
        return []
    parts: list[tuple[Kind, bool]] = []
    parameters: dict[str, Any] = {}
    limits: list[tuple[int, int]] = []
    for branch in wanted:
        before, onward = _limits(branch, size)
        limits.append((before, onward))
        middle = branch.around or branch.before or branch.after or START
        for backwards, limit in ((True, before), (False, onward)):
            number = len(parts)
            parts.append((branch.below.kind, backwards))
            parameters |= {
                f"parent_{number}": branch.parent_id,
                f"position_{number}": middle.position,
                # Onward is from the key on; after a node means from behind it.
                f"id_{number}": middle.id + (branch.after is not None and not backwards),
                f"limit_{number}": limit,
                **branch.below.parameters(f"seen_{number}"),
            }
    found: list[list[Twig]] = [[] for _ in parts]
    for part, *columns in session.connection().execute(_query(tuple(parts)), parameters).all():
        found[part].append(Twig._make(columns))
    return [
        _joined(found[2 * index], found[2 * index + 1], branch, limits[index])
        for index, branch in enumerate(wanted)
    ]


def _limits(branch: Wanted, size: int) -> tuple[int, int]:
    """Return how many nodes are read before the key and from it on, one more than are shown."""
    if branch.around is not None:
        return size // 2 + 1, size - size // 2 + 1
    return (size + 1, 0) if branch.before is not None else (0, size + 1)


def _joined(
    before: list[Twig], onward: list[Twig], branch: Wanted, limits: tuple[int, int]
) -> Branch:
    before.sort(key=lambda twig: twig.key)
    onward.sort(key=lambda twig: twig.key)
    earlier = branch.after is not None or (limits[0] > 0 and len(before) == limits[0])
    later = branch.before is not None or (limits[1] > 0 and len(onward) == limits[1])
    if limits[0] and len(before) == limits[0]:
        before = before[1:]
    if limits[1] and len(onward) == limits[1]:
        onward = onward[:-1]
    return Branch([*before, *onward], earlier, later)


@cache
def _query(parts: tuple[tuple[Kind, bool], ...]) -> Any:
    """Return the statement for branches whose texts are alike."""
    return union_all(*(_part(number, *part) for number, part in enumerate(parts)))


def _part(number: int, kind: Kind, backwards: bool) -> Select[*tuple[Any, ...]]:
    row = tuple_(_NODE.c.position, _NODE.c.id)
    key = tuple_(bindparam(f"position_{number}", type_=Id), bindparam(f"id_{number}", type_=Id))
    order: list[ColumnElement[Any]] = [_NODE.c.position, _NODE.c.id]
    if backwards:
        order = [column.desc() for column in order]
    seen = f"seen_{number}"
    limited = (
        select(*(_NODE.c[field] for field in Twig._fields[:-1]))
        .where(
            _NODE.c.parent_id == bindparam(f"parent_{number}", type_=Id),
            row < key if backwards else row >= key,
            visible(_NODE.c, kind, seen),
        )
        .order_by(*order)
        .limit(bindparam(f"limit_{number}"))
        .subquery()
    )
    child = _NODE.alias("child")
    # See ``tree/listing.py``: outside of the limit, and not EXISTS.
    first_child = (
        select(child.c.id)
        .where(child.c.parent_id == limited.c.id, visible(child.c, kind, seen))
        .order_by(child.c.position, child.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return select(literal(number).label("part"), limited, first_child.is_not(None))
