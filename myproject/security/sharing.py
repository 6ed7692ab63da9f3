"""Sharing: the operations that change who may do what at a place, and what they would change.

A change is first looked at, then made: the same function works out the grants afterwards, so what
was announced is what happens. At a place that is a boundary already no node is written; making
one a boundary is one UPDATE, whatever lies below.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import Select, delete, func, insert, inspect, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from myproject.db.transaction import mark_changed
from myproject.exceptions import (
    InvalidValue,
    LastAdministrator,
    LockedOut,
    NodeGone,
    PrincipalGone,
    RoleTooStrong,
    RootIsFixed,
)
from myproject.security.access import Given, Place, Policies, load_policies
from myproject.security.accounts import administrators, keeping_an_administrator
from myproject.security.audit import Event, record
from myproject.security.effects import Effect, Region, effects_of
from myproject.security.models import (
    Grant,
    Principal,
)
from myproject.security.permissions import ADMINISTRATOR, Permission, Role, Roles
from myproject.tree.actor import Actor
from myproject.tree.boundaries import Boundary, draw, erase, lock_boundaries
from myproject.tree.copying import descend
from myproject.tree.events import NodeCopied
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.site import SITE_ID, Site, count_access_revision

_ = TranslationStringFactory("myproject")


@dataclass(frozen=True)
class Change:
    """A change of who may do what at a node.

    :ivar event: granted, revoked, inheriting stopped or resumed.
    :ivar principal_id, role: of the grant that comes or goes.
    """

    event: Event
    principal_id: int | None = None
    role: str = ""

    def applied_to(self, place: Place) -> Place:
        """Return what the place is like afterwards."""
        match self.event:
            case Event.INHERITING_STOPPED:
                return replace(place, inherits=False)
            case Event.INHERITING_RESUMED:
                return replace(place, inherits=True)
        given = frozenset({Given(self.principal_id or 0, self.role)})
        if self.event is Event.ROLE_GRANTED:
            return replace(place, grants=place.grants | given)
        return replace(place, grants=place.grants - given)


def granted(principal_id: int, role: str) -> Change:
    """Return the change that gives a role to a principal."""
    return Change(Event.ROLE_GRANTED, principal_id, role)


def revoked(principal_id: int, role: str) -> Change:
    """Return the change that takes a role from a principal."""
    return Change(Event.ROLE_REVOKED, principal_id, role)


INHERITING_STOPPED = Change(Event.INHERITING_STOPPED)
INHERITING_RESUMED = Change(Event.INHERITING_RESUMED)


class Sharing:
    """Looks at changes and makes them, within one session's transaction.

    :param session: a session; a writing one to make changes.
    :param roles: the roles of the site.
    :param actor: who does it, for the record.
    :param principals: what the actor is, None for somebody who may do everything: the operator
        at the command line.
    """

    def __init__(
        self, session: Session, roles: Roles, actor: Actor, principals: frozenset[int] | None
    ) -> None:
        self.session = session
        self.roles = roles
        self.actor = actor
        self.principals = principals

    def preview(self, node: Node, change: Change) -> list[Effect]:
        """Return what *change* would do to whom; nothing is written.

        :raises: whatever :meth:`make` would raise for somebody else's doing nothing meanwhile.
        """
        self._reload(node)
        policies = load_policies(self.session, self.roles)
        after = self._checked(policies, node, change)
        if node.is_root:
            self._check_administrators(after)
        return self._effects(policies, after, node, change)

    def settle(self) -> int:
        """Return the access revision; nobody else shares anything until this transaction ends."""
        lock_boundaries(self.session)
        # As a column: a row in memory may have been loaded before the lock was had.
        query = select(Site.access_revision).where(Site.id == SITE_ID)
        return self.session.execute(query).scalar_one()

    def givable(self, policies: Policies, node: Node) -> list[Role]:
        """Return the roles that the actor may give at *node*, the weakest first."""
        return [
            role
            for role in self.roles.values()
            if (node.is_root or not role.everywhere) and self._may_hand(policies, node, role)
        ]

    def takeable(self, policies: Policies, node: Node, role: str) -> bool:
        """Whether the actor may take a role from somebody at *node*."""
        known = self.roles.get(role)
        # Left by an add-on that is off: it gives nothing, so anybody may tidy up.
        return known is None or self._may_hand(policies, node, known)

    def make(self, node: Node, change: Change) -> bool:
        """Make *change* at *node*; return False if it was so already.

        :raises NodeGone, PrincipalGone, InvalidValue: when place, principal or role is not there.
        :raises RoleTooStrong: for a role that may do more than the actor may.
        :raises LockedOut: when the actor could not share here any more.
        :raises LastAdministrator: when nobody could administer the site any more.
        """
        lock_boundaries(self.session)
        self._hold(node, change)
        self._reload(node)
        policies = load_policies(self.session, self.roles)
        after = self._checked(policies, node, change)
        old = self._place(policies, node)
        new = after.places[node.id]
        if new == old:
            return False
        with keeping_an_administrator(self.session) if node.is_root else nullcontext():
            self._write(node, old, new)
        record(
            self.session,
            change.event,
            self.actor,
            subject=self._principal(change),
            node_id=node.id,
            place=node.title,
            **({"role": change.role} if change.role else {}),
        )
        count_access_revision(self.session)
        return True

    # -- checking ---------------------------------------------------------------------------------

    def _checked(self, policies: Policies, node: Node, change: Change) -> Policies:
        """Return the policies after *change*, if it may be made."""
        if node.is_root and change.event in (Event.INHERITING_STOPPED, Event.INHERITING_RESUMED):
            reason = _("There is nothing above the root of the site that it could inherit from.")
            raise RootIsFixed(reason)
        if change.principal_id is not None:
            self._check_grant(policies, node, change)
        after = self._after(policies, node, change)
        if self.principals is not None:
            mine = after.access(self.principals).at(node.id)
            if Permission.SHARE not in mine:
                raise LockedOut
        return after

    def _reload(self, node: Node) -> None:
        """Read anew which boundary holds at *node*: others may have drawn one meanwhile."""
        title = node.__dict__.get("title", "")
        try:
            self.session.refresh(node, ["boundary_id"])
        except InvalidRequestError as error:
            raise NodeGone(title) from error

    def _hold(self, node: Node, change: Change) -> None:
        """Keep place and principal from being deleted until this commits.

        Otherwise it would be the grant's foreign keys that find them gone, which aborts the
        transaction instead of saying so.
        """
        wanted: list[Select[int]] = [select(Node.id).where(Node.id == node.id)]
        if change.principal_id is not None:
            wanted.append(select(Principal.id).where(Principal.id == change.principal_id))
        for query in wanted:
            self.session.execute(query.with_for_update(read=True, key_share=True))

    def _may_hand(self, policies: Policies, node: Node, role: Role) -> bool:
        """Whether the actor may do all that *role* lets one do, and so may give and take it."""
        if self.principals is None:
            return True
        return role.permissions <= policies.access(self.principals).at(node.boundary_id)

    def _check_administrators(self, after: Policies) -> None:
        """Refuse what would leave nobody who can administer the site."""
        if not administrators(self.session):
            return
        left = [
            given.principal_id
            for given in after.places[ROOT_ID].grants
            if given.role == ADMINISTRATOR
        ]
        if not administrators(self.session, among=left):
            raise LastAdministrator

    def _check_grant(self, policies: Policies, node: Node, change: Change) -> None:
        self._principal(change)
        role = self.roles.get(change.role)
        if change.event is Event.ROLE_REVOKED and self.takeable(policies, node, change.role):
            return
        if role is None:
            reason = _(
                "There is no role “${role}”. Known: ${known}.",
                mapping={"role": change.role, "known": tuple(self.roles)},
            )
            raise InvalidValue("role", reason)
        if role.everywhere and not node.is_root and change.event is Event.ROLE_GRANTED:
            reason = _(
                "The role “${role}” can be given at the site's root only.",
                mapping={"role": role.title},
            )
            raise InvalidValue("role", reason)
        if not self._may_hand(policies, node, role):
            raise RoleTooStrong(role.title)

    def _principal(self, change: Change) -> Principal | None:
        if change.principal_id is None:
            return None
        query = select(Principal).where(Principal.id == change.principal_id)
        principal = self.session.scalars(query).one_or_none()
        if principal is None:
            raise PrincipalGone
        return principal

    # -- working out ------------------------------------------------------------------------------

    @staticmethod
    def _place(policies: Policies, node: Node) -> Place:
        return policies.places.get(node.id) or Place(above=node.boundary_id)

    def _after(self, policies: Policies, node: Node, change: Change) -> Policies:
        places = dict(policies.places)
        if node.id not in places:
            # It becomes a boundary, around those that lie below it.
            for below in self._boundaries_below(node):
                if places[below].above == node.boundary_id:
                    places[below] = replace(places[below], above=node.id)
        places[node.id] = change.applied_to(self._place(policies, node))
        return Policies(places, self.roles)

    def _boundaries_below(self, node: Node) -> list[int]:
        section = descend(node.id)
        query = select(Boundary.node_id).join_from(
            section, Boundary, Boundary.node_id == section.c.id
        )
        return [below for below in self.session.scalars(query) if below != node.id]

    def _effects(
        self, before: Policies, after: Policies, node: Node, change: Change
    ) -> list[Effect]:
        regions = [
            # A boundary that is new was a part of the one around it.
            Region(each if each in before.places else node.boundary_id, each, pages)
            for each, pages in self._pages(before, after, node).items()
        ]
        affected = self._affected(before, node, change)
        return effects_of(self.session, before, after, regions, affected)

    def _pages(self, before: Policies, after: Policies, node: Node) -> dict[int, int]:
        """Return how many pages there are in each boundary that *node*'s grants reach."""
        table = Node.__table__
        if node.id in before.places:
            reached = list(after.below(node.id) | before.below(node.id))
            counts: dict[int, int] = {}
            for start in range(0, len(reached), 500):
                some = reached[start : start + 500]
                query = select(table.c.boundary_id, func.count()).where(
                    table.c.boundary_id.in_(some)
                )
                counts.update(_pairs(self.session.execute(query.group_by(table.c.boundary_id))))
            return counts
        section = descend(node.id)
        query = select(table.c.boundary_id, func.count()).join_from(
            section, table, table.c.id == section.c.id
        )
        counts = _pairs(self.session.execute(query.group_by(table.c.boundary_id)))
        # What was in the boundary around it is in its own from then on.
        counts[node.id] = counts.pop(node.boundary_id, 0)
        return counts

    def _affected(self, policies: Policies, node: Node, change: Change) -> set[int]:
        """Return the principals that *change* is about."""
        if change.principal_id is not None:
            return {change.principal_id}
        above = self._place(policies, node).above
        return {reason.principal_id for reason in policies.applying(above or ROOT_ID)}

    # -- writing ----------------------------------------------------------------------------------

    def _write(self, node: Node, old: Place, new: Place) -> None:
        if new.inherits and not new.grants and not node.is_root:
            # Nothing is left that would make it one.
            erase(self.session, node)
            return
        draw(self.session, node)
        if new.inherits != old.inherits:
            self.session.execute(
                update(Boundary).where(Boundary.node_id == node.id).values(inherits=new.inherits)
            )
        for given in old.grants - new.grants:
            self.session.execute(
                delete(Grant).where(
                    Grant.node_id == node.id,
                    Grant.principal_id == given.principal_id,
                    Grant.role == given.role,
                )
            )
        if added := new.grants - old.grants:
            values = [{"node_id": node.id, **given._asdict()} for given in added]
            self.session.execute(insert(Grant), values)


def _pairs(rows: Iterable[Any]) -> dict[int, int]:
    return {key: count for key, count in rows}  # noqa: C416 - rows are no tuples to dict()


def copy_grants(event: NodeCopied) -> None:
    """Subscriber: what is granted within a section is granted within its copy, too.

    A copy that everybody could read would be a way around what keeps the original private.
    """
    session = inspect(event.node).session
    if session is None:
        return
    section, grant = descend(event.source_id), Grant.__table__
    rows = session.connection().execute(
        select(grant).join_from(section, grant, grant.c.node_id == section.c.id)
    )
    values = [
        {**row._mapping, "node_id": event.copies[row.node_id]}
        for row in rows
        if row.node_id in event.copies
    ]
    if values:
        session.connection().execute(insert(grant), values)
        mark_changed(session)
