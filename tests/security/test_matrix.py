"""Each role, each permission, each kind of place, each way to be granted something."""

import pytest
from sqlalchemy import delete

from myproject.security.access import load_policies
from myproject.security.identity import principals_of
from myproject.security.models import Grant
from myproject.security.sharing import INHERITING_STOPPED, Sharing, granted
from myproject.tree.actor import Actor
from tests.security.slow import GIVES

#: The tree: ``private`` and ``island`` stop inheriting, ``local`` has a grant of its own.
SHAPE = {
    "open": {"below": {}},
    "local": {"below": {"private": {}}},
    "private": {"below": {}},
    "island": {"below": {}},
}

#: Where a role is given -> where it holds. Everything else is elsewhere.
HOLDS = {
    "": ["", "open", "open/below", "local", "local/below"],
    "open": ["open", "open/below"],
    "local": ["local", "local/below"],
    "local/below": ["local/below"],
    "private": ["private", "private/below"],
    "private/below": ["private/below"],
    "island": ["island", "island/below"],
}
STOPPED = ["private", "private/below", "island", "island/below", "local/below/private"]
WAYS = ["user", "group", "everyone", "authenticated"]


@pytest.fixture
def places(tree, root, plant, people, roles):
    tree.session.execute(delete(Grant))
    nodes = {"": root, **plant(tree, SHAPE)}
    sharing = Sharing(tree.session, roles, Actor(), None)
    for path in ("private", "island", "local/below/private"):
        sharing.make(nodes[path], INHERITING_STOPPED)
    ids = people(tree.session, staff=["ann"], others=["bob"])
    # Somebody else's grants make these places boundaries, as they are on a real site.
    sharing.make(nodes["island"], granted(ids["bob"], "reader"))
    sharing.make(nodes["local"], granted(ids["bob"], "reader"))
    return nodes, sharing, ids


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", list(GIVES))
def test_a_role_gives_what_it_gives_where_it_holds_and_nowhere_else(places, roles, way, role):
    nodes, sharing, ids = places
    principal = {"user": ids["ann"], "group": ids["staff"], "everyone": 1, "authenticated": 2}[way]
    ann = principals_of(ids["ann"], frozenset({ids["staff"]}))
    visitor, bob = frozenset({1}), principals_of(ids["bob"], frozenset({ids["others"]}))
    for given_at, holds in HOLDS.items():
        if role == "administrator":
            if given_at:
                continue
            holds = [*holds, *STOPPED]
        savepoint = sharing.session.begin_nested()
        sharing.make(nodes[given_at], granted(principal, role))
        policies = load_policies(sharing.session, roles)
        for path, node in nodes.items():
            expected = GIVES[role] if path in holds else set()
            told = f"{role} given at /{given_at}, looked at from /{path}"
            assert policies.access(ann).at(node.boundary_id) == expected, told
            may = expected if way == "everyone" else set()
            assert policies.access(visitor).at(node.boundary_id) == may, told
            own = {"view"} if path.startswith(("island", "local")) else set()
            if path.endswith("below/private"):
                own = set()
            may = expected if way in ("everyone", "authenticated") else set()
            assert policies.access(bob).at(node.boundary_id) == may | own, told
            for permission in roles.permissions:
                reasons = [
                    reason
                    for reason in policies.applying(node.boundary_id)
                    if reason.principal_id in ann and permission in roles[reason.role].permissions
                ]
                assert bool(reasons) == (permission in expected), told
                for reason in reasons:
                    assert reason == (nodes[given_at].id, principal, role)
        savepoint.rollback()
        sharing.session.expire_all()


def test_roles_add_up(places, roles):
    nodes, sharing, ids = places
    ann = principals_of(ids["ann"], frozenset({ids["staff"]}))
    sharing.make(nodes[""], granted(ids["staff"], "author"))
    sharing.make(nodes["open/below"], granted(ids["ann"], "reader"))
    policies = load_policies(sharing.session, roles)
    assert policies.access(ann).at(nodes["open/below"].boundary_id) == GIVES["author"]


def test_a_role_that_nobody_knows_gives_nothing(places, roles):
    nodes, sharing, ids = places
    sharing.make(nodes["open"], granted(ids["ann"], "reader"))
    sharing.session.execute(
        Grant.__table__.update()
        .where(Grant.node_id == nodes["open"].id)
        .values(role="of-an-add-on")
    )
    policies = load_policies(sharing.session, roles)
    access = policies.access(frozenset({ids["ann"]}))
    assert access.at(nodes["open"].boundary_id) == set()
    assert [reason.role for reason in policies.applying(nodes["open"].boundary_id)] == [
        "of-an-add-on"
    ]


def test_nobody_may_do_anything_where_nobody_has_heard_of(roles, tree):
    policies = load_policies(tree.session, roles)
    assert policies.access(frozenset({1})).at(999_999) == set()
    assert list(policies.applying(999_999)) == []
