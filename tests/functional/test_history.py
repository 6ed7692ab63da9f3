"""The history of a page: listed, narrowed, named, compared, looked at, brought back."""

import re

import pytest

from myproject.content.operations import change_type, save
from myproject.content.types import Folder, Link
from myproject.interfaces import IContentTypes
from myproject.security.logins import find_user
from myproject.tree.actor import Actor
from myproject.tree.node import DRAFT
from myproject.tree.operations import Tree
from tests.functional.arranging import journal_of, text, token
from tests.trees import set_state


@pytest.fixture(scope="module")
def site(shared_site):
    """Two editors, a publisher of nothing, and places for the tests' own pages."""
    shared_site.sign_in("ann", "publisher")
    shared_site.sign_in("bob", "editor")
    shared_site.sign_in("pat", "author")
    return shared_site


@pytest.fixture
def ann(site):
    return site.sign_in("ann")


@pytest.fixture
def page(site, request):
    """The path of a page of the test's own, saved three times."""
    path = "/" + re.sub(r"\W", "-", request.node.name)[:60]
    site.add(path, "One.\n\nTwo.\n", title="First")
    save_as(site, "ann", path, "Better", body="One.\n\nTwo and more.\n", title="Second")
    save_as(site, "bob", path, body="One.\n\nTwo and more.\n\nThree.\n")
    return path


def save_as(site, name, path, comment="", **values):
    with site.tree() as tree:
        user = find_user(tree.session, name)
        mine = Tree(tree.session, actor=Actor(user.id, user.name))
        save(mine, site.node(tree, path), values, site.renderer, comment=comment)


def numbers(client, path):
    """The numbers of a page's versions, the newest first."""
    shown = client.get(f"{path}/@@history").html.select('input[name="from"]')
    return [int(each["value"]) for each in shown]


def rows(answer):
    return [" ".join(row.get_text(" ").split()) for row in answer.html.select(".history > li")]


def test_versions_are_listed_with_who_why_and_what(site, page, ann):
    with site.statements() as seen:
        answer = ann.get(f"{page}/@@history")
    assert len(seen) <= 8, "\n\n".join(seen)
    newest, second, first = rows(answer)
    assert "Bob" in newest
    assert "Live now" in newest
    assert "Changed: Text" in newest
    assert "Restore…" not in newest
    assert "Better" in second
    assert "Changed: Title, Text" in second
    assert "The command line" in first
    assert "First version" in first
    for number in range(40):
        save_as(site, "bob", page, title=f"Title {number}")
    with site.statements() as more:
        answer = ann.get(f"{page}/@@history")
    assert len(more) <= len(seen) + 1
    assert len(rows(answer)) == 30
    older = answer.click("Older")
    assert len(rows(older)) == 13
    assert "First version" in rows(older.click("Back to the latest").click("Older"))[-1]


def test_versions_are_narrowed_and_named(site, page, ann):
    ids = numbers(ann, page)
    answer = ann.get(f"{page}/@@history")
    naming = [form for form in answer.forms.values() if "label" in form.fields]
    form = next(form for form in naming if form["id"].value == str(ids[1]))
    form["label"] = "  For   the board "
    answer = form.submit("do").follow()
    assert "It is called “For the board” now." in text(answer)
    assert "For the board" in rows(answer)[1]
    assert len(rows(ann.get(f"{page}/@@history?named=1"))) == 1
    assert len(rows(ann.get(f"{page}/@@history?person=BO"))) == 1
    assert len(rows(ann.get(f"{page}/@@history?person=ann"))) == 1
    today = ann.get(f"{page}/@@history?since=2000-01-01&until=2099-01-01")
    assert len(rows(today)) == 3
    nothing = ann.get(f"{page}/@@history?until=2000-01-01")
    assert "There is no such version." in text(nothing)
    assert "Write a day as in" in text(ann.get(f"{page}/@@history?since=x"))
    values = {"csrf_token": token(ann), "id": ids[1]}
    url = f"{page}/@@history"
    assert "at most 200" in text(ann.post(url, {**values, "label": "x" * 300}).follow())
    assert "For the board" in rows(ann.get(url))[1]
    assert "no name any more" in text(ann.post(url, {**values, "do": "remove"}).follow())
    ann.post(url, {**values, "id": 10**9, "label": "x"}, status=404)
    ann.post(url, {"id": ids[1], "label": "x"}, status=400)
    other = site.add("/elsewhere-" + page[1:])
    assert other
    ann.post(f"/elsewhere-{page[1:]}/@@history", {**values, "label": "x"}, status=404)


