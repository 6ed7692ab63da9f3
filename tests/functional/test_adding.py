"""Adding and renaming pages through plain forms: the type, the name, the place."""

from __future__ import annotations

from itertools import count

import pytest
from sqlalchemy import select

from myproject.content.operations_log import Kind, Operation
from myproject.content.types import Folder
from myproject.interfaces import IContentTypes
from myproject.security.logins import revoke_logins
from myproject.security.models import User
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.tree.site import Site as SiteRow

_numbers = count(1)


@pytest.fixture(scope="module")
def site(make_shared_site):
    def include(config):
        config.add_route("taken_by_a_route", "/reserved/place")

    return make_shared_site(include, roles="adder = view view-drafts add")


@pytest.fixture(scope="module")
def ada(site):
    return site.sign_in("ada", "publisher")


@pytest.fixture(scope="module")
def bob(site):
    return site.sign_in("bob", "author")


@pytest.fixture
def path(site):
    path = f"/place-{next(_numbers)}"
    site.add(path, title="A place")
    return path


def writing(page):
    """The form of a page in which somebody writes."""
    return next(form for form in page.forms.values() if "form-seal" in form.fields)


def children(site, path):
    with site.tree() as tree:
        parent = site.node(tree, path)
        query = select(Node).where(Node.parent_id == parent.id).order_by(Node.position)
        return [(node.name, node.title, node.state) for node in tree.session.scalars(query)]


def test_choosing_a_type_and_adding_a_page(site, ada, path):
    page = ada.get(f"{path}/@@add")
    assert "Add to “A place”" in page
    page = page.click(href="type=page", index=-1)
    form = writing(page)
    form["title"] = "Ein Café in Köln"
    form["body"] = "*Text*"
    added = form.submit("form-do", value="publish")
    assert added.location == f"http://localhost{path}/ein-cafe-in-koln"
    assert "<em>Text</em>" in added.follow()
    assert children(site, path) == [("ein-cafe-in-koln", "Ein Café in Köln", PUBLISHED)]
    with site.database.read_session() as session:
        operation = session.scalars(select(Operation).order_by(Operation.id.desc())).first()
        assert (operation.kind, operation.title, operation.actor) == (
            *(Kind.ADD, "Ein Café in Köln"),
            "ada",
        )


def test_authors_add_drafts(site, bob, path):
    page = bob.get(f"{path}/@@add?type=page")
    assert 'value="publish"' not in page
    form = writing(page)
    form["title"] = "Mine"
    added = form.submit("form-do", value="save")
    assert added.location == f"http://localhost{path}/mine/@@edit"
    assert children(site, path) == [("mine", "Mine", DRAFT)]
    fields = {**dict(writing(page).submit_fields()), "title": "No", "form-do": "publish"}
    refused = bob.post(f"{path}/@@add?type=page", fields, status=403)
    assert "No</textarea>" in refused
    assert len(children(site, path)) == 1


def test_a_name_is_made_from_the_title_whatever_its_script_and_is_free(site, ada, path):
    for title in ("Привет, мир", "Привет, мир", "北京", "…"):
        form = writing(ada.get(f"{path}/@@add?type=folder"))
        form["title"] = title
        form.submit("form-do", value="save", status=303)
    names = [name for name, _title, _state in children(site, path)]
    assert names == ["privet-mir", "privet-mir-2", "beijing", "page"]


def test_letters_of_every_script_where_the_site_wants_them(make_site):
    site = make_site(transliterate="false")
    ada = site.sign_in("ada", "publisher")
    form = writing(ada.get("/@@add?type=folder"))
    form["title"] = "Привет, мир"
    form.submit("form-do", value="save", status=303)
    assert children(site, "/")[0][0] == "привет-мир"


@pytest.mark.parametrize(
    ("name", "said", "suggested"),
    [
        ("there", "taken already", "there-2"),
        ("a/b", "cannot have a slash", "a-b"),
        ("@@x", "cannot begin with @@", "x"),
        ("..", "browsers take these for places", ""),
    ],
)
def test_a_name_that_cannot_be_used(site, ada, path, name, said, suggested):
    site.add(f"{path}/there", title="There")
    form = writing(ada.get(f"{path}/@@add?type=page"))
    form["title"], form["name"], form["body"] = "A title", name, "What was written."
    page = form.submit("form-do", value="save", status=422)
    assert said in page
    assert page.html.find(class_="error-summary").find("a")["href"] == "#site-name"
    if suggested:
        assert page.html.find(id="site-name-text").find("code").text == suggested
    form = writing(page)
    assert form["name"].value == name
    assert form["body"].value.strip() == "What was written."
    assert len(children(site, path)) == 1
    checked = ada.get(f"{path}/@@name-check", {"name": name}).json
    assert (checked["ok"], checked["suggestion"]) == (False, suggested)
    assert said in checked["message"]


