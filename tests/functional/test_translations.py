"""Every string of the interface can be translated, and the setting chooses the language."""

import re
from html.parser import HTMLParser

import pytest

from myproject.content.events import ContentSaved
from myproject.content.types import Link, Page
from myproject.exceptions import InTrash, NameTaken, NotComplete, StepRefused, TooDeep
from myproject.tree.node import ROOT_ID, Node
from tests.catalogs import in_brackets
from tests.functional.arranging import journal_of, token

#: Errors that a page's summary asks for.
REFUSED = {
    "taken": NameTaken("¤", "¤"),
    "in-trash": InTrash("¤"),
    "deep": TooDeep(2),
    "shallow": TooDeep(1),
    "incomplete": NotComplete("¤", (Page.__table__.c.body.info["label"], "¤")),
    "step": StepRefused(InTrash("¤").message),
    "plain": StepRefused("¤ has no translation."),
}
SPOKEN = {"aria-label", "alt", "title", "placeholder", "data-copy", "data-copied"}


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
    write_catalog(folder / "qps" / "LC_MESSAGES" / "myproject.mo", in_brackets())

    def fail(context, request):
        raise RuntimeError

    def refuse(event):
        """Refuse what an error is named of, as an add-on could."""
        if (error := REFUSED.get(event.node.summary)) is not None:
            raise error

    def include(config):
        config.add_subscriber(refuse, ContentSaved)
        config.add_translation_dirs(str(folder))
        config.add_view(fail, name="fail", context=Page)

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


# -- what the domain refuses -----------------------------------------------------------------------


@pytest.fixture
def ada(pseudo):
    return pseudo.sign_in("ada", "publisher")


def submit(client, address, button=None, **fields):
    """Send the form of a screen that has these fields."""
    forms = client.get(address).forms.values()
    form = next(form for form in forms if fields.keys() <= form.fields.keys())
    for name, value in fields.items():
        form[name] = value
    named = {"name": button[0], "value": button[1]} if button else {}
    return form.submit(**named, status="*")


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ("taken", "⟦“¤” already has a page named “¤”. Choose another name.⟧"),
        ("in-trash", "⟦“¤” is in the trash. Restore it first.⟧"),
        ("deep", "⟦A page can be at most 2 levels below the root.⟧"),
        ("shallow", "⟦1: A page can be at most 1 level below the root.⟧"),
        ("incomplete", "⟦“¤” cannot be published yet. It still needs: ⟦Text⟧, ¤.⟧"),
        ("step", "⟦“¤” is in the trash. Restore it first.⟧"),
        ("plain", "¤ has no translation."),
    ],
)
def test_a_refusal_comes_in_the_reader_s_language(ada, summary, told):
    answer = submit(ada, "/q/@@edit", ("form-do", "publish"), summary=summary)
    assert answer.status_int == 422
    assert told in answer.html.find(role="alert").text


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"title": ""}, "title", "⟦It needs a value.⟧"),
        ({"title": "x" * 501}, "title", "⟦It is longer than 500 characters.⟧"),
    ],
)
def test_what_is_wrong_with_a_field_is_translated(ada, fields, field, told):
    answer = submit(ada, "/q/@@edit", ("form-do", "save"), **fields)
    assert answer.status_int == 422
    control = answer.html.find(attrs={"name": field})
    assert told in answer.html.find(id=control["aria-describedby"]).text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("b", "⟦“b” is taken already.⟧"),
        ("x/y", "⟦A name cannot have a slash in it.⟧"),
        ("x" * 300, "⟦It is longer than 240 bytes.⟧"),
    ],
)
def test_a_name_is_refused_alike_in_json_and_on_the_page(ada, name, told):
    assert ada.get("/p/a/@@rename-check", {"name": name}).json["message"] == told
    answer = submit(ada, "/p/a/@@rename", name=name)
    assert (answer.status_int, told in answer.html.text) == (422, True)


def test_a_time_that_has_passed_is_refused_in_the_reader_s_language(ada):
    submit(ada, "/p/b/@@edit", ("form-do", "save"), summary="¤ more").follow()
    answer = submit(ada, "/p/b/@@schedule", publish_at="2001-01-01T10:00")
    assert "⟦This time has passed. Choose a later one, or publish now.⟧" in answer


def test_what_can_no_longer_be_undone_says_why_in_the_reader_s_language(pseudo, ada):
    for path in ("/from", "/from/here"):
        pseudo.add(path, title="¤")
    with journal_of(pseudo, "ada") as (journal, node):
        moved = journal.move([node("/from/here")], node("/q")).id
        journal.trash([node("/from")])
    answer = ada.post(f"/@@operations/{moved}/undo", {"csrf_token": token(ada)}).follow()
    assert "⟦“¤”, where “¤” was, is in the trash. Restore it first.⟧" in answer


def test_a_role_is_refused_by_what_the_reader_calls_it(pseudo):
    max_ = pseudo.sign_in("max", "manager")
    asked = {
        "csrf_token": token(max_),
        "action": "grant",
        "principal": "1",
        "role": "administrator",
    }
    answer = max_.post("/@@sharing", asked, status=422)
    assert (
        "⟦You cannot give or take the role “⟦Administrator⟧” here: it may do more than you may.⟧"
    ) in answer


def test_an_address_that_names_no_place_in_a_list(pseudo, fetch):
    assert "⟦There is no such place in the list: x⟧" in fetch(pseudo, "/p?after=x")
