"""Who somebody is, for the length of a request: a plain value, never a row."""

from __future__ import annotations

from dataclasses import dataclass

from myproject.security.access import ANONYMOUS
from myproject.security.models import AUTHENTICATED_ID
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
