"""The screen of a page's contents: who sees what, page by page, filters, and what was chosen."""

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest
from pyramid.response import Response
from sqlalchemy import update

from myproject.content.types import Folder, Link, Page
from myproject.testing import links, sign_in
from myproject.tree.node import DRAFT, Node

URL = "/docs/@@contents"
COUNT = 120
TITLES = ["beta", "Alpha", "gamma", "alpha"]


def tagging(config):
    """An add-on that does something with many pages."""
    config.add_bulk_action("tag", "Tag", view="tag-many")
    config.add_view(
        lambda context, request: Response("tagged"),
        name="tag-many",
        context=Node,
        request_method="POST",
        permission="edit",
    )


@pytest.fixture(scope="module")
def site(make_shared_site):
    site = make_shared_site(tagging)
    site.add("/docs", title="Docs")
    with site.tree() as tree:
        parent = site.node(tree, "/docs")
        nodes = []
        for number in range(COUNT):
            cls = {3: Folder, 4: Link}.get(number % 10, Page)
            node = cls(title=TITLES[number % 4], name=f"p{number:03}")
            if number % 6 == 1:
                node.state = DRAFT
            nodes.append(node)
        tree.add_many(parent, nodes)
        tree.session.flush()
        start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        for number, node in enumerate(nodes):
            # Ties in every order.
            moment = start + dt.timedelta(hours=number // 7 % 11)
            tree.session.execute(
                update(Node.__table__)
                .where(Node.__table__.c.id == node.id)
                .values(modified_at=moment)
            )
    site.add("/docs/p000/below", title="Below")
    site.add("/docs/secret", title="Nobody's business")
    site.make_private("/docs/secret")
    return site


@pytest.fixture(scope="module")
def editor(site):
    return sign_in(site, "ed", "editor")


@pytest.fixture(scope="module")
def ids(site):
    with site.tree() as tree:
        return {node.name: node.id for node in tree.session.query(Node)}


def names(answer):
    return [cell.text for cell in answer.html.select(".listed tbody .name-cell")]


def next_url(answer, rel="next"):
    link = answer.html.select_one(f".list-pages a[rel={rel}]")
    return None if link is None else link["href"]


def walk(client, url):
    """Return the names on all pages, from the first to the last."""
    found, pages = [], 0
    while url is not None:
        answer = client.get(url)
        found.append(names(answer))
        url = next_url(answer)
        pages += 1
        assert pages < 10
    return found


# -- who sees what --------------------------------------------------------------------------------


def test_it_is_for_those_who_may_edit(site, editor):
    reader = sign_in(site, "rae")
    assert "<code>edit</code>" in reader.get(URL, status=403)
    assert links(editor.get("/docs"))[URL].strip() == "Contents"
    assert URL not in links(reader.get("/docs"))


def test_what_may_not_be_seen_is_not_listed_nor_counted(site, editor):
    answer = editor.get(URL)
    assert "Nobody's business" not in answer
    assert answer.html.select_one(".list-count").text == "120 pages"
    boss = sign_in(site, "boss", "administrator")
    assert boss.get(URL).html.select_one(".list-count").text == "121 pages"


def test_what_is_in_the_trash_is_not_there(make_site):
    site = make_site()
    site.add("/docs")
    for name in "abc":
        site.add(f"/docs/{name}")
    with site.tree() as tree:
        tree.trash(site.node(tree, "/docs/b"))
    assert names(site.sign_in("ed", "editor").get(URL)) == ["a", "c"]


def test_a_row_says_what_the_page_is(site, editor):
    (row,) = editor.get(f"{URL}?q=p000").html.select(".listed tbody tr")
    cells = [cell.get_text(" ", strip=True) for cell in row.select("td, th")]
    assert row.select_one(".title-cell > a")["href"] == "/docs/p000"
    assert row.select_one(".into")["href"] == "/docs/p000/@@contents"
    assert {"Page", "Published", "2026-01-01 00:00", "p000"} <= set(cells)
    (row,) = editor.get(f"{URL}?q=p001").html.select(".listed tbody tr")
    assert row.select_one(".into") is None
    assert row.select_one(".state-cell").text == "Draft"


def test_a_row_says_who_has_saved_it_last(make_site):
    site = make_site()
    site.add("/docs")
    site.add("/docs/page")
    editor = site.sign_in("ed", "editor")
    row = editor.get(URL).html.select_one(".by-cell:not(th)")
    assert row.text == "command line"


def test_what_is_not_available_is_shown_as_kept(make_site):
    site = make_site()
    site.add("/docs")
    site.add("/docs/thing", title="A thing")
    with site.tree() as tree:
        node = site.node(tree, "/docs/thing")
        tree.session.execute(
            update(Node.__table__).where(Node.__table__.c.id == node.id).values(type="gone")
        )
    answer = site.sign_in("ed", "editor").get(URL)
    row = answer.html.select_one(".listed tbody tr")
    assert "kept until its add-on is switched on again" in row.text
    assert "/docs/thing" not in links(answer)


def test_a_row_offers_what_may_be_done_with_it(site, editor):
    manager = sign_in(site, "mia", "manager")
    assert "/docs/p000/@@sharing" in links(manager.get(URL))
    assert "/docs/p000/@@sharing" not in links(editor.get(URL))


# -- pages and orders -----------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["", "title", "modified", "type", "name"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_every_order_goes_through_ties_without_gap_or_repetition(site, editor, sort, direction):
    pages = walk(editor, f"{URL}?sort={direction}{sort or 'position'}")
    assert [len(page) for page in pages] == [50, 50, 20]
    flat = [name for page in pages for name in page]
    assert sorted(flat) == [f"p{number:03}" for number in range(COUNT)]
    if sort in ("", "name"):
        assert flat == sorted(flat, reverse=direction == "-")
    if sort == "title":
        shown = [TITLES[int(name[1:]) % 4].lower() for name in flat]
        assert shown == sorted(shown, reverse=direction == "-")


@pytest.mark.parametrize("sort", ["position", "-title", "-modified", "type"])
def test_pages_go_backwards_too(site, editor, sort):
    first = editor.get(f"{URL}?sort={sort}")
    second = editor.get(next_url(first))
    third = editor.get(next_url(second))
    assert next_url(third) is None
    back = editor.get(next_url(third, "prev"))
    assert names(back) == names(second)
    again = editor.get(next_url(back, "prev"))
    assert names(again) == names(first)
    assert next_url(again, "prev") is None


def test_a_page_goes_on_behind_what_was_deleted_or_has_another_title(make_site):
    site = make_site()
    site.add("/docs")
    with site.tree() as tree:
        nodes = [Page(title="same", name=f"p{number:03}") for number in range(60)]
        tree.add_many(site.node(tree, "/docs"), nodes)
    editor = site.sign_in("ed", "editor")
    for sort in ("position", "title"):
        first = editor.get(f"{URL}?sort={sort}")
        following = names(editor.get(next_url(first)))
        with site.tree() as tree:
            tree.purge(site.node(tree, f"/docs/{names(first)[-1]}"))
        assert names(editor.get(next_url(first))) == following


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=1", "after=1.x", "sort=modified&after=1.yesterday", "before=x.1",
     "sort=modified&after=1.2026-01-01T00:00:00", "after=9.99999999999999999999999"],
)  # fmt: skip
def test_no_place_in_the_list_is_a_bad_request(editor, query):
    assert "There is no such place in the list" in editor.get(f"{URL}?{query}", status=400)


