"""The trash: found, looked at, brought back with all that lies below, and deleted for good."""

import datetime as dt
import re

import pytest
from sqlalchemy import func, select, update

from myproject.content.revisions import Revision
from myproject.content.types import Page
from myproject.testing import Site
from myproject.tree.node import DRAFT, Node
from myproject.tree.trash import Trashed
from tests.functional.arranging import button, journal_of, text, token


@pytest.fixture
def docs(site: Site) -> Site:
    """``/docs/one`` and ``/docs/two`` are in the trash, put there by ann."""
    for path in ("/docs", "/docs/one", "/docs/one/deep", "/docs/two", "/guide", "/hush"):
        site.add(path, f"The text of {path}.", title=path.rpartition("/")[2].capitalize())
    site.add("/hush/secret", title="Secret")
    site.make_private("/hush")
    site.sign_in("ann", "editor")
    with journal_of(site, "ann") as (journal, node):
        journal.trash([node("/docs/one")])
        journal.trash([node("/docs/two")])
        journal.trash([node("/hush/secret")])
    return site


@pytest.fixture
def ann(docs):
    return docs.sign_in("ann")


def trashed(site, title):
    with site.database.read_session() as session:
        return session.scalar(select(Node.id).where(Node.title == title))


def titles(page):
    return [link.get_text() for link in page.html.find_all("a", class_="title")]


def listed(client, query=""):
    return titles(client.get(f"/@@trash{query}"))


def test_it_shows_what_one_may_delete(docs, ann):
    page = ann.get("/@@trash")
    assert titles(page) == ["Two", "One"]
    shown = text(page)
    assert "One Page · with 1 page below Was in Docs /docs" in shown
    assert "Ann" in shown
    assert "What has been here for 30 days is deleted for good." in shown
    assert listed(docs.sign_in("root", "administrator")) == ["Secret", "Two", "One"]
    # Whoever may delete in a section is shown that section's trash, and nothing else.
    assert listed(docs.sign_in("hal", "editor", "/hush")) == ["Secret"]
    assert listed(docs.sign_in("pat", "author")) == []
    docs.client.get("/@@trash", status=302)


def test_it_is_searched_by_title_and_name(docs, ann):
    assert listed(ann, "?q=TW") == ["Two"]
    assert listed(ann, "?q=one") == ["One"]
    assert listed(ann, "?q=secret") == []
    assert listed(ann, "?q=one+two") == []
    assert listed(ann, "?q=%00") == ["Two", "One"]
    for query in ("%25", "_", "\\", "%F0%9F%98%80", "x" * 300):
        assert listed(ann, f"?q={query}") == []
    docs.add("/guide/x", title="Überblick")
    with docs.tree() as tree:
        tree.trash(docs.node(tree, "/guide/x"))
    assert listed(ann, "?q=%C3%BCberblick") == ["Überblick"]
    assert listed(ann, "?before=nonsense") == ["Überblick", "Two", "One"]


def test_its_pages_follow_one_another_at_constant_cost(docs, ann, count_statements):
    with count_statements(docs.database) as few:
        ann.get("/@@trash")
    with docs.tree() as tree:
        guide = docs.node(tree, "/guide")
        for number in range(55):
            tree.trash(tree.add(guide, Page(title=f"T{number}"), f"t{number}"))
        # All of them at the same moment, as by one operation.
        tree.session.execute(update(Trashed).values(at=dt.datetime.now(dt.UTC)))
    with count_statements(docs.database) as many:
        page = ann.get("/@@trash")
    assert len(many) <= len(few) + 1
    assert len(many) <= 10, "\n\n".join(many)
    first = titles(page)
    following = ann.get(page.html.find("a", rel="next")["href"])
    rest = titles(following)
    assert (len(first), len(rest)) == (50, 7)
    assert len({*first, *rest}) == 57


def test_something_is_looked_at_before_it_is_brought_back(docs, ann):
    page = ann.get(f"/@@trash/{trashed(docs, 'One')}")
    shown = text(page)
    assert "The text of /docs/one." in shown
    assert "1 page below Deep" in shown
    assert "Was in Docs" in shown
    ann.get(f"/@@trash/{trashed(docs, 'Secret')}", status=404)
    # What lies below is no thing in the trash of its own, and what is not there is not there.
    ann.get(f"/@@trash/{trashed(docs, 'Deep')}", status=404)
    ann.get(f"/@@trash/{trashed(docs, 'Guide')}", status=404)
    ann.get("/@@trash/999999999999999999", status=404)


