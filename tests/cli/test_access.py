"""``access``: explaining, listing and changing who may do what; ``tree check --repair``."""

import pytest
from sqlalchemy import select, update

from myproject.content.types import Folder
from myproject.db.engine import Database
from myproject.security.models import AuditEntry, Group, Membership, User
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import DRAFT, ROOT_ID, Node
from myproject.tree.operations import Tree


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def site(database):
    """``/docs/private`` and ``/docs/draft``; ann, and bob of the group staff."""
    with database.transaction() as session:
        tree = Tree(session)
        root = session.get_one(Node, ROOT_ID)
        docs = tree.add(root, Folder(title="Docs"), "docs")
        tree.add(docs, Folder(title="Private"), "private")
        tree.add(docs, Folder(title="Draft", state=DRAFT), "draft")
        ann, bob, staff = (
            User(name="ann", title="Ann"),
            User(name="bob", title="Bob"),
            Group(name="staff", title="Staff"),
        )
        session.add_all([ann, bob, staff])
        session.flush()
        session.add(Membership(user_id=bob.id, group_id=staff.id))
    return database


@pytest.fixture
def shared(site, run):
    run("access", "grant", "group:staff", "editor", "/docs")
    run("access", "stop", "/docs/private")
    run("access", "grant", "ann", "manager", "/docs/private")
    return run


def lines(result):
    """The words of each line."""
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_granting_and_revoking(site, run):
    assert run("access", "grant", "ann", "editor", "/docs").output == "Done.\n"
    assert run("access", "grant", "ANN", "editor", "docs/").output == "It was so already.\n"
    assert "Editor ann here" in lines(run("access", "list", "/docs"))
    assert run("access", "revoke", "ann", "editor", "/docs").output == "Done.\n"
    assert "Editor ann here" not in lines(run("access", "list", "/docs"))
    with site.read_session() as session:
        entries = session.scalars(select(AuditEntry)).all()
    assert [entry.kind for entry in entries] == ["role-granted", "role-revoked"]
    assert {entry.actor for entry in entries} == {COMMAND_LINE.name}


def test_listing(shared):
    assert lines(shared("access", "list", "/docs/draft")) == [
        "Editor group staff from /docs",
        "Reader everyone from /",
        "Inherits what is granted above.",
    ]
    assert lines(shared("access", "list", "/docs/private")) == [
        "Manager ann here",
        "Inheriting stops here.",
    ]
    assert lines(shared("access", "list", "/"))[-1] == "This is the root."
    shared("access", "grant", "authenticated", "reader", "/docs/private")
    assert "Reader everybody who is signed in here" in lines(
        shared("access", "list", "/docs/private")
    )
    shared("access", "resume", "/docs/private")
    assert lines(shared("access", "list", "/docs/private"))[-1] == "Inherits what is granted above."


def test_explaining(shared):
    said = lines(shared("access", "explain", "bob", "/docs/draft"))
    assert "edit yes Editor, given to group staff at /docs" in said
    assert "publish no no role here or above gives it" in said
    assert said[0] == "view yes Editor, given to group staff at /docs"
    assert said[1] == "view yes Reader, given to everyone at /"
    said = lines(shared("access", "explain", "bob", "/docs/private"))
    assert "edit no inheriting stops at /docs/private" in said
    assert "view no inheriting stops at /docs/private" in said
    said = lines(shared("access", "explain", "visitors", "/docs/draft"))
    assert said[0] == "view no this page is a draft"


@pytest.mark.parametrize(
    ("user", "permission", "status"),
    [("bob", "edit", 0), ("bob", "publish", 1), ("visitors", "view", 0), ("visitors", "edit", 1)],
)
def test_one_permission_decides_the_status(shared, user, permission, status):
    result = shared("access", "explain", user, "/docs", permission)
    assert result.exit_code == status
    assert result.output.startswith(permission)
    assert shared("access", "explain", user, "/docs").exit_code == 0


def test_a_switched_off_account_may_nothing(site, shared):
    with site.transaction() as session:
        session.scalars(select(User).where(User.name == "bob")).one().active = False
    result = shared("access", "explain", "bob", "/docs", "view")
    assert result.exit_code == 1
    assert lines(result) == [
        "This account is switched off: it gives access to nothing.",
        "view no the account is switched off",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "nobody", "/docs"), "The user 'nobody' no longer exists"),
        (("explain", "bob", "/nope/deeper"), "“/nope/deeper” no longer exists"),
        (("list", "/nope"), "“/nope” no longer exists"),
        (("grant", "nobody", "reader", "/docs"), "'nobody'"),
        (("grant", "group:nobody", "reader", "/docs"), "The group 'nobody'"),
        (("grant", "bob", "emperor", "/docs"), "There is no role “emperor”"),
        (("grant", "bob", "administrator", "/docs"), "site's root only"),
        (("grant", "bob", "reader", "/nope"), "no longer exists"),
        (("stop", "/"), "nothing above the root of the site"),
    ],
)
def test_what_is_refused_is_told(site, run, arguments, message):
    result = run("access", *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_permission_that_there_is_not_is_told(site, run):
    result = run("access", "explain", "bob", "/docs", "fly")
    assert result.exit_code == 2
    assert "There is no permission 'fly'" in result.stderr


def test_the_last_administrator_is_kept(site, run):
    run("access", "grant", "ann", "administrator", "/")
    result = run("access", "revoke", "ann", "administrator", "/")
    assert result.exit_code == 1
    assert "Nobody would be left" in result.stderr
    assert "Administrator ann here" in lines(run("access", "list", "/"))


def test_check_finds_and_repairs_pages_under_wrong_permissions(site, shared):
    assert shared("tree", "check").exit_code == 0
    with site.transaction() as session:
        session.execute(update(Node).where(Node.name == "private").values(boundary_id=ROOT_ID))
        session.execute(update(Node).where(Node.name == "draft").values(boundary_id=999))
    found = shared("tree", "check")
    assert found.exit_code == 1
    assert found.output.count("Run: myproject tree check --repair") == 2
    mended = shared("tree", "check", "--repair")
    assert mended.exit_code == 0
    assert mended.output.splitlines() == [
        "Repaired the permissions of 2 pages.",
        "Repaired the history of 0 pages.",
        "The tree is sound.",
    ]
    assert shared("tree", "check", "--repair").output.startswith("Repaired the permissions of 0")
    assert "view no inheriting stops at /docs/private" in lines(
        shared("access", "explain", "visitors", "/docs/private")
    )
