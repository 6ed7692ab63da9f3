"""The palette: pages by title, what can be added and done at a place, for whoever asks."""

import re

import pytest

from myproject.content.types import Folder, Page
from myproject.security.permissions import Permission
from myproject.testing import sign_in
from myproject.tree.node import DRAFT

FOUND = "/@@palette/found"


def view(context, request):
    request.response.text = f"{request.view_name}: {context.title}"
    return request.response


@pytest.fixture(scope="module")
def site(make_shared_site):
    """A site with something of each kind that may not be seen, and screens to add and to edit."""

    def include(config):
        for name, permission in (("edit", Permission.EDIT), ("add", Permission.ADD)):
            for cls in (Page, Folder):
                config.add_view(view, name=name, context=cls, permission=permission)

    site = make_shared_site(include)
    site.add("/docs", title="Manual", cls=Folder)
    site.add("/docs/install", title="Installing")
    site.add("/docs/draft", title="Installing drafts", state=DRAFT)
    site.add("/docs/draft/below", title="Installing below a draft")
    site.add("/private", title="Installing in private")
    site.add("/private/below", title="Installing below what is private")
    site.make_private("/private")
    site.add("/bin", title="Installing what is gone")
    site.add("/bin/below", title="Installing below what is gone")
    with site.tree() as tree:
        tree.trash(site.node(tree, "/bin"))
    site.add("/esc", title='<b>Bold & "quoted"</b>')
    return site


@pytest.fixture(scope="module")
def reader(site):
    return sign_in(site, "reader")


@pytest.fixture(scope="module")
def author(site):
    return sign_in(site, "author", "author", "/docs")


@pytest.fixture(scope="module")
def boss(site):
    return sign_in(site, "boss", "administrator")


def groups(response):
    """Title of the group -> what is listed in it: title -> address."""
    found = {}
    for group in response.html.find_all(role="group"):
        title = response.html.find(id=group["aria-labelledby"]).span.get_text()
        options = group.find_all(role="option")
        found[title] = {one.find(class_="title").get_text(): one["href"] for one in options}
    return found


def pages(client, text):
    return set(groups(client.get(FOUND, {"q": text})).get("Pages", ()))


@pytest.mark.parametrize("path", ["/@@palette", FOUND])
def test_nobody_gets_there_who_is_not_signed_in(site, path):
    assert "/@@sign-in" in site.client.get(path, status=302).location
    answer = site.client.get(path, headers={"HX-Request": "true"}, status=403)
    assert "Installing" not in answer


def test_everybody_finds_what_they_may_see_and_nothing_else(reader, author, boss):
    assert pages(reader, "install") == {"Installing"}
    drafts = {"Installing drafts", "Installing below a draft"}
    assert pages(author, "install") == {"Installing"} | drafts
    private = {"Installing in private", "Installing below what is private"}
    # What is in the trash is nowhere, for nobody.
    assert pages(boss, "install") == {"Installing"} | drafts | private


def test_a_page_is_found_by_title_and_leads_there(reader):
    found = groups(reader.get(FOUND, {"q": "INSTALL"}))
    assert found["Pages"] == {"Installing": "/docs/install"}


def test_what_somebody_may_do_depends_on_the_place(site, author):
    at_docs = groups(author.get(FOUND, {"at": "/docs"}))
    assert at_docs["Add here"]["Page"] == "/docs/@@add?type=page"
    assert at_docs["This page"]["Edit"] == "/docs/@@edit"
    assert at_docs["This page"]["View"] == "/docs"
    elsewhere = groups(author.get(FOUND, {"at": "/"}))
    assert "Add here" not in elsewhere
    assert set(elsewhere["This page"]) == {"View"}


def test_everything_that_is_offered_is_there_and_may_be_opened(site, reader, author, boss):
    for client in (reader, author, boss):
        for at in ("/", "/docs", "/docs/install"):
            for group in groups(client.get(FOUND, {"at": at})).values():
                for url in group.values():
                    assert client.get(url.partition("#")[0]).status_int == 200, url


def test_the_site_s_screens_are_for_those_who_may_open_them(reader, boss):
    own = {"Your account", "Preferences", "Keyboard shortcuts"}
    assert set(groups(reader.get(FOUND))["Site and account"]) == own
    assert {"Users", "Groups", "Audit"} < set(groups(boss.get(FOUND))["Site and account"])