def test_a_name_that_belongs_to_the_site(site, ada):
    form = writing(ada.get("/@@add?type=page"))
    form["title"], form["name"] = "A title", "reserved"
    page = form.submit("form-do", value="save", status=422)
    assert "belongs to the site itself" in page
    form = writing(ada.get("/@@add?type=page"))
    form["title"] = "Reserved"
    added = form.submit("form-do", value="save")
    assert added.location == "http://localhost/reserved-2/@@edit"


def test_a_name_is_checked_while_it_is_typed(site, ada, bob, path):
    site.add(f"{path}/there", title="There")
    answer = ada.get(f"{path}/@@name-check", {"title": "There!"}).json
    assert answer == {
        "name": "there-2",
        "ok": True,
        "message": "This name is free.",
        "suggestion": "",
        "address": f"{path}/there-2",
    }
    assert ada.get(f"{path}/@@name-check", {"title": "…", "name": ""}).json["ok"] is True
    same = ada.get(f"{path}/there/@@rename-check", {"name": "there"}).json
    assert (same["ok"], same["message"]) == (True, "This is its name now.")
    # Whether a name is taken tells what is hidden.
    site.client.get(f"{path}/@@name-check?name=x", status=302)
    bob.get(f"{path}/there/@@rename-check?name=x", status=403)


def test_where_it_stands(site, ada, path):
    for name in "abc":
        site.add(f"{path}/{name}", title=name.upper())
    form = writing(ada.get(f"{path}/@@add?type=page"))
    form["title"] = "First"
    form["form-before"] = "first"
    form.submit("form-do", value="save", status=303)
    page = ada.get(f"{path}/@@add?type=page")
    form = writing(page)
    form["title"] = "Before B"
    form["form-before"].select(text="Before B")
    form.submit("form-do", value="save", status=303)
    form = writing(ada.get(f"{path}/@@add?type=page"))
    form["title"] = "Last"
    form.submit("form-do", value="save", status=303)
    names = [name for name, _title, _state in children(site, path)]
    assert names == ["first", "a", "before-b", "b", "c", "last"]


def test_a_place_that_is_gone(site, ada, path):
    site.add(f"{path}/a", title="A")
    other = site.add("/elsewhere", title="Elsewhere")
    form = writing(ada.get(f"{path}/@@add?type=page"))
    form["title"], form["body"] = "New", "Kept."
    form["form-before"].force_value(str(other))
    page = form.submit("form-do", value="save", status=422)
    assert "no longer here" in page
    assert writing(page)["body"].value.strip() == "Kept."
    assert len(children(site, path)) == 1


@pytest.mark.parametrize("wanted", ["nonsense", "secret"])
def test_a_type_that_may_not_be_added_there(make_site, wanted):
    def include(config):
        config.add_permission("add-secrets", "add secrets")

    site = make_site(include)
    # A type that takes a permission of its own.
    types = site.registry.getUtility(IContentTypes)
    secret = types.require("page")
    types._types["secret"] = type(secret)(
        name="secret", cls=secret.cls, title="Secret", permission="add-secrets"
    )
    bob = site.sign_in("bob", "author")
    assert "Secret" not in bob.get("/@@add")
    page = bob.get(f"/@@add?type={wanted}", status=404)
    assert "alert" in page
    fields = dict(writing(bob.get("/@@add?type=page")).submit_fields())
    fields |= {"title": "Title", "body": "What I wrote"}
    page = bob.post(f"/@@add?type={wanted}", fields, status=422)
    assert "cannot be added here" in page or "no type" in page
    # It goes on with a type that may be added, and everything that was written.
    form = next(form for form in page.forms.values() if form.action.endswith("type=page"))
    page = form.submit("form-do", value="show")
    form = writing(page)
    assert (form["title"].value, form["body"].value.strip()) == ("Title", "What I wrote")
    form.submit("form-do", value="save", status=303)
    assert [title for _name, title, _state in children(site, "/")] == ["Title"]


