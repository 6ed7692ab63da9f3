"""Fixtures for access: people, and two who want the same thing at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from sqlalchemy.orm import Session

from myproject.security.models import Group, Membership, User
from myproject.security.permissions import Roles
from tests.tree.test_concurrency import contend  # noqa: F401 - a fixture


def make_people(session: Session, **groups: Iterable[str]) -> dict[str, int]:
    """Make users, and groups with these users, and return their ids by name."""
    members = {group: list(names) for group, names in groups.items()}
    users = {name: User(name=name, title=name) for names in members.values() for name in names}
    made = {group: Group(name=group, title=group) for group in members}
    session.add_all([*users.values(), *made.values()])
    session.flush()
    for group, names in members.items():
        for name in names:
            session.add(Membership(user_id=users[name].id, group_id=made[group].id))
    session.flush()
    return {name: principal.id for name, principal in {**users, **made}.items()}


@pytest.fixture
def people() -> Callable[..., dict[str, int]]:
    """``people(session, staff=["ann", "bob"])["staff"]``: ids of users and groups by name."""
    return make_people


@pytest.fixture
def roles() -> Roles:
    return Roles()
