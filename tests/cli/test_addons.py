"""``addons``: which there are, which are on, and why."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import insert, update
from sqlalchemy.engine import URL

from myproject.extend import switching
from myproject.extend.switching import available
from myproject.testing import Site, invoke, write_ini
from myproject.tree.known import KnownType
from myproject.tree.node import Node

BUNDLED = f"bundled {version('myproject')}"

Listing = Callable[..., Result]


@pytest.fixture
def listing(database_url: URL, tmp_path: Path) -> Listing:
    """``listing("search", "x = 1")``: what is listed with these add-ons and lines."""

    def run(addons: str = "", *lines: str) -> Result:
        lines = (f"myproject.addons = {addons}", *lines)
        return invoke(write_ini(tmp_path / "site.ini", database_url, *lines), "addons")

    return run


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of an add-on ``outside_one`` that can be imported."""
    file = tmp_path / "outside_one.py"
    file.write_text(
        '"""Comes from outside.\n\nMore."""\nrequires = ("search",)\ndef includeme(config): pass\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield file
    sys.modules.pop("outside_one", None)


def entries(result: Result) -> dict[str, tuple[list[str], str]]:
    """Name -> the other cells of its line, and what is said below it."""
    found: dict[str, tuple[list[str], str]] = {}
    name = ""
    for line in result.stdout.splitlines():
        assert len(line) <= 100
        assert line == line.rstrip()
        if line.startswith(" "):
            cells, said = found[name]
            found[name] = cells, f"{said} {line.strip()}".strip()
        else:
            name, *cells = line.split(maxsplit=2)
            found[name] = cells, ""
    return found


def test_every_add_on_there_is_is_listed_with_its_state(listing: Listing) -> None:
    result = listing("search")
    assert result.exit_code == 0
    assert result.stderr == ""
    found = entries(result)
    assert list(found) == sorted(available())
    assert found["search"][0] == ["on", BUNDLED]
    assert found["search"][1].startswith("Full-text search")
    assert found["search"][1].endswith("On: named in site.ini.")
    assert found["feeds"][0] == ["off", BUNDLED]
    assert found["feeds"][1].endswith(" Off.")


def test_columns_are_aligned(listing: Listing) -> None:
    heads = [line for line in listing("search").stdout.splitlines() if not line.startswith(" ")]
    assert len({line.index(BUNDLED) for line in heads}) == 1


def test_the_environment_is_named_where_it_names_them(
    listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYPROJECT__ADDONS", "feeds")
    found = entries(listing("search"))
    assert "On: named in the environment as MYPROJECT__ADDONS." in found["feeds"][1]
    assert found["search"][0][0] == "off"


def test_a_dotted_name_is_listed_with_what_it_requires(listing: Listing, outside: Path) -> None:
    found = entries(listing("search outside_one"))
    assert found["outside_one"][0] == ["on", "dotted name"]
    assert found["outside_one"][1] == (
        "Comes from outside. On: named in site.ini. Requires search."
    )
    assert "On: named in site.ini, and required by outside_one." in found["search"][1]


def test_an_entry_point_is_listed_with_its_distribution(
    listing: Listing, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("outside", "outside_one", "myproject.addons")
    vars(entry)["dist"] = type("Distribution", (), {"name": "outside-things", "version": "1.2"})
    monkeypatch.setattr(switching, "entry_points", lambda group: [entry])
    found = entries(listing())
    assert found["outside"][0] == ["off", "outside-things 1.2"]
    assert found["outside"][1] == "Comes from outside. Off. Requires search."
    assert "outside_one" not in sys.modules


def test_what_keeps_the_site_from_starting_is_told_below(listing: Listing, outside: Path) -> None:
    result = listing("outside_one serach", "myproject.nonsense = 1")
    assert result.exit_code == 0
    found = entries(result)
    assert found["search"][1].endswith("Off; but outside_one requires it.")
    assert "Cannot be read: there is no module serach." in found["serach"][1]
    assert "The site cannot start as configured:\n" in result.stderr
    assert "outside_one requires search. Add it to myproject.addons." in result.stderr
    assert "serach cannot be included" in result.stderr


def test_add_ons_that_cannot_be_read_are_told(listing: Listing, outside: Path) -> None:
    outside.write_text("def includeme(config):\n    return (\n")
    found = entries(listing("outside_one"))
    assert "Cannot be read: '(' was never closed (" in found["outside_one"][1]
    assert found["outside_one"][1].endswith("outside_one.py, line 2).")


@pytest.mark.parametrize(
    "lines",
    [
        ("myproject.listing_size = many",),
        ("myproject.session_secret_file = /no/such/file",),
        ("myproject.nonsense = x",),
    ],
)
def test_wrong_settings_keep_nothing_from_being_listed(
    listing: Listing, lines: tuple[str, ...]
) -> None:
    result = listing("search", *lines)
    assert result.exit_code == 0
    assert entries(result)["search"][0][0] == "on"
    assert lines[0].partition(" ")[0].removesuffix("_file") in result.stderr


def test_pages_that_are_kept_are_counted(site: Site, listing: Listing) -> None:
    ids = [site.add(f"/{name}") for name in ("a", "b", "c")]
    with site.tree() as tree:
        for name, addon in (("wall", "gallery"), ("feed", "feeds")):
            values = {"name": name, "addon": addon, "title": "T", "tables": [], "fields": []}
            tree.session.execute(insert(KnownType).values(values))
        tree.session.execute(update(Node).where(Node.id.in_(ids[:2])).values(type="wall"))
        tree.session.execute(update(Node).where(Node.id == ids[2]).values(type="feed"))
    found = entries(listing())
    assert found["gallery"] == (["off", "not installed"], "Off; 2 pages of its types are kept.")
    assert found["feeds"][1].endswith("Off; 1 page of its types is kept.")


def test_tables_that_are_kept_are_told(make_site: Callable[..., Site], listing: Listing) -> None:
    make_site(addons="search")
    assert entries(listing())["search"][1].endswith("Off; its tables are kept.")


def test_a_database_that_cannot_be_asked_is_told_and_not_made(tmp_path: Path) -> None:
    file = tmp_path / "var" / "site.sqlite"
    result = invoke(write_ini(tmp_path / "site.ini", f"sqlite:///{file}"), "addons")
    assert result.exit_code == 0
    assert "What is kept of add-ons is not known. sqlalchemy.url = sqlite:///" in result.stderr
    assert "search" in entries(result)
    assert not file.parent.exists()


def test_a_missing_ini_file_is_told(tmp_path: Path) -> None:
    assert invoke(tmp_path / "no.ini", "addons").exit_code == 2
