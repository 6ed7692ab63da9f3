"""Editing a page through plain forms, without a script: nothing that was written is ever lost."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from sqlalchemy import select

from myproject.content.operations import save
from myproject.content.publishing import newest_fields
from myproject.content.revisions import Revision
from myproject.content.scratch import Scratch
from myproject.content.types import Folder, Link, Page
from myproject.security.logins import revoke_logins
from myproject.security.models import User
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.tree.site import Site as SiteRow

BODY = "First line.\n\nSecond line.\n\nThird line.\n"
_numbers = count(1)


@pytest.fixture(scope="module")
def site(shared_site):
    return shared_site


@pytest.fixture(scope="module")
def ada(site):
    return site.sign_in("ada", "publisher")


@pytest.fixture(scope="module")
def bob(site):
    return site.sign_in("bob", "author")


@pytest.fixture
def path(site):
    """The path of a page of the test's own."""
    path = f"/page-{next(_numbers)}"
    site.add(path, BODY, title="A page", summary="About it.")
    return path


@pytest.fixture
def stored(site):
    """What was saved last, whether readers see that or not."""

    def read(path):
        with site.database.read_session() as session:
            node = session.scalars(select(Node).where(Node.name == path.rpartition("/")[2])).one()
            newest = newest_fields(session, node)
            values = {"title": newest["title"], "summary": newest["summary"], "state": node.state}
            return {**values, "body": newest["body"]} if isinstance(node, Page) else values

    return read


def writing(page):
    """The form of a page in which somebody writes."""
    return next(form for form in page.forms.values() if "form-seal" in form.fields)


def rows(site, query):
    with site.database.read_session() as session:
        return session.scalars(query).all()


def revisions(site, path):
    name = path.rpartition("/")[2]
    query = select(Revision).where(Revision.name == name).order_by(Revision.id)
    return rows(site, query)


def autosave(client, path, form, view="autosave", status=200, **changed):
    for name, value in changed.items():
        form[name] = value
    return client.post(f"{path}/@@{view}", dict(form.submit_fields()), status=status, xhr=True)


# -- plain editing --------------------------------------------------------------------------------


def test_the_first_edit_of_a_new_editor(site, ada, path, stored):
    page = ada.get(path)
    page = ada.get(f"{path}/@@edit")
    assert "Edit “A page”" in page
    form = writing(page)
    assert form["title"].value == "A page"
    assert form["body"].value.replace("\r\n", "\n") == BODY
    form["title"] = "Another title"
    form["body"] = BODY.replace("Second", "2nd")
    form["form-comment"] = "a better title"
    saved = form.submit("form-do", value="publish")
    assert saved.status_int == 303
    assert saved.location == f"http://localhost{path}"
    page = saved.follow()
    assert "Another title" in page
    assert "2nd line" in page
    assert stored(path)["body"] == BODY.replace("Second", "2nd")
    *_, last = revisions(site, path)
    assert (last.actor, last.comment, last.fields["title"]) == (
        *("ada", "a better title"),
        "Another title",
    )


def test_save_stays_in_the_form(ada, path, stored):
    form = writing(ada.get(f"{path}/@@edit"))
    form["title"] = "Stays"
    saved = form.submit("form-do", value="save")
    assert saved.location == f"http://localhost{path}/@@edit"
    assert writing(saved.follow())["title"].value == "Stays"


def test_a_script_saves_and_stays(ada, path, stored):
    form = writing(ada.get(f"{path}/@@edit"))
    form["title"] = "In place"
    fields = {**dict(form.submit_fields()), "form-do": "save"}
    headers = {"X-Requested-With": "fetch"}
    answer = ada.post(f"{path}/@@edit", fields, headers=headers).json
    assert answer["message"].startswith("Draft saved.")
    assert stored(path)["title"] == "In place"
    # It goes on from there, and what it does not take is a page as for everybody.
    fields |= {"form-base": str(answer["base"]), "title": "Again"}
    assert ada.post(f"{path}/@@edit", fields, headers=headers).json["base"] > answer["base"]
    fields["title"] = "Too late"
    page = ada.post(f"{path}/@@edit", fields, headers=headers, status=409)
    assert page.content_type == "text/html"


