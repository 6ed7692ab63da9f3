"""What somebody may do, worked out node by node from the plain rows: slow, and easy to believe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.security.models import EVERYONE_ID, Grant, Membership, User
from myproject.security.permissions import Roles
from myproject.tree.boundaries import Boundary
from myproject.tree.node import PUBLISHED, ROOT_ID, Node

#: What each role gives, written down once more.
GIVES = {
    "reader": {"view"},
    "author": {"view", "view-drafts", "add", "edit"},
    "editor": {"view", "view-drafts", "add", "edit", "move", "delete"},
    "publisher": {"view", "view-drafts", "add", "edit", "move", "delete", "publish"},
    "manager": {"view", "view-drafts", "add", "edit", "move", "delete", "publish", "share"},
    "administrator": set(Roles().permissions),
}


@dataclass
class Slow:
    """A site's rows as they are now.

    :ivar parent, state, boundary: of each node.
    :ivar grants: node, principal, role.
    :ivar stops: where inheriting is stopped.
    """

    parent: dict[int, int | None] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)
    boundary: dict[int, int] = field(default_factory=dict)
    order: dict[int, tuple[int, int]] = field(default_factory=dict)
    grants: set[tuple[int, int, str]] = field(default_factory=set)
    stops: set[int] = field(default_factory=set)
    boundaries: set[int] = field(default_factory=set)
    #: User -> everything that the user is; None is a visitor. Only active ones.
    people: dict[int | None, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session) -> Slow:
        slow, connection = cls(), session.connection()
        session.flush()
        node = Node.__table__.c
        for row in connection.execute(
            select(node.id, node.parent_id, node.state, node.boundary_id, node.position)
        ):
            slow.parent[row.id], slow.state[row.id] = row.parent_id, row.state
            slow.boundary[row.id], slow.order[row.id] = row.boundary_id, (row.position, row.id)
        grant = Grant.__table__.c
        slow.grants = {
            tuple(row)
            for row in connection.execute(select(grant.node_id, grant.principal_id, grant.role))
        }
        place = Boundary.__table__.c
        for node_id, inherits in connection.execute(select(place.node_id, place.inherits)):
            slow.boundaries.add(node_id)
            if not inherits:
                slow.stops.add(node_id)
        slow.people = {None: {EVERYONE_ID}}
        for user_id in connection.scalars(select(User.id).where(User.active)):
            groups = connection.scalars(
                select(Membership.group_id).where(Membership.user_id == user_id)
            )
            slow.people[user_id] = {EVERYONE_ID, 2, user_id, *groups}
        return slow

    def lineage(self, node_id: int) -> Iterator[int]:
        here: int | None = node_id
        while here is not None:
            yield here
            here = self.parent[here]

    def expected_boundary(self, node_id: int) -> int:
        return next(place for place in self.lineage(node_id) if place in self.boundaries)

    def permissions(self, node_id: int, principals: Iterable[int]) -> set[str]:
        """What is granted: everything from here up to the first stop, and administrators."""
        who, found = set(principals), set()
        stopped = False
        for place in self.lineage(node_id):
            for at, principal, role in self.grants:
                if at != place or principal not in who or role not in GIVES:
                    continue
                if not stopped or (place == ROOT_ID and role == "administrator"):
                    found |= GIVES[role]
            stopped = stopped or place in self.stops
        return found

    def shows(self, node_id: int, principals: Iterable[int]) -> bool:
        """Whether a list shows it: by its own state, for lists stand below what was walked to."""
        needed = {"view"} if self.state[node_id] == PUBLISHED else {"view", "view-drafts"}
        return needed <= self.permissions(node_id, principals)

    def children(self, node_id: int, principals: Iterable[int]) -> list[int]:
        shown = [
            child
            for child, parent in self.parent.items()
            if parent == node_id and self.shows(child, principals)
        ]
        return sorted(shown, key=self.order.__getitem__)
