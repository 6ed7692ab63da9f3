"""The screen on which editors say how a page is found and previewed."""

import pytest
from sqlalchemy import func, select

from myproject.addons.seo.models import PageSettings
from myproject.content.types import Link
from myproject.testing import links


def stored(site):
    with site.tree() as tree:
        return tree.session.scalar(select(func.count()).select_from(PageSettings))


def is_hidden(client, path):
    return '<meta name="robots" content="noindex">' in client.get(path)


def test_editors_find_it_in_their_menu(site, editor):
    assert links(editor.get("/guide"))["/guide/@@seo"] == "Search engines"
    assert "/guide/@@seo" not in links(site.client.get("/guide"))
    both = site.sign_in("ada", "administrator").get("/guide/@@seo")
    assert {"/guide/@@seo", "/guide/@@sharing"} <= set(links(both))


def test_it_is_for_those_who_may_edit(site):
    reader = site.sign_in("rita", "reader")
    assert reader.get("/guide/@@seo", status=403)
    assert site.client.get("/guide/@@seo").location.startswith("http://localhost/@@sign-in")
    assert reader.post("/guide/@@seo", {"noindex": "page"}, status=403)
    assert not is_hidden(site.client, "/guide")


def test_a_form_without_its_token_says_nothing(site, editor):
    assert editor.post("/guide/@@seo", {"noindex": "page"}, status=400)
    assert stored(site) == 0


def test_one_page_is_left_out(site, editor, say):
    answer = say(editor, "/guide", noindex="page")
    assert answer.status_int == 303
    assert "Saved." in answer.follow()
    assert is_hidden(site.client, "/guide")
    assert not is_hidden(site.client, "/guide/part")


def test_a_section_is_left_out(site, editor, say):
    say(editor, "/guide", noindex="section")
    assert is_hidden(site.client, "/guide")
    assert is_hidden(site.client, "/guide/part/deep")
    assert not is_hidden(site.client, "/")
    below = editor.get("/guide/part/@@seo")
    assert "they leave out everything below" in below
    assert "It is not found." in below
    assert links(below)["/guide"] == "Guide"


def test_a_section_above_that_one_may_not_see_is_not_named(site, say):
    ada = site.sign_in("ada", "administrator")
    say(ada, "/guide", noindex="section")
    site.make_private("/guide")
    site.grant("everyone", "reader", "/guide/part")
    editor = site.sign_in("ed", "editor", "/guide/part")
    page = editor.get("/guide/part/@@seo")
    assert "a place above" in page
    assert "/guide" not in links(page)


def test_the_whole_site_is_left_out(site, editor, say):
    say(editor, "/", noindex="section")
    assert is_hidden(site.client, "/guide/part/deep")


def test_what_is_said_is_taken_back(site, editor, say):
    say(editor, "/guide", noindex="page", description="Come in")
    say(editor, "/guide", noindex="", description="")
    assert not is_hidden(site.client, "/guide")
    assert stored(site) == 0


def test_text_and_picture_of_previews(site, editor, say, metas):
    say(editor, "/guide", description="  Come & see  ", image="/card.png")
    found = metas(site.client, "/guide")
    assert found["og:description"] == "Come & see"
    assert found["description"] == "How it is <done>"
    assert found["og:image"] == "http://localhost/card.png"
    shown = editor.get("/guide/@@seo")
    assert "Come &amp; see" in shown
    assert shown.html.select_one(".seo-card img")["src"] == "http://localhost/card.png"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("image", "javascript:alert(1)", "begins with https://"),
        ("image", "//example.org/x.png", "begins with https://"),
        ("image", "/" + "x" * 2000, "longer than 2,000"),
        ("description", "x" * 301, "longer than 300"),
        ("description", "a\0b", "cannot be stored"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(site, editor, say, name, value, reason):
    answer = say(editor, "/guide", noindex="page", **{name: value})
    assert answer.status_int == 422
    control = answer.html.find(attrs={"name": name})
    assert control["aria-invalid"] == "true"
    assert reason in answer.html.find(id=control["aria-describedby"]).text
    # What was typed is still there, and nothing was written.
    chosen = answer.html.find("input", attrs={"name": "noindex", "value": "page"})
    assert chosen.has_attr("checked")
    assert stored(site) == 0


def test_a_choice_that_there_is_not(site, editor):
    form = editor.get("/guide/@@seo").forms["site-seo"]
    form["noindex"].force_value("all")
    assert form.submit(status=422)
    assert stored(site) == 0


def test_a_page_that_has_gone_in_the_meantime(site, editor):
    form = editor.get("/guide/part/@@seo").forms["site-seo"]
    with site.tree() as tree:
        tree.purge(site.node(tree, "/guide/part"))
    assert form.submit(status=404)


def test_links_have_it_too(site, editor, say):
    site.add("/elsewhere", cls=Link, title="Elsewhere", url="https://example.org/")
    say(editor, "/elsewhere", noindex="page")
    assert stored(site) == 1


def test_pages_that_visitors_do_not_see(site, editor):
    site.make_private("/guide/part")
    ada = site.sign_in("ada", "administrator")
    assert "neither do search engines" in ada.get("/guide/part/deep/@@seo")
    assert "neither do search engines" not in ada.get("/guide/@@seo")


def test_copies_are_told_the_same(site, editor, say):
    say(editor, "/guide", description="Come in")
    say(editor, "/guide/part", noindex="section")
    with site.tree() as tree:
        guide = site.node(tree, "/guide")
        # Into itself, so that the section has become larger than what was copied.
        tree.copy(guide, guide, "copy")
    assert is_hidden(site.client, "/guide/copy/part/deep")
    assert not is_hidden(site.client, "/guide/copy")
    assert 'content="Come in"' in site.client.get("/guide/copy")
    assert stored(site) == 4


def test_what_is_said_goes_with_the_page(site, editor, say):
    say(editor, "/guide/part", noindex="page")
    with site.tree() as tree:
        tree.purge(site.node(tree, "/guide"))
    assert stored(site) == 0


def test_switched_off_nothing_is_lost(site, editor, say, make_site):
    say(editor, "/guide", noindex="page")
    off = make_site()
    assert not is_hidden(off.client, "/guide")
    assert off.client.get("/guide/@@seo", status=404)
    assert is_hidden(make_site(addons="seo").client, "/guide")


@pytest.mark.parametrize("picture", ["http://[", "https://[::1/x.png", "//elsewhere/x.png"])
def test_what_is_no_address_is_refused(make_site, picture):
    site = make_site(addons="seo")
    site.add("/page")
    editor = site.sign_in("ann", "editor")
    screen = editor.get("/page/@@seo")
    form = next(each for each in screen.forms.values() if "image" in each.fields)
    form["image"], form["noindex"] = picture, "page"
    assert "must be an address" in form.submit(status=422)


def test_a_picture_in_a_text_that_is_no_address_hides_nothing(make_site):
    site = make_site(addons="seo")
    site.add("/page", "![x](<http://[>)\n\n<img src='http://['>")
    assert 'property="og:title"' in site.client.get("/page")


def test_headers_do_not_tell_what_there_is(make_site):
    site = make_site(addons="seo", private_pages="not-found")
    site.add("/docs")
    site.add("/docs/draft", state="draft")
    site.add("/docs/private")
    site.make_private("/docs/private")
    robots = {
        site.client.get(f"/docs/{name}", status=404).headers.get("X-Robots-Tag")
        for name in ("draft", "private", "absent")
    }
    assert robots == {None}
    assert site.client.get("/docs/@@source").headers["X-Robots-Tag"] == "noindex"
