"""The Markdown editor: written in, driven by its buttons and by keys, looked at beside its preview,
pasted into, and left again. The form around it is a plain one; with no scripts it is a textarea."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pyramid.renderers import render_to_response
from sqlalchemy import select

from myproject.content.columns import Field
from myproject.content.types import Page as PageType
from myproject.security.models import User
from myproject.security.preferences import Preferences, store_preferences
from myproject.testing import Site
from myproject.views.fields import form_fields
from myproject.views.forms import Form
from myproject.views.rendering import page_screen

pytestmark = pytest.mark.browser

GONE = "This page is gone, or you may not see it."
PASTED = Path(__file__).parent / "pasted"
FIELDS = (
    Field("title", "Title", max_length=500),
    Field("body", "Text", help="Markdown.", widget="markdown"),
)
TEMPLATE = """{% extends "myproject:templates/screen.jinja2" %}
{% from "myproject:templates/widgets/fields.jinja2" import fields as show with context %}
{% from "myproject:templates/forms.jinja2" import token with context %}
{% block head %}{{ super() }}{% include "myproject:templates/editor_assets.jinja2" %}{% endblock %}
{% block screen %}<form method="post" action="{{ action }}" data-preview-url="{{ preview_url }}"
{%- if plain %} data-plain-editor{% endif %}>
{{ token() }}{{ show(fields) }}
<p class="submit"><button class="btn btn-primary">Save</button></p></form>
<p><a href="/">Next</a></p>{% endblock %}
"""
BODY = """# Heading

Some **bold** and *slanted* text, `code`, [a page](node:{page}) and [one that is gone](node:999999).

- one
- two

> A quotation.

```python
print("hello")
```

| a | b |
|---|---|
| 1 | 2 |
"""


def write(context: Any, request: Any) -> Any:
    """Show a form with the editor; what was posted is in it."""
    base = request.canonical_base
    values = request.POST if request.method == "POST" else {"title": context.title}
    values = {"body": context.body, **values}
    errors = {"body": "Something is wrong with it."} if "wrong" in request.GET else {}
    shown = page_screen(
        request,
        context,
        "Write",
        "write",
        fields=form_fields(request, FIELDS, Form(values, errors)),
        action=f"{base}/@@write",
        preview_url=f"{base}/@@preview",
        plain="plain" in request.GET,
    )
    return render_to_response("written:form.jinja2", shown, request)


def include(config: Any) -> None:
    config.add_view(write, name="write", context=PageType, permission="edit")


@pytest.fixture(scope="module")
def site(sqlite_backend, tmp_path_factory) -> Iterator[Site]:
    package = tmp_path_factory.mktemp("packages") / "written"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "form.jinja2").write_text(TEMPLATE, encoding="utf-8")
    sys.path.insert(0, str(package.parent))
    url = sqlite_backend.create()
    site = Site(url, include)
    number = site.add("/zebra", title="Zebra [striped]")
    site.add("/zebra/crossing", title="Zebra crossing", state="draft")
    site.add("/empty", title="Empty")
    site.add("/page", BODY.format(page=number), title="Page")
    yield site
    site.close()
    sqlite_backend.drop(url)
    sys.path.remove(str(package.parent))


@pytest.fixture(scope="module")
def address(site, serve) -> str:
    return serve(site.app)


@pytest.fixture(scope="module")
def cookies(site, address) -> list[dict[str, str]]:
    client = site.sign_in("edith", "editor")
    return [
        {"name": name, "value": value, "url": address} for name, value in client.cookies.items()
    ]


@pytest.fixture
def open_editor(open_context, cookies) -> Callable[..., Page]:
    """``open_editor("/page", 360, color_scheme="dark")``: the form, its editor ready."""

    def make(path: str = "/empty", width: int = 1440, **options: Any) -> Page:
        context = open_context(width, **options)
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(f"{path}/@@write" if "@@" not in path else path)
        return page

    return make


def text(page: Page) -> str:
    """Return what the form would send."""
    return page.locator("textarea").input_value()


def choose(page: Page) -> None:
    """Take the only page that completion offers."""
    expect(page.get_by_role("option")).to_have_count(1)
    # As long as somebody cannot have seen it, Enter is a new line.
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")


def paste(page: Page, html: str, plain: str = "") -> None:
    """Paste as if it came from another program."""
    page.locator(".cm-content").evaluate(
        """(content, [html, plain]) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/html", html);
          clipboardData.setData("text/plain", plain);
          const options = { clipboardData, bubbles: true, cancelable: true };
          content.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        [html, plain],
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken_and_nothing_sticks_out(open_editor, width, scheme):
    page = open_editor("/page/@@write?wrong", width, color_scheme=scheme)
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("heading", name="Heading")).to_be_visible()
    expect(page.locator(".md-broken")).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.get_by_role("textbox", name="Text")
    described = box.get_attribute("aria-describedby").split()
    told = [page.locator(f"#{place}").text_content() for place in described]
    assert told[0].startswith("Something is wrong with it.")
    assert "Escape" in told[-1]
    assert box.get_attribute("aria-invalid") == "true"
    # Beside the text where there is room, else below it.
    source, shown = page.locator(".md-source").bounding_box(), preview.bounding_box()
    assert (shown["y"] > source["y"]) is (width == 360)