def test_it_is_brought_back_to_where_it_was_and_away_again(docs, ann):
    one = trashed(docs, "One")
    page = ann.get(f"/@@trash/@@restore-plan?ids={one}")
    shown = text(page)
    assert "Restore “One”?" in shown
    assert "2 pages come back." in shown
    assert "It goes to “Docs”." in shown
    page = button(page, "Restore").submit().follow()
    assert page.request.path == "/@@trash"
    assert "Restored “One”." in text(page)
    ann.get("/docs/one/deep", status=200)
    button(page, "Undo").submit()
    ann.get("/docs/one/deep", status=404)
    assert "One" in listed(ann)


def test_adding_moving_undoing_and_restoring(docs, ann):
    """The whole way of a page, as an editor goes it."""
    docs.add("/docs/new", "Here.", title="New")
    page = ann.get("/docs/new/@@move?at=1")
    guide = trashed(docs, "Guide")
    page = button(ann.get(f"/docs/new/@@move?target={guide}"), "Move").submit().follow()
    page = button(page, "Undo").submit().follow()
    assert page.request.path == "/docs/new"
    page = button(ann.get("/docs/new/@@delete"), "Move to the trash").submit().follow()
    new = trashed(docs, "New")
    page = button(ann.get(f"/@@trash/@@restore-plan?ids={new}"), "Restore").submit().follow()
    assert "Restored “New”." in text(page)
    assert "Here." in ann.get("/docs/new")


def test_it_is_brought_back_to_another_place(docs, ann):
    one = trashed(docs, "One")
    page = ann.get(f"/@@trash/@@restore-plan?ids={one}&pick=1&at=1")
    assert "Restore “One” to …" in text(page)
    guide = re.search(r'name="target" value="(\d+)" aria-label="Restore here: Guide"', page.text)
    form = next(form for form in page.forms.values() if "picker" in form.text[:200])
    page = form.submit("target", value=guide[1])
    assert "It goes to “Guide”." in text(page)
    button(page, "Restore").submit()
    ann.get("/guide/one/deep", status=200)


def test_bringing_back_to_another_place_is_moving(make_site):
    site = make_site(roles="cleaner = view view-drafts add delete")
    site.add("/docs")
    site.add("/docs/one", title="One")
    site.add("/guide", title="Guide")
    joe = site.sign_in("joe", "cleaner")
    button(joe.get("/docs/one/@@delete"), "Move to the trash").submit()
    one = trashed(site, "One")
    page = joe.get(f"/@@trash/@@restore-plan?ids={one}&target={trashed(site, 'Guide')}")
    assert "it can only go back to where it was" in text(page)
    button(joe.get(f"/@@trash/@@restore-plan?ids={one}"), "Restore").submit()
    joe.get("/docs/one", status=200)


def test_several_are_brought_back_at_once(docs, ann):
    page = ann.get("/@@trash")
    form = next(form for form in page.forms.values() if "ids" in form.fields)
    for box in form.fields["ids"]:
        box.checked = True
    page = form.submit()
    assert "Restore 2 pages?" in text(page)
    page = button(page, "Restore").submit().follow()
    assert "Restored 2 pages." in text(page)
    ann.get("/docs/two", status=200)


def test_a_name_that_is_taken_by_now_gets_another_one(docs, ann):
    docs.add("/docs/one", title="Another")
    one = trashed(docs, "One")
    page = ann.get(f"/@@trash/@@restore-plan?ids={one}")
    assert "There is another page called “one” there." in text(page)
    form = button(page, "Restore")
    assert form[f"name-{one}"].value == "one-2"
    form[f"name-{one}"] = "one"
    page = form.submit(status=422)
    assert "This one is free: one-2" in text(page)
    form = button(page, "Restore")
    form[f"name-{one}"] = "eins"
    form.submit()
    ann.get("/docs/eins/deep", status=200)