@pytest.mark.parametrize("query", ["sort=nope", "sort=--title", "q=%00", "type=nope", "state=%00x"])
def test_whatever_else_is_asked_for_is_answered(editor, query):
    assert editor.get(f"{URL}?{query}").status_int == 200


def test_filters_go_along_through_pages_and_orders(editor):
    answer = editor.get(f"{URL}?q=ALPHA&type=page&state=published")
    expected = [
        f"p{number:03}"
        for number in range(COUNT)
        if TITLES[number % 4].lower() == "alpha" and number % 10 not in (3, 4) and number % 6 != 1
    ]
    assert names(answer) == expected
    title = next(a for a in answer.html.select("thead a") if a.text == "Title")["href"]
    assert parse_qs(urlsplit(title).query) == {
        "q": ["ALPHA"], "type": ["page"], "state": ["published"], "sort": ["title"],
    }  # fmt: skip
    assert sorted(names(editor.get(title))) == expected
    assert "No page is like that" in editor.get(f"{URL}?q=100%25_")


# -- what was chosen, without a script ------------------------------------------------------------


def press(answer, text):
    """Press a button of the list's form, as a browser does."""
    form = answer.html.select_one("form.chosen")
    button = next(b for b in form.select("button[formaction]") if b.text.strip() == text)
    fields = [
        (field["name"], field["value"])
        for field in form.select("input[name]")
        if field["type"] == "hidden" or field.has_attr("checked")
    ]
    if button.get("name"):
        fields.append((button["name"], button["value"]))
    return button["formaction"], fields


