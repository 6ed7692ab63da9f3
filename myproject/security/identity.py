"""Who somebody is, for the length of a request: a plain value, never a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from myproject.security.access import ANONYMOUS
from myproject.security.models import AUTHENTICATED_ID, EVERYONE_ID, Membership, User
from myproject.security.preferences import DEFAULTS, Preferences


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who is signed in.

    :ivar user_id: the number of the account.
    :ivar name: what the person signs in with.
    :ivar title: what the person is called.
    :ivar login_id: the login that proves it.
    :ivar groups: ids of the groups the person belongs to.
    :ivar preferences: what the person has chosen.
    """

    user_id: int
    name: str
    title: str
    login_id: int
    groups: frozenset[int]
    preferences: Preferences = DEFAULTS

    @property
    def principals(self) -> frozenset[int]:
        """Everything that something can be granted to and that this person is."""
        return principals_of(self.user_id, self.groups)


def principals_of(user_id: int, groups: frozenset[int]) -> frozenset[int]:
    """Return the principals that a user with these groups is when signed in."""
    return ANONYMOUS | {AUTHENTICATED_ID, user_id} | groups


def load_people(
    session: Session, principals: Iterable[int], *conditions: ColumnElement[bool]
) -> dict[int, frozenset[int]]:
    """Return user -> the principals that they are, of active users among *principals* and of those
    who belong to groups among them; one statement at most.

    :param conditions: on the user, that have to hold besides.
    """
    wanted = set(principals)
    if not wanted:
        return {}
    query = (
        select(User.id, Membership.group_id)
        .outerjoin(Membership, Membership.user_id == User.id)
        .where(User.active, *conditions)
    )
    if not wanted & {AUTHENTICATED_ID, EVERYONE_ID}:
        members = select(Membership.user_id).where(Membership.group_id.in_(wanted))
        query = query.where(or_(User.id.in_(wanted), User.id.in_(members)))
    groups: defaultdict[int, set[int]] = defaultdict(set)
    for user_id, group_id in session.execute(query):
        groups[user_id] |= {group_id} - {None}
    return {user_id: principals_of(user_id, frozenset(own)) for user_id, own in groups.items()}