def test_nothing_changed_writes_nothing(site, ada, path):
    before = len(revisions(site, path))
    tag = ada.get(path).headers["ETag"]
    (revision,) = rows(site, select(SiteRow.revision))
    form = writing(ada.get(f"{path}/@@edit"))
    # Space around a title is never stored.
    form["title"] = " A page "
    page = form.submit("form-do", value="save").follow()
    assert "Nothing was changed, so nothing was saved." in page
    assert len(revisions(site, path)) == before
    assert rows(site, select(SiteRow.revision)) == [revision]
    assert ada.get(path).headers["ETag"] == tag


def test_what_is_wrong_is_shown_at_its_field_and_nothing_is_lost(ada, path, stored):
    form = writing(ada.get(f"{path}/@@edit"))
    form["title"] = "   "
    form["body"] = "A new body."
    form["form-comment"] = "why not"
    page = form.submit("form-do", value="view", status=422)
    assert page.html.find(class_="error-summary").find("a")["href"] == "#site-title"
    form = writing(page)
    assert form["body"].value.strip() == "A new body."
    assert form["form-comment"].value == "why not"
    assert stored(path)["body"] == BODY
    form["title"] = "Now with a title"
    form.submit("form-do", value="view", status=303)
    assert stored(path)["body"] == "A new body."


def test_a_draft_is_published_by_whoever_may(site, ada, bob, stored):
    site.add("/a-draft", BODY, title="A draft", state=DRAFT)
    page = bob.get("/a-draft/@@edit")
    assert "Save and publish" not in page
    fields = {**dict(writing(page).submit_fields()), "title": "Bob's", "form-do": "publish"}
    refused = bob.post("/a-draft/@@edit", fields, status=403)
    assert "Bob&#39;s" in refused
    assert stored("/a-draft") == {
        "title": "A draft",
        "state": DRAFT,
        "body": BODY,
        "summary": "",
    }
    page = ada.get("/a-draft/@@edit")
    form = writing(page)
    form["title"] = "Ada's"
    form.submit("form-do", value="publish", status=303)
    assert (stored("/a-draft")["title"], stored("/a-draft")["state"]) == ("Ada's", PUBLISHED)


def test_the_form_takes_few_statements(site, ada, path):
    ada.get(f"{path}/@@edit")
    with site.statements() as seen:
        ada.get(f"{path}/@@edit")
    assert len(seen) <= 8, "\n".join(seen)


@pytest.mark.parametrize("cls", [Folder, Link])
def test_every_type_can_be_edited(site, ada, cls):
    path = f"/a-{cls.__name__.lower()}"
    site.add(path, cls=cls, title="A place")
    form = writing(ada.get(f"{path}/@@edit"))
    form["title"] = "The place"
    form.submit("form-do", value="save", status=303)
    assert "The place" in ada.get(f"{path}/@@edit")


# -- what is begun and not saved ------------------------------------------------------------------


def test_what_is_begun_is_kept_restored_and_dropped_when_it_is_saved(site, ada, bob, path, stored):
    before = revisions(site, path)
    tag = ada.get(path).headers["ETag"]
    answer = autosave(ada, path, writing(ada.get(f"{path}/@@edit")), body="Half of it.")
    assert answer.json["message"].startswith("Kept as a draft of yours at ")
    # No history, no page that looks different, nobody else's business.
    assert ada.get(path).headers["ETag"] == tag
    assert len(revisions(site, path)) == len(before)
    assert "Restored" not in bob.get(f"{path}/@@edit")
    # The browser was killed. Whoever comes back finds it, and saves.
    page = ada.get(f"{path}/@@edit")
    assert "Restored unsaved work from" in page
    form = writing(page)
    assert form["body"].value.strip() == "Half of it."
    form.submit("form-do", value="view", status=303)
    assert stored(path)["body"] == "Half of it."
    assert "Restored" not in ada.get(f"{path}/@@edit")


