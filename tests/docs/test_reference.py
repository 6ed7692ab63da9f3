"""The reference is what the running application says, and says all that one needs."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import myproject
from myproject.extend import DIRECTIVES
from myproject.testing import Site

DOCS = Path(myproject.__file__).parents[1] / "docs"


def test_the_reference_is_current():
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert written == module.reference() + "\n", "run: make reference"


@pytest.mark.parametrize("name", DIRECTIVES)
def test_every_directive_says_what_it_takes_what_it_raises_and_shows_it(name):
    directive = DIRECTIVES[name]
    text = inspect.getdoc(directive)
    assert "Example::" in text
    assert f"config.{name}(" in text
    taken = [p for p in inspect.signature(directive).parameters if p != "config"]
    described = re.findall(r":param (\w+(?:, \w+)*):", text)
    names = {each for group in described for each in group.split(", ")}
    assert set(taken) <= names
    assert ":raises" in text


def test_the_command_writes_the_reference_of_a_site_with_its_own_add_ons(site: Site):
    result = site.run("reference")
    assert result.exit_code == 0
    assert "### add_slot_panel" in result.output
    assert "#### myproject.site_title" in result.output
    assert "myproject.search" not in result.output


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
