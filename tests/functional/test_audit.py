"""The record of accounts and access on its screen."""

import pytest

from myproject.testing import sign_in
from tests.functional.test_users import accounts, add_group, add_user, form_to, give


@pytest.fixture
def admin(site):
    return sign_in(site, "ann", "administrator")


def sentences(page):
    """What happened, without times, as it reads on a page."""
    return [" ".join(item.get_text().split()) for item in page.html.select(".record .what")]


def test_only_who_manages_users_gets_there(site, admin):
    assert admin.get("/@@audit").status_int == 200
    assert site.client.get("/@@audit", status="*").status_int in (302, 303, 401, 403)
    sign_in(site, "bob", "manager").get("/@@audit", status=403)


def test_what_happened_is_said_in_sentences(site, admin):
    site.add("/docs", title="Documents")
    number, group = add_user(site, "bob", "Bob"), add_group(site, "editors", "Editors")
    give(site, group, "editor", "/docs")
    path = f"/@@users/{number}"
    form = form_to(admin.get(path), path)
    form.get("groups", index=0).checked = True
    form["title"] = "Bob B."
    form_to(form.submit().follow(), f"{path}/disable").submit()
    found = sentences(admin.get("/@@audit"))
    assert found[:6] == [
        "Ann disabled the user Bob B.",
        "Ann added Bob B. to the group Editors",
        "Ann changed the user Bob B.: full name",
        "The command line gave Editors the role Editor at /docs",
        "The command line created the group Editors",
        "The command line created the user Bob B.",
    ]
    assert "Ann signed in from 192.0.2.1" in found


def test_a_failed_sign_in_says_as_whom_and_from_where(site, admin):
    form = site.client.get("/@@sign-in").form
    form["name"], form["password"] = "Bob", "<b>nonsense</b>"
    form.submit(status="*")
    (first, *_) = sentences(admin.get("/@@audit?kind=sign-in-failed"))
    assert first.startswith("Someone failed to sign in as bob")
    assert "nonsense" not in admin.get("/@@audit").text


def test_what_people_typed_is_text(site, admin):
    add_user(site, "bob", "<b>Bob</b> ${actor}")
    page = admin.get("/@@audit")
    assert "The command line created the user <b>Bob</b> ${actor}" in sentences(page)


def test_names_outlive_those_who_had_them(site, admin):
    number = add_user(site, "bob", "Bob")
    site.add("/docs", title="Documents")
    give(site, number, "editor", "/docs")
    with site.tree() as tree:
        accounts(site, tree).delete_user(accounts(site, tree).user(number))
        tree.purge(site.node(tree, "/docs"))
    found = sentences(admin.get("/@@audit?person=bob"))
    assert found[0] == "The command line deleted the user bob"
    assert "The command line gave bob the role Editor at Documents" in found


def test_it_can_be_narrowed_by_kind_person_and_day(site, admin):
    add_user(site, "bob", "Bob")
    add_user(site, "bobby", "Bobby")
    assert set(sentences(admin.get("/@@audit?kind=user-created"))) == {
        f"The command line created the user {title}" for title in ("Ann", "Bob", "Bobby")
    }
    # Exactly this name, where there is one.
    assert len(sentences(admin.get("/@@audit?person=BOB"))) == 1
    assert len(sentences(admin.get("/@@audit?person=obb"))) == 1
    assert "Nothing of this kind" in admin.get("/@@audit?until=2020-01-01").text
    assert "Nothing of this kind" in admin.get("/@@audit?since=9999-12-31").text
    assert sentences(admin.get("/@@audit?since=2020-01-01&until=9999-12-31"))
    wrong = admin.get("/@@audit?since=nonsense&before=x&kind=nonsense")
    assert "2026-05-31" in wrong.text


def test_a_long_record_has_pages_from_the_newest_on(site, admin, links):
    with site.tree() as tree:
        for number in range(120):
            accounts(site, tree).create_user(f"user{number:03}")
    url, found = "/@@audit?kind=user-created", []
    while url:
        page = admin.get(url)
        found += sentences(page)
        url = next((href for href, text in links(page).items() if text == "Older"), None)
    wanted = [f"The command line created the user user{number:03}" for number in range(119, -1, -1)]
    assert found[:-1] == wanted


def test_it_takes_few_statements(site, admin, count_statements):
    for number in range(60):
        site.add(f"/p{number}")
        give(site, add_user(site, f"user{number:03}"), "reader", f"/p{number}")
    admin.get("/@@audit")
    for query in ("", "?person=ann", "?person=user&kind=role-granted"):
        with count_statements(site.database) as seen:
            admin.get(f"/@@audit{query}")
        assert len(seen) <= 5, "\n\n".join([query, *seen])