def test_what_was_restored_can_be_discarded(site, ada, path, stored):
    autosave(ada, path, writing(ada.get(f"{path}/@@edit")), title="Begun")
    page = ada.get(f"{path}/@@edit")
    discard = next(form for form in page.forms.values() if form.action.endswith("@@edit"))
    assert "form-seal" not in discard.fields
    page = discard.submit("form-do", value="discard").follow()
    assert writing(page)["title"].value == "A page"
    assert "Restored" not in page
    assert rows(site, select(Scratch).where(Scratch.purpose == "edit")) == []


def test_what_is_the_same_as_what_is_saved_is_no_work(ada, path):
    autosave(ada, path, writing(ada.get(f"{path}/@@edit")))
    assert "Restored" not in ada.get(f"{path}/@@edit")


def test_keeping_tells_that_somebody_has_saved_and_the_form_that_is_opened_says_so(ada, bob, path):
    form = writing(ada.get(f"{path}/@@edit"))
    theirs = writing(bob.get(f"{path}/@@edit"))
    theirs["title"] = "Bob's"
    theirs.submit("form-do", value="view", status=303)
    assert "Somebody has saved" in autosave(ada, path, form, body="Mine").json["warning"]
    page = ada.get(f"{path}/@@edit")
    assert "Restored" in page
    assert "you will see both versions" in page
    writing(page).submit("form-do", value="view", status=409)


def test_keeping_takes_few_statements(site, ada, path):
    form = writing(ada.get(f"{path}/@@edit"))
    autosave(ada, path, form, title="One")
    with site.statements() as seen:
        autosave(ada, path, form, title="Two")
    assert len([each for each in seen if not each.startswith(("BEGIN", "COMMIT"))]) <= 7, seen
    assert not [each for each in seen if "site" in each and "UPDATE" in each]


def test_texts_with_characters_that_databases_do_not_take(ada, path):
    autosave(ada, path, writing(ada.get(f"{path}/@@edit")), title="a\0b")
    form = writing(ada.get(f"{path}/@@edit"))
    assert form["title"].value == "ab"


# -- somebody else has saved ----------------------------------------------------------------------


def both_edit(ada, bob, path, mine, theirs):
    """Bob saves while Ada has the form open; returns what Ada gets when she saves."""
    page = ada.get(f"{path}/@@edit")
    form, other = writing(page), writing(bob.get(f"{path}/@@edit"))
    for name, value in theirs.items():
        other[name] = value
    other["form-comment"] = "by Bob"
    other.submit("form-do", value="view", status=303)
    for name, value in mine.items():
        form[name] = value
    return form.submit("form-do", value="view", status="*")


def test_changes_at_different_places_are_merged_and_shown_before_they_are_saved(
    ada, bob, path, stored
):
    mine = {"body": BODY.replace("First", "1st"), "summary": "Mine."}
    theirs = {"body": BODY.replace("Third", "3rd"), "title": "Bob's title"}
    page = both_edit(ada, bob, path, mine, theirs)
    assert page.status_int == 409
    assert "bob" in page
    assert "by Bob" in page
    assert not page.html.find_all("input", type="radio")
    assert stored(path)["summary"] == "About it."
    writing(page).submit("form-do", value="view", status=303)
    assert stored(path) == {
        "title": "Bob's title",
        "summary": "Mine.",
        "state": PUBLISHED,
        "body": BODY.replace("First", "1st").replace("Third", "3rd"),
    }


@pytest.mark.parametrize(("choice", "title"), [("theirs", "Bob's"), ("mine", "Ada's"), ("", None)])
def test_what_both_have_changed_is_decided_by_a_person(ada, bob, path, stored, choice, title):
    page = both_edit(ada, bob, path, {"title": "Ada's"}, {"title": "Bob's"})
    form = writing(page)
    if choice:
        form["form-choice-title"] = choice
        form.submit("form-do", value="view", status=303)
        assert stored(path)["title"] == title
    else:
        page = form.submit("form-do", value="view", status=422)
        assert "Choose what it is to be." in page
        assert stored(path)["title"] == "Bob's"


