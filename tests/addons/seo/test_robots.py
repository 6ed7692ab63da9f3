"""robots.txt, sites that are closed, and what sitemaps leave out."""

import pytest
from sqlalchemy import select

from myproject.exceptions import ConfigurationProblem, NameTaken, TreeError
from myproject.interfaces import ISitemapFilter
from myproject.tree.node import Node


def test_screens_are_of_no_interest(site):
    answer = site.client.get("/robots.txt")
    assert answer.content_type == "text/plain"
    assert answer.text.splitlines() == [
        "User-agent: *",
        "Allow: /@@static",
        "Allow: /%40%40static",
        "Disallow: /@@",
        "Disallow: /*/@@",
    ]
    assert site.client.head("/robots.txt").status_int == 200


def test_lines_of_the_operator(make_site):
    site = make_site(addons="seo", **{"seo.robots": "\n  User-agent: Greedy\n  Disallow: /\n"})
    assert site.client.get("/robots.txt").text.endswith("\nUser-agent: Greedy\nDisallow: /\n")


def test_the_sitemap_is_named_where_there_is_one(make_site):
    site = make_site(addons="seo sitemap", canonical_host="https://example.org")
    assert "Sitemap: https://example.org/sitemap.xml" in site.client.get("/robots.txt").text


def test_below_another_address(site):
    environ = {"SCRIPT_NAME": "/cms"}
    lines = site.client.get("/robots.txt", extra_environ=environ).text.splitlines()
    assert "Disallow: /cms/@@" in lines


def test_no_page_can_have_its_address(site):
    with pytest.raises(TreeError) as caught:
        site.add("/robots.txt")
    assert not isinstance(caught.value, NameTaken)


def test_a_site_that_is_closed(make_site):
    site = make_site(addons="seo sitemap", **{"seo.index": "false"})
    assert site.client.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    page = site.client.get("/")
    assert '<meta name="robots" content="noindex">' in page
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert "myproject.seo.index" in site.sign_in("ada", "administrator").get("/@@seo")


def test_a_picture_that_is_none(make_site):
    with pytest.raises(ConfigurationProblem, match=r"myproject\.seo\.image"):
        make_site(addons="seo", **{"seo.image": "logo"})


def names(site):
    with site.registry.scopes.reading() as scope:
        condition = scope.service(ISitemapFilter, "seo").condition(Node.__table__.c.id)
        return set(scope.dbsession.scalars(select(Node.name).where(condition)))


def test_sitemaps_leave_out_what_is_not_to_be_found(site, editor, say, make_site):
    site.add("/news", title="News")
    site.add("/news/one", title="One")
    assert names(site) == {"", "guide", "part", "deep", "news", "one"}
    say(editor, "/guide/part", noindex="section")
    say(editor, "/news", noindex="page")
    assert names(site) == {"", "guide", "one"}
    say(editor, "/guide", noindex="section")
    assert names(site) == {"", "one"}
    assert names(make_site(addons="seo", **{"seo.index": "false"})) == set()


def test_sitemaps_with_both_add_ons(make_site, say):
    site = make_site(addons="seo sitemap")
    site.add("/guide", title="Guide")
    site.add("/news", title="News")
    say(site.sign_in("edith", "editor"), "/guide", noindex="page")
    text = site.client.get("/sitemap-1.xml").text
    assert "/news<" in text
    assert "/guide<" not in text
