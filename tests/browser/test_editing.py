"""Writing in a browser: the first edit, names while they are typed, and nothing that gets lost."""

from __future__ import annotations

import re
from itertools import count

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from myproject.content.operations import save
from myproject.content.publishing import newest_fields
from myproject.content.types import Page
from myproject.security.logins import revoke_logins
from myproject.security.models import User
from myproject.testing import sign_in
from myproject.tree.node import Node

pytestmark = pytest.mark.browser

BODY = "# Begin\n\nOne line.\n\nThe quick brown fox.\n\nLast line.\n"
PASSWORD = "a long password"
_numbers = count(1)


@pytest.fixture(scope="module")
def cookie(site, address):
    """Of somebody who may write everywhere."""
    return _cookie(site, address, "paula")


def _cookie(site, address, name):
    client = sign_in(site, name, "publisher")
    with site.tree() as tree:
        user = tree.session.scalars(select(User).where(User.name == name)).one()
        user.password_hash = site.registry.passwords.hash(PASSWORD)
    ((key, value),) = client.cookies.items()
    return {"name": key, "value": value, "url": address}


@pytest.fixture
def path(site):
    """A page of the test's own."""
    path = f"/edited-{next(_numbers)}"
    site.add(path, BODY, title="To edit", summary="A page.")
    return path


@pytest.fixture
def writer(open_context, cookie):
    """``writer(width=360)``: a page of somebody who is signed in."""

    def make(width=1440, cookie=cookie, **options):
        context = open_context(width, **options)
        context.add_cookies([cookie])
        return context.new_page()

    return make


@pytest.fixture
def stored(site):
    def read(path):
        with site.database.read_session() as session:
            name = path.rpartition("/")[2]
            node = session.scalars(select(Page).where(Node.name == name)).one()
            newest = newest_fields(session, node)
            return newest["title"], newest["body"]

    return read


def saved_by_another(site, path, **values):
    with site.tree() as tree:
        save(tree, site.node(tree, path), values, site.renderer, comment="by somebody else")


def look(page, what):
    """No rule of axe-core is broken, and nothing sticks out."""
    results = Axe().run(page)
    assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], what


def write(page, text):
    """Write into the Markdown editor, at its end."""
    page.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type(text)


def test_the_first_edit_of_a_new_editor(site, writer, stored, path):
    page = writer()
    page.goto(path)
    page.get_by_role("navigation", name="This page").get_by_role("link", name="Edit").click()
    look(page, "edit")
    page.get_by_label("Title", exact=True).fill("Edited")
    write(page, "Written in the browser.")
    page.keyboard.press("ControlOrMeta+s")
    status = page.locator("[data-writing-status]")
    expect(status).to_have_text(re.compile(r"^Draft saved\."))
    assert stored(path) == ("Edited", f"{BODY}Written in the browser.")
    # The cursor is where it was.
    page.keyboard.type(" And on.")
    expect(status).to_have_text("Not saved yet")
    page.get_by_label("What did you change?").fill("more")
    page.get_by_role("button", name="Save draft and view").click()
    page.wait_for_url(f"**{path}?version=draft")
    expect(page.get_by_role("heading", name="Edited")).to_be_visible()
    assert stored(path)[1] == f"{BODY}Written in the browser. And on."


def test_adding_with_a_name_that_follows_the_title_until_somebody_writes_one(writer, stored, path):
    page = writer()
    page.goto(f"{path}/@@add")
    look(page, "types")
    page.get_by_role("main").get_by_role("link", name="Page Text").click()
    title, name = page.get_by_label("Title", exact=True), page.get_by_label("Name in the address")
    expect(title).to_be_focused()
    page.keyboard.type("Über uns")
    expect(name).to_have_value("uber-uns")
    title.fill("Wir")
    expect(name).to_have_value("wir")
    name.fill("a/b")
    expect(page.get_by_text("cannot have a slash")).to_be_visible()
    look(page, "a name that cannot be")
    page.get_by_role("button", name="Use a-b").click()
    expect(page.get_by_text("This name is free.")).to_be_visible()
    title.fill("Something else")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(f"**{path}/a-b")
    # It was a mistake.
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    assert page.goto(f"{path}/a-b").status == 404