def test_a_text_that_both_have_changed_at_one_place(ada, bob, path, stored):
    mine, theirs = BODY.replace("Second", "My"), BODY.replace("Second", "Their")
    page = both_edit(ada, bob, path, {"body": mine, "title": "Ada's"}, {"body": theirs})
    assert [mark.text for mark in page.html.find_all("mark")][:2] == ["Their", "My"]
    assert "&lt;&lt;&lt;&lt;" not in page
    form = writing(page)
    proposed = form["form-edited-body"].value.replace("\r\n", "\n").lstrip("\n")
    assert proposed == BODY.replace("Second line.", "Their line.\nMy line.")
    form["form-choice-body"] = "edited"
    form["form-edited-body"] = BODY.replace("Second", "Our")
    form.submit("form-do", value="view", status=303)
    assert stored(path)["body"] == BODY.replace("Second", "Our")
    assert stored(path)["title"] == "Ada's"


def test_somebody_saves_once_more_while_both_versions_are_looked_at(ada, bob, path, stored):
    page = both_edit(ada, bob, path, {"title": "Ada's"}, {"title": "Bob's"})
    form = writing(page)
    again = writing(bob.get(f"{path}/@@edit"))
    again["body"] = BODY.replace("Third", "3rd")
    again.submit("form-do", value="view", status=303)
    form["form-choice-title"] = "mine"
    page = form.submit("form-do", value="view", status=409)
    assert "once more" in page
    writing(page).submit("form-do", value="view", status=303)
    assert stored(path)["title"] == "Ada's"
    assert stored(path)["body"] == BODY.replace("Third", "3rd")


def test_two_save_at_the_same_moment(site, ada, path, stored):
    form = writing(ada.get(f"{path}/@@edit"))
    form["title"] = "Second"
    with ThreadPoolExecutor(1) as pool:
        with site.tree() as tree:
            save(tree, site.node(tree, path), {"title": "First"}, site.renderer)
            answer = pool.submit(form.submit, "form-do", value="view", status="*")
            time.sleep(0.3)
            assert not answer.done()
        assert answer.result().status_int == 409
    assert stored(path)["title"] == "First"


def test_the_same_change_by_both_needs_no_decision(ada, bob, path):
    answer = both_edit(ada, bob, path, {"title": "Same"}, {"title": "Same"})
    assert answer.status_int == 303


def test_a_base_that_there_never_was_is_no_way_to_overwrite(ada, path, stored):
    form = writing(ada.get(f"{path}/@@edit"))
    form["title"] = "Mine"
    for base in ("0", "999999999", "x", ""):
        form["form-base"] = base
        page = form.submit("form-do", value="view", status=409)
        assert page.html.find_all("input", type="radio")
    assert stored(path)["title"] == "A page"


def test_what_was_decided_comes_back_with_a_form_whose_token_is_old(ada, bob, path, stored):
    mine, theirs = BODY.replace("Second", "My"), BODY.replace("Second", "Their")
    page = both_edit(ada, bob, path, {"body": mine}, {"body": theirs})
    form = writing(page)
    form["csrf_token"] = "old"
    form["form-choice-body"] = "edited"
    form["form-edited-body"] = BODY.replace("Second", "Our")
    page = form.submit("form-do", value="view", status=400)
    assert "save it once more" in page
    form = writing(page)
    assert form["form-choice-body"].value == "edited"
    form.submit("form-do", value="view", status=303)
    assert stored(path)["body"] == BODY.replace("Second", "Our")


def test_a_page_without_a_history_yet(site, ada, bob, path, stored):
    with site.registry.scopes.writing() as scope:
        node = site.node(scope.tree, path)
        scope.journal.copy([node], site.node(scope.tree, "/"), names={node.id: "copied"})
    page = both_edit(ada, bob, "/copied", {"title": "Ada's"}, {"summary": "Bob's"})
    assert page.status_int == 409
    assert not page.html.find_all("input", type="radio")
    writing(page).submit("form-do", value="view", status=303)
    assert (stored("/copied")["title"], stored("/copied")["summary"]) == ("Ada's", "Bob's")


