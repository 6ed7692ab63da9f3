"""The tags in the head of pages."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myproject.content.types import Folder
from myproject.tree.node import DRAFT


def breadcrumbs(client, path):
    script = client.get(path).html.find("script", type="application/ld+json")
    return None if script is None else json.loads(script.string)


def test_a_page_says_what_it_is(site, metas):
    found = metas(site.client, "/guide")
    assert found["og:title"] == "Guide"
    assert found["og:type"] == "article"
    assert found["og:url"] == "http://localhost/guide"
    assert found["og:site_name"] == "Our site"
    assert found["og:locale"] == "en"
    assert found["og:description"] == found["description"] == "How it is <done>"
    assert found["article:modified_time"].endswith("+00:00")
    assert found["twitter:card"] == "summary"
    assert "og:image" not in found
    assert "robots" not in found


def test_the_front_page_is_the_site(site, metas):
    found = metas(site.client, "/")
    assert found["og:type"] == "website"
    assert found["og:url"] == "http://localhost/"
    assert "article:modified_time" not in found
    assert breadcrumbs(site.client, "/") is None


def test_addresses_are_those_that_search_engines_shall_know(make_site, metas):
    site = make_site(addons="seo", canonical_host="https://example.org", locale="pt_BR")
    site.add("/guide", title="Guide")
    found = metas(site.client, "/guide")
    assert found["og:url"] == "https://example.org/guide"
    assert found["og:locale"] == "pt_BR"
    assert breadcrumbs(site.client, "/guide")["itemListElement"][1]["item"] == found["og:url"]


def test_the_way_to_a_page(site):
    with site.tree() as tree:
        site.node(tree).title = "Home"
    crumbs = breadcrumbs(site.client, "/guide/part/deep")
    assert crumbs["@context"] == "https://schema.org"
    assert crumbs["@type"] == "BreadcrumbList"
    assert [
        (item["position"], item["name"], item["item"]) for item in crumbs["itemListElement"]
    ] == [
        (1, "Home", "http://localhost/"),
        (2, "Guide", "http://localhost/guide"),
        (3, "1", "http://localhost/guide/part"),
        (4, "Deep", "http://localhost/guide/part/deep"),
    ]


def test_the_way_names_nothing_that_one_may_not_see(site):
    site.make_private("/guide/part")
    site.grant("everyone", "reader", "/guide/part/deep")
    names = [
        item["name"] for item in breadcrumbs(site.client, "/guide/part/deep")["itemListElement"]
    ]
    assert names[-2:] == ["Guide", "Deep"]


def test_a_site_below_a_virtual_root(make_site, metas):
    site = make_site(addons="seo", virtual_root_header="true", trusted_proxies="127.0.0.1")
    site.add("/guide", title="Guide")
    site.add("/guide/part", title="Part")
    options = {"headers": {"X-Vhm-Root": "/guide"}, "extra_environ": {"REMOTE_ADDR": "127.0.0.1"}}
    assert metas(site.client, "/", **options)["og:type"] == "website"
    assert metas(site.client, "/part", **options)["og:url"] == "http://localhost/part"


@pytest.mark.parametrize(
    ("body", "image", "alt"),
    [
        (
            '![A <map> & "more"](/map.png?a=1&b=2)',
            "http://localhost/map.png?a=1&b=2",
            'A <map> & "more"',
        ),
        ("![](https://example.org/x.png)\n\n![Two](two.png)", "https://example.org/x.png", None),
        ("![x](near.png)", "http://localhost/near.png", "x"),
        ('`<img src="no.png">`\n\n![Yes](/yes.png)', "http://localhost/yes.png", "Yes"),
        ("No picture.", None, None),
    ],
)
def test_the_first_picture_of_a_page_is_its_preview(site, metas, body, image, alt):
    site.add("/pictures", body, title="Pictures")
    found = metas(site.client, "/pictures")
    assert found.get("og:image") == image
    assert found.get("og:image:alt") == alt
    assert found["twitter:card"] == ("summary_large_image" if image else "summary")


def test_a_picture_for_pages_that_have_none(make_site, metas):
    site = make_site(addons="seo", **{"seo.image": "/logo.png"})
    site.add("/folder", cls=Folder)
    site.add("/page", "![Own](/own.png)")
    assert metas(site.client, "/folder")["og:image"] == "http://localhost/logo.png"
    assert metas(site.client, "/page")["og:image"] == "http://localhost/own.png"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
    | st.sampled_from(["</script><script>alert(1)</script>", "<!--<script>", "a&b'\"\u2028", "]]>"])
)
def test_whatever_a_page_is_called_ends_no_script(site, title):
    title = title.strip() or "x"
    with site.tree() as tree:
        site.node(tree, "/guide").title = title
    page = site.client.get("/guide").html
    assert breadcrumbs(site.client, "/guide")["itemListElement"][1]["name"] == title
    assert all(
        "alert" not in (script.string or "") for script in page.find_all("script", type=None)
    )
    assert page.find("meta", property="og:title")["content"] == title


def test_scripts_with_the_nonce_only(site):
    page = site.client.get("/guide")
    nonce = page.html.find("script", type="application/ld+json")["nonce"]
    assert f"'nonce-{nonce}'" in page.headers["Content-Security-Policy"]


def test_screens_and_errors_say_nothing(site, editor):
    for page in (
        editor.get("/guide/@@seo"),
        site.client.get("/@@sign-in"),
        site.client.get("/guide/nothing", status=404),
    ):
        assert "og:title" not in page


def test_what_is_no_content_is_not_to_be_found(site, editor):
    for path in ("/guide/@@source", "/guide/@@children"):
        assert site.client.get(path).headers["X-Robots-Tag"] == "noindex", path
    assert editor.get("/guide/@@seo").headers["X-Robots-Tag"] == "noindex"
    assert "X-Robots-Tag" not in site.client.get("/guide").headers
    assert "X-Robots-Tag" not in site.client.get("/robots.txt").headers


def test_a_copy_is_as_good_as_the_last_change(site, editor, say):
    first = site.client.get("/guide/part")
    headers = {"If-None-Match": first.headers["ETag"]}
    assert site.client.get("/guide/part", headers=headers).status_int == 304
    say(editor, "/guide", noindex="section")
    again = site.client.get("/guide/part", headers=headers)
    assert again.status_int == 200
    assert '<meta name="robots" content="noindex">' in again


def test_one_statement_more_for_a_page(site, make_site):
    without = make_site()
    counts = []
    for each in (without, site):
        each.client.get("/guide/part/deep")
        with each.statements() as seen:
            each.client.get("/guide/part/deep")
        counts.append(len(seen))
    assert counts[1] == counts[0] + 1


def test_drafts_for_those_who_see_them(site, editor, metas):
    site.add("/draft", title="Draft", state=DRAFT)
    assert metas(editor, "/draft")["og:title"] == "Draft"