def test_renaming(writer, path):
    page = writer()
    page.goto(f"{path}/@@rename")
    page.get_by_label("Name in the address").fill("folder")
    page.get_by_label("Name in the address").press("End")
    expect(page.get_by_text("“folder” is taken already.")).to_be_visible()
    look(page, "rename")
    page.get_by_role("button", name="Use folder-2").click()
    expect(page.get_by_text("This name is free.")).to_be_visible()
    expect(page.locator("[data-naming-address]")).to_have_text("/folder-2")
    page.get_by_role("button", name="Rename").click()
    page.wait_for_url("**/folder-2")
    expect(page.get_by_text("The old one leads here as well.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    page.goto(path)
    assert page.url.endswith(path)


def test_what_was_written_is_there_after_the_browser_was_killed(writer, stored, path):
    page = writer()
    page.goto(f"{path}/@@edit")
    write(page, "An hour of work.")
    status = page.locator("[data-writing-status]")
    expect(status).to_have_text("Not saved yet")
    expect(status).to_have_text(re.compile("Kept as a draft of yours at"), timeout=10_000)
    # No chance to say anything.
    page.close(run_before_unload=False)
    assert stored(path)[1] == BODY
    page = writer(360)
    page.goto(f"{path}/@@edit")
    expect(page.get_by_text("Restored unsaved work from")).to_be_visible()
    look(page, "restored")
    assert "An hour of work." in page.locator(".cm-content").inner_text()
    page.get_by_role("button", name="Save draft", exact=True).click()
    expect(page.get_by_text(re.compile(r"^Draft saved\."))).to_be_visible()
    assert stored(path)[1] == f"{BODY}An hour of work."
    expect(page.get_by_text("Restored unsaved work from")).to_have_count(0)


def test_nobody_leaves_by_mistake_and_everybody_leaves_what_is_kept(writer, path):
    page = writer()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.goto(f"{path}/@@edit")
    page.route("**/@@autosave", lambda route: route.abort())
    write(page, "Not kept.")
    status = page.locator("[data-writing-status]")
    expect(status).to_have_text(re.compile("there is no connection"), timeout=10_000)
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.url.endswith("@@edit")
    page.unroute("**/@@autosave")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(status).to_have_text(re.compile("Kept as a draft"), timeout=10_000)
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(f"**{path}")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_two_people_edit_one_page(site, writer, stored, path, width, scheme):
    page = writer(width, color_scheme=scheme)
    page.goto(f"{path}/@@edit")
    page.get_by_label("Title", exact=True).fill("Mine")
    page.get_by_label("Description").fill("My summary.")
    write(page, "And mine.")
    theirs = BODY.replace("One line", "Their line").replace("Last line.\n", "Last line.\nTheirs.")
    saved_by_another(site, path, title="Theirs", body=theirs)
    page.get_by_role("button", name="Save draft and view").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Somebody has saved")
    look(page, "merge")
    title = page.get_by_role("group", name=re.compile("^Title"))
    title.get_by_label("Keep yours").check()
    text = page.get_by_role("group", name=re.compile("^Text")).first
    box = text.get_by_role("textbox")
    assert "Their line" in box.input_value()
    box.fill(box.input_value().replace("Theirs.", "Both."))
    expect(text.get_by_label("Take this")).to_be_checked()
    page.get_by_role("button", name="Save the merged version").click()
    page.wait_for_url(f"**{path}?version=draft")
    title, body = stored(path)
    assert title == "Mine"
    assert "Their line." in body
    assert "Both." in body
    assert "And mine." in body


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_a_login_that_ends_while_somebody_writes(
    site, address, writer, stored, path, width, scheme
):
    name = f"quentin{width}"
    page = writer(width, cookie=_cookie(site, address, name), color_scheme=scheme)
    page.goto(f"{path}/@@edit")
    page.get_by_label("Title", exact=True).fill("Not lost")
    write(page, "Written before.")
    with site.tree() as tree:
        user_id = tree.session.scalars(select(User.id).where(User.name == name)).one()
        revoke_logins(tree.session, user_id)
    expect(page.locator("[data-writing-status]")).to_have_text(
        re.compile("you have been signed out"), timeout=10_000
    )
    page.get_by_role("button", name="Save draft and view").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to save")
    look(page, "signed out")
    page.get_by_label("Name or mail address").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in again")
    look(page, "signed in again")
    page.get_by_role("button", name="Save now").click()
    page.wait_for_url(f"**{path}?version=draft")
    assert stored(path) == ("Not lost", f"{BODY}Written before.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_is_broken_on_a_phone(writer, path, scheme):
    page = writer(360, color_scheme=scheme)
    for view in ("@@edit", "@@add", "@@add?type=page", "@@add?type=link", "@@rename"):
        page.goto(f"{path}/{view}")
        page.wait_for_timeout(200)
        look(page, view)
    page.goto(f"{path}/@@edit")
    page.get_by_label("Title", exact=True).fill("")
    page.get_by_role("button", name="Save draft", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
    look(page, "an error")
