"""Moving, copying, deleting and publishing without a script: pick a place, see the plan, do it.

Nothing is ever half done, and nothing is done that was not announced.
"""

import datetime as dt
import re

import pytest
from sqlalchemy import select

from myproject.content.types import Folder, Link, Page
from myproject.db.base import utcnow
from myproject.security.models import Principal
from myproject.security.sharing import Sharing, granted
from myproject.testing import Site
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import DRAFT
from tests.functional.arranging import button, text, token


def kitchen(config):
    """A type that goes into folders only, and one that takes a permission of its own."""
    config.add_permission("cook", "cook")
    config.add_content_type(Dish, "Dish", addable_in=["folder"])
    config.add_content_type(Feast, "Feast", permission="cook")


class Dish(Page):
    __mapper_args__ = {"polymorphic_identity": "move-dish"}


class Feast(Page):
    __mapper_args__ = {"polymorphic_identity": "move-feast"}


@pytest.fixture
def docs(site: Site) -> Site:
    """``/docs`` with pages, ``/guide``, and ``/hush``, which visitors do not see."""
    for path in ("/docs", "/docs/one", "/docs/one/deep", "/docs/two", "/guide", "/hush"):
        site.add(path, title=path.rpartition("/")[2].capitalize())
    site.make_private("/hush")
    return site


@pytest.fixture
def ann(docs):
    return docs.sign_in("ann", "publisher")


def number(site, path):
    with site.tree() as tree:
        return site.node(tree, path).id


def choose(page, title):
    """Press the button that chooses a place; return the answer."""
    pressed = re.search(
        rf'<button[^>]*name="target" value="(\d+)"[^>]*aria-label="[^"]*: {re.escape(title)}"',
        page.text,
    )
    assert pressed, f"{title!r} cannot be chosen: {text(page)}"
    return page.forms[picker(page)].submit("target", value=pressed[1])


def picker(page):
    return next(key for key, form in page.forms.items() if "picker" in form.text[:200])


def reasons(page):
    """Title -> why it cannot be chosen."""
    rows = re.findall(r'(?s)<li class="place impossible.*?</li>', page.text)
    return {
        re.search(r'place-title">(?:<button[^>]*>|<span[^>]*>)([^<]+)', row)[1]: re.search(
            r'why-not"[^>]*>([^<]+)', row
        )[1]
        for row in rows
    }


# -- moving ---------------------------------------------------------------------------------------


def test_a_page_is_moved_and_back_again(docs, ann):
    linking = docs.add("/guide/links", f"[one](node:{number(docs, '/docs/one')})")
    page = ann.get("/docs/one/@@move")
    assert "Move “One” to …" in text(page)
    assert reasons(page)["Docs"] == "It is there already."
    assert reasons(page)["One"] == "This is what you are moving."
    # Up to the root, and from there to the guide.
    page = page.forms[picker(page)].submit("at", value="1")
    page = choose(page, "Guide")
    assert page.html.h1.get_text() == "Move “One” to “Guide”?"
    shown = text(page)
    assert "2 pages move." in shown
    assert "1 link from another page leads there, and goes on working." in shown
    assert "Nobody gains or loses access." in shown
    answer = button(page, "Move").submit()
    assert (answer.status_int, answer.location) == (303, "http://localhost/guide/one")
    page = answer.follow()
    assert "Moved “One” to Guide." in text(page)
    ann.get("/guide/one/deep", status=200)
    assert ann.get("/docs/one/deep", status=301).location == "http://localhost/guide/one/deep"
    assert '<a href="/guide/one"' in ann.get("/guide/links")
    page = button(page, "Undo").submit().follow()
    assert page.request.path == "/docs/one"
    assert "Moved “One” back to Docs." in text(page)
    assert linking


def test_pages_that_were_chosen_in_a_list_go_together(docs, ann):
    ids = [number(docs, "/docs/one"), number(docs, "/docs/two")]
    form = [("csrf_token", token(ann)), ("back", "/docs?x=1"), *(("ids", each) for each in ids)]
    page = ann.post("/docs/@@move", form)
    assert "Move 2 pages to …" in text(page)
    page = choose(page.forms[picker(page)].submit("at", value="1"), "Guide")
    assert "One Two" in text(page)
    assert "3 pages move." in text(page)
    answer = button(page, "Move").submit()
    assert answer.location == "http://localhost/docs?x=1"
    assert "Moved 2 pages to Guide." in text(answer.follow())
    ann.get("/guide/two", status=200)


