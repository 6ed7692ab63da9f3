"""Users and groups: names that are one's own, administrators that stay, and what goes with whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event as Signal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myproject.exceptions import InvalidValue, LastAdministrator, NotYourself, PrincipalGone
from myproject.security.accounts import (
    Accounts,
    administrators,
    find_principals,
    list_groups,
    list_users,
)
from myproject.security.audit import Event, load_entries
from myproject.security.logins import identify, load_logins, make_link, open_link, start_login
from myproject.security.models import AUTHENTICATED_ID, EVERYONE_ID, Grant, Membership, User
from myproject.security.permissions import ADMINISTRATOR, Roles
from myproject.security.sharing import Sharing, granted, revoked
from myproject.testing import Site
from myproject.tree.actor import COMMAND_LINE, Actor
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.site import SITE_ID
from myproject.tree.site import Site as SiteRow
from tests.tree.test_concurrency import wait_until_blocked

PASSWORD = "correct horse battery"
Open = Callable[..., Any]


@pytest.fixture
def accounts(site: Site) -> Iterator[Accounts]:
    """The operations in a transaction that is committed after the test."""
    with site.tree() as tree:
        yield accounts_in(site, tree.session)


def accounts_in(site: Site, session: Session, actor: Actor = COMMAND_LINE) -> Accounts:
    return Accounts(session, site.registry.passwords, actor, minimum=10)


def share(session: Session, change: Any) -> None:
    Sharing(session, Roles(), COMMAND_LINE, None).make(session.get_one(Node, ROOT_ID), change)


def administrator(accounts: Accounts, name: str) -> User:
    user = accounts.create_user(name)
    share(accounts.session, granted(user.id, ADMINISTRATOR))
    return user


def names(session: Session, search: str, **options: Any) -> list[str]:
    rows, _more = list_users(session, search=search, **options)
    return [row.user.name for row in rows]


def kinds(session: Session) -> list[str]:
    entries, _more = load_entries(session)
    return [entry.kind for entry in entries]


# -- one's own name -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ann", "ANN", " Ann ", "ａｎｎ", "𝐚𝐧𝐧", "ªnn"], ids=ascii)
def test_a_name_is_given_once_whatever_it_is_spelled_like(accounts: Accounts, name: str) -> None:
    accounts.create_user("ann")
    with pytest.raises(InvalidValue, match="There is a user named “ann” already") as error:
        accounts.create_user(name)
    assert error.value.field == "name"
    bob = accounts.create_user("bob")
    with pytest.raises(InvalidValue):
        accounts.change_user(bob, name=name, title="", email="")
    accounts.session.refresh(bob)
    assert bob.name == "bob"


@pytest.mark.parametrize(("one", "other"), [("straße", "STRASSE"), ("ﬁona", "fiona"), ("Å", "å")])
def test_letters_that_are_the_same_in_small_are_the_same(
    accounts: Accounts, one: str, other: str
) -> None:
    accounts.create_user(one)
    with pytest.raises(InvalidValue):
        accounts.create_user(other)


@pytest.mark.parametrize("email", ["ann@example.org", "ANN@example.org", " Ann@Example.ORG "])
def test_a_mail_address_belongs_to_one_account(accounts: Accounts, email: str) -> None:
    accounts.create_user("ann", email="Ann@example.org")
    with pytest.raises(InvalidValue, match="Another account") as error:
        accounts.create_user("bob", email=email)
    assert error.value.field == "email"


def test_many_may_have_no_mail_address(accounts: Accounts) -> None:
    for name in ("ann", "bob"):
        assert accounts.create_user(name, email=" ").email is None


def test_a_refusal_leaves_the_transaction_usable(accounts: Accounts) -> None:
    accounts.create_user("ann")
    with pytest.raises(InvalidValue):
        accounts.create_user("ann")
    assert accounts.create_user("bob").id
    assert kinds(accounts.session) == [Event.USER_CREATED] * 2


def test_a_group_may_be_called_like_a_user_and_groups_have_names_of_their_own(
    accounts: Accounts,
) -> None:
    accounts.create_user("ann")
    accounts.create_group("ann")
    with pytest.raises(InvalidValue, match="There is a group named"):
        accounts.create_group("ANN")


def test_keeping_a_name_in_another_spelling_is_no_change(accounts: Accounts) -> None:
    ann = accounts.create_user("ann", "Ann", "ann@example.org")
    accounts.change_user(ann, name="ANN", title=" Ann ", email="ANN@example.org")
    assert kinds(accounts.session) == [Event.USER_CREATED]


def test_users_and_groups_are_not_taken_for_each_other(accounts: Accounts) -> None:
    ann, group = accounts.create_user("ann"), accounts.create_group("editors")
    for number in (group.id, EVERYONE_ID, AUTHENTICATED_ID, 999, 10**17):
        with pytest.raises(PrincipalGone):
            accounts.user(number)
    for number in (ann.id, EVERYONE_ID):
        with pytest.raises(PrincipalGone):
            accounts.group(number)


# -- searching ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("%", []),
        ("_", ["under_score"]),
        ("r_s", ["under_score"]),
        ("n_", []),
        ("\\", ["back"]),
        ("a\\", ["back"]),
        ("ANN", ["ann"]),
        ("ａｎｎ", ["ann"]),
        ("Straße", ["ann"]),
        ("straße", ["ann"]),
        ("@example", ["ann"]),
        ("EXAMPLE.org", ["ann"]),
        (" ", ["ann", "back", "under_score"]),
    ],
    ids=ascii,
)
def test_what_is_searched_stands_for_itself(
    accounts: Accounts, search: str, found: list[str]
) -> None:
    accounts.create_user("ann", "Ann von der Straße", "a@example.org")
    accounts.create_user("under_score")
    accounts.create_user("back", "A\\B")
    assert names(accounts.session, search) == found
    if search.strip():
        principals = find_principals(accounts.session, search)
        assert {principal.name for principal in principals} <= {"ann", "under_score", "back"}


def test_users_are_listed_by_page_state_and_membership(accounts: Accounts) -> None:
    group = accounts.create_group("editors", "Editors")
    users = [accounts.create_user(f"user{number}") for number in range(5)]
    accounts.join(users[1], group)
    accounts.disable_user(users[2])
    session = accounts.session
    rows, more = list_users(session, limit=2)
    assert ([row.user.name for row in rows], more) == (["user0", "user1"], True)
    assert rows[1].groups == ["Editors"]
    rows, more = list_users(session, after="user3", limit=2)
    assert ([row.user.name for row in rows], more) == (["user4"], False)
    assert names(session, "", active=False) == ["user2"]
    assert names(session, "", member_of=group.id) == ["user1"]
    assert "user1" not in names(session, "user", outside=group.id)
    (((listed, members),), more) = list_groups(session)
    assert (listed.name, members, more) == ("editors", 1, False)


def test_people_and_groups_are_found_together_without_those_who_are_disabled(
    accounts: Accounts,
) -> None:
    accounts.create_user("ann", "Ann", "ann@example.org")
    accounts.create_group("annals")
    accounts.create_user("hannah")
    accounts.disable_user(accounts.create_user("anne"))
    found = [principal.name for principal in find_principals(accounts.session, "ann")]
    assert sorted(found[:2]) == ["ann", "annals"]
    assert found[2:] == ["hannah"]
    assert [who.name for who in find_principals(accounts.session, "ann@ex")] == ["ann"]


# -- the last administrator -----------------------------------------------------------------------


def test_the_last_administrator_is_neither_disabled_nor_deleted(site: Site) -> None:
    with site.tree() as tree:
        number = administrator(accounts_in(site, tree.session), "ann").id

    def act(verb: str) -> None:
        with site.tree() as tree:
            doing = accounts_in(site, tree.session)
            getattr(doing, verb)(doing.user(number))

    for verb in ("disable_user", "delete_user"):
        with pytest.raises(LastAdministrator):
            act(verb)
    with pytest.raises(LastAdministrator), site.tree() as tree:
        share(tree.session, revoked(number, ADMINISTRATOR))
    with site.tree() as tree:
        assert list(administrators(tree.session)) == [number]


def test_the_last_group_of_administrators_is_neither_left_nor_deleted(site: Site) -> None:
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        ann, group = doing.create_user("ann"), doing.create_group("admins")
        doing.join(ann, group)
        share(tree.session, granted(group.id, ADMINISTRATOR))
        user_id, group_id = ann.id, group.id

    def leave(doing: Accounts) -> None:
        doing.leave(doing.user(user_id), doing.group(group_id))

    def choose_none(doing: Accounts) -> None:
        doing.set_groups(doing.user(user_id), [])

    def delete(doing: Accounts) -> None:
        doing.delete_group(doing.group(group_id))

    def disable(doing: Accounts) -> None:
        doing.disable_user(doing.user(user_id))

    for operation in (leave, choose_none, delete, disable):
        with pytest.raises(LastAdministrator), site.tree() as tree:
            operation(accounts_in(site, tree.session))
    with site.tree() as tree:
        assert list(administrators(tree.session)) == [user_id]
        # A second one, by a grant of their own, and the first may go.
        bob = administrator(accounts_in(site, tree.session), "bob")
        assert set(administrators(tree.session)) == {user_id, bob.id}
        leave(accounts_in(site, tree.session))
        assert list(administrators(tree.session)) == [bob.id]


def test_a_site_without_administrators_is_not_stuck(accounts: Accounts) -> None:
    ann = accounts.create_user("ann")
    accounts.disable_user(ann)
    accounts.delete_user(ann)


def test_nobody_ends_their_own_account(site: Site) -> None:
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        administrator(doing, "bob")
        ann = administrator(doing, "ann")
        own = accounts_in(site, tree.session, Actor(ann.id, "ann"))
        for verb in (own.disable_user, own.delete_user):
            with pytest.raises(NotYourself):
                verb(ann)


@pytest.mark.parametrize(
    "verbs", [("disable", "disable"), ("delete", "delete"), ("leave", "revoke")]
)
def test_of_two_that_take_the_last_two_administrators_away_one_is_refused(
    site: Site, verbs: tuple[str, str]
) -> None:
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        group = doing.create_group("admins")
        share(tree.session, granted(group.id, ADMINISTRATOR))
        numbers = [administrator(doing, "ann").id, administrator(doing, "bob").id]
        if verbs[0] == "leave":
            doing.join(doing.user(numbers[0]), group)
            share(tree.session, revoked(numbers[0], ADMINISTRATOR))
        group_id = group.id

    def act(session: Session, verb: str, number: int) -> None:
        doing = accounts_in(site, session)
        match verb:
            case "disable":
                doing.disable_user(doing.user(number))
            case "delete":
                doing.delete_user(doing.user(number))
            case "leave":
                doing.leave(doing.user(number), doing.group(group_id))
            case "revoke":
                share(session, revoked(number, ADMINISTRATOR))

    first, second = zip(verbs, numbers, strict=True)
    outcome = contend(site, lambda session: act(session, *first), lambda s: act(s, *second))
    assert isinstance(outcome.exception(), LastAdministrator)
    with site.tree() as tree:
        assert list(administrators(tree.session)) == numbers[1:]


def contend(site: Site, first: Open, second: Open) -> Future[Any]:
    """The outcome of the second, which looked before the first had committed.

    On SQLite it waits to begin, on PostgreSQL for a lock.
    """
    looked, go = Signal(), Signal()

    def run_second() -> None:
        with site.database.transaction() as session:
            if not site.database.is_sqlite:
                assert len(administrators(session)) == 2
            looked.set()
            go.wait()
            second(session)

    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(run_second)
        looked.wait()
        with site.database.transaction() as session:
            first(session)
            go.set()
            wait_until_blocked(site.database, outcome)
        outcome.exception()
    return outcome


# -- what goes with whom --------------------------------------------------------------------------


def count(session: Session, cls: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(cls)) or 0


def test_with_a_user_go_logins_links_memberships_and_grants(site: Site) -> None:
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        ann, group = doing.create_user("ann", password=PASSWORD), doing.create_group("editors")
        doing.join(ann, group)
        share(tree.session, granted(ann.id, "editor"))
        token = start_login(tree.session, ann, Actor(), "", dt.timedelta(days=1))
        link = make_link(tree.session, ann, COMMAND_LINE, dt.timedelta(days=1))
        before, number = count(tree.session, Grant), ann.id
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        revision = tree.session.get_one(SiteRow, SITE_ID).access_revision
        doing.delete_user(doing.user(number))
    with site.tree() as tree:
        session = tree.session
        assert identify(session, token) is None
        assert load_logins(session, number) == []
        with pytest.raises(Exception, match="used already or has expired"):
            open_link(session, link)
        assert count(session, Grant) == before - 1
        assert count(session, Membership) == 0
        # What others keep in memory of who may do what is old now.
        assert session.get_one(SiteRow, SITE_ID).access_revision > revision
        (entry, *_), _more = load_entries(session, event=Event.USER_DELETED)
        assert (entry.subject, entry.subject_id) == ("ann", number)
        # Nobody else is ever taken for them.
        assert accounts_in(site, session).create_user("ann").id > number


def test_with_a_group_go_memberships_and_grants_but_no_members(site: Site) -> None:
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        ann, group = doing.create_user("ann"), doing.create_group("editors")
        doing.join(ann, group)
        share(tree.session, granted(group.id, "editor"))
        before, user_id, group_id = count(tree.session, Grant), ann.id, group.id
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        doing.delete_group(doing.group(group_id))
    with site.tree() as tree:
        assert count(tree.session, Grant) == before - 1
        assert count(tree.session, Membership) == 0
        assert accounts_in(site, tree.session).user(user_id).name == "ann"


@pytest.mark.parametrize("verb", ["disable", "password"])
def test_disabling_and_a_new_password_end_logins_and_links(site: Site, verb: str) -> None:
    with site.tree() as tree:
        doing = accounts_in(site, tree.session)
        ann = doing.create_user("ann")
        token = start_login(tree.session, ann, Actor(), "", dt.timedelta(days=1))
        link = make_link(tree.session, ann, COMMAND_LINE, dt.timedelta(days=1))
        if verb == "disable":
            doing.disable_user(ann)
            doing.enable_user(ann)
        else:
            doing.set_password(ann, PASSWORD)
        assert identify(tree.session, token) is None
        with pytest.raises(Exception, match="used already or has expired"):
            open_link(tree.session, link)


def test_groups_are_chosen_all_at_once(accounts: Accounts) -> None:
    ann = accounts.create_user("ann")
    one, two, three = (accounts.create_group(name) for name in ("one", "two", "three"))
    accounts.set_groups(ann, [one.id, two.id])
    accounts.set_groups(ann, [two.id, three.id, three.id])
    query = select(Membership.group_id).where(Membership.user_id == ann.id)
    assert set(accounts.session.scalars(query)) == {two.id, three.id}
    assert kinds(accounts.session).count(Event.MEMBER_ADDED) == 3
    assert kinds(accounts.session).count(Event.MEMBER_REMOVED) == 1
    with pytest.raises(PrincipalGone):
        accounts.set_groups(ann, [999])


def test_joining_twice_and_leaving_twice_is_recorded_once(accounts: Accounts) -> None:
    ann, group = accounts.create_user("ann"), accounts.create_group("editors")
    for _ in range(2):
        accounts.join(ann, group)
    for _ in range(2):
        accounts.leave(ann, group)
    assert kinds(accounts.session)[:2] == [Event.MEMBER_REMOVED, Event.MEMBER_ADDED]
    assert kinds(accounts.session).count(Event.MEMBER_ADDED) == 1


@pytest.mark.parametrize("password", ["", "short", "1234567890", "x" * 1001])
def test_a_weak_password_is_refused_and_nothing_stored(accounts: Accounts, password: str) -> None:
    ann = accounts.create_user("ann")
    with pytest.raises(InvalidValue) as error:
        accounts.set_password(ann, password)
    assert error.value.field == "password"
    assert ann.password_hash is None


# -- the record -----------------------------------------------------------------------------------


def test_entries_are_found_by_person_then_and_now(accounts: Accounts) -> None:
    ann = accounts.create_user("ann", "Ann")
    accounts.create_user("joanna")
    accounts.change_user(ann, name="anna", title="Ann", email="")
    session = accounts.session

    def found(person: str) -> list[str]:
        entries, _more = load_entries(session, person=person)
        return [f"{entry.kind} {entry.subject}" for entry in entries]

    assert found("ANNA") == ["user-changed anna", "user-created ann"]
    assert found("ann")[-1] == "user-created ann"
    assert found("oann") == ["user-created joanna"]
    assert found("command line") == found("")
    assert found("%") == []
