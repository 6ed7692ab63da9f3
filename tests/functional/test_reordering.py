"""Putting pages in order: by neighbour, direction and number, and what cannot be done."""

import pytest
from sqlalchemy import select

from myproject.content.journal import Operation
from myproject.testing import sign_in
from myproject.tree.node import Node

URL, LIST = "/docs/@@reorder", "/docs/@@contents"


@pytest.fixture(scope="module")
def site(shared_site):
    site = shared_site
    site.add("/docs", title="Docs")
    for name in "abcdef":
        site.add(f"/docs/{name}", title=name.upper())
    site.add("/docs/hidden", title="Hush")
    site.make_private("/docs/hidden")
    site.add("/other")
    return site


@pytest.fixture(scope="module")
def editor(site):
    return sign_in(site, "ed", "editor")


@pytest.fixture
def ids(site, editor):
    """Name -> id, with the pages in the order of their names."""
    with site.tree() as tree:
        parent = site.node(tree, "/docs")
        for name in ("a", "b", "c", "d", "e", "f", "hidden"):
            tree.reorder(parent[name])
        return {node.name: node.id for node in tree.session.scalars(select(Node))}


@pytest.fixture
def put(editor):
    """``put(node=3, direction="up")``: post it, as the screen does."""
    token = editor.get(LIST).html.select_one("form.chosen input[name=csrf_token]")["value"]

    def post(status=303, **fields):
        return editor.post(URL, {"csrf_token": token, **fields}, status=status)

    return post


def order(client, url=LIST):
    return "".join(cell.text for cell in client.get(url).html.select("tbody .name-cell"))


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("c", {"before": "a"}, "cabdef"),
        ("a", {"before": "f"}, "bcdeaf"),
        ("c", {"before": "c"}, "abcdef"),
        ("c", {"direction": "up"}, "acbdef"),
        ("c", {"direction": "down"}, "abdcef"),
        ("c", {"direction": "top"}, "cabdef"),
        ("c", {"direction": "bottom"}, "abdefc"),
        ("a", {"direction": "up"}, "abcdef"),
        ("a", {"direction": "top"}, "abcdef"),
        ("f", {"direction": "down"}, "abcdef"),
        ("e", {"direction": "down"}, "abcdfe"),
        ("c", {"position": "1"}, "cabdef"),
        ("c", {"position": " 5 "}, "abdecf"),
        ("c", {"position": "3"}, "abcdef"),
        ("a", {"position": "999999999"}, "bcdefa"),
    ],
)
def test_a_page_goes_where_it_is_put(editor, ids, put, name, fields, expected):
    if "before" in fields:
        fields = {"before": ids[fields["before"]]}
    answer = put(node=ids[name], **fields)
    assert answer.location == f"http://localhost{LIST}"
    assert order(editor) == expected


def test_it_is_one_row_that_is_written_and_one_operation(site, ids, put):
    with site.tree() as tree:
        before = dict(tree.session.execute(select(Node.id, Node.position)).all())
        known = len(tree.session.scalars(select(Operation)).all())
    put(node=ids["e"], before=ids["b"])
    with site.tree() as tree:
        after = dict(tree.session.execute(select(Node.id, Node.position)).all())
        operations = tree.session.scalars(select(Operation).order_by(Operation.id)).all()
        assert [number for number in after if after[number] != before[number]] == [ids["e"]]
        assert len(operations) == known + 1
        last = operations[-1]
        assert (last.kind, last.title, last.actor, last.count) == ("reorder", "E", "ed", 1)


def test_it_goes_back_to_the_list_as_it_was_shown(ids, put):
    back = f"{LIST}?sort=-title&q=a"
    assert put(node=ids["c"], direction="up", back=back).location == f"http://localhost{back}"
    for back in ("https://example.org/", "//example.org/docs/@@contents", "/other"):
        assert put(node=ids["c"], direction="up", back=back).location == f"http://localhost{LIST}"


