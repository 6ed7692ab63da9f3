"""The screens around the results: statements, the box on every page, suggestions, what is off."""

from __future__ import annotations

from pathlib import Path

import pytest

from myproject.testing import Site
from myproject.tree.node import DRAFT


@pytest.fixture(scope="module")
def full(shared_site):
    """A deep section with many pages of the same words, so that both ways of looking are used."""
    site = shared_site
    site.add("/a", "Salt.", title="Alpha")
    site.add("/a/b", "Salt.", title="Beta")
    site.add("/a/b/c", "Salt and pepper.", title="Gamma ray")
    site.add("/hidden", title="Hidden", state=DRAFT)
    for number in range(30):
        site.add(f"/a/b/c/p{number}", "Salt.", title=f"Page {number}")
        site.add(f"/hidden/h{number}", "Salt.", title=f"Unseen {number}")
    site.client.get("/")
    return site


@pytest.mark.parametrize("who", ["nobody", "editor", "administrator"])
@pytest.mark.parametrize(
    "path",
    ["/@@search?q=salt", "/@@search?q=salt&page=2", "/a/b/@@search?q=salt", "/@@search?q=nothing"],
)
def test_results_take_at_most_three_statements_more(full, who, path):
    client = full.client if who == "nobody" else full.sign_in(who, who)
    client.get("/")
    page = path.partition("@@")[0].rstrip("/") or "/"
    with full.statements() as plain:
        client.get(f"{page.rstrip('/')}/@@search")
    with full.statements() as seen:
        client.get(path)
    # Of those for the plain form, an administrator's asks whether pages are missing.
    assert len(seen) <= len(plain) - (who == "administrator") + 3 + (
        who == "administrator" and "nothing" in path
    ), "\n\n".join(seen)


def test_the_same_results_are_not_looked_for_twice(full):
    etag = full.client.get("/@@search?q=salt").headers["ETag"]
    with full.statements() as seen:
        full.client.get("/@@search?q=salt", headers={"If-None-Match": etag}, status=304)
    assert len(seen) <= 2


def test_every_page_has_the_box_and_the_description(full):
    page = full.client.get("/a/b")
    form = next(form for form in page.forms.values() if form.action == "/@@search")
    form["q"] = "pepper"
    assert "Gamma ray" in form.submit().html.select_one(".search-results").get_text()
    (link,) = page.html.select("link[rel=search]")
    description = full.client.get(link["href"])
    assert description.content_type == "application/opensearchdescription+xml"
    assert b"http://localhost/@@search?q={searchTerms}" in description.body
    assert "/@@search" in full.client.get("/nope", status=404).text
    # The screen's own form is enough there.
    assert len(full.client.get("/a/@@search").html.select("input[name=q]")) == 1


def test_titles_are_suggested_while_somebody_types(full):
    def suggested(text, client=full.client, path="/@@search-suggestions"):
        html = client.get(path, {"q": text}).html
        return [link["href"] for link in html.select("li a")]

    assert suggested("ga") == suggested("ray ga") == suggested("Gamma r") == ["/a/b/c"]
    assert suggested("gamma r ") == suggested("salt") == suggested("") == suggested("-") == []
    assert len(suggested("page")) == 8
    assert suggested("unseen") == []
    assert len(suggested("unseen", full.sign_in("ed", "editor"))) == 8
    assert suggested("alp", path="/a/b/@@search-suggestions") == []
    assert suggested("alp", path="/a/@@search-suggestions") == ["/a"]
    with full.statements() as seen:
        suggested("page")
    # Two of them find the page that it is called on.
    assert len(seen) <= 4


def test_suggestions_can_be_off(make_shared_site, full):
    site = make_shared_site(addons="search", **{"search.suggestions": "false"})
    assert "suggest" not in site.client.get("/a").text
    assert site.client.get("/@@search-suggestions?q=ga").html.select("a") == []
    assert "hx-get" not in site.client.get("/@@search").text


def test_without_the_add_on_nothing_of_it_is_there(make_shared_site, full):
    site = make_shared_site()
    assert "@@search" not in site.client.get("/a").text
    site.client.get("/@@search", status=404)
    # Rows stay, and what is done meanwhile is done without the index.
    site.add("/late", "Salt.", title="Late")
    with site.tree() as tree:
        tree.purge(site.node(tree, "/late"))


@pytest.mark.parametrize(
    "page", ["0", "21", "x", "9" * 30, "1" + "0" * 5000, "00000000199999999999"]
)
def test_a_page_that_there_is_not_is_a_bad_request(site: Site, page: str) -> None:
    assert site.client.get(f"/@@search?q=x&page={page}", status=400)


def test_folders_made_on_the_way_of_an_import_are_found(site: Site, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# A page\n", encoding="utf-8")
    assert site.run("import", str(tmp_path), "--at", "/base/camp").exit_code == 0
    assert site.run("search", "check").output == "The index is up to date.\n"


@pytest.mark.parametrize("path", ["/a", "/@@search?q=salt"])
def test_a_key_leads_to_the_field_for_people_who_have_keys(full, path):
    field = '[data-shortcut="/"][name="q"]'
    assert full.sign_in("editor", "editor").get(path).html.select_one(field) is not None
    assert full.client.get(path).html.select_one("[data-shortcut]") is None
