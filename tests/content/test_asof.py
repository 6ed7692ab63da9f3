"""The site as it was: for random histories each past time shows what was there at that time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import select

from myproject.content.asof import load_past_page
from myproject.content.markup import MarkdownRenderer
from myproject.content.operations import create, save
from myproject.content.publishing import publish, save_newest
from myproject.content.revisions import snapshot
from myproject.content.types import Folder, Page
from myproject.db.engine import Database
from myproject.exceptions import TreeError
from myproject.testing import statements
from myproject.tree import placing
from myproject.tree.history import (
    load_past_children,
    load_past_lineage,
    moment_of,
    set_moment,
    unplaced,
)
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID, TRASHED, Node
from myproject.tree.operations import Tree

RENDERER = MarkdownRenderer()
MINUTE = dt.timedelta(minutes=1)
START = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


class Clock:
    """Lets what is written begin to hold at times of the test's choosing."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.now = START + dt.timedelta(days=365 * 100)
        set_moment(tree.session, self.now)

    def tick(self) -> dt.datetime:
        """Return the time so far; what is written from now on is later."""
        before = self.now
        self.now += MINUTE
        set_moment(self.tree.session, self.now)
        return before


@pytest.fixture
def clock(tree: Tree) -> Clock:
    return Clock(tree)


@pytest.fixture
def guide(tree, root, clock):
    clock.tick()
    page = create(tree, root, Page(title="Guide", body="First."), RENDERER, "guide")
    create(tree, page, Page(title="Part", body="A part."), RENDERER, "part")
    return page


def test_an_address_leads_to_what_stood_there(tree, guide, clock):
    first = clock.tick()
    save(tree, guide, {"body": "Second."}, RENDERER)
    second = clock.tick()
    tree.rename(guide, "manual")
    third = clock.tick()
    said = {
        at: load_past_page(tree.session, [name], at).fields["body"]
        for at, name in ((first, "guide"), (second, "guide"), (third, "manual"))
    }
    assert said == {first: "First.", second: "Second.", third: "Second."}
    assert load_past_page(tree.session, ["guide"], third) is None
    assert load_past_page(tree.session, ["manual"], second) is None
    assert load_past_page(tree.session, ["guide"], START) is None


def test_it_is_one_statement_however_deep(tree, guide, clock, shared):
    now = clock.tick()
    # It reads on the connection of the test's own transaction.
    with statements(shared) as seen:
        page = load_past_page(tree.session, ["guide", "part"], now)
    assert [place.name for place in page.lineage] == ["", "guide", "part"]
    assert page.fields["body"] == "A part."
    assert len(seen) == 1


def test_what_was_in_the_trash_or_a_draft_was_not_public(tree, guide, clock):
    public = clock.tick()
    tree.set_state(guide, DRAFT)
    drafted = clock.tick()
    tree.trash(guide)
    trashed = clock.tick()
    tree.restore(guide)
    tree.set_state(guide, PUBLISHED)
    again = clock.tick()
    found = {
        at: load_past_page(tree.session, ["guide", "part"], at)
        for at in (public, drafted, trashed, again)
    }
    assert [page and page.was_public for page in found.values()] == [True, False, None, True]


def test_what_was_never_saved_again_says_what_it_says_now(tree, guide, clock):
    copied = tree.copy(guide, tree.session.get_one(Node, ROOT_ID), "copy")
    before = clock.tick()
    page = load_past_page(tree.session, ["copy", "part"], before)
    assert page.fields is None
    # The copy begins its history with what it said until it was changed.
    copied.modified_at = before
    tree.session.flush()
    save(tree, copied, {"body": "Changed."}, RENDERER)
    after = clock.tick()
    assert load_past_page(tree.session, ["copy"], before).fields["body"] == "First."
    assert load_past_page(tree.session, ["copy"], after).fields["body"] == "Changed."


def test_what_changed_in_one_transaction_changed_at_one_moment(tree, guide, clock):
    before = clock.tick()
    tree.rename(guide, "one")
    tree.rename(guide, "two")
    tree.set_state(guide, DRAFT)
    assert load_past_lineage(tree.session, ["one"], moment_of(tree.session))[1:] == []
    assert load_past_page(tree.session, ["two"], moment_of(tree.session)).lineage[-1].state == DRAFT
    assert load_past_page(tree.session, ["guide"], before).lineage[-1].state == PUBLISHED


def test_of_every_node_it_is_kept_where_it_stands(tree, guide):
    tree.copy(guide, guide, "copy")
    tree.add_many(guide, [Folder(title="x", name="x")])
    assert unplaced(tree.session) == []
    guide.name = "other"
    tree.session.flush()
    assert unplaced(tree.session) == [guide.id]


# -- any history ----------------------------------------------------------------------------------