def test_two_versions_are_compared_side_by_side_and_in_one_text(site, page, ann):
    third, second, first = numbers(ann, page)
    answer = ann.get(f"{page}/@@history?from={second}&to={first}")
    assert [title.get_text() for title in answer.html.select(".compared h2")] == ["Title", "Text"]
    title, body = answer.html.select(".compare")
    assert "First" in title.select_one(".left del").get_text()
    assert "Second" in title.select_one(".right ins").get_text()
    assert "and more" in body.select_one(".right ins").get_text()
    assert body.select(".left del") == []
    one = answer.click("In one text")
    assert "Two [put in: and more ] ." in " ".join(
        one.html.select(".compare")[1].select_one(".changed").get_text(" ").split()
    )
    assert "view=inline" in one.click("The change after").request.url
    assert "Three." in text(ann.get(f"{page}/@@history?from={second}&to={third}"))
    same = ann.get(f"{page}/@@history?from={first}&to={first}")
    assert "one and the same version" in text(same)
    save_as(site, "ann", page, title="First", body="One.\n\nTwo.\n")
    newest = numbers(ann, page)[0]
    equal = ann.get(f"{page}/@@history?from={first}&to={newest}")
    assert "Both versions say the same" in text(equal)
    for wrong in ("from=1", f"from={first}&to=x", f"from={first}&to={10**15}", "to=%00"):
        ann.get(f"{page}/@@history?{wrong}", status=404)


def test_unchanged_stretches_are_folded_and_values_are_in_words(site, ann):
    target = site.add("/target-of-link", title="Target")
    lines = [f"Line {number}." for number in range(40)]
    site.add("/long-text", "\n".join(lines))
    lines[20] = "Another line."
    save_as(site, "ann", "/long-text", body="\n".join(lines))
    new, old = numbers(ann, "/long-text")
    answer = ann.get(f"/long-text/@@history?from={old}&to={new}")
    folded = answer.html.select("details.compare-skipped summary")
    assert [" ".join(each.get_text().split()) for each in folded] == [
        "Lines that are the same: 18",
        "Lines that are the same: 17",
    ]
    site.add("/a-link", cls=Link, title="Link", url="https://example.org/")
    save_as(site, "ann", "/a-link", target_id=target, url="")
    with journal_of(site, "ann") as (journal, node):
        journal.rename(node("/a-link"), "the-link")
        set_state(journal, [node("/the-link")], DRAFT)
    save_as(site, "ann", "/the-link", title="Linked")
    newest, _second, oldest = numbers(ann, "/the-link")
    answer = ann.get(f"/the-link/@@history?from={oldest}&to={newest}")
    said = text(answer)
    assert answer.html.select_one(".compare ins a")["href"] == "/target-of-link"
    assert "Target (/target-of-link)" in said
    for label in ("Page it leads to", "Web address", "Name in the address", "State"):
        assert label in said
    assert re.search(r"State .*Published .*Draft", said)