def test_a_merge_can_be_left_for_ones_own_version(ada, bob, path):
    page = both_edit(ada, bob, path, {"title": "Ada's"}, {"title": "Bob's"})
    page = writing(page).submit("form-do", value="mine")
    assert writing(page)["title"].value == "Ada's"
    writing(page).submit("form-do", value="view", status=409)


# -- forms that cannot be taken -------------------------------------------------------------------


def test_a_form_without_its_token_comes_back_with_everything_in_it(ada, path, stored):
    form = writing(ada.get(f"{path}/@@edit"))
    form["body"] = "An hour's work."
    form["form-comment"] = "an hour"
    for token in ("", "wrong"):
        form["csrf_token"] = token
        page = form.submit("form-do", value="view", status=400)
        assert "save it once more" in page
        again = writing(page)
        assert again["body"].value.strip() == "An hour's work."
        assert again["form-comment"].value == "an hour"
    assert stored(path)["body"] == BODY
    again.submit("form-do", value="view", status=303)
    assert stored(path)["body"] == "An hour's work."


def sign_out(site, name):
    with site.tree() as tree:
        user_id = tree.session.scalars(select(User.id).where(User.name == name)).one()
        revoke_logins(tree.session, user_id)


def set_password(site, name):
    with site.tree() as tree:
        user = tree.session.scalars(select(User).where(User.name == name)).one()
        user.password_hash = site.registry.passwords.hash("a long password")


def lose_login(site, name, path, **changed):
    """Somebody writes, is signed out meanwhile, and saves: what they get."""
    client = site.sign_in(name, "author")
    set_password(site, name)
    form = writing(client.get(f"{path}/@@edit"))
    for field, value in changed.items():
        form[field] = value
    sign_out(site, name)
    return client, form.submit("form-do", value="view", status=403)


def signed_in(page, name, password="a long password", **options):
    form = next(form for form in page.forms.values() if form.action.endswith("@@resume"))
    form["name"], form["password"] = name, password
    return form.submit(**options)


def test_a_login_that_has_ended_loses_nothing(site, path, stored):
    body = 'Line one\n  "quoted" <b>&amp;\n\nLast'
    _client, page = lose_login(site, "carl", path, body=body, title="Carl's")
    assert "Sign in to save" in page
    assert "You were signed in as Carl." in page
    page = signed_in(page, "carl", "wrong", status=422)
    assert "not right" in page
    page = signed_in(page, "carl")
    assert stored(path)["title"] == "A page"
    form = next(form for form in page.forms.values() if form.action == f"{path}/@@edit")
    saved = form.submit("form-do", value="view")
    assert saved.location == f"http://localhost{path}?version=draft"
    assert (stored(path)["title"], stored(path)["body"]) == ("Carl's", body)
    assert revisions(site, path)[-1].actor == "carl"


def test_one_can_go_on_writing_after_signing_in_again(site, path, stored):
    _client, page = lose_login(site, "cora", path, title="Cora's")
    page = signed_in(page, "cora")
    form = next(form for form in page.forms.values() if form.action == f"{path}/@@edit")
    form = writing(form.submit("form-do", value="show"))
    assert form["title"].value == "Cora's"
    form.submit("form-do", value="view", status=303)
    assert stored(path)["title"] == "Cora's"


def test_somebody_else_who_signs_in_is_asked(site, path, stored):
    site.sign_in("dora", "author")
    set_password(site, "dora")
    _client, page = lose_login(site, "dirk", path, title="Dirk's")
    page = signed_in(page, "dora")
    assert "This was written by" in page
    assert "Dirk" in page
    form = next(form for form in page.forms.values() if form.action == f"{path}/@@edit")
    form.submit("form-do", value="view", status=303)
    assert revisions(site, path)[-1].actor == "dora"