def test_commands_are_found_by_the_beginnings_of_their_words(author):
    found = groups(author.get(FOUND, {"at": "/docs", "q": "add pa"}))
    assert found == {"Add here": {"Page": "/docs/@@add?type=page"}}
    assert "Edit" not in str(groups(author.get(FOUND, {"at": "/docs", "q": "dit"})))


def test_whoever_begins_to_write_a_command_means_it(author):
    with_both = list(groups(author.get(FOUND, {"at": "/docs", "q": "in"})))
    assert with_both == ["Pages"]
    site_first = list(groups(author.get(FOUND, {"at": "/docs", "q": "e"})))
    assert site_first[0] == "This page"


@pytest.mark.parametrize(
    "at",
    ["/nowhere", "/private", "/bin", "/docs/nope", "x" * 10_000, "/%00", "/a/" * 500, "@@edit"],
)
def test_a_place_that_is_not_there_is_the_start_page(reader, at):
    found = groups(reader.get(FOUND, {"at": at}))
    assert found["This page"] == {"View": "/"}


@pytest.mark.parametrize("text", ["%", "'", "\0", "\\", "x" * 5000, "(((", "é" * 300])
def test_whatever_is_typed_is_no_error(reader, text):
    assert reader.get(FOUND, {"q": text}).status_int == 200


def test_titles_are_text(reader):
    answer = reader.get(FOUND, {"q": "bold"})
    assert '<b>Bold & "quoted"</b>' in groups(answer)["Pages"]
    assert "<b>Bold" not in answer


def test_nothing_found_is_said(reader):
    answer = reader.get(FOUND, {"q": "zzzqqq <i>"})
    assert "Nothing found for “zzzqqq &lt;i&gt;”." in answer
    assert answer.html.find(attrs={"data-told": True})["data-told"] == "Nothing found"


def test_without_scripts_it_is_a_screen_that_the_account_leads_to(author):
    page = author.get("/docs/install")
    screen = page.click(href="@@palette")
    assert screen.request.GET["at"] == "/docs/install"
    form = next(form for form in screen.forms.values() if "q" in form.fields)
    form["q"] = "manual"
    found = form.submit()
    assert found.request.GET["at"] == "/docs/install"
    assert found.html.find("main").find("a", string="Manual")["href"] == "/docs"
    # What takes a script is not offered.
    assert "Keyboard shortcuts" not in found.html.find("main").get_text()


def test_visitors_load_nothing_of_it(site, reader):
    for client, there in ((site.client, False), (reader, True)):
        page = client.get("/docs/install").text
        for part in ("palette.css", "palette.js", "shortcuts.js", "@@palette"):
            assert (part in page) is there, part


def test_shortcuts_that_are_off_are_off_in_the_page(site):
    client = sign_in(site, "quiet")
    assert 'data-single="on"' in client.get("/docs")
    assert "<kbd" in client.get(FOUND)
    form = client.get("/@@account/preferences").forms["site-preferences"]
    form["shortcuts"].checked = False
    form.submit()
    assert 'data-single="off"' in client.get("/docs")
    assert "<kbd" not in client.get(FOUND)


def test_it_takes_few_statements(site, author, count_statements):
    author.get(FOUND)
    with count_statements(site.database) as seen:
        author.get(FOUND, {"at": "/docs/install", "q": "install"})
    # Who asks, the place and its own columns, the pages.
    assert len(seen) <= 4, "\n\n".join(seen)


def test_a_virtual_root_is_all_there_is(make_site):
    site = make_site(virtual_root_header="true", trusted_proxies="127.0.0.1")
    for path in ("/one", "/one/page", "/two", "/two/page"):
        site.add(path, title=f"Page {path}")
    client = sign_in(site, "reader")
    environ = {"REMOTE_ADDR": "127.0.0.1"}
    answer = client.get(
        FOUND, {"q": "page", "at": "/page"}, headers={"X-Vhm-Root": "/one"}, extra_environ=environ
    )
    assert groups(answer)["Pages"] == {"Page /one": "/", "Page /one/page": "/page"}
    assert re.search(r'href="/page"', answer.text)
