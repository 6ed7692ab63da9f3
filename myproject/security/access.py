"""Who may do what where: grants, and what follows from them.

All boundaries and grants of a site fit into memory: :class:`Policies` holds them as of one access
revision, and works out for a set of principals, once, what they may do in each boundary. After
that a permission check is a look-up, and a list is filtered by :class:`Visibility`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.security.models import EVERYONE_ID, Grant
from myproject.security.permissions import Permission, Roles
from myproject.tree.boundaries import Boundary
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.visibility import BoundarySet, Visibility

NOTHING: frozenset[str] = frozenset()

#: Sets of principals whose access is kept, at most; a group of editors shares one. Each takes
#: memory for every boundary, so that where there are many boundaries fewer are kept.
KEPT = 1024
KEPT_BOUNDARIES = 1_000_000

ANONYMOUS = frozenset({EVERYONE_ID})


class Given(NamedTuple):
    """A role that a principal was given."""

    principal_id: int
    role: str


class Reason(NamedTuple):
    """Why somebody may do something: who was given which role at which boundary."""

    node_id: int
    principal_id: int
    role: str


@dataclass(frozen=True)
class Place:
    """A boundary.

    :ivar above: the boundary around it; None at the root.
    :ivar parent_id, grandparent_id: the node above it, and the one above that, if there are.
    :ivar inherits: whether what was granted above holds here, too.
    :ivar grants: its own.
    """

    above: int | None
    inherits: bool = True
    grants: frozenset[Given] = frozenset()
    parent_id: int | None = None
    grandparent_id: int | None = None


class Access:
    """What certain principals may do, everywhere.

    :ivar permissions: boundary -> permissions there.
    :ivar visibility: what they may see, for lists.
    """

    def __init__(
        self, permissions: Mapping[int, frozenset[str]], around: Mapping[int, Sequence[int]]
    ) -> None:
        self.permissions = permissions
        self._around = around
        self._below: dict[tuple[int | None, int], Visibility] = {}
        self.visibility = Visibility(
            pages=self.where(Permission.VIEW),
            drafts=self.where(Permission.VIEW, Permission.VIEW_DRAFTS),
        )

    @cached_property
    def anywhere(self) -> frozenset[str]:
        """What they may do in some place at least."""
        # Most boundaries share few sets among them.
        return NOTHING.union(*set(self.permissions.values()))

    def at(self, boundary_id: int) -> frozenset[str]:
        """Return the permissions within a boundary; none within one that nobody has heard of."""
        return self.permissions.get(boundary_id, NOTHING)

    def below(self, node: Node) -> Visibility:
        """Return what they may see of *node*'s children and of the children of those.

        The boundaries that can be met there are few: the node's own, and those that begin there.
        A list is filtered by these and not by all of the site's.
        """
        near = self._around.get(node.id, ())
        key = (node.id if near else None, node.boundary_id)
        found = self._below.get(key)
        if found is None:
            met = frozenset({node.boundary_id, *near})
            seen = self.visibility
            pages, drafts = (
                BoundarySet.of((place for place in met if place in members), met)
                for members in (seen.pages, seen.drafts)
            )
            found = self._below[key] = Visibility(pages, drafts)
        return found

    def where(self, *needed: str) -> BoundarySet:
        """Return the boundaries within which they have all of some permissions, for lists."""
        wanted = set(needed)
        members = (place for place, given in self.permissions.items() if wanted <= given)
        return BoundarySet.of(members, self.permissions)


class Policies:
    """All boundaries with their grants, at one access revision.

    :param places: boundary -> what is so about it; the root among them.
    :param roles: what each role lets one do. Grants of other roles give nothing.
    """

    def __init__(self, places: Mapping[int, Place], roles: Roles) -> None:
        self.places = places
        self.roles = roles
        self._around = _around(places)
        kept = max(16, min(KEPT, KEPT_BOUNDARIES // max(1, len(places))))
        self.access = lru_cache(maxsize=kept)(self._access)

    def _access(self, principals: frozenset[int]) -> Access:
        known: dict[int, frozenset[str]] = {}
        everywhere = self._everywhere(principals)
        for boundary_id in self.places:
            # Downwards from the nearest boundary above that has been worked out already.
            way = []
            here: int | None = boundary_id
            while here is not None and here not in known:
                way.append(here)
                here = self.places[here].above
            for place_id in reversed(way):
                place = self.places[place_id]
                above = known.get(place.above, NOTHING) if place.above is not None else NOTHING
                inherited = above if place.inherits else everywhere
                own = self._permissions(place.grants, principals)
                known[place_id] = inherited | own if own else inherited
        return Access(known, self._around)

    def _permissions(self, grants: Iterable[Given], principals: frozenset[int]) -> frozenset[str]:
        found = NOTHING
        for principal_id, name in grants:
            role = self.roles.get(name)
            if role is not None and principal_id in principals:
                found |= role.permissions
        return found

    def _everywhere(self, principals: frozenset[int]) -> frozenset[str]:
        strong = [given for given in self.places[ROOT_ID].grants if self._holds_anywhere(given)]
        return self._permissions(strong, principals)

    def _holds_anywhere(self, given: Given) -> bool:
        role = self.roles.get(given.role)
        return role is not None and role.everywhere

    def walk(self, boundary_id: int) -> Iterator[tuple[Reason, int | None]]:
        """Yield every grant at a boundary and above, the nearest place first, and with it
        the nearest boundary that keeps it out, None where it holds."""
        here: int | None = boundary_id if boundary_id in self.places else None
        stop: int | None = None
        while here is not None:
            place = self.places[here]
            for given in sorted(place.grants):
                anywhere = here == ROOT_ID and self._holds_anywhere(given)
                yield Reason(here, *given), None if anywhere else stop
            if stop is None and not place.inherits:
                stop = here
            here = place.above

    def applying(self, boundary_id: int) -> Iterator[Reason]:
        """Yield every grant that holds within a boundary, the nearest place first."""
        return (reason for reason, stop in self.walk(boundary_id) if stop is None)

    def stopped_at(self, boundary_id: int) -> int | None:
        """Return the nearest boundary, from this one up, that stops inheriting, if one does."""
        here: int | None = boundary_id
        while here is not None and self.places[here].inherits:
            here = self.places[here].above
        return here if here != ROOT_ID else None

    def below(self, boundary_id: int) -> set[int]:
        """Return the boundaries that what is granted in one reaches: itself, and those below
        down to where inheriting is stopped."""
        reached = {boundary_id}
        for start in self.places:
            way: list[int] = []
            here: int | None = start
            while here is not None and here not in reached and self.places[here].inherits:
                way.append(here)
                here = self.places[here].above
            if here in reached and here is not None:
                reached.update(way)
        return reached


def _around(places: Mapping[int, Place]) -> Mapping[int, Sequence[int]]:
    """Return node -> the boundaries among its children and their children."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for boundary_id, place in places.items():
        for node_id in (place.parent_id, place.grandparent_id):
            if node_id is not None:
                found[node_id].append(boundary_id)
    return dict(found)


