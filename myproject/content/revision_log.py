"""Lists of revisions, and what each of them has changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from myproject.content.revisions import Revision, differing
from myproject.exceptions import InvalidValue
from myproject.security.models import Principal
from myproject.translation import PluralStringFactory

ngettext = PluralStringFactory("myproject")

#: Letters of a name that somebody gives to a version.
LONGEST_LABEL = 200

#: What a revision says besides the values of fields, in the order in which it is compared.
STANDING = ("type", "state", "name", "parent_id")


class Filters(NamedTuple):
    """What a history is narrowed to.

    :ivar person: a part of the name of whoever saved.
    :ivar since, until: the first moment that counts, and the first one that does not any more.
    :ivar named: whether to show only versions that somebody has given a name.
    """

    person: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    named: bool = False


ALL_VERSIONS = Filters()


class Listed(NamedTuple):
    """A page of a history.

    :ivar following: the ``before`` of the next page; None on the last one.
    """

    revisions: Sequence[Revision]
    following: int | None


class Change(NamedTuple):
    """What a revision has changed.

    :ivar previous_id: the revision before it; None of the first one.
    :ivar names: of the fields that differ, and of :data:`STANDING`; none of the first one.
    """

    previous_id: int | None
    names: tuple[str, ...] = ()


def load_history(
    session: Session,
    node_id: int,
    filters: Filters = ALL_VERSIONS,
    *,
    before: int | None = None,
    limit: int = 30,
) -> Listed:
    """Return a node's revisions, the newest first; one statement.

    :param before: the number of a revision: only older ones.
    """
    query = select(Revision).where(Revision.node_id == node_id)
    if before is not None:
        query = query.where(Revision.id < before)
    if filters.named:
        query = query.where(Revision.label != "")
    if filters.person:
        query = query.where(by_person(Revision, filters.person))
    if filters.since is not None:
        query = query.where(Revision.at >= filters.since)
    if filters.until is not None:
        query = query.where(Revision.at < filters.until)
    rows = session.scalars(query.order_by(Revision.id.desc()).limit(limit + 1)).all()
    return Listed(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def by_person(columns: Any, person: str) -> ColumnElement[bool]:
    """Return "whoever did this is called so", by a part of the name or of the full name.

    :param columns: a class or a table with ``actor`` and ``actor_id``.
    """
    titled = select(Principal.id).where(Principal.title.icontains(person, autoescape=True))
    return or_(
        columns.actor.icontains(person, autoescape=True),
        columns.actor_id.in_(titled),
    )


def changes_of(session: Session, revisions: Iterable[Revision]) -> Mapping[int, Change]:
    """Return revision -> what it has changed, however many there are; two statements at most."""
    known = {revision.id: revision for revision in revisions}
    if not known:
        return {}
    previous = _previous_ids(session, known.values())
    missing = {number for number in previous.values() if number is not None} - known.keys()
    if missing:
        query = select(Revision).where(Revision.id.in_(missing))
        known |= {revision.id: revision for revision in session.scalars(query)}
    return {
        number: Change(before, () if before is None else changed(known[before], known[number]))
        for number, before in previous.items()
    }


def _previous_ids(session: Session, revisions: Iterable[Revision]) -> dict[int, int | None]:
    earlier = aliased(Revision)
    newest = (
        select(func.max(earlier.id))
        .where(earlier.node_id == Revision.node_id, earlier.id < Revision.id)
        .scalar_subquery()
    )
    ids = [revision.id for revision in revisions]
    query = select(Revision.id, newest).where(Revision.id.in_(ids))
    return {row[0]: row[1] for row in session.execute(query)}


def changed(old: Revision, new: Revision) -> tuple[str, ...]:
    """Return the names of what two revisions of a node differ in: fields, and where it stood."""
    standing = (name for name in STANDING if getattr(old, name) != getattr(new, name))
    return (*differing(old.fields, new.fields), *standing)


def load_revisions(session: Session, node_id: int, ids: Iterable[int]) -> dict[int, Revision]:
    """Return those of a node's revisions that have these numbers; one statement."""
    query = select(Revision).where(Revision.node_id == node_id, Revision.id.in_(list(ids)))
    return {revision.id: revision for revision in session.scalars(query)}


def load_live(session: Session, node_id: int) -> Revision | None:
    """Return the revision that says what a node says now; None where none was kept yet."""
    query = select(Revision).where(
        Revision.node_id == node_id,
        Revision.valid_from.is_not(None),
        Revision.valid_to.is_(None),
    )
    return session.scalars(query.order_by(Revision.id.desc()).limit(1)).one_or_none()


def load_neighbours(session: Session, revision: Revision) -> tuple[int | None, int | None]:
    """Return the numbers of the revisions before and after one of the same node."""
    same = Revision.node_id == revision.node_id
    query = select(
        select(func.max(Revision.id)).where(same, Revision.id < revision.id).scalar_subquery(),
        select(func.min(Revision.id)).where(same, Revision.id > revision.id).scalar_subquery(),
    )
    before, after = session.execute(query).one()
    return before, after


def give_name(revision: Revision, label: str) -> bool:
    """Give a revision a name, or take it away with an empty one; return whether that changed it.

    :raises InvalidValue: when it is too long.
    """
    label = " ".join(label.split())
    if len(label) > LONGEST_LABEL:
        reason = ngettext(
            "A name has at most ${n} character.",
            "A name has at most ${n} characters.",
            LONGEST_LABEL,
        )
        raise InvalidValue("label", reason)
    is_other = label != revision.label
    revision.label = label
    return is_other


def people_named(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """Return user -> full name, as people are called now; one statement, none for no ids."""
    wanted = set(ids) - {None}
    if not wanted:
        return {}
    query = select(Principal.id, Principal.title).where(Principal.id.in_(wanted))
    return {row[0]: row[1] for row in session.execute(query)}