def test_writing_by_keys_and_saving(open_editor):
    page = open_editor()
    heard = page.evaluate_handle(
        """() => {
          const heard = { input: 0, keys: [] };
          document.querySelector("textarea").form.addEventListener("input", (event) => {
            if (event.target.tagName === "TEXTAREA") heard.input += 1;
          });
          document.addEventListener("keydown", (event) => {
            if (event.ctrlKey && event.key !== "Control") heard.keys.push(event.key);
          });
          return heard;
        }"""
    )
    page.get_by_text("Text", exact=True).click()
    expect(page.locator(".cm-content")).to_be_focused()
    keyboard = page.keyboard
    keyboard.type("Some bold")
    keyboard.press("Control+Shift+ArrowLeft")
    keyboard.press("Control+b")
    keyboard.press("End")
    keyboard.type(" word\n- one\ntwo")
    keyboard.press("Tab")
    expect(page.locator(".cm-content")).to_be_focused()
    assert text(page) == "Some **bold** word\n- one\n  - two"
    expect(page.locator(".md-preview li li")).to_have_text("two")
    assert heard.evaluate("heard => heard.input") > 10
    # The palette opens with the same keys elsewhere.
    keyboard.press("Control+k")
    assert text(page).endswith("two[[")
    assert "k" not in heard.evaluate("heard => heard.keys")
    for _ in range(2):
        keyboard.press("Backspace")
    with page.expect_navigation():
        keyboard.press("Control+s")
    expect(page.locator(".md-preview li li")).to_have_text("two")
    assert text(page) == "Some **bold** word\n- one\n  - two"


def test_nobody_is_caught_in_it(open_editor):
    page = open_editor()
    content = page.locator(".cm-content")
    content.focus()
    page.keyboard.type("- one")
    page.keyboard.press("Tab")
    expect(content).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(content).not_to_be_focused()
    content.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Bold")).to_be_focused()
    # The toolbar is one stop.
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Italic")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="Full screen")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Bold")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("textbox", name="Title", exact=True)).to_be_focused()
    # Outside of lists Tab goes on by itself.
    content.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Text")
    page.keyboard.press("Tab")
    expect(content).not_to_be_focused()
    assert text(page) == "Text"


