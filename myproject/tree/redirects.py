"""Redirects: addresses that pages had, or that people have made up, and where they lead.

A row says ``(place, name) -> node``, so the old addresses of everything below the node work
through it, and what it leads to may itself be moved as often as it likes: nothing is rewritten,
and chains are none, because a row names a node and not an address. Redirects are looked at only
when nothing was found. An address that a page has again is that page's; its row rests meanwhile.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Container, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, Id, UTCDateTime, utcnow
from myproject.db.transaction import mark_changed
from myproject.exceptions import InvalidName, InvalidValue, NodeGone
from myproject.tree.copying import descend
from myproject.tree.names import MAX_DEPTH, normalize, problem_with
from myproject.tree.node import ALL_TYPES, ROOT_ID, Node
from myproject.tree.trash import Trashed
from myproject.tree.traversal import segment_at
from myproject.tree.urls import climb, join_path, path_columns, paths_from_rows, paths_of
from myproject.tree.visibility import EVERYTHING, BoundarySet, Visibility, is_member

_ = TranslationStringFactory("myproject")

#: Bytes of UTF-8 that an address may have below its first new name: an index has to hold them.
MAX_REST_BYTES = 1500

#: Redirects that are tried for one address: a request must not make the database walk for ever.
MOST_TRIED = 20


class Origin(StrEnum):
    """How a redirect came about."""

    MOVED = "moved"
    ALIAS = "alias"
    MANUAL = "manual"


class Redirect(Base):
    """An address that leads elsewhere.

    The address is that of ``parent_id``, then ``name``, then ``rest``. There is a page at the first
    only; the others are needed where somebody says so by hand, or a file does.
    """

    __tablename__ = "redirect"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    parent_id: Mapped[int] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    #: Further names, joined by slashes; mostly empty.
    rest: Mapped[str] = mapped_column(String(2000), default="")
    target_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("node.id", ondelete="CASCADE"), index=True
    )
    #: Where it leads if that is no page of this site; else empty.
    url: Mapped[str] = mapped_column(String(2000), default="")
    origin: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    #: Name of whoever made it; empty where nobody knows.
    actor: Mapped[str] = mapped_column(String(200), default="")
    hits: Mapped[int] = mapped_column(BigInteger, default=0)
    last_hit_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("parent_id", "name", "rest"),
        CheckConstraint("(target_id IS NULL) = (url <> '')", name="leads_to_one"),
        Index(None, "created_at", "id"),
    )


_REDIRECT, _NODE, _TRASH = Redirect.__table__, Node.__table__, Trashed.__table__
_KEY = ("parent_id", "name", "rest")


# -- what the operations on the tree leave ---------------------------------------------------------


def leave(session: Session, parent_id: int, name: str, node_id: int, actor: str = "") -> None:
    """Have the place *name* below a node lead to another, which stands there no longer.

    One row, and one statement; whatever led elsewhere from this place does so no longer.

    :param actor: name of whoever moved it.
    :raises NodeGone: when the parent, or the node, was deleted meanwhile.
    """
    if problem_with(name) is not None:
        # A name that no address can have, such as that of what lies in the trash.
        return
    values = {"target_id": node_id, "url": "", "origin": Origin.MOVED, "actor": actor}
    try:
        write(session, [{"parent_id": parent_id, "name": name, "rest": "", **values}])
    except IntegrityError as error:
        raise NodeGone from error


def arrive(session: Session, parent_id: int, name: str, node_id: int) -> None:
    """Say that a node stands at a place: nothing has to lead to it from there any more."""
    session.connection().execute(
        delete(_REDIRECT).where(
            _REDIRECT.c.parent_id == parent_id,
            _REDIRECT.c.name == name,
            _REDIRECT.c.rest == "",
            _REDIRECT.c.target_id == node_id,
        )
    )
    mark_changed(session)


def write(session: Session, rows: Sequence[Mapping[str, Any]], *, replace: bool = True) -> None:
    """Insert redirects.

    :param rows: columns of each; ``created_at`` and the hits are new.
    :param replace: have them take the place of others with the same address; else those stay.
    """
    if not rows:
        return
    connection, now = session.connection(), utcnow()
    fresh = {"created_at": now, "hits": 0, "last_hit_at": None}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(_REDIRECT)
    if replace:
        news = ("target_id", "url", "origin", "actor", *fresh)
        insert = insert.on_conflict_do_update(
            index_elements=list(_KEY), set_={key: insert.excluded[key] for key in news}
        )
    else:
        insert = insert.on_conflict_do_nothing(index_elements=list(_KEY))
    connection.execute(insert, [{**row, **fresh} for row in rows])
    mark_changed(session)


def hand_up(session: Session, node: Node) -> None:
    """Keep what leads out of a section that is about to be deleted.

    Pages that once stood in it and live elsewhere are found at their old addresses all the same:
    their rows go to the parent of the section, with the way through it.

    :param node: the section's top; it may be in the trash.
    """
    below = _with_ways(node.id)
    inside = descend(node.id)
    query = (
        select(_REDIRECT, below.c.way)
        .join_from(below, _REDIRECT, _REDIRECT.c.parent_id == below.c.id)
        .where(
            or_(
                _REDIRECT.c.target_id.is_(None),
                _REDIRECT.c.target_id.not_in(select(inside.c.id)),
            )
        )
    )
    rows = []
    for row in session.connection().execute(query):
        name, *more = [*row.way.split("/"), row.name, *filter(None, [row.rest])]
        rest = "/".join(more)
        if len(rest.encode()) <= MAX_REST_BYTES and problem_with(name) is None:
            kept = {"target_id": row.target_id, "url": row.url, "origin": row.origin}
            where = {"parent_id": node.parent_id, "name": name, "rest": rest}
            rows.append({**where, **kept, "actor": row.actor})
    write(session, rows, replace=False)


def _with_ways(node_id: int) -> Any:
    """Return a recursive query over a section: ``id``, and ``way``, the names from its top down,
    as they were before anything of it went to the trash."""
    trashed = select(_TRASH.c.name).where(_TRASH.c.node_id == _NODE.c.id).scalar_subquery()
    name = cast(func.coalesce(trashed, _NODE.c.name), Text)
    ways = select(_NODE.c.id, name.label("way")).where(_NODE.c.id == node_id)
    ways = ways.cte("ways", recursive=True)
    return ways.union_all(
        select(_NODE.c.id, ways.c.way + "/" + name).join_from(
            ways, _NODE, _NODE.c.parent_id == ways.c.id
        )
    )


# -- following -------------------------------------------------------------------------------------


class Found(NamedTuple):
    """Where an address leads.

    :ivar steps: ids of the redirects on the way.
    :ivar names: of the page, from the root down; None where it leads to *url*.
    :ivar node_id: the page's.
    """

    steps: tuple[int, ...]
    names: tuple[str, ...] | None = None
    node_id: int | None = None
    url: str = ""


def follow(
    session: Session,
    lineage: Sequence[int],
    names: Sequence[str],
    visibility: Visibility,
    *,
    types: Container[str] = ALL_TYPES,
    taken: int = 0,
    to_url: bool = True,
) -> Found | None:
    """Return where the address *names* leads, as far as whoever asks may see that.

    One statement where no redirect has to do with the address. Each redirect uses up a part of
    the address, so that nothing can be followed for ever.

    :param lineage: ids of the nodes from the root down that exist along the address.
    :param names: all of the address, decoded, in NFC.
    :param types: those that are switched on; pages of others cannot be shown.
    :param taken: length of the address of the deepest page on the way that whoever asks may see:
        such a page keeps its address, but not those below it.
    :param to_url: whether a redirect to a URL counts: not where a view is asked for.
    """
    return _Search(session, visibility, types, to_url).explore(lineage, names, taken, ())


class _Search:
    def __init__(
        self, session: Session, visibility: Visibility, types: Container[str], to_url: bool
    ) -> None:
        self.session, self.visibility, self.types = session, visibility, types
        self.to_url = to_url
        self.left = MOST_TRIED

    def explore(
        self, lineage: Sequence[int], names: Sequence[str], taken: int, steps: tuple[int, ...]
    ) -> Found | None:
        for used, row in _candidates(self.session, lineage, names):
            rest = names[used:]
            if (not rest and used <= taken) or not self.left:
                continue
            self.left -= 1
            found = self._through(row, rest, steps if row.id is None else (*steps, row.id))
            if found is not None:
                return found
        return None

    def _through(self, row: Any, rest: Sequence[str], steps: tuple[int, ...]) -> Found | None:
        if row.target_id is None:
            return Found(steps, url=row.url) if self.to_url and not rest else None
        below = walk(self.session, rest, row.target_id) if rest else [row.target_id]
        if len(below) > len(rest):
            names = self._place(below[-1])
            if names is not None:
                return Found(steps, names, below[-1])
        return self.explore(below, rest, 0, steps) if rest else None

    def _place(self, node_id: int) -> tuple[str, ...] | None:
        """Return the names of a page that whoever asks may see; one statement."""
        rows = self.session.connection().execute(_PLACE, {"node": node_id}).all()
        if not rows or rows[0].type not in self.types:
            return None
        return paths_from_rows((row[:6] for row in rows), self.visibility).get(node_id)


def _place_query() -> Any:
    up = climb(select(_NODE.c.id).where(_NODE.c.id == bindparam("node", type_=Id)))
    return (
        select(*path_columns(up), _NODE.c.type)
        .join_from(up, _NODE, _NODE.c.id == up.c.origin)
        .order_by(up.c.height.desc())
    )


_PLACE = _place_query()


def _candidates(
    session: Session, lineage: Sequence[int], names: Sequence[str]
) -> list[tuple[int, Any]]:
    """Return the redirects that a part of *names* belongs to, and how many names it is: those of
    the deepest place first, and then those that say most; one statement.

    A place in the trash is one of them, without an id: what was moved out of it before is still
    found at its old address, although the way there leads through the trash.
    """
    depths = {node_id: depth for depth, node_id in enumerate(lineage[: len(names)])}
    if not depths:
        return []
    parameters = {"places": list(depths), "names": sorted(set(names))}
    found = []
    for row in session.connection().execute(_CANDIDATES, parameters):
        depth = depths[row.parent_id]
        way = (row.name, *row.rest.split("/")) if row.rest else (row.name,)
        if tuple(names[depth : depth + len(way)]) == way:
            found.append((depth, depth + len(way), row.id is not None, row))
    found.sort(key=lambda item: item[:3], reverse=True)
    return [(used, row) for _, used, _, row in found]


def _candidates_query() -> Any:
    # Written out in the statement: of a list whose length it does not know, PostgreSQL expects so
    # much that it reads all of the table.
    places = bindparam("places", type_=Id, expanding=True)
    names = bindparam("names", type_=String, expanding=True)
    rows = select(*(_REDIRECT.c[key] for key in ("id", *_KEY, "target_id", "url"))).where(
        _REDIRECT.c.parent_id.in_(places), _REDIRECT.c.name.in_(names)
    )
    parent = select(_NODE.c.parent_id).where(_NODE.c.id == _TRASH.c.node_id).scalar_subquery()
    trashed = select(
        literal(None, Id), parent, _TRASH.c.name, literal(""), _TRASH.c.node_id, literal("")
    ).where(_TRASH.c.name.in_(names), parent.in_(places))
    return rows.union_all(trashed)


_CANDIDATES = _candidates_query()


def _walk_query() -> Any:
    names = bindparam("names", type_=String)
    way = (
        select(_NODE.c.id, literal(0).label("depth"))
        .where(_NODE.c.id == bindparam("start", type_=_NODE.c.id.type))
        .cte("way", recursive=True)
    )
    child = _NODE.alias("child")
    way = way.union_all(
        select(child.c.id, way.c.depth + 1).join_from(
            way,
            child,
            (child.c.parent_id == way.c.id) & (child.c.name == segment_at(names, way.c.depth)),
        )
    )
    return select(way.c.id).order_by(way.c.depth)


_WALK = _walk_query()


def walk(session: Session, names: Sequence[str], start: int = ROOT_ID) -> list[int]:
    """Return the ids of *start* and of the nodes below it along *names*, as far as they exist."""
    parameters = {"start": start, "names": json.dumps(list(names))}
    return list(session.connection().scalars(_WALK, parameters))


# -- by hand ---------------------------------------------------------------------------------------


class Address(NamedTuple):
    """An address as a redirect has it.

    :ivar lineage: ids of the nodes that exist along it, from the root down.
    :ivar is_taken: whether a page stands there.
    """

    names: tuple[str, ...]
    lineage: tuple[int, ...]

    @property
    def is_taken(self) -> bool:
        return len(self.lineage) > len(self.names)

    @property
    def key(self) -> dict[str, Any]:
        """The columns of a redirect from here."""
        depth = min(len(self.lineage), len(self.names)) - 1
        name, *rest = self.names[depth:]
        return {"parent_id": self.lineage[depth], "name": name, "rest": "/".join(rest)}


def address_of(
    session: Session, names: Sequence[str], reserved: Container[str] = frozenset()
) -> Address:
    """Return the address *names*; one statement.

    :param reserved: first names that belong to routes.
    :raises InvalidValue: for the field ``address``, when a redirect could never be used there.
    """
    names = tuple(map(normalize, names))
    if problem := problem_with_address(names, reserved):
        raise InvalidValue("address", problem)
    return Address(names, tuple(walk(session, names)))


def problem_with_address(names: Sequence[str], reserved: Container[str] = ()) -> str | None:
    """Return why no redirect can lead away from *names*, as a translation string; None if one
    can."""
    if not names:
        return _("The start page cannot lead elsewhere.")
    for name in names:
        if reason := problem_with(name):
            return InvalidName(name, reason).message
    if names[0] in reserved:
        path = join_path(names[:1])
        return _("${path} is used by the application itself.", mapping={"path": path})
    if len(names) > MAX_DEPTH or len("/".join(names[1:]).encode()) > MAX_REST_BYTES:
        return _("The address is too long.")
    return None


def add(
    session: Session,
    address: Address,
    *,
    target_id: int | None = None,
    url: str = "",
    actor: str = "",
) -> int:
    """Make a redirect by hand and return its id. A page that has the address keeps it.

    :param target_id: the node that it leads to, or else
    :param url: where it leads.
    :raises InvalidValue: when the address leads somewhere already, or would lead to itself.
    """
    _check_target(session, address, target_id)
    if (present := at_address(session, address)) is not None:
        raise _taken(address)
    values = {"target_id": target_id, "url": url, "origin": Origin.MANUAL, "actor": actor}
    write(session, [{**address.key, **values}], replace=False)
    present = at_address(session, address)
    if present is None or (present.target_id, present.url) != (target_id, url):
        # Somebody else was quicker.
        raise _taken(address)
    return present.id


def change(
    session: Session, redirect: Redirect, *, target_id: int | None = None, url: str = ""
) -> None:
    """Have a redirect lead elsewhere; from now on it is one that was made by hand.

    :raises InvalidValue: when it would lead to itself.
    """
    names = addresses_of(session, [redirect], EVERYTHING)[redirect.id]
    if names is not None:
        _check_target(session, Address(names, ()), target_id)
    redirect.target_id, redirect.url, redirect.origin = target_id, url, Origin.MANUAL
    session.flush()


def _check_target(session: Session, address: Address, target_id: int | None) -> None:
    if target_id is None:
        return
    if paths_of(session, [target_id], EVERYTHING).get(target_id) == address.names:
        reason = _("This is the address itself; it has to lead elsewhere.")
        raise InvalidValue("target", reason)


def _taken(address: Address) -> InvalidValue:
    path = join_path(address.names)
    return InvalidValue("address", _("${path} leads elsewhere already.", mapping={"path": path}))


def at_address(session: Session, address: Address) -> Any:
    """Return the row (``id``, ``target_id``, ``url``) that is used at an address, if there is one.

    Of several, for an address can be written from each place above it, the one that counts.
    """
    found = _candidates(session, address.lineage, address.names)
    return next((row for used, row in found if row.id and used == len(address.names)), None)


# -- lists -----------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A redirect in a list.

    :ivar title, type, state: of the page that it leads to; None where it leads to a URL.
    """

    redirect: Redirect
    title: str | None
    type: str | None
    state: str | None


