"""Every string of the interface can be translated, and the setting chooses the language."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import myproject
from myproject.content.types import Link, Page
from myproject.tree.node import ROOT_ID, Node

PACKAGE = Path(myproject.__file__).parent
LITERAL = re.compile(r"""\b_\(\s*(?:"([^"]+)"|'([^']+)')""")
SPOKEN = {"aria-label", "alt", "title", "placeholder", "data-copy", "data-copied"}


def messages():
    """Every literal that a template or a module gives to ``_()``."""
    paths = [*PACKAGE.rglob("*.jinja2"), *PACKAGE.rglob("*.py")]
    return {a or b for path in paths for a, b in LITERAL.findall(path.read_text())}


class Texts(HTMLParser):
    """Collects every text that a person sees or hears."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in SPOKEN and value]

    def handle_data(self, data):
        self.found.append(data.strip())


@pytest.fixture(scope="module")
def pseudo(make_shared_site, tmp_path_factory, write_catalog):
    """A site in a language where every message stands in brackets; all content has a mark."""
    folder = tmp_path_factory.mktemp("locale")
    write_catalog(
        folder / "qps" / "LC_MESSAGES" / "myproject.mo",
        {message: f"⟦{message}⟧" for message in messages()},
    )

    def fail(context, request):
        raise RuntimeError

    def include(config):
        config.add_translation_dirs(str(folder))
        config.add_view(fail, name="fail", context=Page)
        config.add_view(fail, name="edit", context=Page, permission="edit")

    site = make_shared_site(include, locale="qps", site_title="¤", listing_size="2")
    with site.tree() as tree:
        tree.session.get_one(Node, ROOT_ID).title = "¤"
    body = "## ¤ a\n\n¤ text\n\n### ¤ b"
    for path in ("/p", "/p/a", "/p/b", "/p/c", "/q"):
        site.add(path, body if path != "/q" else "", title="¤", summary="¤")
    site.add("/p/a/x", title="¤")
    site.add("/gone", cls=Link, title="¤")
    return site


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/p", 200),
        ("/p?after=1.1", 200),
        ("/p/b", 200),
        ("/q", 200),
        ("/p/@@children", 200),
        ("/gone", 404),
        ("/nope", 404),
        ("/p/bb", 404),
        ("/%00", 400),
        ("/%ff", 400),
        ("/p?after=x", 400),
        ("/p?after=%ff", 400),
        ("/p/@@fail", 500),
        ("/@@sign-in", 200),
        ("/@@reset-password", 200),
        ("/@@one-time?token=x", 410),
    ],
)
def test_every_text_is_a_translation_or_content(pseudo, fetch, path, status):
    page = fetch(pseudo, path)
    assert page.status_int == status
    plain = [text for text in Texts(page.text).found if re.search("[A-Za-z]", text)]
    numbers = {page.headers["X-Request-ID"], "/nope", "/p/bb"}
    ours = "Link to this section: "  # stored with the content, see its renderer
    unknown = [t for t in plain if "⟦" not in t and "¤" not in t.removeprefix(ours)]
    assert set(unknown) <= numbers
    if status != 200 or "@@" not in path:
        assert "⟦" in page


def test_other_methods_and_refusals_are_translated(pseudo, fetch):
    assert "⟦This address does not take POST requests.⟧" in fetch(pseudo, "/p", method="POST")
    refused = fetch(pseudo, "/p/@@edit", method="POST")
    assert "⟦You do not have access to this page⟧" in refused


def test_the_page_names_its_language(pseudo, fetch):
    assert '<html lang="qps">' in fetch(pseudo, "/")


def test_a_visitor_cannot_choose_another_language(site, fetch):
    page = fetch(site, "/?_LOCALE_=de", headers={"Cookie": "_LOCALE_=de", "Accept-Language": "de"})
    assert '<html lang="en">' in page


def test_a_language_without_a_catalog_speaks_english(make_site, fetch):
    page = fetch(make_site(locale="de"), "/nope")
    assert '<html lang="de">' in page
    assert "There is no page at this address" in page


def test_a_language_from_right_to_left_says_so(make_site, fetch):
    assert '<html lang="ar" dir="rtl">' in fetch(make_site(locale="ar"), "/")