@pytest.mark.parametrize(
    ("button", "typed", "made"),
    [
        ("Bold", "one", "**one**"),
        ("Italic", "**one**", "***one***"),
        ("Code", "one", "`one`"),
        ("Code", "one\ntwo", "```\none\ntwo\n```"),
        ("Code", "```\n```", ""),
        ("Heading", "one", "## one"),
        ("Bulleted list", "one\ntwo", "- one\n- two"),
        ("Numbered list", "one\n\ntwo", "1. one\n\n2. two"),
        ("Quotation", "one\ntwo", "> one\n> two"),
        ("Link", "https://example.org/", "[](https://example.org/)"),
    ],
)
def test_buttons(open_editor, button, typed, made):
    page = open_editor()
    page.locator("textarea").evaluate(
        "(area, typed) => { area.value = typed; area.dispatchEvent(new Event('input')); }", typed
    )
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+a")
    control = page.get_by_role("button", name=button, exact=True)
    control.click()
    assert text(page) == made
    expect(page.locator(".cm-content")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    assert text(page) == typed
    page.get_by_role("button", name="Redo").click()
    assert text(page) == made
    if made and button not in ("Heading", "Link", "Italic"):
        expect(control).to_have_attribute("aria-pressed", "true")
        control.click()
        assert text(page) == typed
    if button == "Heading":
        for level in ("###", "####", ""):
            control.click()
            assert text(page) == f"{level} one".strip()


def test_a_table_stands_by_itself_and_is_filled_at_once(open_editor):
    page = open_editor()
    page.locator(".cm-content").focus()
    page.keyboard.type("Before")
    page.get_by_role("button", name="Table").click()
    page.keyboard.type("Name")
    assert text(page).startswith("Before\n\n| Name | Column 2 |\n| -------- | -------- |\n|")
    expect(page.locator(".md-preview th").first).to_have_text("Name")


def test_pages_are_found_and_linked(open_editor, site):
    with site.tree() as tree:
        number = site.node(tree, "/zebra").id
    page = open_editor()
    page.locator(".cm-content").focus()
    page.keyboard.type("See [[zeb")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("Zebra crossing")
    expect(options.first).to_contain_text("/zebra/crossing · Draft")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    options.nth(1).click()
    assert text(page) == f"See [Zebra \\[striped\\]](node:{number})"
    link = page.locator(".md-preview a")
    expect(link).to_have_attribute("href", re.compile(r"^http://[^/]+/zebra$"))
    expect(link).to_have_text("Zebra [striped]")
    # Brackets that are closed already, a text that is there already, and an address.
    page.keyboard.type(" [[zebra str]]")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+Space")
    choose(page)
    assert text(page).endswith(f"\\]](node:{number})")
    page.keyboard.type(" that")
    page.keyboard.press("Control+Shift+ArrowLeft")
    page.keyboard.press("Control+k")
    page.keyboard.type("zebra str")
    choose(page)
    page.keyboard.type(" [[https://example.org/a(b")
    choose(page)
    assert text(page).endswith(
        f" [that](node:{number}) [https://example.org/a(b](<https://example.org/a(b>)"
    )
    # An address of this site is that of a page, which comes first.
    page.keyboard.press("Control+a")
    page.keyboard.type(f"[[{page.url.partition('/empty')[0]}/zebra")
    expect(options).to_have_count(3)
    page.wait_for_timeout(150)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert text(page) == f"[Zebra \\[striped\\]](node:{number})"


def test_the_preview_shows_what_the_page_will(open_editor):
    page = open_editor("/page")
    preview = page.locator(".md-preview")
    expect(preview.locator("a.broken-link")).to_have_text("one that is gone")
    expect(preview.locator("pre")).to_contain_text("print")
    page.locator(".cm-line .tok-link", has_text="a page").hover()
    expect(page.locator(".md-tooltip")).to_have_text("/zebra")
    broken = page.locator(".cm-broken-link")
    expect(broken).to_have_text("[one that is gone](node:999999)")
    broken.locator(".tok-url").hover()
    expect(page.locator(".md-tooltip")).to_have_text(GONE)
    page.get_by_role("button", name="Broken links: 1").click()
    expect(page.get_by_role("status")).to_have_text(GONE)
    page.keyboard.press("Delete")
    expect(page.locator(".md-broken")).to_be_hidden()
    # It stays where somebody has scrolled it to.
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\n\n" + "A paragraph of some length.\n\n" * 200)
    expect(preview.locator("p", has_text="A paragraph")).to_have_count(200)
    page.keyboard.press("Control+Home")
    preview.evaluate("preview => { preview.scrollTop = 500; }")
    preview.hover()
    page.keyboard.type("New. ")
    expect(preview.locator("p", has_text="New.").or_(preview.locator("h1"))).to_have_count(1)
    expect(preview).to_have_js_property("scrollTop", 500)
    page.get_by_role("button", name="Preview").click()
    expect(preview).to_be_hidden()
    page.reload()
    expect(page.get_by_role("button", name="Preview")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Full screen").click()
    assert page.locator(".md-editor").bounding_box()["height"] == 900
    assert page.locator(".masthead").evaluate("head => head.inert")
    expect(page.locator(".cm-content")).to_be_focused()
    page.get_by_role("button", name="Full screen").press("Escape")
    assert not page.locator(".masthead").evaluate("head => head.inert")


@pytest.mark.parametrize("source", ["word", "google-docs"])
def test_what_word_and_google_docs_have_on_the_clipboard_becomes_markdown(open_editor, source):
    page = open_editor()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    paste(page, (PASTED / f"{source}.html").read_text(encoding="utf-8"), "plain")
    assert text(page) + "\n" == (PASTED / f"{source}.md").read_text(encoding="utf-8")
    expect(page.locator(".md-preview table")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Pasted as Markdown.")
    assert page.evaluate("window.ran") is None
    # Nothing but the preview and what it shows: no picture of the pasted document itself.
    assert {url for url in asked if not re.search("@@preview|favicon", url)} <= {
        "https://lh3.googleusercontent.example/x"
    }


def test_what_is_pasted_as_it_is(open_editor):
    page = open_editor()
    page.locator(".cm-content").focus()
    page.keyboard.type("See page here")
    page.keyboard.press("Control+Shift+ArrowLeft")
    paste(page, '<a href="https://example.org/">x</a>', "https://example.org/")
    assert text(page) == "See page [here](https://example.org/)"
    page.keyboard.press("Control+a")
    paste(page, "<meta charset='utf-8'><span style='color: red'>a_b <b>c</b></span>", "a_b c")
    assert text(page) == "a_b **c**"
    page.keyboard.press("Control+a")
    page.keyboard.type("```\n")
    paste(page, "<b>bold</b>", "bold")
    assert text(page) == "```\nbold"


def test_the_textarea_and_the_editor_are_one(open_editor):
    page = open_editor()
    page.locator("textarea").evaluate(
        "area => { area.value = 'Restored.'; area.dispatchEvent(new Event('change')); }"
    )
    expect(page.locator(".cm-content")).to_have_text("Restored.")
    page.locator("form[data-preview-url]").evaluate("form => form.reset()")
    expect(page.locator(".cm-line")).to_have_text(re.compile("Write here"))
    assert text(page) == ""


@pytest.mark.parametrize(
    ("path", "scripts"), [("/page/@@write", False), ("/page/@@write?plain", True)]
)
def test_without_scripts_or_by_choice_it_is_a_textarea(open_editor, path, scripts):
    page = open_editor(path, java_script_enabled=scripts)
    expect(page.locator(".md-editor")).to_have_count(0)
    page.get_by_label("Text").fill("Plain **text**.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("textarea")).to_have_value("Plain **text**.")


def test_preferences_decide_how_it_begins(open_editor, site):
    def prefer(**chosen: Any) -> None:
        with site.tree() as tree:
            user = tree.session.scalars(select(User).where(User.name == "edith")).one()
            store_preferences(tree.session, user.id, Preferences(**chosen))

    prefer(preview=False)
    page = open_editor("/page")
    expect(page.get_by_role("button", name="Preview")).to_have_attribute("aria-pressed", "false")
    # What is broken is told all the same.
    expect(page.locator(".md-broken")).to_be_visible()
    prefer(editor="plain")
    page.reload()
    expect(page.get_by_role("heading", name="Write")).to_be_visible()
    assert page.locator(".md-editor, script[src*=codemirror]").count() == 0
    prefer()