def test_a_child_goes_along_with_its_parent(docs, ann):
    ids = [number(docs, path) for path in ("/docs/one", "/docs/one/deep")]
    target = number(docs, "/guide")
    form = [("csrf_token", token(ann)), *(("ids", each) for each in ids), ("target", target)]
    button(ann.post("/docs/@@move", form), "Move").submit()
    ann.get("/guide/one/deep", status=200)


def test_searching_for_a_place_and_those_used_last(docs, ann):
    page = ann.get("/docs/two/@@move")
    form = page.forms[picker(page)]
    form["q"] = "GUI"
    page = form.submit("find")
    assert "Found" in text(page)
    page = choose(page, "Guide")
    button(page, "Move").submit()
    shown = text(ann.get("/docs/one/@@move"))
    assert "Used last Guide /guide Move here" in shown
    page = ann.get("/docs/one/@@move?find=1&q=nothing+of+the+kind")
    assert "There is no such place." in text(page)
    page = ann.get("/docs/one/@@move?find=1&q=deep")
    assert reasons(page)["Deep"] == "It lies within what you are moving."


def test_another_place_can_be_chosen_after_the_plan(docs, ann):
    page = choose(ann.get("/docs/one/@@move?at=1"), "Guide")
    form = button(page, "Another place")
    form.action = re.search(r'formaction="([^"]+)" name="pick"', page.text)[1]
    page = form.submit("pick")
    assert "Browse" in text(page)


def test_a_place_with_many_pages_is_shown_in_parts(docs, ann):
    for each in range(45):
        docs.add(f"/guide/p{each:02}", title=f"Page {each:02}")
    page = ann.get(f"/docs/one/@@move?at={number(docs, '/guide')}")
    assert "Page 39" in text(page)
    assert "Page 40" not in text(page)
    key = re.search(r'name="after" value="(\d+\.\d+)"', page.text)[1]
    page = page.forms[picker(page)].submit("after", value=key)
    assert "Page 40" in text(page)
    assert "Page 44" in text(page)


def test_a_name_that_is_taken_there_gets_another_one(docs, ann):
    docs.add("/guide/one", title="Other one")
    page = choose(ann.get("/docs/one/@@move?at=1"), "Guide")
    shown = text(page)
    assert "These pages need another name there" in shown
    assert "There is another page called “one” there." in shown
    form = button(page, "Move")
    field = f"name-{number(docs, '/docs/one')}"
    assert form[field].value == "one-2"
    form[field] = "@@x"
    page = form.submit(status=422)
    shown = text(page)
    assert "“@@x” cannot be a name. A name cannot begin with @@. This one is free: x" in shown
    # What was typed is still there.
    form = button(page, "Move")
    assert form[field].value == "@@x"
    form[field] = "uno"
    assert form.submit().location == "http://localhost/guide/uno"


def test_a_name_that_a_route_has_cannot_be_had_at_the_root(make_site):
    site = make_site(lambda config: config.add_route("shop", "/shop"))
    site.add("/docs")
    site.add("/docs/shop", title="Shop")
    ann = site.sign_in("ann", "editor")
    page = ann.get("/docs/shop/@@move?target=1")
    assert "“shop” cannot be a name. This name belongs to the site itself" in text(page)
    form = button(page, "Move")
    assert form[f"name-{number(site, '/docs/shop')}"].value == "shop-2"
    assert form.submit().location == "http://localhost/shop-2"


def test_who_gains_and_who_loses_access_is_said(docs):
    ann = docs.sign_in("ann", "administrator")
    page = ann.get(f"/docs/one/@@move?target={number(docs, '/hush')}")
    assert "Visitors who are not signed in will no longer be able to view 2 pages." in text(page)
    button(page, "Move").submit()
    docs.client.get("/hush/one", status=302)
    page = ann.get(f"/hush/one/@@move?target={number(docs, '/docs')}")
    assert "Visitors who are not signed in will be able to view 2 pages." in text(page)


# -- what cannot be -------------------------------------------------------------------------------


