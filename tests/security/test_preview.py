"""What is announced before a change is what happens: the numbers, against counting one by one."""

import random
from collections import defaultdict

import pytest
from sqlalchemy import func, select

from myproject.exceptions import (
    InvalidValue,
    LastAdministrator,
    LockedOut,
    NodeGone,
    PrincipalGone,
    RoleTooStrong,
    RootIsFixed,
)
from myproject.security.identity import principals_of
from myproject.security.models import AuditEntry, User
from myproject.security.sharing import (
    INHERITING_RESUMED,
    INHERITING_STOPPED,
    Effect,
    Sharing,
    granted,
    revoked,
)
from myproject.tree.actor import Actor
from tests.security.slow import Slow

SHAPE = {"a": {"b": {"c": {}, "d": {"e": {}}}, "f": {}}, "g": {"h": {}}}
ROLES = ["reader", "author", "editor", "manager"]


@pytest.fixture
def place(tree, root, plant, people, roles):
    """A tree, people, and sharing as somebody who may do everything."""
    nodes = {"": root, **plant(tree, SHAPE)}
    ids = people(tree.session, staff=["ann", "bob"], crew=["cyd", "dan"], empty=["eve"])
    tree.session.get_one(User, ids["dan"]).active = False
    tree.session.flush()
    return nodes, ids, Sharing(tree.session, roles, Actor(), None)


def who_may(session):
    slow = Slow.of(session)
    return {
        (person, node_id): slow.permissions(node_id, principals)
        for person, principals in slow.people.items()
        for node_id in slow.parent
    }


def compared(before, after):
    """(gained, visitors, permission) -> how many people, and how many pages."""
    people, pages = defaultdict(set), defaultdict(set)
    for (person, node_id), then in before.items():
        now = after[person, node_id]
        for gained, permissions in ((True, now - then), (False, then - now)):
            for permission in permissions:
                key = gained, person is None, permission
                people[key].add(person)
                pages[key].add(node_id)
    return {key: (0 if key[1] else len(people[key]), len(pages[key])) for key in people}


def announced(effects):
    found = {}
    for effect in effects:
        for permission in effect.permissions:
            key = effect.gained, effect.visitors, permission
            assert key not in found
            found[key] = effect.people, effect.pages
    return found


@pytest.mark.parametrize("seed", range(8))
def test_the_numbers_are_those_of_counting_one_by_one(place, seed):
    nodes, ids, sharing = place
    choose = random.Random(seed)
    principals = [1, 2, *ids.values()]
    effects = 0
    for _ in range(25):
        node = choose.choice(list(nodes.values()))
        grants = sorted(Slow.of(sharing.session).grants)
        changes = [
            granted(choose.choice(principals), choose.choice(ROLES)),
            INHERITING_RESUMED if node.is_root else INHERITING_STOPPED,
            INHERITING_RESUMED,
        ]
        if grants:
            node_id, principal_id, role = choose.choice(grants)
            changes.append(revoked(principal_id, role))
        change = choose.choice(changes)
        if change.event == "role-revoked":
            node = next(node for node in nodes.values() if node.id == node_id)
        if node.is_root and change.principal_id is None:
            with pytest.raises(RootIsFixed):
                sharing.preview(node, change)
            continue
        preview = sharing.preview(node, change)
        before = who_may(sharing.session)
        sharing.make(node, change)
        assert announced(preview) == compared(before, who_may(sharing.session)), change
        effects += len(preview)
    assert effects


def test_effects_are_put_together_and_losses_come_first(place):
    nodes, ids, sharing = place
    sharing.make(nodes["a"], granted(ids["staff"], "editor"))
    effects = sharing.preview(nodes["a"], INHERITING_STOPPED)
    assert effects == [Effect(False, 0, ("view",), 6), Effect(False, 2, ("view",), 6)]
    # Two of staff have "view" by their own grant; cyd and eve lose it.
    effects = sharing.preview(nodes["a/b"], granted(ids["crew"], "author"))
    assert effects == [Effect(True, 1, ("view-drafts", "add", "edit"), 4)]
    assert sharing.preview(nodes["a/b"], granted(ids["ann"], "editor")) == []


