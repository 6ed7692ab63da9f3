"""The record of what happened to accounts and access: who, what, when and from where.

Entries are written in the transaction of what they tell about, so there is none of what did not
happen, and none is missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from myproject.security.models import AuditEntry, Principal
from myproject.security.names import normalize_account
from myproject.security.searching import matching
from myproject.tree.actor import Actor


class Event(StrEnum):
    """What can have happened."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    LOGINS_REVOKED = "logins-revoked"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a name
    LINK_REQUESTED = "link-requested"
    LINK_MADE = "link-made"
    FEED_MADE = "feed-made"
    FEED_ENDED = "feed-ended"
    USER_CREATED = "user-created"
    USER_CHANGED = "user-changed"
    USER_DISABLED = "user-disabled"
    USER_ENABLED = "user-enabled"
    USER_DELETED = "user-deleted"
    GROUP_CREATED = "group-created"
    GROUP_CHANGED = "group-changed"
    GROUP_DELETED = "group-deleted"
    MEMBER_ADDED = "member-added"
    MEMBER_REMOVED = "member-removed"
    ROLE_GRANTED = "role-granted"
    ROLE_REVOKED = "role-revoked"
    INHERITING_STOPPED = "inheriting-stopped"
    INHERITING_RESUMED = "inheriting-resumed"


def record(
    session: Session,
    event: Event,
    actor: Actor,
    *,
    subject: Principal | None = None,
    node_id: int | None = None,
    **details: Any,
) -> None:
    """Write an entry.

    :param subject: the account or the group that it is about.
    :param node_id: the place that it is about.
    :param details: what else is worth knowing; strings, numbers and lists of them.
    """
    session.add(
        AuditEntry(
            kind=event.value,
            actor_id=actor.id,
            actor=actor.name[:200],
            address=actor.address[:60],
            subject_id=None if subject is None else subject.id,
            subject="" if subject is None else subject.name,
            node_id=node_id,
            details=details,
        )
    )


def load_entries(
    session: Session,
    *,
    event: str = "",
    principal_id: int | None = None,
    person: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Sequence[AuditEntry], bool]:
    """Return entries, the newest first, and whether there are more.

    :param event: only this kind.
    :param principal_id: only what this user did, or what was done to this user or group.
    :param person: only what is about who goes by this name now or did then; of users and groups
        that only contain it, where none has exactly this name.
    :param since, until: from and before these times.
    :param before: only entries with a smaller number: the next page.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if event:
        query = query.where(AuditEntry.kind == event)
    if principal_id is not None:
        query = query.where(
            or_(AuditEntry.actor_id == principal_id, AuditEntry.subject_id == principal_id)
        )
    if wanted := normalize_account(person):
        query = query.where(_about(wanted, person))
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = session.scalars(query).all()
    return rows[:limit], len(rows) > limit


def _about(wanted: str, typed: str) -> ColumnElement[bool]:
    exact = aliased(Principal)
    is_there = select(exact.id).where(exact.name == wanted).exists()
    found = select(Principal.id).where(
        or_(Principal.name == wanted, and_(~is_there, matching(Principal, typed)))
    )
    return or_(
        AuditEntry.actor_id.in_(found),
        AuditEntry.subject_id.in_(found),
        # Of accounts that are gone, and of attempts to sign in as nobody, there is the name only.
        AuditEntry.actor == wanted,
        AuditEntry.subject == wanted,
    )