def test_the_picker_says_why_a_place_is_impossible(make_site):
    site = make_site(kitchen)
    site.add("/menu", cls=Folder, title="Menu")
    site.add("/menu/soup", cls=Dish, title="Soup")
    site.add("/menu/ball", cls=Feast, title="Ball")
    site.add("/page", title="Plain")
    site.add("/drawer", cls=Folder, title="Drawer")
    site.add("/own", cls=Folder, title="Own")
    eve = site.sign_in("eve", "editor", "/menu")
    site.sign_in("eve", "editor", "/own")
    site.sign_in("eve", "editor", "/page")
    assert reasons(eve.get("/menu/soup/@@move?at=1")) == {
        "root": "Content of this type cannot be added there.",
        "Menu": "It is there already.",
        "Plain": "Content of this type cannot be added there.",
        "Drawer": "You may not add pages there.",
    } or "Drawer" in reasons(eve.get("/menu/soup/@@move?at=1"))
    found = reasons(eve.get("/menu/soup/@@move?at=1"))
    assert found["Plain"] == "Content of this type cannot be added there."
    assert found["Drawer"] == "You may not add pages there."
    assert "Own" not in found
    # Adding a feast takes more than adding.
    assert reasons(eve.get("/menu/ball/@@move?at=1"))["Own"] == "You may not add pages there."


def make_form(client, site, ids, target, **more):
    form = [("csrf_token", token(client)), *(("ids", str(each)) for each in ids)]
    return [*form, ("target", str(target)), *more.items()]


def test_whatever_a_form_says_a_page_does_not_go_into_itself(docs, ann):
    for target in ("/docs/one", "/docs/one/deep", "/docs"):
        form = make_form(ann, docs, [number(docs, "/docs/one")], number(docs, target))
        page = ann.post("/docs/@@move", form)
        assert "This cannot be done" in text(page)
        assert '<button class="btn btn-primary">Move</button>' not in page
        page = ann.post("/docs/@@arrange", [*form, ("kind", "move"), ("digest", "x")], status=422)
        assert "This cannot be done" in text(page)
    ann.get("/docs/one/deep", status=200)


def test_a_place_that_is_not_there_or_not_to_be_seen(docs, ann):
    for wanted in ("999999", "0", "x", "9" * 30, "", str(number(docs, "/hush"))):
        page = ann.get(f"/docs/one/@@move?target={wanted}", status=422)
        assert "The place that was chosen is not there any more" in text(page)
        assert "Hush" not in page
        form = make_form(ann, docs, [number(docs, "/docs/one")], wanted, kind="move")
        page = ann.post("/docs/one/@@arrange", form, status=422)
        assert "Hush" not in page
    ann.get("/docs/one", status=200)


def test_whatever_a_picker_is_asked_for(docs, ann):
    for query in ("at=x", "at=999999", "after=x", "q=%00%25_&find=1", "at=1&at=2"):
        assert "Hush" not in ann.get(f"/docs/one/@@move?{query}", status=200)


def test_pages_that_are_not_there_or_not_to_be_seen_are_left_out(docs, ann):
    hidden = number(docs, "/hush")
    form = make_form(ann, docs, [hidden, 999999, number(docs, "/docs/two")], 1)
    page = ann.post("/docs/@@move", form)
    assert "2 of the pages that were chosen are not there any more." in text(page)
    assert "Hush" not in page
    button(page, "Move").submit()
    ann.get("/two", status=200)
    page = ann.post("/docs/@@move", make_form(ann, docs, [hidden, 999999], 1), status=422)
    assert "The pages that were chosen are not there any more." in text(page)
    page = ann.post("/docs/@@delete", make_form(ann, docs, [hidden], 1), status=422)
    assert "Hush" not in page


def test_too_many_at_once(docs, ann):
    page = ann.post("/docs/@@move", make_form(ann, docs, range(2, 1100), 1), status=400)
    assert "At most 1,000 pages can be chosen at once." in text(page)


def test_a_form_without_its_token_or_of_no_kind(docs, ann):
    ids = [("ids", str(number(docs, "/docs/one"))), ("target", "1"), ("kind", "move")]
    for view in ("move", "copy", "delete", "state", "arrange"):
        ann.post(f"/docs/one/@@{view}", ids, status=400)
    ann.post("/docs/@@arrange", [("csrf_token", token(ann)), ("kind", "purge")], status=400)
    ann.get("/docs/one", status=200)


