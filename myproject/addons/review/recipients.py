"""Who is written to about pages: those who may review them, or whoever has submitted them.

What is asked is asked for all pages of a step at once: the statements do not grow with the pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy.orm import Session

from myproject.addons.review.steps import REVIEW
from myproject.security.access import Policies
from myproject.security.identity import load_people
from myproject.security.models import User
from myproject.security.permissions import ADMINISTRATOR, Permission
from myproject.tree.node import PUBLISHED, Node

#: What it takes to open a page: as readers do, or with what these do not see.
AS_READER = frozenset({Permission.VIEW})
WITH_DRAFTS = frozenset({Permission.VIEW, Permission.VIEW_DRAFTS})

#: What it takes to review one, as the inbox has it.
TO_REVIEW = frozenset({*WITH_DRAFTS, REVIEW})

#: User -> the principals that they are.
People = Mapping[int, frozenset[int]]

#: Pairs of a boundary and a permission that is needed there.
Needs = frozenset[tuple[int, str]]


class Reviewers(NamedTuple):
    """Who may review a page.

    :ivar others: those who may by a role that is not the administrator's.
    """

    others: frozenset[int]
    administrators: frozenset[int]


class Recipients:
    """Finds those who have a mail address, are not locked out, and may open the page.

    :param policies: all grants of the site.
    """

    def __init__(self, session: Session, policies: Policies) -> None:
        self.session, self.policies = session, policies
        places = policies.places.values()
        self._granted = {given.principal_id for place in places for given in place.grants}
        self._answers: dict[tuple[frozenset[int], Needs], bool] = {}

    def reviewers(
        self, nodes: Iterable[Node], excluded: Mapping[int, set[int]]
    ) -> dict[int, set[int]]:
        """Return node -> the users who may review it; one statement.

        Administrators may do everything; they are among them only where there is nobody else.

        :param excluded: node -> users who are left out.
        """
        about = {node: needs_of(node, TO_REVIEW) for node in nodes}
        boundaries = {node.boundary_id for node in about}
        given = {boundary_id: self._given(boundary_id) for boundary_id in boundaries}
        people = self._load({number for named in given.values() for number in named})
        answers: dict[Needs, Reviewers] = {}
        found = {}
        for node, needs in about.items():
            if needs not in answers:
                answers[needs] = self._reviewers(people, needs, given[node.boundary_id])
            out = excluded.get(node.id, set())
            others, administrators = (set(some) - out for some in answers[needs])
            found[node.id] = others or administrators
        return found

    def _given(self, boundary_id: int) -> Mapping[int, bool]:
        """Return principal -> whether they may review within a boundary by more than the role of
        administrators."""
        given: dict[int, bool] = {}
        for reason in self.policies.applying(boundary_id):
            role = self.policies.roles.get(reason.role)
            if role is not None and REVIEW in role.permissions:
                is_other = reason.role != ADMINISTRATOR
                given[reason.principal_id] = given.get(reason.principal_id, False) or is_other
        return given

    def _reviewers(self, people: People, needs: Needs, given: Mapping[int, bool]) -> Reviewers:
        able = {user_id: who for user_id, who in people.items() if self._may(who, needs)}
        others = frozenset(
            user_id
            for user_id, who in able.items()
            if any(given.get(principal_id) for principal_id in who)
        )
        return Reviewers(others, frozenset(able) - others)

    def those_who_see(
        self, nodes: Mapping[Node, frozenset[str]], users: Mapping[int, int]
    ) -> dict[int, set[int]]:
        """Return node -> the user who waits to hear of it, if they may open it; one statement.

        :param nodes: node -> what it takes to open what they are told of.
        :param users: node -> the user.
        """
        people = self._load(users.values())
        found = {}
        for node, needed in nodes.items():
            user_id = users.get(node.id, 0)
            if user_id in people and self._may(people[user_id], needs_of(node, needed)):
                found[node.id] = {user_id}
        return found

    def _may(self, who: frozenset[int], needs: Needs) -> bool:
        # Who has no grants of their own shares the answer with the rest of their group.
        key = (who & self._granted, needs)
        if key not in self._answers:
            access = self.policies.access(key[0])
            self._answers[key] = all(name in access.at(place) for place, name in needs)
        return self._answers[key]

    def _load(self, principals: Iterable[int]) -> People:
        """Return the users among principals, and those who belong to groups among them."""
        return load_people(self.session, principals, User.email.is_not(None))


def needs_of(node: Node, needed: Iterable[str]) -> Needs:
    """Return what it takes to come to a node: a draft hides what is below it.

    :param node: one whose lineage is loaded.
    :param needed: what it takes at the node itself.
    """
    needs = {(node.boundary_id, str(name)) for name in needed}
    place = node.parent
    while place is not None:
        if place.seen_state != PUBLISHED:
            needs |= {(place.boundary_id, str(name)) for name in WITH_DRAFTS}
        place = place.parent
    return frozenset(needs)
