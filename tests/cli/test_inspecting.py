"""``explain``, ``settings`` and ``tree check``."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from myproject.content.types import Link
from myproject.testing import Backend, Run, Site, invoke, write_ini


def explained(run: Run, path: str) -> dict[str, str]:
    result = run("explain", path)
    assert result.exit_code == 0
    lines = [line.partition(":") for line in result.stdout.splitlines()]
    return {label: rest.strip() for label, _, rest in lines}


@pytest.fixture
def a_b(site: Site) -> Site:
    site.add("/a", title="Page A")
    site.add("/a/b c", title="Page B")
    site.add("/draft", state="draft", title="Secret")
    site.add("/link", cls=Link, url="/a")
    return site


ALLOWED = "view: allowed, because a role given here or above has it"
PAGE_VIEW = "myproject.views.page.page_view"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/a",
            {
                "consumed": "/a",
                "left over": "nothing",
                "node": "2 'Page A'",
                "type": "page, published",
                "view": PAGE_VIEW,
                "permission": ALLOWED,
                "answer": "200 OK",
            },
        ),
        ("a", {"consumed": "/a", "answer": "200 OK"}),
        ("/", {"consumed": "/", "node": "1 'Home'", "answer": "200 OK"}),
        ("/a/b%20c", {"consumed": "/a/b c", "view": PAGE_VIEW, "answer": "200 OK"}),
        ("/a/b c", {"consumed": "/a/b c", "answer": "200 OK"}),
        ("https://example.org/a?after=1.1#f", {"consumed": "/a", "answer": "200 OK"}),
        ("/a?after=nonsense", {"consumed": "/a", "answer": "400 Bad Request"}),
        (
            "/a/@@source",
            {
                "consumed": "/a",
                "left over": "@@source",
                "view": "myproject.views.source.source_view",
                "answer": "200 OK",
            },
        ),
        (
            "/a/nope/x",
            {
                "consumed": "/a",
                "left over": "nope/x",
                "view": "none is called 'nope' here",
                "answer": "404 Not Found",
            },
        ),
        (
            "/a/",
            {"consumed": "/a", "answer": "301 Moved Permanently", "location": "http://localhost/a"},
        ),
        ("/draft", {"type": "page, draft", "answer": "404 Not Found"}),
        ("/link", {"type": "link, published", "answer": "302 Found"}),
    ],
)
def test_an_address_is_explained(a_b: Site, run: Run, path: str, expected: dict[str, str]) -> None:
    found = explained(run, path)
    assert {label: found.get(label) for label in expected} == expected


def test_a_denial_says_why(a_b: Site, run: Run) -> None:
    assert explained(run, "/draft")["permission"] == "view: denied, because 'Secret' is a draft"


@pytest.mark.parametrize("path", ["/a%00b", "/%ff", "/" + "x/" * 300, "/" + "x" * 300])
def test_an_impossible_address_is_refused_without_a_statement(run: Run, path: str) -> None:
    found = explained(run, path)
    assert found == {
        "consumed": "nothing: refused before the database was asked",
        "statements": "0",
        "answer": "400 Bad Request",
    }


def test_statements_are_those_of_the_request(a_b: Site, run: Run, count_statements: object) -> None:
    with count_statements(a_b.database) as seen:  # type: ignore[operator]
        a_b.client.get("/a")
    assert explained(run, "/a")["statements"] == str(len(seen))


def test_what_a_route_answers_has_no_node(run: Run) -> None:
    found = explained(run, "/@@static/site.css")
    assert "node" not in found
    assert found["answer"] == "200 OK"


def test_a_type_without_its_add_on_is_said(a_b: Site, run: Run) -> None:
    with a_b.database.writer.begin() as connection:
        connection.execute(text("UPDATE node SET type = 'product' WHERE name = 'a'"))
    found = explained(run, "/a")
    assert found["type"] == "product (its add-on is not switched on), published"
    assert found["view"] == "none shows this type"
    assert found["answer"] == "404 Not Found"


def test_columns_are_aligned(run: Run) -> None:
    starts = {
        len(line) - len(line.partition(":")[2].lstrip())
        for line in run("explain", "/").stdout.splitlines()
    }
    assert starts == {13}


# -- settings --------------------------------------------------------------------------------------


def test_settings_name_their_sources_and_hide_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://someone:s3cret@127.0.0.1:1/nothing"
    ini = write_ini(tmp_path / "site.ini", url, "myproject.site_title = Ours")
    monkeypatch.setenv("MYPROJECT__LISTING_SIZE", "7")
    result = invoke(ini, "settings")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    found = dict(zip(lines[::2], lines[1::2], strict=True))
    assert "s3cret" not in result.stdout
    assert "sqlalchemy.url = postgresql+psycopg://someone:***@127.0.0.1:1/nothing" in found
    assert found["myproject.site_title = Ours"].startswith("    from site.ini. ")
    assert found["myproject.listing_size = 7"].startswith(
        "    from environment MYPROJECT__LISTING_SIZE."
    )
    assert found["myproject.locale = en"].startswith("    from default. ")
    assert "myproject.addons =" in found


# -- tree check ------------------------------------------------------------------------------------


def test_a_sound_tree_is_said_to_be(a_b: Site, run: Run) -> None:
    result = run("tree", "check", "--links")
    assert result.exit_code == 0
    assert result.stdout == "The tree is sound.\nAll links within the site can be followed.\n"


def test_problems_are_counted_and_end_with_status_1(a_b: Site, run: Run) -> None:
    with a_b.database.writer.begin() as connection:
        connection.execute(text("UPDATE node SET name = 'a/b' WHERE name = 'a'"))
    result = run("tree", "check")
    assert result.exit_code == 1
    assert "the name 'a/b' is impossible" in result.stdout
    assert "stands where its history does not know it" in result.stdout
    assert result.stdout.endswith("2 problems.\n")


def test_broken_links_are_looked_for_when_asked(a_b: Site, run: Run) -> None:
    a_b.add("/x", "[a](/nowhere) [b](/nowhere) [c](/draft)")
    assert run("tree", "check").exit_code == 0
    result = run("tree", "check", "--links")
    assert result.exit_code == 1
    assert result.stdout == (
        "The tree is sound.\n"
        "/x: /nowhere: there is no such page (2 times)\n"
        "/x: /draft: readers cannot see that page\n"
        "3 broken links.\n"
    )


def test_a_tree_without_a_root_is_still_checked(site: Site, run: Run) -> None:
    with site.database.writer.begin() as connection:
        connection.execute(text("DELETE FROM node"))
    result = run("tree", "check", "--links")
    assert result.exit_code == 1
    assert "There is no root." in result.stdout


def test_commands_work_on_postgresql(postgresql_backend: Backend, tmp_path: Path) -> None:
    url = postgresql_backend.create()
    ini = write_ini(tmp_path / "site.ini", url)
    assert invoke(ini, "init").exit_code == 0
    assert invoke(ini, "tree", "check", "--links").exit_code == 0
    assert "200 OK" in invoke(ini, "explain", "/").stdout
    assert invoke(ini, "export", str(tmp_path / "out")).exit_code == 0
    assert invoke(ini, "import", str(tmp_path / "out")).exit_code == 0
    postgresql_backend.drop(url)