def test_a_plan_that_says_something_else_by_now_is_shown_again(docs):
    ann = docs.sign_in("ann", "administrator")
    page = ann.get(f"/docs/one/@@move?target={number(docs, '/guide')}")
    form = button(page, "Move")
    with docs.tree() as tree:
        sharing = Sharing(tree.session, docs.roles, COMMAND_LINE, None)
        everyone = tree.session.scalar(select(Principal.id).where(Principal.kind == "everyone"))
        sharing.make(docs.node(tree, "/guide"), granted(everyone, "author"))
    page = form.submit(status=422)
    shown = text(page)
    assert "Something has changed in the meantime" in shown
    assert "Visitors who are not signed in will be able to" in shown
    ann.get("/docs/one", status=200)
    # Somebody has added a page: more than was said would move.
    form = button(page, "Move")
    docs.add("/docs/one/new", title="New")
    page = form.submit(status=422)
    assert "3 pages move." in text(page)
    button(page, "Move").submit()
    ann.get("/guide/one/new", status=200)


def test_a_page_that_was_deleted_meanwhile(docs, ann):
    form = button(ann.get(f"/docs/one/@@move?target={number(docs, '/guide')}"), "Move")
    with docs.tree() as tree:
        tree.trash(docs.node(tree, "/docs/one"))
    # Its address is gone, and with it the form's.
    form.submit(status=404)
    ids = [number(docs, "/docs/two")]
    page = ann.post("/docs/@@move", make_form(ann, docs, ids, number(docs, "/guide")))
    form = button(page, "Move")
    with docs.tree() as tree:
        tree.trash(docs.node(tree, "/docs/two"))
    page = form.submit(status=422)
    assert "The pages that were chosen are not there any more." in text(page)


def test_a_target_that_was_deleted_meanwhile(docs, ann):
    form = button(ann.get(f"/docs/one/@@move?target={number(docs, '/guide')}"), "Move")
    with docs.tree() as tree:
        tree.trash(docs.node(tree, "/guide"))
    page = form.submit(status=422)
    assert "The place that was chosen is not there any more" in text(page)
    ann.get("/docs/one", status=200)


def test_pages_that_may_not_be_moved_can_be_left_out(docs):
    docs.add("/docs/closed", title="Closed")
    docs.make_private("/docs/closed")
    docs.grant("bob", "reader", "/docs/closed")
    bob = docs.sign_in("bob", "editor")
    ids = [number(docs, path) for path in ("/docs/one", "/docs/closed")]
    page = bob.post("/docs/@@move", make_form(bob, docs, ids, number(docs, "/guide")))
    assert "Closed You may not do this here." in text(page)
    page = button(page, "Leave these pages out").submit()
    assert page.html.h1.get_text() == "Move “One” to “Guide”?"
    button(page, "Move").submit()
    bob.get("/guide/one", status=200)
    bob.get("/docs/closed", status=200)


def test_who_may_move_and_copy_where(docs):
    author = docs.sign_in("pat", "author")
    author.get("/docs/one/@@move", status=403)
    author.get("/docs/one/@@delete", status=403)
    author.get("/docs/one/@@copy", status=200)
    reader = docs.sign_in("sue", "reader")
    reader.get("/docs/one/@@copy", status=403)
    docs.client.get("/docs/one/@@copy", status=302)
    # A reader of the whole may have a place of their own.
    sue = docs.sign_in("sue", "author", "/guide")
    page = sue.get("/docs/one/@@copy?at=1")
    assert reasons(page)["Docs"] == "You may not add pages there."
    button(choose(page, "Guide"), "Copy").submit()
    sue.get("/guide/one/deep", status=200)
    form = make_form(sue, docs, [number(docs, "/docs/one")], number(docs, "/guide"))
    page = sue.post("/docs/one/@@arrange", [*form, ("kind", "move"), ("digest", "")], status=422)
    assert "You may not do this here." in text(page)


# -- copying --------------------------------------------------------------------------------------


def test_a_copy_can_be_undone(docs, ann):
    page = ann.get(f"/docs/one/@@copy?target={number(docs, '/docs')}")
    # Beside its original it needs another name.
    assert "2 pages are copied." in text(page)
    answer = button(page, "Copy").submit()
    assert answer.location == "http://localhost/docs/one-2"
    page = answer.follow()
    assert "Copied “One” to Docs." in text(page)
    page = button(page, "Undo").submit().follow()
    assert page.request.path == "/docs"
    ann.get("/docs/one-2", status=404)
    ann.get("/docs/one", status=200)