def load_policies(session: Session, roles: Roles) -> Policies:
    """Return the boundaries and grants of the site; one statement."""
    boundary, node, grant = Boundary.__table__, Node.__table__, Grant.__table__
    above = node.alias("above")
    query = (
        select(
            boundary.c.node_id,
            boundary.c.inherits,
            above.c.boundary_id,
            above.c.id,
            above.c.parent_id,
            grant.c.principal_id,
            grant.c.role,
        )
        .join_from(boundary, node, node.c.id == boundary.c.node_id)
        .outerjoin(above, above.c.id == node.c.parent_id)
        .outerjoin(grant, grant.c.node_id == boundary.c.node_id)
        .order_by(boundary.c.node_id)
    )
    facts: dict[int, Any] = {ROOT_ID: (True, None, None, None)}
    grants: defaultdict[int, set[Given]] = defaultdict(set)
    for node_id, *fact, principal_id, role in session.connection().execute(query):
        facts[node_id] = fact
        if principal_id is not None:
            grants[node_id].add(Given(principal_id, role))
    places = {
        node_id: Place(
            # None around one that is no boundary itself: only in a tree that was broken by hand.
            above if above in facts else None,
            inherits,
            frozenset(grants[node_id]),
            parent_id,
            grandparent_id,
        )
        for node_id, (inherits, above, parent_id, grandparent_id) in facts.items()
    }
    return Policies(places, roles)


class PolicyCache:
    """The policies of the newest access revision that this process has met.

    Threads may load the same twice; the last one to finish wins, and none is wrong: policies are
    read after the revision, so they are at least as new as the number they are kept under.
    """

    def __init__(self, roles: Roles) -> None:
        self.roles = roles
        self._kept: tuple[int, Policies] | None = None

    def get(self, session: Session, revision: int, *, keep: bool) -> Policies:
        """Return the policies at *revision*, loading them if those in memory are others.

        :param keep: False within a transaction that may have changed them and may still abort.
        """
        kept = self._kept
        if kept is not None and kept[0] == revision:
            return kept[1]
        policies = load_policies(session, self.roles)
        if keep:
            self._kept = (revision, policies)
        return policies
