"""HTML or Markdown on the same address."""

import pytest

from myproject.content.types import Folder, Link
from myproject.tree.node import DRAFT


@pytest.fixture(scope="module")
def docs(shared_site):
    site = shared_site
    target = site.add("/a (b)", "x", title="A")
    gone = site.add("/gone")
    hidden = site.add("/hidden", state=DRAFT)
    links = f"[there](node:{target}#x) [gone](node:{gone}) [hidden](node:{hidden})"
    site.add(
        "/page", f"Some **text**.\n\n{links}\n\n    node:{target}\n", title="A page", summary="S"
    )
    site.add("/folder", cls=Folder, title="F")
    site.add("/folder/x(1", title="[Odd] *title* `x` \\ <b>")
    site.add("/folder/draft", title="Hidden", state=DRAFT)
    site.add("/link", cls=Link, url="https://example.org/")
    with site.tree() as tree:
        tree.purge(site.node(tree, "/gone"))
    return site


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/*", "text/html"),
        ("application/json", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/markdown", "text/markdown"),
        ("TEXT/Markdown", "text/markdown"),
        ("text/markdown;q=0.5", "text/markdown"),
        ("text/markdown, */*", "text/markdown"),
        ("text/markdown, text/html, */*", "text/markdown"),
        ("text/html, text/markdown", "text/html"),
        ("text/html;q=0.9, text/markdown", "text/markdown"),
        ("text/markdown;q=0.1, text/html", "text/html"),
        ("text/markdown;q=0, */*", "text/html"),
        ("text/markdown;variant=GFM", "text/html"),
    ],
)
def test_the_client_gets_what_it_likes_best(docs, fetch, accept, kind):
    headers = {"Accept": accept} if accept else {}
    for path in ("/page", "/folder"):
        response = fetch(docs, path, headers=headers)
        assert (response.status_int, response.content_type) == (200, kind)


def test_both_ways_to_the_source_give_the_same(docs, fetch):
    negotiated = fetch(docs, "/page", headers={"Accept": "text/markdown"})
    named = fetch(docs, "/page/@@source")
    assert negotiated.text == named.text
    assert named.headers["Content-Type"] == "text/markdown; charset=UTF-8"


def test_the_source_has_front_matter_and_addresses(docs, fetch):
    text = fetch(docs, "/page/@@source").text
    assert text.startswith("---\n")
    assert "title: A page" in text
    assert "Some **text**." in text
    assert "/a%20" in text
    assert "[there](node:" not in text


def test_a_folder_s_source_lists_its_children_as_links(docs, fetch):
    text = fetch(docs, "/folder/@@source").text
    assert r"- [\[Odd\] \*title\* \`x\` \\ \<b\>](</folder/x(1>)" in text
    assert "Hidden" not in text


def test_a_link_has_no_source(docs, fetch):
    assert fetch(docs, "/link/@@source").status_int == 404
    assert fetch(docs, "/link", headers={"Accept": "text/markdown"}).status_int == 302
