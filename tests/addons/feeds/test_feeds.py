"""Feeds of a place, over HTTP."""

import datetime as dt

import pytest
from sqlalchemy import text

from myproject.content.types import Folder, Link
from myproject.testing import links

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def day(number):
    return DAY + dt.timedelta(days=number)


def add(site, path, number, body="", **fields):
    return site.add(path, body, modified_at=day(number), created_at=day(0), **fields)


@pytest.fixture
def news(make_site):
    """A section with three pages, one of them deeper, and a page elsewhere."""
    site = make_site(addons="feeds")
    add(site, "/news", 1, title="News", summary="What is new")
    add(site, "/news/old", 2, "Old.", title="Old")
    add(site, "/news/2026", 3, cls=Folder, title="Year 2026")
    add(site, "/news/2026/new", 5, "New.", title="New", summary="A summary")
    add(site, "/other", 4, title="Other")
    return site


def test_a_feed_has_what_is_below_its_place_the_newest_first(news, atom):
    feed = atom(news.client.get("/news/@@feed.atom"))
    assert feed.titles == ["New", "Year 2026", "Old", "News"]
    assert "Other" in atom(news.client.get("/@@feed.atom")).titles
    assert feed.root.findtext(f"{ATOM}title") == "News – My site"
    assert feed.root.findtext(f"{ATOM}subtitle") == "What is new"
    assert feed.root.findtext(f"{ATOM}updated") == "2026-05-06T12:00:00Z"
    assert feed.link("self") == "http://localhost/news/@@feed.atom"
    assert feed.link("alternate") == "http://localhost/news"
    assert feed.link("next") is None


def test_an_entry_says_when_where_and_what(news, atom):
    entry = atom(news.client.get("/news/@@feed.atom")).entry("New")
    assert entry.find(f"{ATOM}link").get("href") == "http://localhost/news/2026/new"
    assert entry.findtext(f"{ATOM}published") == "2026-05-01T12:00:00Z"
    assert entry.findtext(f"{ATOM}updated") == "2026-05-06T12:00:00Z"
    assert entry.findtext(f"{ATOM}summary") == "A summary"
    content = entry.find(f"{ATOM}content")
    assert (content.get("type"), content.text) == ("html", "<p>New.</p>\n")
    category = entry.find(f"{ATOM}category")
    assert (category.get("term"), category.get("label")) == ("/news/2026", "Year 2026")


def test_json_says_the_same(news):
    answer = news.client.get("/news/@@feed.json")
    assert answer.content_type == "application/feed+json"
    feed = answer.json
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "News – My site"
    assert feed["feed_url"] == "http://localhost/news/@@feed.json"
    assert feed["home_page_url"] == "http://localhost/news"
    assert [item["title"] for item in feed["items"]] == ["New", "Year 2026", "Old", "News"]
    new = feed["items"][0]
    assert new["content_html"] == "<p>New.</p>\n"
    assert new["url"] == "http://localhost/news/2026/new"
    assert new["tags"] == ["Year 2026"]
    assert new["date_modified"] == "2026-05-06T12:00:00+00:00"
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert "content_html" in item or "content_text" in item


def test_an_empty_feed_is_a_feed(make_site):
    site = make_site(addons="feeds")
    feed = site.client.get("/@@feed.json").json
    assert [item["title"] for item in feed["items"]] == ["Home"]
    assert feed["items"][0]["content_html"] == ""


def test_summaries_only_where_the_setting_says_so(make_site, atom):
    site = make_site(addons="feeds", **{"feeds.full_text": "false"})
    site.add("/a", "All of it.", title="A", summary="Some of it")
    answer = site.client.get("/@@feed.atom")
    assert "All of it" not in answer
    assert atom(answer).entry("A").findtext(f"{ATOM}summary") == "Some of it"
    items = site.client.get("/@@feed.json").json["items"]
    assert [item["content_text"] for item in items] == ["Some of it", "Home"]


