"""What a change does to people: who gains or loses which permissions, on how many pages.

People are told apart by what they are as far as it matters, so a site with ten thousand accounts
and three groups compares a handful of cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from myproject.security.access import ANONYMOUS, Policies
from myproject.security.identity import load_people
from myproject.security.models import EVERYONE_ID


class Region(NamedTuple):
    """Pages within one boundary before the change, and within one after it.

    :ivar pages: how many.
    """

    before: int
    after: int
    pages: int


@dataclass(frozen=True)
class Effect:
    """What a change does to people.

    :ivar gained: whether they will be able to, or no longer be able to.
    :ivar people: how many users; 0 for visitors who are not signed in.
    :ivar permissions: what.
    :ivar pages: on how many pages at least one of them.
    """

    gained: bool
    people: int
    permissions: tuple[str, ...]
    pages: int

    @property
    def visitors(self) -> bool:
        """Whether this is about visitors who are not signed in."""
        return not self.people


def effects_of(
    session: Session,
    before: Policies,
    after: Policies,
    regions: Sequence[Region],
    affected: set[int],
) -> list[Effect]:
    """Return what a change does to whom; one statement.

    :param before, after: who may do what.
    :param regions: the pages that it reaches.
    :param affected: the principals that it is about; nobody else is looked at.
    """
    effects = _Effects(before, after, regions)
    if EVERYONE_ID in affected:
        effects.add(ANONYMOUS, 0)
    mattering = {
        given.principal_id for place in after.places.values() for given in place.grants
    } | affected
    for principals, people in _classes(session, affected, mattering).items():
        effects.add(principals, people)
    return effects.summed()


def _classes(
    session: Session, affected: set[int], mattering: set[int]
) -> Mapping[frozenset[int], int]:
    """Return sets of principals -> how many active users are just these, as far as it matters.

    :param affected: only users who are one of these, or belong to one.
    """
    classes: defaultdict[frozenset[int], int] = defaultdict(int)
    for principals in load_people(session, affected).values():
        classes[principals & mattering | ANONYMOUS] += 1
    return classes


class _Effects:
    """Adds up what a change does to classes of people."""

    def __init__(self, before: Policies, after: Policies, regions: Sequence[Region]) -> None:
        self.before, self.after, self.regions = before, after, regions
        #: ``(gained, visitors, permission)`` -> how many people, and indexes of regions where.
        self._found: defaultdict[tuple[bool, bool, str], list[Any]] = defaultdict(
            lambda: [0, set()]
        )

    def add(self, principals: frozenset[int], people: int) -> None:
        """Compare what *principals* may do before and after."""
        before, after = self.before.access(principals), self.after.access(principals)
        changed: defaultdict[tuple[bool, str], set[int]] = defaultdict(set)
        for index, region in enumerate(self.regions):
            then, now = before.at(region.before), after.at(region.after)
            for permission in now - then:
                changed[True, permission].add(index)
            for permission in then - now:
                changed[False, permission].add(index)
        for (gained, permission), indexes in changed.items():
            found = self._found[gained, people == 0, permission]
            found[0] += people
            found[1] |= indexes

    def summed(self) -> list[Effect]:
        """Return one effect for all permissions that the same number of people gain or lose on
        the same pages; losses first, for they are what one must not overlook."""
        together: defaultdict[tuple[bool, int, frozenset[int]], list[str]] = defaultdict(list)
        for (gained, _, permission), (people, indexes) in self._found.items():
            together[gained, people, frozenset(indexes)].append(permission)
        order = list(self.before.roles.permissions)
        effects = [
            Effect(
                gained,
                people,
                tuple(sorted(permissions, key=order.index)),
                sum(self.regions[index].pages for index in indexes),
            )
            for (gained, people, indexes), permissions in together.items()
        ]
        return sorted(effects, key=lambda effect: (effect.gained, effect.people, -effect.pages))
