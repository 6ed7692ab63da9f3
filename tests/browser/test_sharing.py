"""The sharing screen: no rule of axe-core is broken, it fits, and searching needs no button."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from myproject.interfaces import IRoles
from myproject.security.accounts import Accounts
from myproject.security.models import Grant, Principal
from myproject.security.sharing import Sharing, granted
from myproject.testing import sign_in
from myproject.tree.actor import COMMAND_LINE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cookie(site, address):
    """Of somebody who manages a private section with all kinds of grants."""
    site.add("/shared", title="Shared")
    site.add("/shared/private", title="Private")
    client = sign_in(site, "mia", "manager", "/shared/private")
    with site.tree() as tree:
        session = tree.session
        accounts = Accounts(session, site.registry.passwords, COMMAND_LINE, minimum=8)
        staff = accounts.create_group("staff", "Staff")
        walt = accounts.create_user("walt", "Walt " + "antidisestablishmentarianism" * 3)
        accounts.join(walt, staff)
        sharing = Sharing(session, site.registry.getUtility(IRoles), COMMAND_LINE, None)
        sharing.make(site.node(tree, "/shared"), granted(staff.id, "editor"))
        private = site.node(tree, "/shared/private")
        sharing.make(private, granted(walt.id, "reader"))
        session.add(Grant(node_id=private.id, principal_id=staff.id, role="of-an-add-on"))
    ((name, value),) = client.cookies.items()
    return {"name": name, "value": value, "url": address}


@pytest.fixture
def walt(site):
    with site.database.read_session() as session:
        return session.scalar(select(Principal.id).where(Principal.name == "walt"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken_and_nothing_sticks_out(open_context, cookie, walt, scheme, width):
    context = open_context(width, color_scheme=scheme)
    context.add_cookies([cookie])
    page = context.new_page()

    def look(what):
        results = Axe().run(page)
        assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what

    page.goto(f"/shared/private/@@sharing?q=s&person={walt}")
    look("screen")
    page.goto("/shared/private/@@sharing?who=w")
    look("asking")
    page.get_by_role("button", name="Stop inheriting").click()
    page.get_by_role("button", name="Yes, change it").wait_for()
    look("confirmation")


def test_searching_while_typing_and_adding(site, open_context, cookie):
    context = open_context()
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto("/shared/private/@@sharing")
    page.get_by_label("Name of a person or a group").fill("sta")
    row = page.locator("#site-found li", has_text="Staff")
    row.get_by_role("combobox").select_option("author")
    row.get_by_role("button").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Give the role Author to Staff?"
    page.get_by_role("button", name="Yes, change it").click()
    assert "Staff has the role Author here." in page.get_by_role("status").inner_text()


def test_an_island_stays_one_without_a_script(site, open_context, cookie):
    context = open_context(java_script_enabled=False)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto("/shared/private/@@sharing")
    page.get_by_role("button", name="Stop inheriting").click()
    page.get_by_role("button", name="Yes, change it").click()
    assert "no longer holds here" in page.get_by_role("status").inner_text()