def test_what_is_begun_is_restored_and_dropped_when_it_is_added(site, ada, path):
    page = ada.get(f"{path}/@@add?type=page")
    form = writing(page)
    form["title"], form["name"], form["body"] = "Begun", "my-name", "Half of it"
    kept = ada.post(f"{path}/@@autosave-new?type=page", dict(form.submit_fields()))
    assert "Kept as a draft of yours" in kept.json["message"]
    assert "Restored" not in ada.get(f"{path}/@@add?type=folder")
    page = ada.get(f"{path}/@@add?type=page")
    assert "Restored unsaved work" in page
    form = writing(page)
    assert [form[name].value.strip() for name in ("title", "name", "body")] == [
        *("Begun", "my-name"),
        "Half of it",
    ]
    form.submit("form-do", value="save", status=303)
    assert "Restored" not in ada.get(f"{path}/@@add?type=page")


def test_a_new_page_survives_an_old_token_and_a_login_that_has_ended(site, path):
    client = site.sign_in("nina", "author")
    form = writing(client.get(f"{path}/@@add?type=page"))
    form["title"], form["name"], form["body"] = "New", "own-name", "All of it"
    form["csrf_token"] = "old"
    page = form.submit("form-do", value="save", status=400)
    assert writing(page)["name"].value == "own-name"
    with site.tree() as tree:
        user = tree.session.scalars(select(User).where(User.name == "nina")).one()
        user.password_hash = site.registry.passwords.hash("a long password")
        revoke_logins(tree.session, user.id)
    page = writing(page).submit("form-do", value="save", status=403)
    form = next(form for form in page.forms.values() if form.action.endswith("@@resume"))
    form["name"], form["password"] = "nina", "a long password"
    page = form.submit()
    form = next(form for form in page.forms.values() if "type=page" in form.action)
    form.submit("form-do", value="save", status=303)
    assert children(site, path) == [("own-name", "New", DRAFT)]


def test_a_name_comes_back_with_a_form_whose_token_is_old(site, ada, path):
    form = writing(ada.get(f"{path}/@@rename"))
    form["name"], form["csrf_token"] = "another", ""
    page = form.submit(status=400)
    assert writing(page)["name"].value == "another"
    assert writing(page).submit().location == "http://localhost/another"


def test_renaming(site, ada, path):
    site.add(f"{path}/old", "Text.", title="The title")
    site.add(f"{path}/old/below", title="Below")
    page = ada.get(f"{path}/old/@@rename")
    assert "Pages whose address changes with it: 1." in " ".join(page.text.split())
    form = writing(page)
    form["name"] = "new"
    renamed = form.submit()
    assert renamed.location == f"http://localhost{path}/new"
    assert "The title" in renamed.follow()
    assert ada.get(f"{path}/old", status=301).location == f"http://localhost{path}/new"
    assert ada.get(f"{path}/old/below", status=301).location.endswith(f"{path}/new/below")
    with site.database.read_session() as session:
        operation = session.scalars(select(Operation).order_by(Operation.id.desc())).first()
        assert operation.kind == Kind.RENAME


@pytest.mark.parametrize("name", ["other", "a/b", "", "x" * 300])
def test_a_name_that_cannot_be_given(site, ada, path, name):
    site.add(f"{path}/one", title="One")
    site.add(f"{path}/other", title="Other")
    form = writing(ada.get(f"{path}/one/@@rename"))
    form["name"] = name
    page = form.submit(status=422)
    assert writing(page)["name"].value == name
    assert page.html.find(class_="error-summary")
    assert [each[0] for each in children(site, path)] == ["one", "other"]


def test_the_same_name_changes_nothing(site, ada, path):
    with site.database.read_session() as session:
        before = session.scalar(select(SiteRow.revision))
    writing(ada.get(f"{path}/@@rename")).submit(status=303)
    with site.database.read_session() as session:
        assert session.scalar(select(SiteRow.revision)) == before


def test_who_may_do_what(site, ada, path):
    adder = site.sign_in("anna", "adder")
    adder.get(f"{path}/@@add?type=page")
    adder.get(f"{path}/@@edit", status=403)
    reader = site.sign_in("rita", "reader")
    reader.get(f"{path}/@@add", status=403)
    assert "no name of its own" in ada.get("/@@rename")


def test_the_forms_take_few_statements(site, ada, path):
    for number in range(60):
        site.add(f"{path}/p{number}", cls=Folder, title=f"P {number}")
    for address, most in (("@@add?type=page", 7), ("@@add", 5), ("@@rename", 8)):
        ada.get(f"{path}/{address}")
        with site.statements() as seen:
            ada.get(f"{path}/{address}")
        assert len(seen) <= most, f"{address}\n" + "\n".join(seen)
    for address in ("@@name-check?title=P+1", "p1/@@rename-check?name=p2"):
        with site.statements() as seen:
            ada.get(f"{path}/{address}")
        assert len(seen) <= 5, "\n".join(seen)
