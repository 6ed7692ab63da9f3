"""Every operation that access depends on, in any order, against a walk over the plain rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from myproject.content.types import Folder
from myproject.db.engine import Database
from myproject.exceptions import LastAdministrator, MoveIntoItself
from myproject.security.access import PolicyCache, load_policies
from myproject.security.permissions import Roles
from myproject.security.sharing import (
    INHERITING_RESUMED,
    INHERITING_STOPPED,
    Change,
    Sharing,
    copy_grants,
    granted,
    revoked,
)
from myproject.tree.actor import Actor
from myproject.tree.check import check_tree
from myproject.tree.events import NodeCopied
from myproject.tree.listing import load_children, load_neighbourhood
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID, Node
from myproject.tree.operations import Tree
from myproject.tree.site import Site
from myproject.tree.urls import paths_of
from tests.security.conftest import make_people
from tests.security.slow import Slow

ROOM = 12

a_node = st.sampled_from(range(ROOM))
a_state = st.sampled_from([PUBLISHED, PUBLISHED, DRAFT])
a_principal = st.sampled_from(["everyone", "authenticated", "ann", "bob", "cyd", "staff", "crew"])
a_role = st.sampled_from(["reader", "author", "manager", "administrator", "of-an-add-on"])


class AccessMachine(RuleBasedStateMachine):
    """A site in one transaction that is rolled back at the end."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.manager = transaction.TransactionManager(explicit=True)
        self.manager.begin()
        self.session = database.write_session(self.manager)
        self.tree = Tree(self.session, notify=self.notify)
        self.roles = Roles()
        self.sharing = Sharing(self.session, self.roles, Actor(), None)
        self.copied: dict[int, int] = {}
        self.steps = 0

    def notify(self, event: Any) -> None:
        if isinstance(event, NodeCopied):
            copy_grants(event)
            self.copied = dict(event.copies)

    def teardown(self) -> None:
        self.manager.abort()

    @initialize()
    def begin(self) -> None:
        self.ids = {"everyone": 1, "authenticated": 2}
        self.ids |= make_people(self.session, staff=["ann", "bob"], crew=["bob2", "cyd"])
        self.grants = {(ROOT_ID, 1, "reader")}
        self.stops: set[int] = set()
        for name in "stuv":
            self.tree.add(self.node(max(self.node_ids())), Folder(title=name), name)

    def node(self, node_id: int) -> Node:
        return self.session.get_one(Node, node_id)

    def node_ids(self) -> Sequence[int]:
        return self.session.scalars(select(Node.id).order_by(Node.id)).all()

    def pick(self, rank: int) -> Node:
        ids = self.node_ids()
        return self.node(ids[rank % len(ids)])

    def has_room(self) -> bool:
        return len(self.node_ids()) < ROOM

    # -- the tree ---------------------------------------------------------------------------------

    @precondition(has_room)
    @rule(at=a_node, state=a_state)
    def add(self, at: int, state: str) -> None:
        self.steps += 1
        self.tree.add(self.pick(at), Folder(title="T", state=state), f"n{self.steps}")

    @rule(at=a_node, state=a_state)
    def set_state(self, at: int, state: str) -> None:
        node = self.pick(at)
        if not node.is_root:
            self.tree.set_state(node, state)

    @rule(at=a_node, to=a_node)
    def move(self, at: int, to: int) -> None:
        node, parent = self.pick(at), self.pick(to)
        self.steps += 1
        if not node.is_root:
            try:
                self.tree.move(node, parent, f"m{self.steps}")
            except MoveIntoItself:
                assert node.id in Slow.of(self.session).lineage(parent.id)

    @precondition(has_room)
    @rule(at=a_node, to=a_node)
    def copy(self, at: int, to: int) -> None:
        node, parent = self.pick(at), self.pick(to)
        self.steps += 1
        if not node.is_root:
            self.tree.copy(node, parent, f"c{self.steps}")
            copied = self.copied
            self.grants |= {(copied[n], p, r) for n, p, r in self.grants if n in copied}
            self.stops |= {copied[n] for n in self.stops if n in copied}

    @rule(at=a_node)
    def delete(self, at: int) -> None:
        node = self.pick(at)
        if not node.is_root:
            self.tree.purge(node)
            left = set(self.node_ids())
            self.grants = {grant for grant in self.grants if grant[0] in left}
            self.stops &= left

    # -- sharing ----------------------------------------------------------------------------------

    def make(self, node: Node, change: Change) -> bool:
        try:
            with self.session.begin_nested():
                self.sharing.make(node, change)
        except LastAdministrator:
            assert change.role == "administrator"
            self.session.expire_all()
            return False
        return True

    @rule(at=a_node, who=a_principal, role=a_role)
    def grant(self, at: int, who: str, role: str) -> None:
        node = self.pick(at)
        if role == "of-an-add-on" or (role == "administrator" and not node.is_root):
            return
        if self.make(node, granted(self.ids[who], role)):
            self.grants.add((node.id, self.ids[who], role))

    @rule(at=a_node, who=a_principal, role=a_role)
    def revoke_any(self, at: int, who: str, role: str) -> None:
        node = self.pick(at)
        if self.make(node, revoked(self.ids[who], role)):
            self.grants.discard((node.id, self.ids[who], role))

    @precondition(lambda self: self.grants)
    @rule(rank=a_node)
    def revoke(self, rank: int) -> None:
        node_id, who, role = sorted(self.grants)[rank % len(self.grants)]
        if self.make(self.node(node_id), revoked(who, role)):
            self.grants.remove((node_id, who, role))

    @rule(at=a_node)
    def stop(self, at: int) -> None:
        node = self.pick(at)
        if not node.is_root:
            self.make(node, INHERITING_STOPPED)
            self.stops.add(node.id)

    @rule(at=a_node)
    def resume(self, at: int) -> None:
        node = self.pick(at)
        if not node.is_root:
            self.make(node, INHERITING_RESUMED)
            self.stops.discard(node.id)

    # -- what has to be ---------------------------------------------------------------------------

    @invariant()
    def all_is_what_a_walk_finds(self) -> None:
        # The rows are the same for all of these, since none of them writes.
        slow = Slow.of(self.session)
        self.rows_are_what_was_granted(slow)
        self.each_node_is_in_its_boundary(slow)
        self.everybody_may_what_a_walk_finds(slow)
        self.lists_show_what_a_walk_finds(slow)

    def rows_are_what_was_granted(self, slow: Slow) -> None:
        assert slow.grants == self.grants
        assert slow.stops == self.stops
        # Nothing is a boundary without a reason, but what was one when it was copied.
        assert slow.boundaries == {ROOT_ID} | {grant[0] for grant in slow.grants} | slow.stops

    def each_node_is_in_its_boundary(self, slow: Slow) -> None:
        assert slow.boundary == {
            node_id: slow.expected_boundary(node_id) for node_id in slow.parent
        }
        assert list(check_tree(self.session)) == []
        for node in self.session.identity_map.values():
            if isinstance(node, Node) and "boundary_id" in node.__dict__:
                assert node.boundary_id == slow.boundary[node.id]

    def everybody_may_what_a_walk_finds(self, slow: Slow) -> None:
        policies = load_policies(self.session, self.roles)
        for principals in slow.people.values():
            access = policies.access(frozenset(principals))
            for node_id, boundary_id in slow.boundary.items():
                assert access.at(boundary_id) == slow.permissions(node_id, principals)

    def lists_show_what_a_walk_finds(self, slow: Slow) -> None:
        # As an application has them: kept until the access revision grows.
        revision = self.session.connection().scalar(select(Site.access_revision))
        if not hasattr(self, "cache"):
            self.cache = PolicyCache(self.roles)
        policies = self.cache.get(self.session, revision, keep=True)
        # Everybody has a turn.
        people = list(slow.people.values())
        self.turn = getattr(self, "turn", 0) + 1
        principals = people[self.turn % len(people)]
        access = policies.access(frozenset(principals))
        visibility = access.visibility
        for node_id in slow.parent:
            node = self.node(node_id)
            # By all of the site's boundaries; by those alone that can be met there, where such
            # lists are asked for: below what may be seen.
            ways = [visibility]
            ways += [access.below(node)] if slow.shows(node_id, principals) else []
            for below in ways:
                rows, more = load_children(self.session, node_id, below)
                assert not more
                assert [row.id for row in rows] == slow.children(node_id, principals)
                for row in rows:
                    assert row.has_children == bool(slow.children(row.id, principals))
        somewhere = sorted(slow.parent)[self.turn % len(slow.parent)]
        node, parent = self.node(somewhere), slow.parent[somewhere]
        around = load_neighbourhood(
            self.session,
            node,
            access.below(node),
            None if parent is None else access.below(self.node(parent)),
        )
        beside = [] if parent is None else slow.children(parent, principals)
        assert [row.id for row in around.siblings] == beside
        assert [row.id for row in around.children] == slow.children(somewhere, principals)
        reachable = {
            node_id
            for node_id in slow.parent
            if slow.shows(node_id, principals)
            and all(
                slow.state[above] == PUBLISHED or slow.shows(above, principals)
                for above in slow.lineage(node_id)
            )
        }
        assert set(paths_of(self.session, slow.parent, visibility)) == reachable


def test_access_is_what_a_walk_over_the_rows_finds(shared: Callable[..., Any]) -> None:
    run_state_machine_as_test(
        lambda: AccessMachine(shared),
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
