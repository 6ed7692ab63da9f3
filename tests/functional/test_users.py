"""The screens of users: who reaches them, and what they do."""

import pytest

from myproject.interfaces import IMailer, IRoles
from myproject.security.accounts import Accounts
from myproject.security.logins import find_user
from myproject.security.sharing import Sharing, granted, revoked
from myproject.testing import sign_in
from myproject.tree.actor import COMMAND_LINE

PASSWORD = "correct horse battery"
ACTIONS = ("disable", "enable", "delete", "link", "password", "logins")


@pytest.fixture
def mailing_site(make_site, outbox):
    """A factory of sites that can send mail."""

    def make(**settings):
        return make_site(
            lambda config: config.registry.registerUtility(outbox, IMailer), **settings
        )

    return make


@pytest.fixture
def admin(site):
    return sign_in(site, "ann", "administrator")


def accounts(site, tree):
    return Accounts(tree.session, site.registry.passwords, COMMAND_LINE, minimum=8)


def add_user(site, name, title="", email="", groups=()):
    with site.tree() as tree:
        doing = accounts(site, tree)
        user = doing.create_user(name, title, email)
        for group in groups:
            doing.join(user, doing.group(group))
        return user.id


def add_group(site, name, title=""):
    with site.tree() as tree:
        return accounts(site, tree).create_group(name, title).id


def form_to(page, path):
    """The form that posts to a path."""
    forms = (form for form in page.forms.values() if form.method.upper() == "POST")
    return next(form for form in forms if form.action == path)


def new_user(client, **fields):
    form = form_to(client.get("/@@users/new"), "/@@users/new")
    for name, value in fields.items():
        form[name] = value
    return form.submit(status="*")


# -- who reaches them -----------------------------------------------------------------------------

PATHS = ["/@@users", "/@@users/new", "/@@users/3"]


@pytest.mark.parametrize("path", PATHS)
def test_visitors_do_not_get_there(site, path):
    sign_in(site, "ann", "administrator")
    response = site.client.get(path, status="*")
    assert response.status_int in (302, 303, 401, 403)
    assert "Ann" not in response.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", [None, "manager"])
def test_others_are_refused(site, path, role):
    sign_in(site, "ann", "administrator")
    bob = sign_in(site, "bob", role)
    assert "Ann" not in bob.get(path, status=403).text


def test_actions_are_refused_to_others(site):
    sign_in(site, "ann", "administrator")
    bob = sign_in(site, "bob", "manager")
    token = bob.get("/@@account").forms[0]["csrf_token"].value
    for path in ("/@@users/new", "/@@users/3", *(f"/@@users/3/{action}" for action in ACTIONS)):
        bob.post(path, {"csrf_token": token, "name": "eve", "way": "link"}, status=403)


def test_nothing_is_done_without_a_token(site, admin):
    number = add_user(site, "bob")
    for path in ("/@@users/new", f"/@@users/{number}", f"/@@users/{number}/disable"):
        admin.post(path, {"name": "eve"}, status=400)


@pytest.mark.parametrize("path", ["/@@users/999", "/@@users/2", f"/@@users/{'9' * 18}"])
def test_nobody_there_is_not_found(admin, path):
    admin.get(path, status=404)


def test_what_acts_is_not_fetched(site, admin):
    number = add_user(site, "bob")
    for action in ACTIONS:
        assert admin.get(f"/@@users/{number}/{action}", status="*").status_int in (404, 405)


# -- the list -------------------------------------------------------------------------------------


def test_people_are_found_by_name_title_and_address(site, admin, links):
    add_user(site, "bob", "Robert Tables", "r.tables@example.org")
    add_user(site, "carol", "Carol", "carol@example.org")
    for search in ("bob", "TABLES", "r.tables@", " robert "):
        assert "Carol" not in (page := admin.get("/@@users", {"q": search})).text
        assert "Robert Tables" in links(page).values()
    assert "no such user" in admin.get("/@@users", {"q": "%"}).text


def test_the_list_can_be_narrowed_to_active_and_disabled_accounts(site, admin, links):
    number = add_user(site, "bob", "Bob")
    form_to(admin.get(f"/@@users/{number}"), f"/@@users/{number}/disable").submit()
    assert "Bob" in links(admin.get("/@@users")).values()
    assert "Bob" not in links(admin.get("/@@users?state=active")).values()
    assert "Bob" in (disabled := links(admin.get("/@@users?state=disabled")).values())
    assert "/@@users/3" not in disabled
    assert admin.get("/@@users?state=nonsense").status_int == 200