def test_further_pages_follow_by_key(make_site, atom):
    site = make_site(addons="feeds", **{"feeds.size": "2"})
    for number in range(5):
        # Two of one moment are told apart by their ids.
        add(site, f"/p{number}", number // 2, title=f"P{number}")
    seen, url = [], "/@@feed.atom"
    while url:
        feed = atom(site.client.get(url))
        assert feed.link("self").endswith(url.removeprefix("http://localhost"))
        assert feed.link("first") == "http://localhost/@@feed.atom"
        assert len(feed.titles) <= 2
        seen += feed.titles
        url = feed.link("next")
    assert sorted(seen) == ["Home", "P0", "P1", "P2", "P3", "P4"]
    assert [title for title in seen if title != "Home"] == ["P4", "P3", "P2", "P1", "P0"]
    assert "next_url" in site.client.get("/@@feed.json").json


@pytest.mark.parametrize("after", ["x", "1", "999999999999999999.1", "-1.-1", "1.1.1", ""])
def test_a_page_that_cannot_be_is_a_bad_request(news, after):
    news.client.get(f"/@@feed.atom?after={after}", status=400)


# -- addresses ------------------------------------------------------------------------------------


def test_addresses_in_texts_are_complete(make_site, atom):
    site = make_site(addons="feeds")
    target = site.add("/a b", title="Target")
    gone = site.add("/gone", title="Gone")
    body = (
        f"[in](node:{target}#part) [gone](node:{gone}) [next](sibling?x=1&y=2) [here](#x) "
        f'[away](https://example.org/a) ![p](/p.png)\n\n`href="node:{target}"` &lt;b&gt;'
    )
    site.add("/s", title="S")
    site.add("/s/page", body, title="<b>&amp;")
    with site.tree() as tree:
        tree.purge(site.node(tree, "/gone"))
    html = atom(site.client.get("/s/@@feed.atom")).entry("<b>&amp;").findtext(f"{ATOM}content")
    for expected in (
        '<a href="http://localhost/a%20b#part">in</a>',
        "<a>gone</a>",
        'href="http://localhost/s/sibling?x=1&amp;y=2"',
        'href="http://localhost/s/page#x"',
        'href="https://example.org/a"',
        'src="http://localhost/p.png"',
        f'<code>href="node:{target}"</code>',
        "&lt;b&gt;",
    ):
        assert expected in html, expected


def test_what_xml_cannot_hold_is_left_out(make_site, atom):
    site = make_site(addons="feeds")
    site.add("/a", "x\x0cy ]]> z\ufffe", title="A\x08B & <C>", summary="\x1b[0m")
    assert atom(site.client.get("/@@feed.atom")).titles[0] == "AB & <C>"


def test_ids_survive_moves_and_are_those_of_the_canonical_host(make_site, atom):
    site = make_site(addons="feeds", canonical_host="https://example.org")
    number = site.add("/a", title="A")
    site.add("/b", title="B")
    before = atom(site.client.get("/@@feed.atom")).entry("A").findtext(f"{ATOM}id")
    assert before == f"tag:example.org,2026:node/{number}"
    with site.tree() as tree:
        tree.move(site.node(tree, "/a"), site.node(tree, "/b"), "c")
    entry = atom(site.client.get("/b/@@feed.atom")).entry("A")
    assert entry.findtext(f"{ATOM}id") == before
    assert entry.find(f"{ATOM}link").get("href") == "https://example.org/b/c"


def test_authors_are_those_that_a_page_names(make_site, atom):
    site = make_site(addons="feeds", site_title="The site")
    site.add("/a", title="A", extra={"author": "Ada"})
    site.add("/b", title="B", extra={"authors": [{"name": "Bob"}, "Bea", 7, {}]})
    feed = atom(site.client.get("/@@feed.atom"))
    assert feed.root.findtext(f"{ATOM}author/{ATOM}name") == "The site"
    names = {
        title: [name.text for name in feed.entry(title).findall(f"{ATOM}author/{ATOM}name")]
        for title in feed.titles
    }
    assert names == {"A": ["Ada"], "B": ["Bob", "Bea"], "Home": []}


def test_below_a_virtual_root_and_a_mount_point(make_site, atom):
    site = make_site(addons="feeds", virtual_root_header="true", trusted_proxies="127.0.0.1")
    number = site.add("/shop", title="Shop")
    site.add("/shop/a", f"[shop](node:{number})", title="A")
    site.add("/other", title="Other")
    vhm = {"HTTP_X_VHM_ROOT": "/shop", "REMOTE_ADDR": "127.0.0.1"}
    feed = atom(site.client.get("/@@feed.atom", extra_environ=vhm))
    assert feed.titles == ["A", "Shop"]
    assert feed.root.findtext(f"{ATOM}title") == "My site"
    assert feed.link("self") == "http://localhost/@@feed.atom"
    assert feed.entry("A").find(f"{ATOM}link").get("href") == "http://localhost/a"
    assert 'href="http://localhost/"' in feed.entry("A").findtext(f"{ATOM}content")

    mount = {"SCRIPT_NAME": "/m"}
    mounted = site.client.get("/shop/@@feed.atom", extra_environ=mount)
    assert atom(mounted).entry("A").find(f"{ATOM}link").get("href") == "http://localhost/m/shop/a"
    page = site.client.get("/shop", extra_environ=mount)
    assert 'href="/m/shop/@@feed.atom"' in page


# -- who may see what -----------------------------------------------------------------------------


@pytest.fixture
def guarded(make_site):
    site = make_site(addons="feeds")
    site.add("/public", title="Public")
    site.add("/draft", title="Draft", state="draft")
    site.add("/draft/below", title="Below a draft")
    site.add("/private", title="Private")
    site.add("/private/open", title="Open")
    site.make_private("/private")
    site.grant("everyone", "reader", "/private/open")
    return site


def titles(client, path="/@@feed.json"):
    return {item["title"] for item in client.get(path).json["items"]}


def test_everybody_gets_what_they_may_see(guarded):
    everything = {"Home", "Public", "Draft", "Below a draft", "Private", "Open"}
    assert titles(guarded.client) == {"Home", "Public", "Open"}
    assert titles(guarded.sign_in("edith", "editor")) == everything - {"Private"}
    assert titles(guarded.sign_in("ada", "administrator")) == everything


def test_the_title_of_a_private_section_is_nobody_elses_business(guarded):
    open_page = next(
        item for item in guarded.client.get("/@@feed.json").json["items"] if item["title"] == "Open"
    )
    assert "tags" not in open_page
    guarded.client.get("/draft/@@feed.atom", status=404)
    assert "/@@sign-in" in guarded.client.get("/private/@@feed.atom", status=302).location


def test_links_to_private_pages_lead_nowhere(guarded):
    with guarded.tree() as tree:
        number = guarded.node(tree, "/private").id
    guarded.add("/link", f"[x](node:{number})", title="Link")
    assert '"<p><a>x</a></p>\\n"' in guarded.client.get("/link/@@feed.json")


def test_nodes_of_types_that_are_switched_off_are_left_out(guarded):
    with guarded.database.writer.begin() as connection:
        connection.execute(text("UPDATE node SET type = 'gone' WHERE name = 'public'"))
    assert titles(guarded.client) == {"Home", "Open"}
    guarded.client.get("/public/@@feed.atom", status=404)


def test_links_are_entries_as_well(make_site):
    site = make_site(addons="feeds")
    site.add("/l", cls=Link, title="L", url="https://example.org/")
    item = site.client.get("/@@feed.json").json["items"][0]
    assert (item["title"], item["url"], item["content_text"]) == ("L", "http://localhost/l", "L")


# -- HTTP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["feed.atom", "feed.json"])
def test_a_copy_that_is_current_is_not_sent_again(news, name):
    answer = news.client.get(f"/news/@@{name}")
    again = {"If-None-Match": answer.headers["ETag"]}
    with news.statements() as seen:
        assert news.client.get(f"/news/@@{name}", headers=again).status_int == 304
    assert len(seen) <= 2
    news.add("/news/newer", title="Newer")
    assert news.client.get(f"/news/@@{name}", headers=again).status_int == 200
    head = news.client.head(f"/news/@@{name}")
    assert (head.status_int, head.body) == (200, b"")


def test_a_feed_for_somebody_is_private(news):
    assert "private" not in news.client.get("/@@feed.atom").headers["Cache-Control"]
    client = news.sign_in("edith", "editor")
    assert "private" in client.get("/@@feed.atom").headers["Cache-Control"]


def test_feeds_take_few_statements(news):
    news.client.get("/")
    for path in ("/@@feed.atom", "/news/@@feed.json"):
        with news.statements() as seen:
            news.client.get(path)
        assert len(seen) <= 5, seen


def test_pages_say_where_their_feeds_are(news):
    page = news.client.get("/news")
    assert (
        '<link rel="alternate" type="application/atom+xml" title="News – My site" '
        'href="/news/@@feed.atom">'
    ) in page
    assert links(page)["/news/@@feed.atom"] == "Atom"
    assert "feed.atom" not in news.client.get("/@@sign-in")
    assert "feed.atom" not in news.client.get("/nope", status=404)


def test_nothing_of_it_remains_when_it_is_switched_off(news, make_site):
    off = make_site()
    assert "feed.atom" not in off.client.get("/news")
    off.client.get("/news/@@feed.atom", status=404)