def test_a_preview_writes_nothing(place):
    nodes, ids, sharing = place
    before = Slow.of(sharing.session)
    entries = sharing.session.scalar(select(func.count()).select_from(AuditEntry))
    for change in (INHERITING_STOPPED, granted(ids["ann"], "editor")):
        sharing.preview(nodes["a"], change)
    assert Slow.of(sharing.session) == before
    assert sharing.session.scalar(select(func.count()).select_from(AuditEntry)) == entries


@pytest.fixture
def refused(place, roles):
    """``refused(error, path, change, as_role="manager")``: by preview and by making it."""
    nodes, ids, sharing = place

    def check(error, path, change, at="a", as_role="manager"):
        sharing.make(nodes[at], granted(ids["ann"], as_role))
        ann = principals_of(ids["ann"], frozenset({ids["staff"]}))
        acting = Sharing(sharing.session, roles, Actor(ids["ann"], "ann"), ann)
        for act in (acting.preview, acting.make):
            before = Slow.of(sharing.session)
            with pytest.raises(error):
                act(nodes[path], change)
            assert Slow.of(sharing.session) == before

    return check


def test_what_cannot_be_done_is_refused_when_it_is_announced(place, refused):
    ids = place[1]
    bob = ids["bob"]
    refused(InvalidValue, "a", granted(bob, "emperor"))
    refused(PrincipalGone, "a", granted(999_999, "reader"))
    refused(InvalidValue, "a", granted(bob, "administrator"))
    refused(LockedOut, "a", revoked(ids["ann"], "manager"))
    refused(RoleTooStrong, "", granted(bob, "administrator"), at="")


def test_nobody_takes_a_role_that_may_do_more_than_they_may(place, refused):
    nodes, ids, sharing = place
    sharing.make(nodes[""], granted(ids["bob"], "administrator"))
    sharing.make(nodes[""], granted(ids["cyd"], "administrator"))
    refused(RoleTooStrong, "", revoked(ids["bob"], "administrator"), at="")


def test_somebody_whose_only_role_comes_from_above_cannot_stop_inheriting(refused):
    refused(LockedOut, "a/b", INHERITING_STOPPED)


def test_the_last_administrator_is_kept_when_it_is_announced(place):
    nodes, ids, sharing = place
    sharing.make(nodes[""], granted(ids["ann"], "administrator"))
    change = revoked(ids["ann"], "administrator")
    for act in (sharing.preview, sharing.make):
        with pytest.raises(LastAdministrator), sharing.session.begin_nested():
            act(nodes[""], change)
    sharing.make(nodes[""], granted(ids["crew"], "administrator"))
    sharing.preview(nodes[""], change)
    assert sharing.make(nodes[""], change)


def test_what_is_gone_is_told(place, tree):
    nodes, _, sharing = place
    gone = nodes["a/b/c"]
    tree.session.connection().execute(type(gone).__table__.delete().filter_by(id=gone.id))
    with pytest.raises(NodeGone):
        sharing.preview(gone, INHERITING_STOPPED)
    with pytest.raises(NodeGone):
        sharing.make(gone, INHERITING_STOPPED)


def test_a_grant_of_an_add_on_that_is_off_can_be_tidied_up(place):
    nodes, ids, sharing = place
    sharing.make(nodes["a"], granted(ids["ann"], "reader"))
    sharing.roles._roles["comer"] = sharing.roles["reader"]
    sharing.make(nodes["a"], granted(ids["ann"], "comer"))
    del sharing.roles._roles["comer"]
    assert sharing.preview(nodes["a"], revoked(ids["ann"], "comer")) == []
    assert sharing.make(nodes["a"], revoked(ids["ann"], "comer"))
    assert not sharing.make(nodes["a"], revoked(ids["ann"], "comer"))


def test_what_is_so_already_is_not_recorded(place):
    nodes, ids, sharing = place
    assert sharing.make(nodes["a"], granted(ids["ann"], "reader"))
    count = select(func.count()).select_from(AuditEntry)
    before = sharing.session.scalar(count)
    assert not sharing.make(nodes["a"], granted(ids["ann"], "reader"))
    assert sharing.session.scalar(count) == before
    entry = sharing.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.kind, entry.subject, entry.node_id) == ("role-granted", "ann", nodes["a"].id)
    assert entry.details["role"] == "reader"