def test_a_long_list_has_pages(site, admin, links):
    with site.tree() as tree:
        for number in range(120):
            accounts(site, tree).create_user(f"user{number:03}")
    seen, url = [], "/@@users?q=user"
    while url:
        found = links(admin.get(url))
        seen += [
            text for href, text in found.items() if text.startswith("user0") or "user1" in text
        ]
        url = next((href for href, text in found.items() if text == "More users"), None)
    assert seen == [f"user{number:03}" for number in range(120)]


@pytest.mark.parametrize("path", ["/@@users", "/@@users?q=user&state=active"])
def test_a_list_takes_few_statements(site, admin, count_statements, path):
    group = add_group(site, "editors")
    for number in range(60):
        add_user(site, f"user{number:03}", groups=[group])
    admin.get(path)
    with count_statements(site.database) as seen:
        admin.get(path)
    assert len(seen) <= 5, "\n\n".join(seen)


# -- making one -----------------------------------------------------------------------------------


def test_a_new_user_gets_a_link_that_is_shown_once(site, admin):
    response = new_user(admin, name="Bob", title="Bob B.", email="bob@example.org")
    page = response.follow()
    assert "Bob B." in page.text
    assert page.text.count("http://localhost/@@one-time?token=") == 1
    assert "one-time?token" not in admin.get(response.location).text


def test_the_link_leads_to_the_canonical_host(make_site):
    site = make_site(canonical_host="https://example.org")
    page = new_user(sign_in(site, "ann", "administrator"), name="bob").follow()
    assert 'value="https://example.org/@@one-time?token=' in page.text


def test_the_link_can_be_mailed(mailing_site, outbox):
    site = mailing_site(canonical_host="https://example.org")
    admin = sign_in(site, "ann", "administrator")
    page = new_user(admin, name="bob", email="bob@example.org", way="mail").follow()
    assert "one-time?token" not in page.text
    (message,) = outbox.messages
    assert message["To"] == "bob@example.org"
    assert "https://example.org/@@one-time?token=" in message.get_content()


@pytest.mark.parametrize(
    "settings", [{"canonical_host": "https://example.org"}, {"development": "true"}]
)
def test_a_link_is_not_mailed_to_nobody(mailing_site, outbox, settings):
    site = mailing_site(**settings)
    admin = sign_in(site, "ann", "administrator")
    response = new_user(admin, name="bob", way="mail")
    assert response.status_int == 422
    assert "nowhere to send" in response.text
    assert outbox.messages == []
    assert "bob" not in admin.get("/@@users").text


def test_a_link_is_not_mailed_to_a_host_that_a_request_chose(mailing_site, outbox):
    site = mailing_site()
    admin = sign_in(site, "ann", "administrator")
    form = form_to(admin.get("/@@users/new"), "/@@users/new")
    token = form["csrf_token"].value
    fields = {"csrf_token": token, "name": "bob", "email": "bob@example.org", "way": "mail"}
    cookies = "; ".join(f"{name}={value}" for name, value in admin.cookies.items())
    headers = {"Host": "evil.example", "Cookie": cookies}
    response = admin.post("/@@users/new", fields, headers=headers, status=422)
    assert "canonical_host" in response.text
    assert outbox.messages == []
    assert "bob@example.org" not in admin.get("/@@users").text