@pytest.mark.parametrize(
    "node", ["", "x", "-1", "1", "99999999", "9" * 40, "hidden", "other", "docs"]
)
def test_a_page_that_is_not_in_the_list_is_told(editor, ids, put, node):
    answer = put(node=ids.get(node, node), direction="up", status=422)
    assert "The page is no longer in this list" in answer
    # It is shown anew.
    assert order(editor) == "abcdef"
    assert len(answer.html.select("tbody tr")) == 6
    assert "Hush" not in answer


@pytest.mark.parametrize("before", ["", "x", "99999999", "hidden", "other"])
def test_a_neighbour_that_is_gone_is_told(editor, ids, put, before):
    answer = put(node=ids["e"], before=ids.get(before, before), status=422)
    assert "The page that it was to stand before is no longer in this list" in answer
    assert order(editor) == "abcdef"


@pytest.mark.parametrize(
    "fields",
    [{}, {"direction": "sideways"}, {"position": "0"}, {"position": "-3"}, {"position": "1.5"},
     {"position": "١"}, {"position": "9" * 30}],
)  # fmt: skip
def test_what_makes_no_sense_is_told(editor, ids, put, fields):
    answer = put(node=ids["c"], **fields, status=422)
    assert "Give the number of a position" in answer
    assert order(editor) == "abcdef"


def test_a_neighbour_in_the_trash_is_gone(make_site):
    site = make_site()
    site.add("/docs")
    found = {name: site.add(f"/docs/{name}") for name in "abc"}
    editor = site.sign_in("ed", "editor")
    form = editor.get(LIST).html.select_one("form.chosen input[name=csrf_token]")
    with site.tree() as tree:
        tree.trash(site.node(tree, "/docs/b"))
    fields = {"csrf_token": form["value"], "node": found["c"]}
    answer = editor.post(URL, {**fields, "before": found["b"]}, status=422)
    assert "is no longer in this list" in answer
    # The one before it counts as its neighbour.
    editor.post(URL, {**fields, "direction": "up"}, status=303)
    assert order(editor) == "ca"


def test_a_number_is_asked_for_on_a_screen_of_its_own(editor, ids):
    asked = editor.get(f"{URL}?node={ids['d']}&back={LIST}?q=d")
    form = next(form for form in asked.forms.values() if "position" in form.fields)
    assert form["position"].value == "4"
    assert "the last one is 6" in asked.text
    form["position"] = "2"
    answer = form.submit()
    assert answer.location == f"http://localhost{LIST}?q=d"
    assert order(editor) == "adbcef"
    for node in ("", "x", ids["hidden"], ids["other"]):
        editor.get(f"{URL}?node={node}", status=404)


def test_every_row_has_buttons_for_it(editor, ids):
    screen = editor.get(LIST)
    row = screen.html.select_one(f"tr[data-id='{ids['c']}']")
    button = next(b for b in row.select("button[formaction]") if b.text == "Move up")
    fields = [
        (field["name"], field["value"])
        for field in screen.html.select("form.chosen input[type=hidden][name]")
    ]
    answer = editor.post(button["formaction"], fields)
    assert answer.location == f"http://localhost{LIST}"
    assert order(editor) == "acbdef"


def test_it_takes_the_permission_at_the_place_and_none_at_the_page(site, ids, put):
    author = sign_in(site, "ann", "author")
    screen = author.get(LIST)
    assert screen.html.select(".grip") == []
    assert screen.html.select("[formaction*='@@reorder'], a[href*='@@reorder']") == []
    token = screen.html.select_one("form.chosen input[name=csrf_token]")["value"]
    fields = {"csrf_token": token, "node": ids["c"], "direction": "up"}
    assert "<code>move</code>" in author.post(URL, fields, status=403)
    # Who may move one of the pages alone cannot put it above the others.
    local = sign_in(site, "lee", "editor", "/docs/c")
    local.post(URL, fields, status=403)
