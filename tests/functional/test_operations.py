"""What was done: it is listed for those whose business it is, and undone by those who may."""

import pytest

from myproject.tree.node import DRAFT
from tests.functional.arranging import button, journal_of, text, token
from tests.trees import set_state


@pytest.fixture
def docs(site):
    """``/docs`` with two pages, ``/other``, and ``/hush``, which only its own editor may see."""
    for path in ("/docs", "/docs/one", "/docs/two", "/other", "/hush", "/hush/page"):
        site.add(path, title=path.rpartition("/")[2].capitalize())
    site.make_private("/hush")
    return site


@pytest.fixture
def ann(docs):
    return docs.sign_in("ann", "editor")


def test_nobody_is_shown_it_without_signing_in(docs):
    assert docs.client.get("/@@operations", status=302).location.endswith("next=/@@operations")
    docs.client.get("/@@operations/1/undo", status=405)


def test_it_says_who_did_what_and_undoes_it(docs, ann):
    with journal_of(docs, "ann") as (journal, node):
        journal.move([node("/docs/one"), node("/docs/two")], node("/other"))
    page = ann.get("/@@operations")
    assert "Ann moved “One” and 1 page more to “Other”" in text(page)
    assert page.html.find("a", href="/other/one").get_text() == "“One”"
    answer = button(page, "Undo").submit()
    assert answer.location == "http://localhost/@@operations"
    page = answer.follow()
    assert "Moved 2 pages back to Docs." in text(page)
    assert "It has been undone already, by ann." in text(page)
    ann.get("/docs/one", status=200)
    # And back again.
    assert "Moved 2 pages to Other." in text(button(page, "Redo").submit().follow())
    ann.get("/other/two", status=200)


def test_what_can_no_longer_be_undone_says_why(docs, ann):
    docs.sign_in("bob", "editor")
    with journal_of(docs, "ann") as (journal, node):
        moved = journal.move([node("/docs/one")], node("/other")).id
    with journal_of(docs, "bob") as (journal, node):
        journal.rename(node("/other/one"), "uno")
    page = ann.get("/@@operations?kind=move")
    assert "“One” has been changed by bob since. Undo that first." in text(page)
    answer = ann.post(f"/@@operations/{moved}/undo", {"csrf_token": token(ann)})
    assert answer.location == "http://localhost/other/uno"
    assert "Undo that first" in text(answer.follow())
    ann.get("/other/uno", status=200)


def test_undoing_twice_says_so(docs, ann):
    with journal_of(docs, "ann") as (journal, node):
        number = journal.trash([node("/docs/one")]).id
    form = button(ann.get("/@@operations"), "Undo")
    form.submit()
    page = form.submit().follow()
    assert "It has been undone already, by ann." in text(page)
    ann.get("/docs/one", status=200)
    assert number


def test_a_form_without_its_token_undoes_nothing(docs, ann):
    with journal_of(docs, "ann") as (journal, node):
        number = journal.rename(node("/docs/one"), "uno").id
    ann.post(f"/@@operations/{number}/undo", {}, status=400)
    ann.get("/docs/uno", status=200)


def test_there_is_no_such_operation(docs, ann):
    for number in ("0", "999999", "9" * 18):
        ann.post(f"/@@operations/{number}/undo", {"csrf_token": token(ann)}, status=404)


def test_others_are_shown_what_was_done_where_they_may_edit(docs, ann):
    hal = docs.sign_in("hal", "editor", "/hush")
    sue = docs.sign_in("sue", "reader")
    with journal_of(docs, "ann") as (journal, node):
        journal.rename(node("/docs/one"), "uno")
    with journal_of(docs, "hal") as (journal, node):
        hidden = journal.rename(node("/hush/page"), "seite").id
    assert "renamed “One”" in text(ann.get("/@@operations"))
    assert "Page" not in text(ann.get("/@@operations"))
    assert "renamed “Page”" in text(hal.get("/@@operations"))
    assert "One" not in text(hal.get("/@@operations"))
    assert "Nothing was done yet." in text(sue.get("/@@operations"))
    ann.post(f"/@@operations/{hidden}/undo", {"csrf_token": token(ann)}, status=404)
    # An administrator sees all there is, also of what is gone.
    with journal_of(docs, "hal") as (journal, node):
        journal.purge([node("/hush/seite")])
    root = docs.sign_in("root", "administrator")
    shown = text(root.get("/@@operations"))
    assert "deleted “Page” for good" in shown
    assert "What was deleted for good cannot be brought back." in shown
    assert "Page" not in text(ann.get("/@@operations"))