class Cursor(NamedTuple):
    """The last redirect of a page of the list."""

    at: dt.datetime
    id: int


def load_redirects(
    session: Session,
    within: BoundarySet,
    *,
    search: str = "",
    origin: str = "",
    number: int | None = None,
    before: Cursor | None = None,
    limit: int = 50,
) -> tuple[list[Line], bool]:
    """Return redirects, the newest first, and whether there are more; one statement.

    :param within: the boundaries in which the place and the target of each have to be.
    :param search: what the last part of the address, the target's title or the URL contains.
    :param origin: of one kind only.
    :param number: the one with this id only.
    """
    parent, target = _NODE.alias("parent"), _NODE.alias("target")
    query = (
        select(Redirect, target.c.title, target.c.type, target.c.state)
        .join(parent, parent.c.id == Redirect.parent_id)
        .outerjoin(target, target.c.id == Redirect.target_id)
        .where(
            is_member(parent.c.boundary_id, within.kind, "within"),
            or_(
                Redirect.target_id.is_(None),
                is_member(target.c.boundary_id, within.kind, "within"),
            ),
        )
        .order_by(Redirect.created_at.desc(), Redirect.id.desc())
        .limit(limit + 1)
    )
    for word in search.strip("/").rsplit("/", 1)[-1:]:
        if word:
            query = query.where(
                or_(
                    Redirect.name.icontains(word, autoescape=True),
                    Redirect.rest.icontains(word, autoescape=True),
                    Redirect.url.icontains(word, autoescape=True),
                    target.c.title.icontains(word, autoescape=True),
                )
            )
    if origin:
        query = query.where(Redirect.origin == origin)
    if number is not None:
        query = query.where(Redirect.id == number)
    if before is not None:
        query = query.where(
            tuple_(Redirect.created_at, Redirect.id)
            < tuple_(literal(before.at, UTCDateTime), literal(before.id, Id))
        )
    parameters = {"within": within.parameter} if within.ids else {}
    rows = session.execute(query, parameters).all()
    return [Line(*row) for row in rows[:limit]], len(rows) > limit