def test_another_person_in_the_same_browser_is_asked_as_well(site, ada, bob, path, stored):
    fields = dict(writing(ada.get(f"{path}/@@edit")).submit_fields())
    fields["csrf_token"] = writing(bob.get(f"{path}/@@edit"))["csrf_token"].value
    fields |= {"title": "Ada's", "form-do": "view"}
    page = bob.post(f"{path}/@@edit", fields, status=409)
    assert "Ada opened this form, and you are signed in as Bob" in page
    assert bob.post(f"{path}/@@autosave", fields, status=409).json["message"]
    assert stored(path)["title"] == "A page"
    writing(page).submit("form-do", value="view", status=303)
    assert stored(path)["title"] == "Ada's"


def test_a_form_that_is_not_ours_is_not_carried_through_signing_in(site, ada, path):
    fields = dict(writing(ada.get(f"{path}/@@edit")).submit_fields())
    refused = site.client.post(f"{path}/@@edit", {**fields, "form-seal": "x.1.1.edit"}, status=403)
    assert "@@resume" not in refused
    # A browser says that another site has sent it.
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = site.client.post(f"{path}/@@edit", fields, headers=headers, status=403)
        assert "@@resume" not in refused
    page = site.client.post(f"{path}/@@edit", fields, status=403)
    form = next(form for form in page.forms.values() if form.action.endswith("@@resume"))
    good = form["kept"].value
    form["next"] = f"{path}/@@state"
    form.submit(status=400)
    form["next"] = f"{path}/@@edit"
    assert good
    for kept in ("", "[]", "{", "[[1, 2]]", '[["form-seal", "1.1.1.edit"]]', "[" * 9999):
        form["kept"] = kept
        form.submit(status=400)


def test_rights_that_were_taken_meanwhile(site, path, stored):
    site.add(f"{path}/private", BODY, title="Private")
    client = site.sign_in("emil", "author")
    form = writing(client.get(f"{path}/private/@@edit"))
    form["body"] = "What Emil wrote."
    site.make_private(f"{path}/private")
    page = form.submit("form-do", value="view", status=403)
    assert "What Emil wrote." in page
    assert "permission" in page


@pytest.mark.parametrize("purge", [False, True])
def test_a_page_that_is_gone_meanwhile(site, ada, path, purge):
    form = writing(ada.get(f"{path}/@@edit"))
    form["body"] = "What Ada wrote."
    with site.registry.scopes.writing() as scope:
        node = site.node(scope.tree, path)
        if purge:
            scope.journal.purge([node])
        else:
            scope.journal.trash([node])
    page = form.submit("form-do", value="view", status=404)
    assert "What Ada wrote." in page


def test_a_form_that_is_too_large_comes_back_with_everything_in_it(make_site):
    site = make_site(max_form_size="100000")
    site.add("/page", BODY)
    ada = site.sign_in("ada", "publisher")
    form = writing(ada.get("/page/@@edit"))
    form["body"] = "x" * 100_001
    form["title"] = "Kept"
    page = form.submit("form-do", value="view", status=413)
    assert "at most 0.1 MB" in page
    assert len(writing(page)["body"].value.strip()) == 100_001
    assert writing(page)["title"].value == "Kept"
    assert "at most" in autosave(ada, "/page", form, status=413).json["message"]
    form["csrf_token"] = "wrong"
    assert "Kept" in form.submit("form-do", value="view", status=413)
    # What is larger still is not read: nobody says anything of it but that.
    form["body"] = "x" * 400_001
    page = form.submit("form-do", value="view", status=413)
    assert "your browser still has what you have written" in page
    site.client.post("/@@sign-in", {"name": "x" * 400_001}, status=413)


def test_a_text_that_is_too_long(make_site):
    site = make_site(text_limit="10000")
    site.add("/page", BODY)
    form = writing(site.sign_in("ada", "publisher").get("/page/@@edit"))
    form["body"] = "x" * 10_001
    page = form.submit("form-do", value="view", status=422)
    assert "longer than 10,000 characters" in page
    assert page.html.find(class_="error-summary").find("a")["href"] == "#site-body"


def test_who_may_edit(site, path):
    reader = site.sign_in("rita", "reader")
    for view in ("edit", "autosave"):
        reader.post(f"{path}/@@{view}", {}, status=403)
    reader.get(f"{path}/@@edit", status=403)
    assert "@@sign-in" in site.client.get(f"{path}/@@edit", status=302).location