def check(answer, *wanted):
    for box in answer.html.select(".listed tbody .check-cell input"):
        if box["value"] in wanted:
            box["checked"] = ""
    return answer


def test_what_is_chosen_travels_from_page_to_page(editor, ids):
    first = editor.get(URL)
    check(first, str(ids["p001"]), str(ids["p003"]))
    second = editor.post(*press(first, "Next"))
    assert names(second)[0] == "p050"
    assert second.html.select_one(".bulk-count").text == "2 chosen"
    check(second, str(ids["p055"]))
    back = editor.post(*press(second, "Previous"))
    assert names(back)[0] == "p000"
    assert back.html.select_one(".bulk-count").text == "3 chosen"
    shown = [box["value"] for box in back.html.select(".check-cell input[checked]")]
    assert shown == [str(ids["p001"]), str(ids["p003"])]
    # All of them are in the form that an action is posted with.
    _, fields = press(back, "Tag")
    assert {value for name, value in fields if name == "ids"} == {
        str(ids[name]) for name in ("p001", "p003", "p055")
    }
    none = editor.post(*press(back, "Choose none"))
    assert none.html.select(".check-cell input[checked]") == []


def test_all_that_match_can_be_chosen(editor):
    answer = editor.get(f"{URL}?q=alpha")
    answer = editor.post(*press(answer, "Choose all 60"))
    assert answer.html.select_one(".bulk-count").text == "60 chosen"
    assert len(answer.html.select("form.chosen input[data-carried]")) == 10


def test_only_what_is_there_stays_chosen(editor, ids):
    answer = editor.get(URL)
    address, fields = press(answer, "Next")
    wrong = [("ids", text) for text in ("x", "-1", "9" * 30, "99999", str(ids["below"]))]
    answer = editor.post(address, [*fields, *wrong, ("ids", str(ids["secret"]))])
    assert answer.html.select_one(".bulk-count").text == "With all that are chosen"


def test_not_more_than_a_thousand(editor):
    address, fields = press(editor.get(URL), "Next")
    many = [("ids", str(number)) for number in range(1, 1200)]
    answer = editor.post(address, [*fields, *many])
    assert "At most 1000 pages can be chosen at once." in answer


def test_choosing_writes_nothing_and_waits_for_nobody(site, editor, ids):
    address, fields = press(editor.get(URL), "Next")
    with site.database.transaction() as session:
        session.execute(update(Node.__table__).values(summary="Locked."))
        # On SQLite a request that might write would wait for this one to end.
        editor.post(address, [*fields, ("ids", str(ids["p001"]))], status=200)


def test_a_form_without_its_token_is_refused(editor):
    address, fields = press(editor.get(URL), "Next")
    fields = [(name, value) for name, value in fields if name != "csrf_token"]
    editor.post(address, fields, status=400)


# -- cost -----------------------------------------------------------------------------------------


def test_fifty_lines_take_as_many_statements_as_one(site, editor, count_statements):
    editor.get("/")
    seen = {}
    for query in ("", "?sort=title", "?q=p000", "?sort=-modified&type=page"):
        with count_statements(site.database) as statements:
            editor.get(URL + query)
        seen[query] = len(statements)
    # The way to the page, who asks and in which time zone, the lines, by whom, how many there are,
    # and the tree beside them.
    assert max(seen.values()) <= 7, seen
