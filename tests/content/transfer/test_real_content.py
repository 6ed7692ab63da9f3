"""Documentation that people have written: imported, read page by page, and exported again.

``MYPROJECT_TEST_CONTENT`` names a directory of Markdown. Without it this is skipped, except where
``CI`` is set: there it fails.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from myproject.content.check import broken_links, check_content
from myproject.content.transfer.importer import Report
from myproject.content.transfer.scan import scan
from myproject.interfaces import IContentTypes
from myproject.testing import Site, SQLite
from myproject.tree.urls import join_path
from myproject.tree.visibility import PUBLISHED_ONLY
from tests.content.conftest import export_files, import_files

CONTENT = "MYPROJECT_TEST_CONTENT"


class Anchors(HTMLParser):
    """Collects the links of an article: their destinations, and how many are marked as broken."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.marked = 0
        self.depth = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        classes = (values.get("class") or "").split()
        if self.depth or "prose" in classes:
            self.depth += tag == "div"
        if self.depth and tag == "a":
            self.marked += "broken-link" in classes
            self.hrefs += filter(None, [values.get("href")])

    def handle_endtag(self, tag: str) -> None:
        self.depth -= bool(self.depth) and tag == "div"


@dataclass
class Imported:
    directory: Path
    site: Site
    report: Report

    @property
    def paths(self) -> list[str]:
        return [join_path(names) for names in (*self.report.created, *self.report.updated)]

    @property
    def outdated(self) -> set[str]:
        """The pages that readers were to see until a time that has passed."""
        files = {
            join_path(found.names): found.document
            for found in scan(self.directory).entries.values()
        }
        return {path for path, document in files.items() if "expiryDate" in document.extra}


@pytest.fixture(scope="module")
def imported(
    sqlite_backend: SQLite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Imported]:
    if CONTENT not in os.environ:
        message = f"{CONTENT} names no directory of Markdown"
        if os.environ.get("CI"):
            pytest.fail(f"{message}; in CI there has to be one")
        pytest.skip(message)
    site = Site(sqlite_backend.create())
    directory = Path(os.environ[CONTENT])
    yield Imported(directory, site, import_files(site, directory))
    site.database.dispose()


def test_every_file_becomes_a_page_and_every_page_answers(imported: Imported) -> None:
    files = [path for path in imported.directory.rglob("*.md") if path.is_file()]
    assert imported.report.problems == []
    assert len(imported.paths) >= len(files) == imported.report.files
    answers = {
        path: imported.site.client.get(path, status="*").status_int for path in imported.paths
    }
    assert set(answers.values()) <= {200, 404}
    assert {path for path, status in answers.items() if status == 404} == imported.outdated


def test_links_either_lead_somewhere_or_are_reported(imported: Imported) -> None:
    site, leads = imported.site, {}
    dead: Counter[tuple[str, str]] = Counter()
    for path in set(imported.paths) - imported.outdated:
        anchors = Anchors(site.client.get(path).text)
        assert anchors.marked == 0
        for href in anchors.hrefs:
            target = urlsplit(urljoin(f"http://localhost{path}", href))
            if target.netloc != "localhost" or target.scheme != "http":
                continue
            if target.path not in leads:
                answer = site.client.get(target.path, status="*")
                leads[target.path] = answer.status_int in {200, 301, 302}
            if not leads[target.path]:
                dead[path, href] += 1
    with site.database.read_session() as session:
        found = broken_links(session, site.registry.getUtility(IContentTypes), PUBLISHED_ONLY)
    assert len(leads) > 100
    assert dead == Counter((link.page, link.destination) for link in found)


def test_the_tree_is_sound_afterwards(imported: Imported) -> None:
    with imported.site.database.read_session() as session:
        types = imported.site.registry.getUtility(IContentTypes)
        assert list(check_content(session, types)) == []


def test_importing_again_changes_nothing(imported: Imported) -> None:
    report = import_files(imported.site, imported.directory)
    assert (report.created, report.updated, report.reordered) == ([], [], 0)


def test_export_import_export_gives_the_same_bytes(
    imported: Imported, sqlite_backend: SQLite, tmp_path: Path
) -> None:
    first = export_files(imported.site, tmp_path / "first")
    other = Site(sqlite_backend.create())
    import_files(other, tmp_path / "first")
    second = export_files(other, tmp_path / "second")
    other.database.dispose()
    assert second == first
