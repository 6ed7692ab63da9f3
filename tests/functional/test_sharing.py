"""The sharing screen: who has access, and why; changing it with a look at what that does."""

import re
from html import unescape

import pytest
from sqlalchemy import select, update

from myproject.exceptions import PrincipalGone
from myproject.interfaces import IRoles
from myproject.security.accounts import Accounts, administrators
from myproject.security.models import Grant, Principal, User
from myproject.security.sharing import INHERITING_STOPPED, Sharing, granted
from myproject.testing import sign_in
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import DRAFT
from myproject.tree.site import Site
from tests.security.slow import Slow


def act(site, name, change, path):
    """Make a change as the operator; ``change`` may be the name of a role for *name*."""
    with site.tree() as tree:
        sharing = Sharing(tree.session, site.registry.getUtility(IRoles), COMMAND_LINE, None)
        if name is not None:
            principal = tree.session.scalar(select(Principal.id).where(Principal.name == name))
            change = granted(principal, change)
        sharing.make(site.node(tree, path), change)


def text(page):
    """What the page says, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def ids(site):
    with site.database.read_session() as session:
        return {row.name: row.id for row in session.scalars(select(Principal))}


def rows(site):
    with site.database.read_session() as session:
        return Slow.of(session).grants, Slow.of(session).stops


@pytest.fixture
def docs(site):
    """``/docs`` with a private part; ann manages it, staff (bob) may edit."""
    site.add("/docs", title="Docs")
    site.add("/docs/one", title="One")
    site.add("/docs/private", title="Private")
    site.add("/docs/private/below", title="Below")
    site.add("/docs/draft", title="Draft", state=DRAFT)
    with site.tree() as tree:
        accounts = Accounts(tree.session, site.registry.passwords, COMMAND_LINE, minimum=8)
        staff = accounts.create_group("staff", "Staff")
        accounts.join(accounts.create_user("bob", "Bob Builder", "bob@example.org"), staff)
        accounts.create_user("cyd", "Cyd")
        accounts.create_user("adm", "Adm")
    act(site, "adm", "administrator", "/")
    act(site, "staff", "editor", "/docs")
    return site


@pytest.fixture
def ann(docs):
    return sign_in(docs, "ann", "manager", "/docs")


def ask(client, path, form):
    """Post a form as the screen's own would be; return the answer."""
    page = client.get(path)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    return client.post(path, {"csrf_token": token, **form}, status="*")


def confirmation(page):
    return next(form for form in page.forms.values() if "confirm" in form.fields)


# -- what is shown --------------------------------------------------------------------------------


def test_only_those_who_may_share_see_it(docs, ann):
    ann.get("/docs/@@sharing", status=200)
    ann.get("/@@sharing", status=403)
    sign_in(docs, "bob").get("/docs/@@sharing", status=403)
    assert docs.client.get("/docs/@@sharing", status="*").status_int != 200
    for path in ("/docs/@@principals?q=b", "/@@principals?q=b"):
        assert sign_in(docs, "cyd").get(path, status="*").status_int == 403


def test_it_shows_grants_of_the_place_and_of_those_above(docs, ann):
    act(docs, "cyd", "author", "/docs/one")
    page = ann.get("/docs/one/@@sharing")
    shown = text(page)
    assert "Cyd Author" in shown.replace(" cyd", "")
    assert re.search(r"Staff group Editor from Docs", shown)
    assert '<a href="/docs">Docs</a>' in page
    assert re.search(r"Everyone visitors, too Reader from", shown)
    # Only what was granted here can be removed here.
    assert page.text.count('value="revoke"') == 1


def test_a_place_above_that_may_not_be_viewed_is_not_named(docs):
    dan = sign_in(docs, "dan", "manager", "/docs/private")
    with docs.tree() as tree:
        tree.session.execute(
            update(Grant).where(Grant.principal_id == 1).values(principal_id=2, role="gone")
        )
    page = dan.get("/docs/private/@@sharing")
    assert "from a place above" in text(page)
    assert "Docs" not in page


def test_a_role_of_an_add_on_that_is_off_is_shown_as_such_and_can_go(docs, ann):
    with docs.tree() as tree:
        node = docs.node(tree, "/docs")
        tree.session.add(Grant(node_id=node.id, principal_id=ids(docs)["cyd"], role="commenter"))
    page = ann.get("/docs/@@sharing")
    assert "commenter unknown role" in text(page)
    form = {"action": "revoke", "principal": ids(docs)["cyd"], "role": "commenter"}
    page = ask(ann, "/docs/@@sharing", form)
    assert "Nothing changes for anybody." in text(page)
    confirmation(page).submit().follow()
    assert "commenter" not in ann.get("/docs/@@sharing")