def test_a_place_that_is_in_the_trash_itself(docs, ann):
    with journal_of(docs, "ann") as (journal, node):
        journal.trash([node("/docs")])
    one = trashed(docs, "One")
    assert "Was in Docs in the trash itself" in text(ann.get("/@@trash?q=one"))
    page = ann.get(f"/@@trash/@@restore-plan?ids={one}")
    shown = text(page)
    assert "It is in the trash. Restore it first, or choose another place." in shown
    assert "Restore this first: Docs" in shown
    form = [("csrf_token", token(ann)), ("ids", one), ("kind", "restore"), ("digest", "x")]
    ann.post("/@@trash/@@arrange", form, status=422)
    # Either what is around it first ...
    url = page.html.find("p", class_="offers").a["href"]
    button(ann.get(url), "Restore").submit()
    ann.get("/docs/one", status=404)
    button(ann.get(f"/@@trash/@@restore-plan?ids={one}"), "Restore").submit()
    ann.get("/docs/one", status=200)
    # ... or another place.
    page = ann.get(f"/@@trash/@@restore-plan?ids={trashed(docs, 'Two')}&target=1")
    button(page, "Restore").submit()
    ann.get("/two", status=200)


def test_what_is_not_there_or_none_of_ones_business(docs, ann):
    for number in (trashed(docs, "Secret"), trashed(docs, "Guide"), 999999):
        for view, kind in (
            ("restore-plan", "restore"),
            ("purge-plan", "purge"),
            ("arrange", "restore"),
            ("arrange", "purge"),
        ):
            form = {"csrf_token": token(ann), "ids": number, "kind": kind}
            page = ann.post(f"/@@trash/@@{view}", form, status=422)
            assert "What was chosen is not in the trash any more." in text(page)
            assert "Secret" not in page
    ann.post("/@@trash/@@arrange", {"ids": trashed(docs, "One"), "kind": "purge"}, status=400)
    ann.post("/@@trash/@@arrange", {"csrf_token": token(ann), "kind": "move"}, status=400)
    assert listed(ann) == ["Two", "One"]


def test_a_place_to_restore_to_that_is_not_there(docs, ann):
    one = trashed(docs, "One")
    for target in (999999, "x", trashed(docs, "Hush")):
        url = f"/@@trash/@@restore-plan?ids={one}&target={target}"
        page = ann.get(url, status=422)
        assert "The place that was chosen is not there any more" in text(page)
        assert "Hush" not in page
    form = {"csrf_token": token(ann), "ids": one, "kind": "restore", "target": 999999}
    ann.post("/@@trash/@@arrange", form, status=422)
    # Restoring takes the permission to add.
    docs.sign_in("ed", "editor", "/docs")
    ed = docs.sign_in("ed", "editor", "/docs")
    guide = trashed(docs, "Guide")
    page = ed.get(f"/@@trash/@@restore-plan?ids={one}&target={guide}")
    assert "You may not add pages there." in text(page)


def test_deleting_for_good_is_asked_for_in_writing(docs, ann):
    one = trashed(docs, "One")
    docs.add("/guide/a", f"[one](node:{one})", title="Linking")
    page = ann.get(f"/@@trash/@@purge-plan?ids={one}")
    shown = text(page)
    assert "Delete “One” for good?" in shown
    assert "2 pages are deleted for good." in shown
    assert "2 revisions of what was written there are lost." in shown
    assert "1 link on another page will lead nowhere." in shown
    assert "Nobody can undo this." in shown
    form = button(page, "Delete for good")
    form["confirm"] = "Two"
    page = form.submit(status=422)
    assert "Type One to confirm." in text(page)
    form = button(page, "Delete for good")
    form["confirm"] = " one "
    page = form.submit().follow()
    assert "Deleted “One” for good." in text(page)
    assert "Undo" not in page
    assert listed(ann) == ["Two"]
    with docs.database.read_session() as session:
        assert session.scalar(select(func.count()).where(Revision.node_id == one)) == 0
    assert "deleted “One” for good" in text(ann.get("/@@operations"))
    page = ann.get(f"/@@trash/@@purge-plan?ids={one}", status=422)
    assert "not in the trash any more" in text(page)


def test_several_are_deleted_for_good_by_their_number(docs, ann):
    ids = [("ids", trashed(docs, title)) for title in ("One", "Two")]
    page = ann.post("/@@trash/@@purge-plan", [("csrf_token", token(ann)), *ids])
    assert "Type the number of pages to confirm: 3" in text(page)
    form = button(page, "Delete for good")
    form["confirm"] = "3"
    form.submit()
    assert listed(ann) == []


