"""Sites for tests: what is asked of them is what an application does."""

import sys

import pytest

from myproject.content.types import Folder
from myproject.security.accounts import Accounts
from myproject.testing import DEFAULTS, links, write_ini
from myproject.tree.actor import COMMAND_LINE


@pytest.fixture
def backend(sqlite_backend):
    """No database could answer differently."""
    return sqlite_backend


def test_nodes_are_added_with_their_fields(site):
    site.add("/docs", cls=Folder, title="The docs")
    site.add("/docs/page", "# Hello", summary="Short.")
    page = site.client.get("/docs/page")
    assert "Short." in page
    assert links(page)["/docs"] == "The docs"
    with pytest.raises(KeyError):
        site.add("/nowhere/page")


@pytest.mark.parametrize("who", ["ann", "group:staff", "everyone", "authenticated"])
def test_a_role_is_given_to_whoever_is_named(site, who):
    site.add("/docs")
    site.make_private("/docs")
    ann = site.sign_in("ann")
    with site.tree() as tree:
        accounts = Accounts(tree.session, site.registry.passwords, COMMAND_LINE, minimum=8)
        group = accounts.create_group("staff")
        accounts.join(accounts.create_user("bob", "Bob"), group)
    bob = site.sign_in("bob")
    site.grant(who, "reader", "/docs")
    readers = {
        name
        for name, client in {"ann": ann, "bob": bob, "nobody": site.client}.items()
        if client.get("/docs", expect_errors=True).status_int == 200
    }
    expected = {
        "ann": {"ann"},
        "group:staff": {"bob"},
        "everyone": {"ann", "bob", "nobody"},
        "authenticated": {"ann", "bob"},
    }
    assert readers == expected[who]


def test_a_role_can_be_given_with_the_first_sign_in(site):
    site.add("/docs")
    site.make_private("/docs")
    assert site.sign_in("ann", "reader", "/docs").get("/docs").status_int == 200
    assert site.sign_in("bob").get("/docs", expect_errors=True).status_int == 403


def test_commands_run_with_the_settings_of_the_site(make_site):
    site = make_site(site_title="100 % ours")
    site.add("/docs")
    assert site.run("tree", "check").exit_code == 0
    assert "100 % ours" in site.run("settings").output


def test_a_command_that_does_not_exist_has_a_status(site):
    assert site.run("fly").exit_code == 2


def test_statements_are_counted_within_the_block_only(site):
    with site.statements() as seen:
        site.client.get("/")
    count = len(seen)
    assert count > 0
    site.client.get("/")
    assert len(seen) == count


def test_add_ons_of_tests_are_kept_apart(make_site):
    def footer(text):
        def include(config):
            config.add_slot_panel(lambda context, request: text, "footer", name="x")

        return include

    one, other = make_site(footer("first")), make_site(footer("second"))
    assert "first" in one.client.get("/")
    assert "second" in other.client.get("/")
    assert "second" not in one.client.get("/")
    assert one.run("tree", "check").exit_code == 0


def test_an_add_on_of_a_test_ends_with_its_site(make_site):
    before = set(sys.modules)
    site = make_site(lambda config: None)
    assert {name for name in set(sys.modules) - before if name.startswith("addon_")}
    site.close()
    assert not {name for name in set(sys.modules) - before if name.startswith("addon_")}


def test_an_ini_file_has_what_every_site_of_tests_has(tmp_path):
    text = write_ini(
        tmp_path / "x.ini", "sqlite:///x.sqlite", "myproject.site_title = X"
    ).read_text()
    assert text.startswith("[app:main]\n")
    for key in DEFAULTS:
        assert f"\n{key} = " in text
    assert text.endswith("myproject.site_title = X\n")