def test_a_copy_of_a_private_section_can_be_undone_by_who_may(docs):
    root = docs.sign_in("root", "administrator")
    page = root.get(f"/hush/@@copy?target={number(docs, '/guide')}")
    page = button(page, "Copy").submit().follow()
    docs.client.get("/guide/hush", status=302)
    button(page, "Undo").submit()
    root.get("/guide/hush", status=404)


def test_who_may_not_publish_publishes_nothing_by_copying_it(docs):
    docs.add("/hush/news", title="News")
    docs.grant("pat", "publisher", "/hush")
    pat = docs.sign_in("pat", "author", "/guide")
    page = pat.get(f"/hush/news/@@copy?target={number(docs, '/guide')}")
    assert "Readers will not see them until somebody publishes them." in text(page)
    button(page, "Copy").submit()
    docs.client.get("/guide/news", status=404)
    pat.get("/guide/news", status=200)
    # Where they may publish, a copy is what its original is.
    page = pat.get(f"/hush/news/@@copy?target={number(docs, '/hush')}")
    assert "until somebody publishes" not in text(page)
    button(page, "Copy").submit()
    assert "Not public" in pat.get("/hush/news-2").html.select_one(".bar-state").text


@pytest.mark.parametrize("is_over", [False, True])
def test_a_copy_shows_nobody_drafts_that_they_may_not_see(docs, is_over):
    # What has expired is one, even before anybody has noted it.
    past = {"expire_at": utcnow() - dt.timedelta(minutes=1)}
    docs.add("/docs/one/draft", title="Draft", **(past if is_over else {"state": DRAFT}))
    sue = docs.sign_in("sue", "author", "/guide")
    form = make_form(sue, docs, [number(docs, "/docs/one")], number(docs, "/guide"))
    page = sue.post("/docs/one/@@copy", form)
    assert "1 of these pages are drafts that you may not see." in text(page)
    sue.post("/docs/one/@@arrange", [*form, ("kind", "copy"), ("digest", "")], status=422)
    sue.get("/guide/one", status=404)


def test_below_a_virtual_root_nothing_else_is_offered(make_site):
    site = make_site(virtual_root_header="true", trusted_proxies="127.0.0.1")
    for path in ("/part", "/part/a", "/part/b", "/other"):
        site.add(path, title=path.rpartition("/")[2].capitalize())
    headers = {"X-Vhm-Root": "/part"}
    ann = site.sign_in("ann", "editor")
    ann.extra_environ["REMOTE_ADDR"] = "127.0.0.1"
    page = ann.get("/a/@@move", headers=headers)
    assert "Other" not in page
    assert reasons(page)["Part"] == "It is there already."
    page = ann.get("/a/@@move?find=1&q=other", headers=headers)
    assert "There is no such place." in text(page)
    target = number(site, "/other")
    ann.get(f"/a/@@move?target={target}", headers=headers, status=422)
    page = ann.get(f"/a/@@move?target={number(site, '/part/b')}", headers=headers)
    form = button(page, "Move").submit_fields()
    answer = ann.post("/a/@@arrange", form, headers=headers)
    assert answer.location == "http://localhost/b/a"
    shown = ann.get("/@@operations", headers=headers)
    assert 'href="/b/a"' in shown
    ann.get("/b/a/@@delete", headers=headers)
    with site.tree() as tree:
        tree.trash(site.node(tree, "/part/b/a"))
    shown = ann.get("/@@trash", headers=headers)
    assert "Was in B /b" in text(shown)


# -- deleting -------------------------------------------------------------------------------------


def test_deleting_says_what_goes_and_what_links_there(docs, ann):
    one = number(docs, "/docs/one")
    docs.add("/guide/a", f"[one](node:{one})", title="Linking")
    docs.add("/hush/b", f"[one](node:{one})", title="Secret")
    docs.add("/docs/one/draft", state=DRAFT)
    docs.add("/link", cls=Link, target_id=one, title="A link")
    page = ann.get("/docs/one/@@delete")
    shown = text(page)
    assert page.html.h1.get_text() == "Move “One” to the trash?"
    assert "3 pages go to the trash." in shown
    assert "1 of them is a draft." in shown
    assert "3 links on other pages will lead nowhere." in shown
    assert "Pages that link there Linking A link and others" in shown
    assert "Secret" not in shown
    assert "They can be restored for 30 days." in shown
    answer = button(page, "Move to the trash").submit()
    assert answer.location == "http://localhost/docs"
    page = answer.follow()
    assert "Moved “One” to the trash." in text(page)
    ann.get("/docs/one/deep", status=404)
    page = button(page, "Undo").submit().follow()
    assert page.request.path == "/docs/one"
    assert "Restored “One”." in text(page)


