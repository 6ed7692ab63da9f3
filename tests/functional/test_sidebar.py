"""The tree beside editors' screens: what is open, what is fetched, and for whom."""

import pytest

from myproject.content.types import Page
from myproject.testing import links, sign_in
from myproject.tree.node import DRAFT, Node

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def site(shared_site):
    site = shared_site
    for path in ("/a", "/a/b", "/a/b/c", "/many", "/z"):
        site.add(path, title=path.upper())
    site.add("/a/b/c/d", title="Deep down", state=DRAFT)
    site.add("/a/b/c/d/e", title="Below a draft")
    with site.tree() as tree:
        pages = [Page(title=f"Number {n}", name=f"n{n:03}") for n in range(130)]
        tree.add_many(site.node(tree, "/many"), pages)
    site.add("/many/n070/child", title="Child")
    site.add("/a/secret", title="Hush")
    site.make_private("/a/secret")
    return site


@pytest.fixture(scope="module")
def editor(site):
    return sign_in(site, "ed", "editor")


@pytest.fixture(scope="module")
def ids(site):
    with site.tree() as tree:
        return {node.name: node.id for node in tree.session.query(Node)}


def titles(items):
    return [item.find("a").contents[0].strip() for item in items]


def open_branches(answer):
    tree = answer.html.select_one("nav.outline .outline-tree")
    return [titles(group.find_all("li", recursive=False)) for group in tree.find_all("ul")]


def test_the_way_to_the_page_is_open_in_one_statement(site, editor, count_statements):
    answer = editor.get("/a/b/c/d/@@contents")
    assert open_branches(answer) == [
        ["/A", "/MANY", "/Z"], ["/A/B"], ["/A/B/C"], ["Deep down"], ["Below a draft"],
    ]  # fmt: skip
    current = answer.html.select("nav.outline [aria-current]")
    assert [link["href"] for link in current] == ["/a/b/c/d/@@contents"]
    states = [dot["class"][1] for dot in answer.html.select("nav.outline .dot")]
    assert states == ["draft", "private"]
    assert "Hush" not in answer
    counts = set()
    for path in ("/a", "/a/b/c/d"):
        with count_statements(site.database) as seen:
            editor.get(f"{path}/@@contents")
        counts.add(len(seen))
    # However deep it lies.
    assert len(counts) == 1, counts


def test_a_page_among_many_is_in_the_middle_of_its_branch(editor):
    answer = editor.get("/many/n070/@@contents")
    (_, branch, _) = open_branches(answer)
    assert branch[0] == "… Earlier pages"
    assert branch[-1] == "… More pages"
    assert branch[1:-1] == [f"Number {n}" for n in range(45, 95)]
    assert "/many/n070/child/@@contents" in links(answer)


def test_branches_go_on_in_both_directions(editor):
    first = editor.get("/many/@@tree", headers=FRAGMENT)
    items = first.html.select("ul > li")
    assert titles(items)[:2] == ["Number 0", "Number 1"]
    assert len(items) == 51
    second = editor.get(items[-1].a["href"], headers=FRAGMENT).html.select("ul > li")
    assert titles(second)[:2] == ["… Earlier pages", "Number 50"]
    third = editor.get(second[-1].a["href"], headers=FRAGMENT).html.select("ul > li")
    assert titles(third)[-1] == "Number 129"
    assert len(third) == 31
    back = editor.get(third[0].a["href"], headers=FRAGMENT).html.select("ul > li")
    assert titles(back)[1:-1] == titles(second)[1:-1]
    for wrong in ("x", "1", "1.x"):
        editor.get(f"/many/@@tree?after={wrong}", headers=FRAGMENT, status=400)


def test_branches_are_opened_again_all_at_once(site, editor, ids, count_statements):
    wanted = ",".join(str(ids[name]) for name in ("a", "c", "secret"))
    with count_statements(site.database) as seen:
        answer = editor.get(f"/@@tree?open={wanted},999999,x,", headers=FRAGMENT)
    groups = answer.html.find_all("ul")
    assert [group["data-for"] for group in groups] == [str(ids["a"]), str(ids["c"])]
    assert titles(groups[1].find_all("li")) == ["Deep down"]
    assert len(seen) <= 5
    assert editor.get("/@@tree?open=", headers=FRAGMENT).text.strip() == ""


def test_pages_are_found_by_their_titles(editor):
    found = editor.get("/z/@@tree?q=deep", headers=FRAGMENT)
    assert links(found)["/a/b/c/d"].startswith("Deep down")
    assert "(Draft)" in found
    assert "Hush" not in editor.get("/@@tree?q=hush", headers=FRAGMENT)
    # Without a script it is a screen.
    screen = editor.get("/@@tree?q=deep")
    assert "Deep down" in screen.html.select_one("main").text
    assert screen.html.select_one("nav.outline") is not None


def test_who_may_edit_a_part_gets_to_its_contents_and_else_to_the_pages(site):
    local = sign_in(site, "lee", "editor", "/a/b")
    tree = local.get("/a/b/@@contents").html.select_one("nav.outline")
    addresses = [link["href"] for link in tree.select("a")]
    assert "/a/b/c/@@contents" in addresses
    assert "/many" in addresses
    assert "/many/@@contents" not in addresses


def test_it_begins_where_one_may_begin_to_look(site):
    site.add("/a/secret/mine", title="Mine")
    client = sign_in(site, "mo", "editor", "/a/secret/mine")
    answer = client.get("/a/secret/mine/@@contents")
    assert titles(answer.html.select("nav.outline .outline-tree > li")) == ["Mine"]
    assert "Hush" not in answer


def test_visitors_are_sent_to_sign_in(site, fetch):
    for target in ("/a/@@tree", "/a/@@tree?q=deep"):
        answer = fetch(site, target)
        assert answer.status_int == 302
        assert "/@@sign-in" in answer.location
    assert fetch(site, "/a/@@tree", headers=FRAGMENT).status_int == 403
