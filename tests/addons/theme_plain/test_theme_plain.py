"""The plain theme: another look from templates and a style sheet alone."""

import pytest

from myproject.content.types import Folder
from myproject.testing import links
from myproject.testing.contracts import AddonContract


def fill(site):
    site.add("/guide", "## One\n\n## Two", title="Guide", summary="How it is done.")
    for number in range(1, 4):
        site.add(f"/guide/part-{number}", title=f"Part {number}")
    site.add("/folder", cls=Folder, title="Folder")


class TestContract(AddonContract):
    addon = "theme-plain"
    pages = {"/guide/part-2": 3, "/folder": 3, "/": 3}

    def fill(self, site):
        fill(site)
        return []


@pytest.fixture
def site(make_site):
    site = make_site(addons="theme-plain search", site_title="Our site")
    fill(site)
    return site


def test_a_page_stands_in_one_column(site):
    page = site.client.get("/guide/part-2").html
    assert page.select_one(".tree") is None
    assert page.select_one("main article h1").text == "Part 2"
    section = page.select_one("main .plain-section")
    assert [link["href"] for link in section.find_all("a")] == [
        "/guide",
        "/guide/part-1",
        "/guide/part-2",
        "/guide/part-3",
    ]
    assert section.find("a", attrs={"aria-current": "page"}).text == "Part 2"
    assert section["aria-label"] == "Section"
    # After the article, which has all that it has without the theme.
    assert section.find_previous_sibling("article")
    assert page.select_one(".pager a[rel=next]")["href"] == "/guide/part-3"
    assert page.select_one(".crumbs a").text == "Guide"


def test_the_front_page_has_no_section(site):
    page = site.client.get("/")
    assert page.html.select_one(".plain-section") is None
    assert links(page)["/guide"] == "Guide"


def test_long_sections_lead_to_all_of_their_pages(site):
    for number in range(70):
        site.add(f"/folder/p{number}", title=f"P {number}")
    section = site.client.get("/folder/p35").html.select_one(".plain-section")
    hrefs = [link["href"] for link in section.find_all("a")]
    assert hrefs.count("/folder") == 3
    assert 60 <= len(hrefs) < 70


def test_its_style_sheet_comes_after_that_of_the_core(site):
    sheets = [link["href"] for link in site.client.get("/").html.select("link[rel=stylesheet]")]
    names = [sheet.partition("?")[0].rpartition("/")[2] for sheet in sheets]
    assert names.index("plain.css") > names.index("site.css")
    style = site.client.get(sheets[names.index("plain.css")])
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_every_screen_has_the_last_line(site):
    ada = site.sign_in("ada", "administrator")
    for path in ("/", "/guide", "/@@users", "/guide/@@sharing", "/@@account", "/@@search?q=part"):
        end = ada.get(path).html.select_one("footer.plain-end")
        assert end.a.text == "Our site", path
    assert site.client.get("/@@sign-in").html.select_one(".plain-end")
    assert site.client.get("/nothing", status=404).html.select_one(".plain-end")


def test_the_search_goes_on_working(site):
    assert site.client.get("/").html.select_one(".tools form[role=search]")
    assert "/guide/part-2" in links(site.client.get("/@@search?q=part"))


def test_add_ons_still_have_their_places(make_site):
    def include(config):
        for slot in ("head", "tools", "aside", "before-content", "after-content", "footer"):
            config.add_slot_panel(lambda context, request, slot=slot: f"[{slot}]", slot, name="x")

    site = make_site(include, addons="theme-plain")
    site.add("/page", title="Page")
    text = site.client.get("/page").text
    for slot in ("head", "tools", "aside", "before-content", "after-content", "footer"):
        assert text.count(f"[{slot}]") == 1, slot


def test_without_it_the_site_looks_as_before(site, make_site):
    page = make_site().client.get("/guide/part-2").html
    assert page.select_one(".tree")
    assert page.select_one(".plain-section") is None


def test_a_copy_of_the_other_look_is_not_current(site, make_site):
    headers = {"If-None-Match": make_site().client.get("/guide").headers["ETag"]}
    assert site.client.get("/guide", headers=headers).status_int == 200
