"""What is found, and by whom."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myproject.addons.search.words import words_of
from myproject.content.operations import save
from myproject.content.types import Folder, Link
from myproject.tree.node import DRAFT

SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def full(shared_site):
    """Pages about cooking, with a private section, drafts, a folder and a link."""
    site = shared_site
    site.add("/soups", "All soups need salt.", title="Soups", summary="Hot things")
    site.add("/soups/goulash", "Paprika & **onions**, config.toml", title="Gulyás")
    site.add("/soups/onion", "Salt and salt.", title="Onion soup")
    site.add("/cakes", cls=Folder, title="Cakes", summary="Sweet: crème brûlée")
    site.add("/cakes/salt", "Caramel.", title="Salt cake", nav_title="Briny")
    site.add("/elsewhere", cls=Link, title="Elsewhere", url="https://example.org/salty")
    site.add("/drafts", "Unfinished salt.", title="Draft", state=DRAFT)
    site.add("/drafts/below", "Published salt below a draft.", title="Below draft")
    site.add("/private", "Secret salt.", title="Private")
    site.add("/private/page", "More secret salt.", title="Private page")
    site.make_private("/private")
    return site


@pytest.fixture(scope="module")
def people(full):
    return {
        "nobody": full.client,
        "editor": full.sign_in("ed", "editor"),
        "insider": full.sign_in("ida", "reader", "/private"),
        "administrator": full.sign_in("ada", "administrator"),
    }


def test_by_word_without_regard_to_case_and_accents(full, found):
    for text in ("gulyas", "GULYÁS", "onions paprika", "config.toml", '"paprika onions"'):
        assert found(full.client, text) == ["Gulyás"], text
    assert found(full.client, "creme BRULEE") == ["Cakes"]
    assert found(full.client, "briny") == ["Salt cake"]
    assert found(full.client, "hot") == ["Soups"]
    assert found(full.client, "example") == ["Elsewhere"]


def test_what_is_not_wanted_is_left_out(full, found):
    assert found(full.client, "onion") == ["Onion soup"]
    assert found(full.client, "onion*") == ["Onion soup", "Gulyás"]
    assert found(full.client, "onion* -paprika") == ["Onion soup"]
    assert found(full.client, '"onions paprika"') == []
    assert found(full.client, "salt -soups -cake") == ["Onion soup"]


def test_titles_come_first(full, found):
    assert found(full.client, "salt")[0] == "Salt cake"
    assert set(found(full.client, "salt")) == {"Salt cake", "Soups", "Onion soup"}


EVERYBODY = {"Salt cake", "Soups", "Onion soup"}
DRAFTS = {"Draft", "Below draft"}
PRIVATE = {"Private", "Private page"}


@pytest.mark.parametrize(
    ("who", "more"),
    [
        ("nobody", set()),
        ("editor", DRAFTS),
        ("insider", PRIVATE),
        ("administrator", DRAFTS | PRIVATE),
    ],
)
def test_everybody_finds_what_they_may_see(people, found, who, more):
    assert set(found(people[who], "salt")) == EVERYBODY | more


@pytest.mark.parametrize("who", ["nobody", "editor", "insider", "administrator"])
def test_whoever_finds_a_page_may_open_it(people, who):
    for word in ("salt", "soup*", "pri*", "dra*", "caramel"):
        html = people[who].get("/@@search", {"q": word}).html
        for link in html.select(".search-results h2 a"):
            people[who].get(link["href"])


def test_a_section_limits_the_search(full, found, people):
    assert found(full.client, "salt", "/soups/@@search") == ["Onion soup", "Soups"]
    assert found(full.client, "salt", "/cakes/@@search") == ["Salt cake"]
    assert found(people["editor"], "salt", "/drafts/@@search") == ["Draft", "Below draft"]
    assert "@@sign-in" in full.client.get("/private/@@search?q=salt", status=302).location


def test_a_section_is_chosen_by_its_path(full):
    form = full.client.get("/soups/@@search?q=salt").forms[0]
    assert [value for value, *_ in form["in"].options] == ["/", "/soups"]
    assert form.submit().follow().request.path_qs == "/soups/@@search?q=salt"
    form["in"] = "/"
    assert form.submit().follow().request.path_qs == "/@@search?q=salt"
    for path in ("//example.org", "https://example.org/", "/%2e%2e//x", "\\\\example.org"):
        response = full.client.get("/@@search", {"q": "x", "in": path}, status=302)
        assert response.location.startswith("http://localhost/")
        assert not response.location.startswith("http://localhost//")


def test_a_virtual_root_is_all_there_is(make_site):
    site = make_site(addons="search", virtual_root_header="true", trusted_proxies="127.0.0.1")
    site.add("/one", "Salt.", title="One")
    site.add("/one/two", "Salt.", title="Two")
    site.add("/other", "Salt.", title="Other")
    proxy = {"HTTP_X_VHM_ROOT": "/one", "REMOTE_ADDR": "127.0.0.1"}
    response = site.client.get("/@@search?q=salt", extra_environ=proxy)
    links = [link["href"] for link in response.html.select(".search-results h2 a")]
    assert sorted(links) == ["/", "/two"]


def test_a_result_shows_where_it_is_and_what_it_says(full):
    html = full.client.get("/@@search?q=onions").html
    (result,) = html.select(".search-results li")
    assert [name.get_text() for name in result.select(".where span")] == ["soups"]
    assert result.h2.a["href"] == "/soups/goulash"
    assert [mark.get_text() for mark in result.select(".excerpt mark")] == ["onions"]
    cakes = full.client.get("/@@search?q=brulee").html.select_one(".search-results")
    assert cakes.h2.small.get_text() == "Folder"


def test_nothing_found_suggests_something(full):
    html = full.client.get("/@@search?q=gulyasch+tureen").html
    assert "Nothing was found" in html.get_text()
    assert [link["href"] for link in html.select(".search-nothing .entries a")] == [
        "/soups/goulash"
    ]


def test_results_come_in_pages(site, found):
    for number in range(45):
        site.add(f"/p{number}", "Same words.", title=f"Page {number}")
    first = site.client.get("/@@search?q=words")
    second = first.click("Next")
    third = second.click("Next")
    titles = [
        link.get_text()
        for page in (first, second, third)
        for link in page.html.select(".search-results h2 a")
    ]
    assert len(titles) == len(set(titles)) == 45
    assert "45 results" in first.text
    assert not third.html.select("[rel=next]")
    assert third.click("Previous").request.path_qs == second.request.path_qs
    assert found(site.client, "words", page="4") == []
    for page in ("0", "21", "x", "-1", "1" * 50, "²"):
        site.client.get("/@@search", {"q": "words", "page": page}, status=400)


def common(count):
    return [Folder(name=f"f{n}", title=f"Common {n}", summary="words") for n in range(count)]


def test_what_is_common_is_counted_only_so_far(site, found):
    with site.tree() as tree:
        tree.add_many(site.node(tree), common(620))
    site.run("search", "reindex")
    response = site.client.get("/@@search?q=words")
    assert "More than 100 results" in response.text
    last = site.client.get("/@@search?q=words&page=20")
    assert len(last.html.select(".search-results li")) == 20
    assert not last.html.select("[rel=next]")


def test_what_is_open_is_found_behind_many_that_are_hidden(site, found):
    """More candidates than are ranked lie below a draft, on both sides of what may be seen."""
    with site.tree() as tree:
        root = site.node(tree)
        tree.add(root, draft := Folder(title="Hidden", state=DRAFT), "draft")
        for part in ("a", "b"):
            tree.add(draft, section := Folder(title="Section"), part)
            tree.add_many(section, common(520))
            if part == "a":
                tree.add(root, Folder(title="Common sense", summary="words"), "seen")
    site.run("search", "reindex")
    editor = site.sign_in("ed", "editor")
    for words in ("common", "words"):
        assert found(site.client, words) == ["Common sense"]
        assert found(site.client, words, "/seen/@@search") == ["Common sense"]
        assert found(editor, words, "/seen/@@search") == ["Common sense"]


@SLOW
@given(text=st.text(max_size=60))
def test_nothing_that_can_be_typed_is_an_error(full, text):
    full.client.get("/@@search", {"q": text.encode("utf-8", "ignore").decode()})


HOSTILE = st.lists(
    st.sampled_from(
        [
            *('"', "'", "*", "-", "(", ")", ":", "^", "AND", "OR", "NOT", "NEAR(", "title:", "a"),
            *("\\", "<->", "!", "|", "&", ":*", "<2>", "{", "}", " ", "\0", "%", "_", "salt", "é"),
        ]
    ),
    max_size=12,
).map("".join)


@SLOW
@given(text=HOSTILE)
def test_no_syntax_of_the_databases_gets_through(full, text):
    for path in ("/@@search", "/soups/@@search", "/@@search-suggestions"):
        full.client.get(path, {"q": text})


@SLOW
@given(text=st.text(min_size=1, max_size=20))
def test_every_word_that_is_written_is_found(site, find, text):
    with site.tree() as tree:
        root = site.node(tree)
        title = "x" + "".join(c for c in text if c.isprintable())
        save(tree, root, {"title": title}, site.renderer)
        (written,) = {root.title}
    for word in words_of(written):
        if len(word) < 60:
            assert find(site, word) == [1], (written, word)


def test_html_in_titles_and_texts_stays_text(site):
    title = "<script>alert(1)</script> & salt"
    site.add("/x", "`<img src=x onerror=alert(1)>` salt", title=title)
    response = site.client.get("/@@search", {"q": 'salt "><script>alert(2)</script>'})
    assert "<script>alert" not in response.text
    response = site.client.get("/@@search?q=salt")
    assert "<script>alert" not in response.text
    assert "<img src=x" not in response.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; <mark>salt</mark>" in response.text
    assert "<script>" not in site.client.get("/@@search-suggestions?q=salt").text