def test_a_version_is_shown_as_the_page(site, page, ann):
    there = site.add("/linked-from-old")
    save_as(site, "ann", page, body=f"See [it](node:{there}).")
    save_as(site, "ann", page, body="Nothing.")
    newest, linking, *_rest, first = numbers(ann, page)
    answer = ann.get(f"{page}/@@revision?id={linking}")
    assert answer.html.select_one(".prose a")["href"] == "/linked-from-old"
    assert "This is an old version, saved by Ann" in text(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "ETag" not in answer.headers
    assert answer.html.select_one('link[rel="canonical"]') is None
    assert answer.html.select_one('meta[name="robots"]')["content"] == "noindex"
    assert answer.html.h1.get_text() == "Second"
    assert ann.get(f"{page}/@@revision?id={first}").html.h1.get_text() == "First"
    answer = answer.click("Compare with what it says now")
    assert f"to={newest}" in answer.request.url
    # A copy of the live page is no copy of this.
    etag = ann.get(page).headers.get("ETag") or "*"
    ann.get(f"{page}/@@revision?id={first}", headers={"If-None-Match": etag}, status=200)
    ann.get(f"{page}/@@revision?id={10**12}", status=404)
    ann.get(f"{page}/@@revision", status=404)


def test_a_version_of_another_type_and_one_that_is_no_page(site, ann):
    site.add("/was-link", cls=Link, title="It was a link", url="https://example.org/")
    with site.tree() as tree:
        types = site.registry.getUtility(IContentTypes)
        change_type(tree, site.node(tree, "/was-link"), "page", types)
    save_as(site, "ann", "/was-link", body="Now a page.")
    newest, *_between, first = numbers(ann, "/was-link")
    answer = ann.get(f"/was-link/@@revision?id={first}")
    assert "It cannot be shown as a page." in text(answer)
    assert "https://example.org/" in text(answer)
    assert "another one then: Link" in text(answer)
    assert "Web address" in text(ann.get(f"/was-link/@@history?from={first}&to={newest}"))
    answer = ann.get(f"/was-link/@@restore?id={first}")
    assert "no such fields any more: Web address" in text(answer)
    answer = restore_form(answer).submit("how").follow()
    assert answer.html.select_one(".prose") is None or "Now a page." not in text(answer)
    site.add("/a-folder", cls=Folder, title="Folder")
    save_as(site, "ann", "/a-folder", title="Folder 2")
    first = numbers(ann, "/a-folder")[1]
    assert ann.get(f"/a-folder/@@revision?id={first}").html.h1.get_text() == "Folder"


def restore_form(answer):
    return next(form for form in answer.forms.values() if form.action.endswith("@@restore"))


def test_a_version_is_restored(site, page, ann):
    third, _second, first = numbers(ann, page)
    ann.get(f"{page}/@@history").click("Restore…", index=-1)
    answer = ann.get(f"{page}/@@restore?id={first}")
    assert "readers see it at once" in text(answer)
    assert answer.html.select_one(".compare .right ins").get_text()
    form = restore_form(answer)
    assert form["comment"].value.startswith("Restored from the version of 2")
    answer = form.submit("how", value="now").follow()
    assert "The version is restored." in text(answer)
    assert answer.html.h1.get_text() == "First"
    newest = rows(ann.get(f"{page}/@@history"))[0]
    assert "Restored from the version of" in newest
    assert "Live now" in newest
    # Whoever had it open is shown again what would change.
    answer = form.submit("how", value="now", status=409)
    assert "Somebody has saved this page since" in text(answer)
    assert "The page says the same already." in text(answer)
    answer = restore_form(answer).submit("how", value="now").follow()
    assert "nothing was changed" in text(answer)
    assert len(numbers(ann, page)) == 4
    # Whoever may not publish does not change what readers see.
    pat = site.sign_in("pat")
    answer = pat.get(f"{page}/@@restore?id={third}")
    assert "you may not publish" in text(answer)
    assert "readers see it at once" not in text(answer)
    answer = restore_form(answer).submit("how", value="draft").follow()
    assert "restored as a draft" in text(answer)
    newest, live, *_rest = rows(ann.get(f"{page}/@@history"))
    assert "Draft of what comes next" in newest
    assert "Live now" in live
    assert site.client.get(page).html.h1.get_text() == "First"
    # Restoring for readers at once leaves no draft of something else ahead of it.
    answer = ann.get(f"{page}/@@restore?id={third}")
    assert "There is a draft of what comes next." in text(answer)
    restore_form(answer).submit("how", value="now")
    assert site.client.get(page).html.h1.get_text() == "Second"
    assert "Draft of what comes next" not in ann.get(f"{page}/@@history")
    values = {"id": third, "base": numbers(ann, page)[0], "how": "now", "csrf_token": token(pat)}
    pat.post(f"{page}/@@restore", values, status=403)
    ann.post(f"{page}/@@restore", {**values, "csrf_token": ""}, status=400)
    ann.post(f"{page}/@@restore", {"id": 1, "csrf_token": token(ann)}, status=404)


def test_a_version_is_put_back_where_it_stood_if_that_can_be(site, page, ann):
    name = page[1:]
    for place in ("from", "to"):
        site.add(f"/{place}-{name}", title=place)
    with journal_of(site, "ann") as (journal, node):
        journal.move([node(page)], node(f"/from-{name}"))
    save_as(site, "ann", f"/from-{name}/{name}", title="There")
    with journal_of(site, "ann") as (journal, node):
        moved = node(f"/from-{name}/{name}")
        journal.move([moved], node(f"/to-{name}"), names={moved.id: "new"})
    here = f"/to-{name}/new"
    wanted = numbers(ann, here)[0]
    save_as(site, "ann", here, title="Elsewhere")
    answer = ann.get(f"{here}/@@restore?id={wanted}")
    form = restore_form(answer)
    form["place"] = True
    answer = form.submit("how", value="now").follow()
    assert answer.request.path == f"/from-{name}/{name}"
    assert answer.html.h1.get_text() == "There"
    # The operation is one that can be undone.
    assert "moved “There” to “from”" in text(ann.get("/@@operations"))
    # The name is taken there meanwhile.
    with journal_of(site, "ann") as (journal, node):
        moved = node(f"/from-{name}/{name}")
        journal.move([moved], node(f"/to-{name}"), names={moved.id: "new"})
    site.add(f"/from-{name}/{name}", title="Taken")
    answer = ann.get(f"{here}/@@restore?id={wanted}")
    assert "There is another page called" in text(answer)
    assert "place" not in restore_form(answer).fields
    values = {"id": wanted, "base": numbers(ann, here)[0], "place": "1", "csrf_token": token(ann)}
    assert "another page called" in text(ann.post(f"{here}/@@restore", values, status=422))
    # The place is in the trash, and then gone for good.
    with journal_of(site, "ann") as (journal, node):
        gone = node(f"/from-{name}")
        gone_id, cls = gone.id, type(gone)
        journal.trash([gone])
    for purge in (False, True):
        if purge:
            with journal_of(site, "ann") as (journal, node):
                journal.purge([journal.session.get(cls, gone_id)])
        answer = ann.get(f"{here}/@@restore?id={wanted}")
        assert "The page that it was in is gone" in text(answer)
        assert "It stays where it is now" in text(answer)
    restore_form(answer).submit("how", value="now").follow()
    assert ann.get(here).html.h1.get_text() == "There"


def test_what_cannot_be_restored_says_why_and_changes_nothing(site, ann):
    site.add("/to-nothing", cls=Link, title="Link", target_id=site.add("/victim"))
    save_as(site, "ann", "/to-nothing", target_id=None, url="https://example.org/")
    with journal_of(site, "ann") as (journal, node):
        journal.purge([node("/victim")])
    first = numbers(ann, "/to-nothing")[-1]
    answer = ann.get(f"/to-nothing/@@restore?id={first}")
    assert "the page that was chosen is gone: Page it leads to" in text(answer)
    answer = restore_form(answer).submit("how", value="now", status="*")
    assert answer.status_int == 303


def test_histories_are_for_those_who_may_edit(site, page, ann):
    first = numbers(ann, page)[-1]
    rae = site.sign_in("rae", "reader")
    for view in ("history", f"revision?id={first}", f"restore?id={first}"):
        rae.get(f"{page}/@@{view}", status=403)
        assert "/@@sign-in" in site.client.get(f"{page}/@@{view}", status=302).location
    assert "@@history" not in rae.get(page)
    with journal_of(site, "ann") as (journal, node):
        journal.trash([node(page)])
    ann.get(f"{page}/@@history", status=404)
