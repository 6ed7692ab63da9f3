"""The screens of groups: who reaches them, and what they do."""

import pytest
from sqlalchemy import text

from myproject.testing import sign_in
from myproject.tree.site import count_access_revision
from tests.functional.test_users import accounts, add_group, add_user, form_to, give

ACTIONS = ("delete", "add", "remove")


@pytest.fixture
def admin(site):
    return sign_in(site, "ann", "administrator")


@pytest.mark.parametrize("path", ["/@@groups", "/@@groups/new", "/@@groups/4"])
def test_only_who_manages_users_gets_there(site, admin, path):
    assert add_group(site, "editors", "Editors") == 4
    assert admin.get(path).status_int == 200
    assert site.client.get(path, status="*").status_int in (302, 303, 401, 403)
    assert "Editors" not in sign_in(site, "bob", "manager").get(path, status=403).text


def test_actions_are_refused_to_others(site, admin):
    number = add_group(site, "editors")
    bob = sign_in(site, "bob", "manager")
    token = bob.get("/@@account").forms[0]["csrf_token"].value
    for path in ("new", str(number), *(f"{number}/{action}" for action in ACTIONS)):
        bob.post(f"/@@groups/{path}", {"csrf_token": token, "user": "3"}, status=403)
        admin.post(f"/@@groups/{path}", {"user": "3"}, status=400)


@pytest.mark.parametrize("path", ["/@@groups/999", "/@@groups/2", "/@@groups/3"])
def test_what_is_no_group_is_not_found(admin, path):
    admin.get(path, status=404)


def test_a_group_is_made_changed_and_deleted(site, admin):
    form = form_to(admin.get("/@@groups/new"), "/@@groups/new")
    form["name"], form["title"], form["description"] = "Editors", "The editors", "They edit."
    page = form.submit().follow()
    path = page.request.path
    assert "The editors" in page.text
    form = form_to(page, path)
    form["title"] = "All editors"
    page = form.submit().follow()
    assert "<h1>All editors</h1>" in page.text
    form = form_to(page, f"{path}/delete")
    form["confirm"] = "nonsense"
    form = form_to(form.submit(status=422), f"{path}/delete")
    form["confirm"] = "editors"
    assert "There are no groups yet." in form.submit().follow().text
    admin.get(path, status=404)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "WRITERS"}, "There is a group named"),
        ({"name": ""}, "Give a name"),
        ({"name": "a/b"}, "Use letters"),
        ({"description": "x" * 501}, "longer than 500"),
        ({"title": "x" * 201}, "longer than 200"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(site, admin, fields, message):
    add_group(site, "writers")
    number = add_group(site, "editors")
    for path in ("/@@groups/new", f"/@@groups/{number}"):
        form = form_to(admin.get(path), path)
        for name, value in {"name": "other", "title": "Typed", **fields}.items():
            form[name] = value
        response = form.submit(status=422)
        assert message in response.text
        assert form_to(response, path)["title"].value == {"title": "Typed", **fields}["title"]
    listed = admin.get("/@@groups").text
    assert "Typed" not in listed
    assert "other" not in listed


def test_a_user_and_a_group_may_share_a_name(site, admin):
    form = form_to(admin.get("/@@groups/new"), "/@@groups/new")
    form["name"] = "ann"
    form.submit(status=303)


def test_members_are_found_added_and_removed(site, admin, links):
    number = add_group(site, "editors", "Editors")
    add_user(site, "bob", "Bob", "bob@example.org")
    path = f"/@@groups/{number}"
    page = admin.get(path, {"q": "bob@"})
    page = form_to(page, f"{path}/add").submit().follow()
    assert "Bob" in links(page).values()
    # Who is a member already is not offered again.
    assert "Nobody else is called that" in admin.get(path, {"q": "bob"}).text
    assert ">1</td>" in admin.get("/@@groups").text
    page = form_to(page, f"{path}/remove").submit().follow()
    assert "Bob" not in links(page).values()


def test_a_member_who_is_gone_meanwhile_is_said(site, admin):
    number, user = add_group(site, "editors"), add_user(site, "bob", "Bob")
    form = form_to(admin.get(f"/@@groups/{number}?q=bob"), f"/@@groups/{number}/add")
    with site.tree() as tree:
        accounts(site, tree).delete_user(accounts(site, tree).user(user))
    assert "This user no longer exists." in form.submit(status=422).text


def test_the_last_group_of_administrators_is_neither_left_nor_deleted(site, admin):
    group = add_group(site, "admins", "Admins")
    with site.tree() as tree:
        doing = accounts(site, tree)
        root = doing.create_user("root")
        doing.join(root, doing.group(group))
    give(site, group, "administrator")
    with site.tree() as tree:
        doing = accounts(site, tree)
        doing.join(doing.user(3), doing.group(group))
        doing.disable_user(doing.user(root.id))
    with site.tree() as tree:
        tree.session.execute(text("DELETE FROM access_grant WHERE principal_id = 3"))
        count_access_revision(tree.session)
    path = f"/@@groups/{group}"
    page = admin.get(path)
    form = form_to(page, f"{path}/delete")
    form["confirm"] = "admins"
    assert "Nobody would be left" in form.submit(status=422).text
    own = next(
        form
        for form in page.forms.values()
        if form.action == f"{path}/remove" and form["user"].value == "3"
    )
    assert "Nobody would be left" in own.submit(status=422).text
    assert admin.get(path).status_int == 200


def test_roles_are_shown_with_their_places(site, admin, links):
    site.add("/docs", title="Documents")
    number = add_group(site, "editors")
    give(site, number, "editor", "/docs")
    give(site, number, "reader", "/")
    page = admin.get(f"/@@groups/{number}")
    assert {"/docs", "/"} <= set(links(page).values())
    assert "Editor" in page.text


def test_who_manages_users_does_not_give_away_what_they_do_not_have(make_site):
    site = make_site(roles="\nhelpdesk = view manage-users")
    sign_in(site, "ann", "administrator")
    helper = sign_in(site, "helper", "helpdesk")
    number = add_group(site, "editors")
    give(site, number, "editor")
    form = form_to(helper.get(f"/@@groups/{number}?q=helper"), f"/@@groups/{number}/add")
    assert "may do more than you may" in form.submit(status=422).text


@pytest.mark.parametrize("path", ["/@@groups", "/@@groups?q=group", "/@@groups?after=group010"])
def test_a_list_takes_few_statements(site, admin, count_statements, path):
    for number in range(60):
        add_group(site, f"group{number:03}")
    admin.get(path)
    with count_statements(site.database) as seen:
        page = admin.get(path)
    assert len(seen) <= 5, "\n\n".join(seen)
    assert "group020" in page.text


def test_long_lists_have_pages(site, admin, links):
    number = add_group(site, "group00")
    with site.tree() as tree:
        doing = accounts(site, tree)
        for count in range(1, 60):
            doing.create_group(f"group{count:02}")
            doing.join(doing.create_user(f"user{count:02}"), doing.group(number))
    for path, more, last in (
        ("/@@groups", "More groups", "group59"),
        (f"/@@groups/{number}", "More members", "user59"),
    ):
        first = links(admin.get(path))
        assert last not in first.values()
        (following,) = [href for href, text in first.items() if text == more]
        second = links(admin.get(following))
        assert last in second.values()
        assert more not in second.values()
        assert path in second