def test_what_has_come_back_meanwhile_is_not_deleted_for_good(docs, ann):
    one = trashed(docs, "One")
    form = button(ann.get(f"/@@trash/@@purge-plan?ids={one}"), "Delete for good")
    form["confirm"] = "One"
    with docs.tree() as tree:
        tree.restore(tree.session.get_one(Node, one))
    form.submit(status=422)
    ann.get("/docs/one", status=200)


def test_what_one_may_not_delete_keeps_what_is_around_it(docs):
    docs.add("/docs/three")
    docs.add("/docs/three/closed", title="Closed")
    docs.make_private("/docs/three/closed")
    with docs.tree() as tree:
        tree.trash(docs.node(tree, "/docs/three"))
    ed = docs.sign_in("ed", "editor")
    three = trashed(docs, "three")
    page = ed.get(f"/@@trash/@@purge-plan?ids={three}")
    assert "1 of the pages below are out of your reach" in text(page)
    form = {"csrf_token": token(ed), "ids": three, "kind": "purge", "confirm": "three"}
    ed.post("/@@trash/@@arrange", form, status=422)
    assert "three" in listed(ed)


# -- by itself, and at the command line -----------------------------------------------------------


def age(site, days):
    with site.tree() as tree:
        past = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
        tree.session.execute(update(Trashed).where(Trashed.name == "one").values(at=past))


def test_what_has_been_there_for_long_is_deleted_by_a_job(docs, ann):
    age(docs, 29)
    assert "0 deleted for good" in docs.run("job", "run", "purge-trash").output
    assert listed(ann) == ["Two", "One"]
    age(docs, 31)
    assert "1 deleted for good after 30 days" in docs.run("job", "run", "purge-trash").output
    assert listed(ann) == ["Two"]
    root = docs.sign_in("root", "administrator")
    assert "The command line deleted “One” for good" in text(root.get("/@@operations"))


def test_nothing_is_deleted_by_itself_where_the_setting_says_so(make_site):
    site = make_site(trash_days="0")
    site.add("/one", title="One")
    ann = site.sign_in("ann", "editor")
    assert "until somebody empties the trash" in text(ann.get("/one/@@delete"))
    button(ann.get("/one/@@delete"), "Move to the trash").submit()
    age(site, 3000)
    assert "myproject.trash_days is 0" in site.run("job", "run", "purge-trash").output
    assert listed(ann) == ["One"]
    assert "is deleted for good" not in text(ann.get("/@@trash"))


def test_at_the_command_line(docs, ann):
    one, two = trashed(docs, "One"), trashed(docs, "Two")
    output = docs.run("trash", "list").output
    assert f"{one}" in output
    assert "/docs/one  One, with 1 page below" in output
    assert "/docs/two" not in docs.run("trash", "list", "--search", "one").output
    assert docs.run("trash", "restore", str(one)).output == "Restored 1 page.\n"
    ann.get("/docs/one/deep", status=200)
    result = docs.run("trash", "restore", str(two), "--to", "/docs", "--name", "one")
    assert result.exit_code == 1
    assert "There is another page called “one” there." in result.output
    assert docs.run("trash", "restore", str(two), "--to", "/nowhere").exit_code == 2
    assert docs.run("trash", "restore", str(one)).exit_code == 2
    assert docs.run("trash", "purge", str(two), "--yes").output == "Deleted 1 page for good.\n"
    assert "1 page" in docs.run("trash", "empty", "--yes").output
    assert docs.run("trash", "list").output == "The trash is empty.\n"


def test_a_draft_comes_back_as_one(docs, ann):
    docs.add("/docs/draft", title="Draft", state=DRAFT)
    button(ann.get("/docs/draft/@@delete"), "Move to the trash").submit()
    number = trashed(docs, "Draft")
    assert "Draft" in text(ann.get(f"/@@trash/{number}"))
    button(ann.get(f"/@@trash/@@restore-plan?ids={number}"), "Restore").submit()
    docs.client.get("/docs/draft", status=404)
    ann.get("/docs/draft", status=200)