def addresses_of(
    session: Session, redirects: Sequence[Redirect], visibility: Visibility
) -> dict[int, tuple[str, ...] | None]:
    """Return id -> the address that each redirect leads away from; one statement.

    None where it is below a place that may not be seen.
    """
    paths = paths_of(session, {redirect.parent_id for redirect in redirects}, visibility)
    found: dict[int, tuple[str, ...] | None] = {}
    for redirect in redirects:
        above = paths.get(redirect.parent_id)
        rest = redirect.rest.split("/") if redirect.rest else ()
        found[redirect.id] = None if above is None else (*above, redirect.name, *rest)
    return found


def resting(session: Session, redirects: Sequence[Redirect]) -> set[int]:
    """Return the ids of those redirects whose address is a page's now; one statement.

    Addresses that go on behind a place that is not there cannot be a page's, or hardly ever.
    """
    plain = {(each.parent_id, each.name): each.id for each in redirects if not each.rest}
    query = select(_NODE.c.parent_id, _NODE.c.name).where(
        _NODE.c.parent_id.in_({parent_id for parent_id, _ in plain}),
        _NODE.c.name.in_({name for _, name in plain}),
    )
    rows = session.connection().execute(query).all() if plain else ()
    return {plain[row.parent_id, row.name] for row in rows if (row.parent_id, row.name) in plain}