def test_what_one_may_not_delete_is_not_deleted_with_what_is_above_it(docs):
    docs.add("/docs/one/closed", title="Closed")
    docs.add("/docs/one/closed/x")
    docs.make_private("/docs/one/closed")
    ed = docs.sign_in("ed", "editor")
    page = ed.get("/docs/one/@@delete")
    assert "2 of the pages below are out of your reach" in text(page)
    form = make_form(ed, docs, [number(docs, "/docs/one")], "", kind="trash", digest="trash-x")
    ed.post("/docs/one/@@arrange", form, status=422)
    ed.get("/docs/one", status=200)


def test_several_are_deleted_at_once_and_come_back_at_once(docs, ann):
    ids = [number(docs, "/docs/one"), number(docs, "/docs/two")]
    page = ann.post("/docs/@@delete", make_form(ann, docs, ids, "", back="/docs"))
    assert "Move 2 pages to the trash?" in text(page)
    page = button(page, "Move to the trash").submit().follow()
    ann.get("/docs/two", status=404)
    page = button(page, "Undo").submit().follow()
    assert page.request.path == "/docs"
    ann.get("/docs/one", status=200)
    ann.get("/docs/two", status=200)


def test_the_root_stays_where_it_is(docs):
    root = docs.sign_in("root", "administrator")
    assert "This is the root of the site" in text(root.get("/@@delete"))
    page = root.get(f"/@@move?target={number(docs, '/guide')}")
    assert "This is the root of the site" in text(page)


# -- publishing -----------------------------------------------------------------------------------


def test_taking_back_from_readers_is_planned_and_publishing_is_done(docs, ann):
    one = number(docs, "/docs/one")
    docs.add("/guide/a", f"[one](node:{one})", title="Linking")
    form = {"csrf_token": token(ann), "ids": one, "back": "/docs/one"}
    page = ann.post("/docs/one/@@state", {**form, "state": "draft"})
    shown = text(page)
    assert "Take “One” back from readers?" in shown
    assert "2 pages will be hidden from readers" in shown
    assert "1 link on another page will lead nowhere." in shown
    assert "Linking" in shown
    docs.client.get("/docs/one", status=200)
    page = button(page, "Unpublish").submit().follow()
    assert "Took “One” back from readers." in text(page)
    docs.client.get("/docs/one", status=404)
    page = ann.post("/docs/one/@@state", {**form, "state": "published"}).follow()
    assert "Published “One”." in text(page)
    docs.client.get("/docs/one", status=200)
    button(page, "Undo").submit()
    docs.client.get("/docs/one", status=404)
    assert "Take “One” back" in text(ann.get("/docs/one/@@state"))
    docs.sign_in("ed", "editor").get("/docs/one/@@state", status=403)


def test_publishing_what_is_published_changes_nothing(docs, ann):
    form = {"csrf_token": token(ann), "state": "published", "back": "/docs/one"}
    page = ann.post("/docs/one/@@state", form).follow()
    assert "Nothing had to be changed." in text(page)


def test_going_on_leads_to_no_other_site(docs, ann):
    form = {"csrf_token": token(ann), "state": "published", "back": "//example.org/"}
    assert ann.post("/docs/one/@@state", form).location == "http://localhost/"


# -- cost -----------------------------------------------------------------------------------------


def test_a_picker_and_a_plan_take_few_statements(docs, ann, count_statements):
    for each in range(45):
        docs.add(f"/guide/p{each:02}", title=f"Page {each:02}")
    guide = number(docs, "/guide")
    ann.get("/docs/one/@@move")
    for query, most in ((f"at={guide}", 11), ("find=1&q=page", 11), (f"target={guide}", 14)):
        with count_statements(docs.database) as seen:
            ann.get(f"/docs/one/@@move?{query}", status=200)
        assert len(seen) <= most, "\n\n".join(seen)