def test_a_password_can_be_set_for_a_new_user(site, admin):
    page = new_user(admin, name="bob", way="password", password=PASSWORD).follow()
    assert "one-time?token" not in page.text
    assert "No password has been chosen" not in page.text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "ANN"}, "There is a user named"),
        ({"name": "ａｎｎ"}, "There is a user named"),
        ({"name": " "}, "Give a name"),
        ({"name": "a b"}, "Use letters"),
        ({"name": "x" * 101}, "longer than 100"),
        ({"name": "bob", "email": "nonsense"}, "not a mail address"),
        ({"name": "bob", "email": "Ann@Example.org"}, "Another account has"),
        ({"name": "bob", "title": "x" * 201}, "longer than 200"),
        ({"name": "bob", "way": "password", "password": "secret1"}, "characters"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_done(site, admin, fields, message):
    add_user(site, "x.ann", email="ann@example.org")
    response = new_user(admin, **{"title": "Typed", **fields})
    assert response.status_int == 422
    assert message in response.text
    assert "invalid-feedback" in response.text
    form = form_to(response, "/@@users/new")
    assert form["title"].value == {"title": "Typed", **fields}["title"]
    assert form["password"].value == ""
    assert "secret1" not in response.text
    assert "Typed" not in admin.get("/@@users").text


def test_a_group_that_is_gone_meanwhile_leaves_no_user_behind(site, admin):
    group = add_group(site, "editors")
    form = form_to(admin.get("/@@users/new"), "/@@users/new")
    form["name"] = "bob"
    form.get("groups", index=0).checked = True
    with site.tree() as tree:
        accounts(site, tree).delete_group(accounts(site, tree).group(group))
    response = form.submit(status=422)
    assert "This group no longer exists." in response.text
    assert "bob" not in admin.get("/@@users").text


# -- changing one ---------------------------------------------------------------------------------


def test_name_title_address_and_groups_are_saved(site, admin):
    first, second = add_group(site, "editors"), add_group(site, "writers")
    number = add_user(site, "bob", groups=[first])
    path = f"/@@users/{number}"
    form = form_to(admin.get(path), path)
    form["name"], form["title"], form["email"] = "Robert", "Robert T.", "R@example.org"
    form.get("groups", index=0).checked = False
    form.get("groups", index=1).checked = True
    form = form_to(form.submit().follow(), path)
    saved = [form[name].value for name in ("name", "title", "email")]
    assert saved == ["robert", "Robert T.", "r@example.org"]
    assert [form.get("groups", index=place).checked for place in (0, 1)] == [False, True]
    assert second != first


def test_saving_leaves_alone_what_somebody_else_changed_meanwhile(site, admin):
    first, second = add_group(site, "editors"), add_group(site, "writers")
    number = add_user(site, "bob")
    path = f"/@@users/{number}"
    mine = form_to(admin.get(path), path)
    theirs = form_to(admin.get(path), path)
    theirs.get("groups", index=0).checked = True
    theirs.submit()
    mine.get("groups", index=1).checked = True
    form = form_to(mine.submit().follow(), path)
    assert [form.get("groups", index=place).checked for place in (0, 1)] == [True, True]
    assert first != second


def test_a_change_that_is_refused_shows_what_was_typed_and_changes_nothing(site, admin):
    number = add_user(site, "bob", "Bob")
    path = f"/@@users/{number}"
    form = form_to(admin.get(path), path)
    form["name"], form["title"] = "ann", "Robert"
    response = form.submit(status=422)
    form = form_to(response, path)
    assert (form["name"].value, form["title"].value) == ("ann", "Robert")
    assert "<h1>Bob</h1>" in response.text
    assert "<h1>Bob</h1>" in admin.get(path).text


def test_disabling_signs_out_and_enabling_lets_in_again(site, admin):
    bob = sign_in(site, "bob")
    assert bob.get("/@@account").status_int == 200
    page = admin.get("/@@users?q=bob").click("Bob")
    path = page.request.path
    page = form_to(page, f"{path}/disable").submit().follow()
    assert bob.get("/@@account", status="*").status_int != 200
    page = form_to(page, f"{path}/enable").submit().follow()
    assert f"{path}/disable" in page.text


def test_nobody_ends_their_own_account(site, admin):
    page = admin.get("/@@users/3")
    assert "/@@users/3/disable" not in page.text
    token = page.forms[1]["csrf_token"].value
    for action, verb in (("disable", "disable"), ("delete", "delete")):
        fields = {"csrf_token": token, "confirm": "ann"}
        response = admin.post(f"/@@users/3/{action}", fields, status=422)
        assert f"You cannot {verb} your own account" in response.text
    assert admin.get("/@@users").status_int == 200


def test_a_stronger_account_is_left_alone(make_site):
    # Somebody manages users without being an administrator.
    site = make_site(roles="\nhelpdesk = view manage-users")
    sign_in(site, "ann", "administrator")
    helper = sign_in(site, "helper", "helpdesk")
    page = helper.get("/@@users/3")
    response = form_to(page, "/@@users/3/disable").submit(status=422)
    assert "may do more than you may" in response.text


def test_leaving_the_last_group_of_administrators_is_refused(site):
    group = add_group(site, "admins")
    admin = sign_in(site, "ann", "administrator")
    number = admin.get("/@@users").click("Ann", href="/@@users/").request.path
    give(site, group, "administrator")
    form = form_to(admin.get(number), number)
    form.get("groups", index=0).checked = True
    form.submit()
    take_from_user(site, "ann", "administrator")
    form = form_to(admin.get(number), number)
    form.get("groups", index=0).checked = False
    response = form.submit(status=422)
    assert "Nobody would be left" in response.text
    assert form_to(admin.get(number), number).get("groups", index=0).checked


def test_deleting_wants_the_name_typed(site, admin):
    number = add_user(site, "bob", "Bob")
    path = f"/@@users/{number}"
    form = form_to(admin.get(path), f"{path}/delete")
    form["confirm"] = "bo"
    response = form.submit(status=422)
    assert "Type bob to confirm" in response.text
    form = form_to(response, f"{path}/delete")
    form["confirm"] = " BOB "
    assert "Bob is deleted." in form.submit().follow().text
    admin.get(path, status=404)


def test_a_new_link_replaces_the_one_before(site, admin):
    page = new_user(admin, name="bob").follow()
    path = page.request.path
    first = one_time(page)
    second = one_time(form_to(page, f"{path}/link").submit("way", value="link").follow())
    assert first != second
    site.client.get(first, status=410)
    assert site.client.get(second).status_int == 200


def test_no_link_is_made_for_a_disabled_account(site, admin):
    number = add_user(site, "bob")
    page = admin.get(f"/@@users/{number}")
    link = form_to(page, f"/@@users/{number}/link")
    form_to(page, f"/@@users/{number}/disable").submit()
    assert "Enable it first" in link.submit("way", value="link", status=422).text


def test_setting_a_password_ends_logins(site, admin):
    bob = sign_in(site, "bob")
    page = admin.get("/@@users?q=bob").click("Bob")
    form = form_to(page, f"{page.request.path}/password")
    form["password"] = "short"
    assert "characters" in form.submit(status=422).text
    form["password"] = PASSWORD
    form.submit().follow()
    assert bob.get("/@@account", status="*").status_int != 200


def test_ones_own_password_can_be_set_and_one_stays_signed_in(admin):
    form = form_to(admin.get("/@@users/3"), "/@@users/3/password")
    form["password"] = PASSWORD
    assert "is set" in form.submit().follow().text


def test_logins_are_listed_and_ended_one_by_one_or_all(site, admin):
    clients = [sign_in(site, "bob") for _ in range(3)]
    page = admin.get("/@@users?q=bob").click("Bob")
    path = f"{page.request.path}/logins"
    assert page.text.count("A browser") >= 3
    form_to(page, path).submit()

    def signed_in():
        return [client.get("/@@account", status="*").status_int == 200 for client in clients]

    assert signed_in() == [True, True, False]
    page = admin.get(page.request.path)
    everywhere = [form for form in page.forms.values() if form.action == path][-1]
    everywhere.submit()
    assert signed_in() == [False, False, False]


def test_ending_all_ones_own_logins_keeps_this_one(site, admin):
    other = sign_in(site, "ann")
    page = admin.get("/@@users/3")
    everywhere = [form for form in page.forms.values() if form.action == "/@@users/3/logins"][-1]
    everywhere.submit().follow()
    assert other.get("/@@account", status="*").status_int != 200


def test_roles_are_shown_with_their_places_and_groups(site, admin, links):
    site.add("/docs", title="Documents")
    group = add_group(site, "editors", "Editors")
    give(site, group, "editor", "/docs")
    number = add_user(site, "bob", groups=[group])
    page = admin.get(f"/@@users/{number}")
    assert links(page)["/docs"] == "/docs"
    assert "through Editors" in page.text


# -- no way up ------------------------------------------------------------------------------------


@pytest.fixture
def helper(make_site):
    """Somebody who manages users and may do little else, beside an administrator and a reader."""
    site = make_site(roles="\nhelpdesk = view manage-users")
    sign_in(site, "ann", "administrator")
    client = sign_in(site, "helper", "helpdesk")
    client.site = site
    return client


def test_who_manages_users_cannot_take_over_an_administrator(helper):
    page = helper.get("/@@users/3")
    for action, fields in (
        ("", {"name": "ann", "email": "helper@example.org"}),
        ("/link", {"way": "link"}),
        ("/password", {"password": PASSWORD}),
        ("/delete", {"confirm": "ann"}),
        ("/disable", {}),
        ("/logins", {}),
    ):
        token = page.forms[1]["csrf_token"].value
        fields = {"csrf_token": token, **fields}
        response = helper.post(f"/@@users/3{action}", fields, status=422)
        assert "may do more than you may" in response.text
        assert "one-time?token" not in response.text


def test_who_manages_users_cannot_join_those_who_may_do_more(helper):
    group = add_group(helper.site, "editors")
    helper.site.add("/docs")
    give(helper.site, group, "editor", "/docs")
    page = helper.get("/@@users?q=helper").click("Helper")
    form = form_to(page, page.request.path)
    form.get("groups", index=0).checked = True
    assert "may do more than you may" in form.submit(status=422).text
    response = new_user(helper, name="bob", groups=str(group))
    assert response.status_int == 422
    assert "bob" not in helper.get("/@@users").text


def test_who_manages_users_manages_those_who_may_do_no_more(helper):
    assert new_user(helper, name="bob").follow().status_int == 200


def give(site, principal_id, role, path="/"):
    _share(site, granted(principal_id, role), path)


def take_from_user(site, name, role):
    with site.tree() as tree:
        number = find_user(tree.session, name).id
    _share(site, revoked(number, role), "/")


def _share(site, change, path):
    with site.tree() as tree:
        roles = site.registry.getUtility(IRoles)
        Sharing(tree.session, roles, COMMAND_LINE, None).make(site.node(tree, path), change)


def one_time(page):
    """The path of the link on a page."""
    return "/@@one-time" + page.text.partition("/@@one-time")[2].partition('"')[0]