a_node = st.integers(0, 9)
a_name = st.sampled_from("abc")


class HistoryMachine(RuleBasedStateMachine):
    """A site that changes, with a picture of it taken after each change."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.manager = transaction.TransactionManager(explicit=True)
        self.manager.begin()
        self.session = database.write_session(self.manager)
        self.tree = Tree(self.session)
        self.clock = Clock(self.tree)
        self.pictures: dict[dt.datetime, Any] = {}

    def teardown(self) -> None:
        for at, picture in self.pictures.items():
            assert self.as_it_was(at) == picture
        self.manager.abort()

    def pick(self, rank: int) -> Node:
        nodes = self.session.scalars(select(Node).order_by(Node.id)).all()
        return nodes[rank % len(nodes)]

    def page(self, rank: int) -> Node:
        """Return a node that can be changed: what is in the trash cannot, and has no draft."""
        nodes = self.session.scalars(select(Node).order_by(Node.id)).all()
        kept = [node for node in nodes if node.state != TRASHED]
        return kept[rank % len(kept)]

    def picture(self) -> dict[tuple[str, ...], Any]:
        """Address -> state and text of all that stands somewhere, in the order of siblings."""
        found: dict[tuple[str, ...], Any] = {}

        def look(node: Node, names: tuple[str, ...]) -> None:
            children = self.session.scalars(
                select(Node).where(Node.parent_id == node.id).order_by(Node.position, Node.id)
            ).all()
            said = snapshot(node)["body"] if isinstance(node, Page) and names else None
            found[names] = (node.state, said, [child.name for child in children])
            for child in children:
                look(child, (*names, child.name))

        look(self.session.get_one(Node, ROOT_ID), ())
        return found

    def as_it_was(self, at: dt.datetime) -> dict[tuple[str, ...], Any]:
        found: dict[tuple[str, ...], Any] = {}

        def look(names: tuple[str, ...]) -> None:
            page = load_past_page(self.session, names, at)
            assert page is not None
            here = page.lineage[-1]
            said = page.fields["body"] if page.fields and names else None
            children = [child.name for child in load_past_children(self.session, here.id, at)]
            found[names] = (here.state, said, children)
            for child in children:
                look((*names, child))

        look(())
        return found

    def attempt(self, operate: Any) -> None:
        self.clock.tick()
        try:
            with self.session.begin_nested():
                operate()
        except TreeError:
            self.session.expire_all()
        self.pictures[self.clock.now] = self.picture()

    @rule(at=a_node, name=a_name)
    def add(self, at: int, name: str) -> None:
        page = Page(title=name, body=f"{self.clock.now}")
        self.attempt(lambda: create(self.tree, self.pick(at), page, RENDERER, name))

    @rule(at=a_node)
    def save(self, at: int) -> None:
        values = {"body": f"{self.clock.now}"}
        self.attempt(lambda: save(self.tree, self.page(at), values, RENDERER))

    @rule(at=a_node)
    def save_newest(self, at: int) -> None:
        values = {"body": f"{self.clock.now}"}
        self.attempt(lambda: save_newest(self.tree, self.page(at), values, RENDERER))

    @rule(at=a_node)
    def publish(self, at: int) -> None:
        self.attempt(lambda: publish(self.tree, self.page(at), RENDERER))

    @rule(at=a_node, name=a_name)
    def rename(self, at: int, name: str) -> None:
        self.attempt(lambda: self.tree.rename(self.pick(at), name))

    @rule(at=a_node, to=a_node)
    def move(self, at: int, to: int) -> None:
        self.attempt(lambda: self.tree.move(self.pick(at), self.pick(to)))

    @rule(at=a_node, rank=a_node)
    def reorder(self, at: int, rank: int) -> None:
        node = self.pick(at)
        siblings = self.session.scalars(select(Node).where(Node.parent_id == node.parent_id)).all()
        if siblings:
            before = siblings[rank % len(siblings)]
            self.attempt(lambda: self.tree.reorder(node, before))

    @rule(at=a_node, state=st.sampled_from([PUBLISHED, DRAFT]))
    def set_state(self, at: int, state: str) -> None:
        self.attempt(lambda: self.tree.set_state(self.pick(at), state))

    @rule(at=a_node)
    def trash(self, at: int) -> None:
        self.attempt(lambda: self.tree.trash(self.pick(at)))

    @rule(at=a_node)
    def restore(self, at: int) -> None:
        self.attempt(lambda: self.tree.restore(self.pick(at)))


def test_each_past_time_shows_what_was_there(
    shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small gaps, so that siblings are numbered anew now and then.
    monkeypatch.setattr(placing, "POSITION_GAP", 4)
    run_state_machine_as_test(
        lambda: HistoryMachine(shared),
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