def test_undoing_takes_what_doing_the_opposite_takes(docs):
    # An author may add and edit, but neither move nor delete.
    pat = docs.sign_in("pat", "author")
    docs.sign_in("ann", "editor")
    with journal_of(docs, "ann") as (journal, node):
        number = journal.move([node("/docs/one")], node("/other")).id
    shown = text(pat.get("/@@operations"))
    assert "Undoing it takes a permission that you do not have there: move." in shown
    answer = pat.post(f"/@@operations/{number}/undo", {"csrf_token": token(pat)})
    assert "Undoing it takes a permission" in text(answer.follow())
    pat.get("/other/one", status=200)


def test_undoing_puts_nothing_where_one_may_not_add(docs):
    eve = docs.sign_in("eve", "editor", "/other")
    docs.sign_in("root", "administrator")
    with journal_of(docs, "root") as (journal, node):
        journal.move([node("/hush/page")], node("/other"))
    shown = text(eve.get("/@@operations"))
    assert "moved “Page” to “Other”" in shown
    assert "you do not have there: add pages." in shown


def test_filters(docs, ann):
    docs.sign_in("bob", "editor")
    with journal_of(docs, "ann") as (journal, node):
        journal.rename(node("/docs/one"), "uno")
        set_state(journal, [node("/docs/two")], DRAFT)
    with journal_of(docs, "bob") as (journal, node):
        journal.move([node("/docs/uno")], node("/other"))

    def listed(query):
        shown = text(ann.get(f"/@@operations?{query}"))
        return [word for word in ("renamed", "moved", "took") if f"{word} “" in shown]

    assert listed("") == ["renamed", "moved", "took"]
    assert listed("who=me") == ["renamed", "took"]
    assert listed("kind=rename") == ["renamed"]
    assert listed("kind=state") == ["took"]
    assert listed("person=BO") == ["moved"]
    assert listed("person=%00nobody%25_") == []
    assert listed("kind=nonsense&before=x&who=them") == ["renamed", "moved", "took"]
    assert listed("before=1") == []


def test_what_was_done_to_a_page_and_below(docs, ann):
    with journal_of(docs, "ann") as (journal, node):
        journal.rename(node("/docs/one"), "uno")
        journal.rename(node("/other"), "andere")
    shown = text(ann.get("/docs/@@operations"))
    assert "renamed “One”" in shown
    assert "“Other”" not in shown
    assert "renamed “Other”" in text(ann.get("/andere/@@operations"))
    docs.sign_in("pat", "reader").get("/docs/@@operations", status=403)


def test_a_list_takes_as_many_statements_for_many_as_for_few(docs, ann, count_statements):
    docs.sign_in("bob", "editor")
    paths = ("/@@operations", "/docs/@@operations")

    def opened():
        counts = []
        for path in paths:
            with count_statements(docs.database) as seen:
                ann.get(path, status=200)
            counts.append(len(seen))
        return counts

    with journal_of(docs, "ann") as (journal, node):
        journal.move([node("/docs/one")], node("/other"))
        journal.undo(journal.rename(node("/docs/two"), "x"))
    few = opened()
    for name in ("bob", "ann"):
        with journal_of(docs, name) as (journal, node):
            for number in range(12):
                journal.rename(node("/docs/two"), f"x{number}")
                journal.reorder(node("/docs"))
                journal.undo(journal.rename(node(f"/docs/x{number}"), "two"))
                journal.rename(node("/docs"), "docs")
                journal.rename(node(f"/docs/x{number}"), "two")
    many = opened()
    assert all(after <= before + 1 for before, after in zip(few, many, strict=True))
    assert max(many) <= 18
    for path in paths:
        following = ann.get(path).html.find("a", rel="next")["href"]
        assert "Ann" in text(ann.get(following))


def test_a_notice_is_shown_once_on_a_page_that_is_read(docs, ann):
    with journal_of(docs, "ann") as (journal, node):
        number = journal.rename(node("/docs/one"), "uno").id
    ann.post(f"/@@operations/{number}/undo", {"csrf_token": token(ann)})
    copy = ann.get("/docs/one")
    assert "Gave “One” its old name back." in text(copy)
    # Nobody keeps a page with a message on it.
    assert copy.headers["Cache-Control"] == "no-store"
    assert "ETag" not in copy.headers
    page = ann.get("/docs/one")
    assert "old name" not in text(page)
    # One that the browser has already does not swallow the message.
    form = {"csrf_token": token(ann)}
    ann.post(f"/@@operations/{number + 1}/undo", form)
    ann.get("/docs/uno", headers={"If-None-Match": page.headers["ETag"]}, status=200)