@pytest.mark.parametrize("grants", [0, 60])
def test_it_takes_nine_statements_at_most(docs, ann, count_statements, grants):
    with docs.tree() as tree:
        node = docs.node(tree, "/docs")
        users = [User(name=f"u{n}", title=f"U{n}") for n in range(grants)]
        tree.session.add_all(users)
        tree.session.flush()
        tree.session.add_all(
            Grant(node_id=node.id, principal_id=user.id, role="reader") for user in users
        )
    bob = ids(docs)["bob"]
    for query in ("", f"?person={bob}&q=b", f"?person={bob}&who=b", "?person=visitors"):
        docs.registry.policies._kept = None
        with count_statements(docs.database) as seen:
            ann.get(f"/docs/private/@@sharing{query}", status=200)
        assert len(seen) <= 9, "\n\n".join(seen)


# -- whom to give a role --------------------------------------------------------------------------


def test_people_and_groups_are_found_and_offered_what_the_actor_may_give(docs, ann):
    page = ann.get("/docs/@@sharing?q=b")
    shown = text(page)
    assert "Bob Builder bob" in shown
    assert "Everyone" in shown
    assert "Everybody who is signed in" in shown
    offered = re.findall(r'<option value="([^"]+)"', page.text)
    assert set(offered) == {"reader", "author", "editor", "publisher", "manager"}
    assert "Nobody was found." in ann.get("/docs/@@sharing?q=nobody")
    admin = sign_in(docs, "adm")
    assert '<option value="administrator"' in admin.get("/@@sharing?q=b")
    assert '<option value="administrator"' not in admin.get("/docs/@@sharing?q=b")


@pytest.mark.parametrize("q", ["%00", "%25", "_", "a" * 500, "%F0%9F%98%80", "'", "\\"])
def test_whatever_is_searched_for(docs, ann, q):
    for path in ("/docs/@@sharing?q=", "/docs/@@sharing?who=", "/docs/@@principals?q="):
        ann.get(path + q, status=200)


def test_the_search_while_typing_answers_with_a_fragment(docs, ann):
    page = ann.get("/docs/@@principals?q=sta")
    assert "<html" not in page
    assert "Staff" in page
    asked = ann.get("/docs/@@principals?who=bob")
    assert f'href="/docs/@@sharing?person={ids(docs)["bob"]}#site-explanation"' in asked
    assert "<form" not in asked
    assert "Staff" not in ann.get("/docs/@@principals?who=sta")


# -- changing -------------------------------------------------------------------------------------


def test_a_grant_is_previewed_then_made_then_told(docs, ann):
    page = ann.get("/docs/@@sharing?q=cyd")
    form = next(
        form
        for form in page.forms.values()
        if "principal" in form.fields and form["principal"].value == str(ids(docs)["cyd"])
    )
    form["role"] = "author"
    before = rows(docs)
    asked = form.submit(status=200)
    assert "Give the role Author to Cyd?" in text(asked)
    assert "1 person will be able to see drafts of, add to and edit 5 pages." in text(asked)
    assert rows(docs) == before
    done = confirmation(asked).submit(status=303)
    assert done.headers["Location"].endswith("/docs/@@sharing")
    shown = text(done.follow())
    assert "Cyd has the role Author here." in shown
    assert rows(docs) != before
    # Told once.
    assert "has the role" not in ann.get("/docs/@@sharing")


def test_stopping_tells_people_and_visitors(docs, ann):
    act(docs, "ann", "manager", "/docs/private")
    asked = ask(ann, "/docs/private/@@sharing", {"action": "stop"})
    shown = text(asked)
    assert "Visitors who are not signed in will no longer be able to view 2 pages." in shown
    assert "1 person will no longer be able to see drafts of, add to, edit, move and delete 2" in (
        shown
    )
    confirmation(asked).submit(status=303)
    assert docs.client.get("/docs/private", status="*").status_int != 200
    page = ann.get("/docs/private/@@sharing")
    assert "Private: what is granted above does not hold here." in text(page)
    asked = ask(ann, "/docs/private/@@sharing", {"action": "resume"})
    assert "will be able to view 2 pages" in text(asked)
    confirmation(asked).submit(status=303)
    docs.client.get("/docs/private", status=200)


