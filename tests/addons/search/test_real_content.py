"""Documentation that people have written: imported, and searched."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from myproject.addons.search.models import DOCUMENT
from myproject.content.transfer.importer import import_directory
from myproject.interfaces import IContentTypes
from myproject.testing import need


@pytest.fixture(scope="module")
def imported(make_shared_site):
    folder = need("MYPROJECT_TEST_CONTENT", "directory of Markdown")
    site = make_shared_site(addons="search")
    with site.tree() as tree:
        types = site.registry.getUtility(IContentTypes)
        import_directory(tree, Path(folder), types=types, renderer=site.renderer)
    return site


def test_all_of_it_is_indexed(imported):
    assert imported.run("search", "check").output == "The index is up to date.\n"
    with imported.database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(DOCUMENT)) > 900


@pytest.mark.parametrize("text", ["template", "image processing", "config*", '"front matter"'])
def test_all_that_is_found_can_be_read(imported, text):
    response = imported.client.get("/@@search", {"q": text})
    results = response.html.select(".search-results li")
    assert len(results) >= 10
    for result in results:
        imported.client.get(result.h2.a["href"], status=[200, 302])
    # Some have it in their titles in menus only.
    assert sum(bool(result.select("mark")) for result in results) >= len(results) - 2
