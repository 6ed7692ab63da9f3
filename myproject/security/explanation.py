"""Permissions that explain themselves: what somebody may do at a place, and what decides it.

The screen and the command line say the same, because both say what is worked out here. It follows
the security policy step by step, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import String, bindparam, select
from sqlalchemy.orm import Session

from myproject.security.access import ANONYMOUS, Policies, Reason
from myproject.security.accounts import groups_of
from myproject.security.identity import principals_of
from myproject.security.models import Principal, User
from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.tree.visibility import ids_in


class Named(NamedTuple):
    """A principal as people call it.

    :ivar kind: ``everyone``, ``authenticated``, ``user`` or ``group``.
    """

    id: int
    kind: str
    name: str
    title: str


class Why(StrEnum):
    """What decides whether somebody may do something."""

    GRANTED = "granted"
    NOT_GIVEN = "not-given"
    STOPPED = "stopped"
    DRAFT = "draft"
    BELOW_DRAFT = "below-draft"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Source:
    """A role that somebody was given at a place, here or above."""

    place: Node
    principal: Named
    role: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether somebody may do one thing, and why.

    :ivar sources: the grants that give it, the nearest place first; those that a stop or a draft
        keeps from doing so where that is the reason.
    :ivar place: where inheriting is stopped, or which page is a draft.
    """

    permission: str
    why: Why
    sources: tuple[Source, ...] = ()
    place: Node | None = None

    @property
    def allowed(self) -> bool:
        """Whether it is a yes."""
        return self.why is Why.GRANTED


@dataclass(frozen=True, slots=True)
class Explanation:
    """What somebody may do at a place.

    :ivar subject: who; None for visitors who are not signed in.
    :ivar active: False for an account that is switched off.
    :ivar answers: one for each permission of the site, in the site's order.
    """

    subject: Named | None
    active: bool
    answers: tuple[Answer, ...]


def load_named(session: Session, ids: Iterable[int]) -> dict[int, Named]:
    """Return principals by id; one statement, and none for none."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    table = Principal.__table__
    # As one parameter: there may be more of them than a statement takes.
    listed = ids_in(bindparam("ids", type_=String))
    query = select(table.c.id, table.c.kind, table.c.name, table.c.title).where(
        table.c.id.op("IN", is_comparison=True)(listed)
    )
    rows = session.connection().execute(query, {"ids": ",".join(map(str, wanted))})
    return {row.id: Named(*row) for row in rows}


def places_of(node: Node) -> Iterator[Node]:
    """Yield *node* and what is above it, up to the root, over its loaded lineage."""
    place: Node | None = node
    while place is not None:
        yield place
        place = place.parent


def explain(
    session: Session,
    policies: Policies,
    node: Node,
    user: User | None,
    named: Mapping[int, Named] | None = None,
) -> Explanation:
    """Return what *user* may do at *node*, and why; two statements, one for visitors.

    :param user: None for visitors who are not signed in.
    :param named: all principals with grants at the node or above, for whom has them already.
    """
    principals = ANONYMOUS
    subject = None
    if user is not None:
        principals = principals_of(user.id, groups_of(session, user.id))
        subject = Named(user.id, user.kind, user.name, user.title)
        if not user.active:
            nothing = tuple(Answer(name, Why.INACTIVE) for name in policies.roles.permissions)
            return Explanation(subject, active=False, answers=nothing)
    facts = _Facts(session, policies, node, principals, named)
    answers = tuple(facts.answer(name) for name in policies.roles.permissions)
    return Explanation(subject, active=True, answers=answers)


class _Facts:
    """The grants on the way from a place up to the root that certain principals have."""

    def __init__(
        self,
        session: Session,
        policies: Policies,
        node: Node,
        principals: frozenset[int],
        named: Mapping[int, Named] | None,
    ) -> None:
        self.policies, self.node = policies, node
        self.lineage = list(places_of(node))
        self.held = policies.access(principals).at(node.boundary_id)
        mine = [
            (reason, stop)
            for reason, stop in policies.walk(node.boundary_id)
            if reason.principal_id in principals
        ]
        self.holding = [reason for reason, stop in mine if stop is None]
        self.stopped = [(reason, stop) for reason, stop in mine if stop is not None]
        if named is None:
            named = load_named(session, (reason.principal_id for reason, _ in mine))
        self.named = named
        self.draft = self._draft(policies.access(principals).visibility.drafts)

    def answer(self, permission: str) -> Answer:
        """Say whether and why they may do something."""
        holding = [reason for reason in self.holding if self._gives(reason, permission)]
        if permission in self.held:
            if self.draft is None:
                return self._answer(permission, Why.GRANTED, holding)
            why = Why.DRAFT if self.draft is self.node else Why.BELOW_DRAFT
            return self._answer(permission, why, holding, self.draft)
        stopped = [pair for pair in self.stopped if self._gives(pair[0], permission)]
        if stopped:
            reasons = [reason for reason, _ in stopped]
            return self._answer(permission, Why.STOPPED, reasons, self._place(stopped[0][1]))
        return Answer(permission, Why.NOT_GIVEN)

    def _answer(
        self, permission: str, why: Why, reasons: Iterable[Reason], place: Node | None = None
    ) -> Answer:
        sources = [
            Source(where, self.named[reason.principal_id], reason.role)
            for reason in reasons
            # What was deleted in this very moment is left out.
            if (where := self._place(reason.node_id)) and reason.principal_id in self.named
        ]
        return Answer(permission, why, tuple(sources), place)

    def _draft(self, drafts: Container[int]) -> Node | None:
        """Return the nearest draft, from the place up, that they may not see."""
        for place in self.lineage:
            if place.state == TRASHED or (
                place.seen_state != PUBLISHED and place.boundary_id not in drafts
            ):
                return place
        return None

    def _place(self, node_id: int) -> Node | None:
        return next((place for place in self.lineage if place.id == node_id), None)

    def _gives(self, reason: Reason, permission: str) -> bool:
        role = self.policies.roles.get(reason.role)
        return role is not None and permission in role.permissions