def test_the_site_as_a_whole_is_not_counted_in_pages(docs):
    admin = sign_in(docs, "adm")
    form = {"action": "grant", "principal": ids(docs)["cyd"], "role": "administrator"}
    shown = text(ask(admin, "/@@sharing", form))
    assert "1 person will be able to manage users and manage the site." in shown


def test_numbers_that_have_changed_are_shown_again(docs, ann):
    asked = ask(ann, "/docs/@@sharing", {"action": "stop"})
    assert "will no longer" in text(asked)
    act(docs, "cyd", "reader", "/docs/one")
    before = rows(docs)
    again = confirmation(asked).submit(status=200)
    assert "Somebody has changed access in the meantime." in text(again)
    assert rows(docs) == before
    again = ask(ann, "/docs/@@sharing", {"action": "stop", "confirm": "1", "revision": "garbage"})
    assert again.status_int == 200
    assert rows(docs) == before


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "There is no such change."),
        ({"action": "explode"}, "There is no such change."),
        ({"action": "grant"}, "Choose a person or a group."),
        ({"action": "grant", "principal": "x", "role": "reader"}, "Choose a person or a group."),
        ({"action": "grant", "principal": "9" * 30, "role": "reader"}, "Choose a person"),
        ({"action": "grant", "principal": "\u0661", "role": "reader"}, "Choose a person"),
        ({"action": "grant", "principal": "-1", "role": "reader"}, "Choose a person"),
        ({"action": "grant", "principal": "987654", "role": "reader"}, "no longer exists"),
        ({"action": "grant", "principal": "1", "role": "emperor"}, "There is no role “emperor”"),
        ({"action": "grant", "principal": "1", "role": "a\0b"}, "There is no role"),
        ({"action": "grant", "principal": "1", "role": "administrator"}, "site's root only"),
        ({"action": "revoke", "principal": "<ann>", "role": "manager"}, "no longer be able"),
        ({"action": "revoke", "principal": "987654", "role": "manager"}, "no longer exists"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_done(docs, ann, form, message):
    form = {**form}
    if form.get("principal") == "<ann>":
        form["principal"] = str(ids(docs)["ann"])
    before = rows(docs)
    with docs.database.read_session() as session:
        revision = session.connection().exec_driver_sql("SELECT access_revision FROM site").scalar()
    for confirmation in ({}, {"confirm": "1", "revision": str(revision)}):
        page = ask(ann, "/docs/@@sharing", form | confirmation)
        assert page.status_int == 422
        assert message in text(page)
        assert "Who has access here" in page
        assert rows(docs) == before


def test_nobody_can_give_or_take_what_they_may_not_do_themselves(docs, ann):
    with docs.tree() as tree:
        # Somebody who may share, but not publish.
        docs.registry.getUtility(IRoles).add_role("sharer", "Sharer", ["view", "share"])
        act_id = tree.session.scalar(select(Principal.id).where(Principal.name == "cyd"))
        tree.session.add(
            Grant(node_id=docs.node(tree, "/docs").id, principal_id=act_id, role="sharer")
        )
        tree.session.execute(update(Site).values(access_revision=Site.access_revision + 1))
    cyd = sign_in(docs, "cyd")
    page = cyd.get("/docs/@@sharing?q=b")
    assert set(re.findall(r'<option value="([^"]+)"', page.text)) == {"reader", "sharer"}
    staff = {"action": "revoke", "principal": ids(docs)["staff"], "role": "editor"}
    assert 'aria-label="Remove: Editor, Staff"' not in page
    before = rows(docs)
    page = ask(cyd, "/docs/@@sharing", staff)
    assert page.status_int == 422
    assert "it may do more than you may" in text(page)
    give = {"action": "grant", "principal": ids(docs)["cyd"], "role": "manager"}
    assert ask(cyd, "/docs/@@sharing", give).status_int == 422
    assert rows(docs) == before


def test_the_last_administrator_stays(docs):
    admin = sign_in(docs, "adm", "manager", "/")
    form = {"action": "revoke", "principal": ids(docs)["adm"], "role": "administrator"}
    page = ask(admin, "/@@sharing", form)
    assert page.status_int == 422
    assert "Nobody would be left who can administer the site." in text(page)
    with docs.database.read_session() as session:
        assert len(administrators(session)) == 1


def test_a_refusal_that_comes_only_when_it_is_written_leaves_a_screen_that_tells_the_truth(
    docs, ann, monkeypatch
):
    """Whatever the change has written until then is undone before the screen is read anew."""

    def fail(session, *rest, **kw):
        session.flush()
        raise PrincipalGone

    monkeypatch.setattr("myproject.security.sharing.record", fail)
    asked = ask(ann, "/docs/one/@@sharing", {"action": "stop"})
    assert asked.status_int == 422  # ann's role comes from above
    form = {"action": "grant", "principal": ids(docs)["cyd"], "role": "reader"}
    before = rows(docs)
    page = confirmation(ask(ann, "/docs/one/@@sharing", form)).submit(status=422)
    assert "no longer exists" in text(page)
    assert 'value="revoke"' not in page
    assert rows(docs) == before


def test_a_person_deleted_before_the_change_is_confirmed(docs, ann):
    form = {"action": "grant", "principal": ids(docs)["cyd"], "role": "reader"}
    asked = ask(ann, "/docs/@@sharing", form)
    with docs.tree() as tree:
        accounts = Accounts(tree.session, docs.registry.passwords, COMMAND_LINE, minimum=8)
        accounts.delete_user(tree.session.scalar(select(User).where(User.name == "cyd")))
    page = confirmation(asked).submit(status=422)
    assert "no longer exists" in text(page)


def test_a_form_without_a_token_changes_nothing(docs, ann):
    before = rows(docs)
    answer = ann.post("/docs/@@sharing", {"action": "stop", "confirm": "1"}, status="*")
    assert answer.status_int == 400
    assert rows(docs) == before


# -- why ------------------------------------------------------------------------------------------


def verdicts(page):
    found = re.findall(r"<tr class=\"(yes|no)\"><th[^>]*>(.*?)</th>(.*?)</tr>", page.text, re.S)
    return {permission: (said, text_of_cells(cells)) for said, permission, cells in found}


def text_of_cells(cells):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", cells)).split()).partition(" ")[2]


def test_each_permission_is_explained(docs, ann):
    bob = ids(docs)["bob"]
    page = ann.get(f"/docs/one/@@sharing?person={bob}")
    said = verdicts(page)
    assert list(said) == list(map(str, titles(docs)))
    assert said["edit"] == ("yes", "Editor, given to Staff at Docs")
    assert said["view"][0] == "yes"
    assert "Reader, given to Everyone at" in said["view"][1]
    assert said["publish"] == ("no", "no role here or above gives it")
    assert '<a href="/docs">Docs</a>' in page


def titles(site):
    return site.registry.getUtility(IRoles).permissions.values()


def test_stops_drafts_and_switched_off_accounts_are_explained(docs, ann):
    bob = ids(docs)["bob"]
    act(docs, "ann", "manager", "/docs/private")
    act(docs, None, INHERITING_STOPPED, "/docs/private")
    said = verdicts(ann.get(f"/docs/private/below/@@sharing?person={bob}"))
    assert said["edit"] == ("no", "inheriting stops at Private")
    assert said["publish"] == ("no", "no role here or above gives it")
    said = verdicts(ann.get("/docs/draft/@@sharing?person=visitors"))
    assert said["view"] == ("no", "this page is a draft")
    docs.add("/docs/draft/below", title="B")
    said = verdicts(ann.get("/docs/draft/below/@@sharing?person=visitors"))
    assert said["view"] == ("no", "Draft above is a draft")
    with docs.tree() as tree:
        tree.session.execute(update(User).where(User.id == bob).values(active=False))
    page = ann.get(f"/docs/one/@@sharing?person={bob}")
    assert "This account is switched off: it gives access to nothing." in text(page)
    assert {said for said, _ in verdicts(page).values()} == {"no"}


@pytest.mark.parametrize("person", ["x", "987654", "9" * 40, "-1", "\u0661", "2"])
def test_somebody_who_is_not_there_is_not_explained(docs, ann, person):
    page = ann.get("/docs/@@sharing", {"person": person}, status=200)
    assert "Nobody by this number" in page
    assert not verdicts(page)


def test_the_explanation_is_what_the_policy_does(docs, ann):
    """The words on the screen against requests that are really made."""
    bob = sign_in(docs, "bob")
    for path in ("/docs/one", "/docs/private", "/docs/draft"):
        for client, person in ((docs.client, "visitors"), (bob, ids(docs)["bob"])):
            said = verdicts(ann.get(f"{path}/@@sharing?person={person}"))
            seen = client.get(path, status="*").status_int == 200
            assert (said["view"][0] == "yes") == seen, (path, person)
