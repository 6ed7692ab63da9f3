"""Content types of add-ons in files: every column, every value, and what is wrong with one."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from myproject.content.known import record_types
from myproject.content.operations import finish, save
from myproject.content.registry import ContentType
from myproject.content.transfer.importer import ImportFailed
from myproject.interfaces import IContentTypes
from myproject.testing import Site, sqlite_only
from myproject.tree.node import ROOT_ID, Node
from tests.content.conftest import export_files, field_of, id_of, import_files
from tests.content.sample import Sample, SamplePage, create_tables
from tests.content.transfer.test_frontmatter import TIMES, VALUES


def with_samples(site: Site) -> Site:
    create_tables(site.database)
    types = site.registry.getUtility(IContentTypes)
    types.add(ContentType("sample", Sample, "Sample"))
    types.add(ContentType("sample-page", SamplePage, "Page by"))
    return site


@pytest.fixture
def shop(site: Site) -> Site:
    return with_samples(site)


HEAD = "---\ntitle: T\ncontentType: sample\n"


def test_fields_come_from_front_matter(shop: Site, files: Callable[..., Path]) -> None:
    report = import_files(
        shop,
        files(
            {
                "a.md": HEAD + "sku: A\nprice: 12.5\nborn: 2026-05-01\nsince: 2026-05-01\n"
                "sold: yes\nfacts: {a: 2026-05-01}\nopens: 09:30\nother: 1\n---\n",
                "b.md": HEAD + "sku: B\nsize:\nstock:\n---\n",
                "p.md": "---\ncontentType: sample-page\nauthor: Ann\n---\n\n# P\n\n[b](b.md)",
            }
        ),
    )
    assert len(report.created) == 3
    assert field_of(shop, "/a", "unit_price") == Decimal("12.50")
    assert field_of(shop, "/a", "born") == dt.date(2026, 5, 1)
    assert field_of(shop, "/a", "since") == dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    assert field_of(shop, "/a", "opens") == dt.time(9, 30)
    assert field_of(shop, "/a", "facts") == {"a": dt.date(2026, 5, 1)}
    assert field_of(shop, "/a", "sold") is True
    assert field_of(shop, "/a", "size") == "m"
    assert field_of(shop, "/a", "extra") == {"other": 1}
    assert field_of(shop, "/a", "shouted") == "T"
    assert field_of(shop, "/b", "size") is None
    assert field_of(shop, "/b", "stock") == 3
    assert (field_of(shop, "/p", "title"), field_of(shop, "/p", "author")) == ("P", "Ann")
    assert f'href="node:{id_of(shop, "/b")}"' in field_of(shop, "/p", "body_html")


def test_a_second_import_changes_nothing_and_a_missing_key_means_the_default(
    shop: Site, files: Callable[..., Path]
) -> None:
    full = files({"a.md": HEAD + "sku: A\nstock: 9\ntags: [1]\nprice: '1.00'\n---\n"})
    import_files(shop, full)
    since = field_of(shop, "/a", "since")
    report = import_files(shop, full)
    assert (report.unchanged, report.updated) == (1, [])
    report = import_files(shop, files({"a.md": HEAD + "sku: A\n---\n"}))
    assert report.updated == [("a",)]
    values = {field: field_of(shop, "/a", field) for field in ("stock", "tags", "unit_price")}
    assert values == {"stock": 3, "tags": [], "unit_price": None}
    assert field_of(shop, "/a", "since") == since


def test_an_import_asks_a_few_times_whatever_the_number_of_pages(
    shop: Site, files: Callable[..., Path], count_statements: Any
) -> None:
    def pages(count: int) -> Mapping[str, str]:
        return {f"n{number}.md": HEAD + f"sku: S{number}\n---\n" for number in range(count)}

    few, many = files(pages(3)), files(pages(30))
    import_files(shop, many)
    counts = []
    for directory in (few, many):
        with count_statements(shop.database) as seen:
            import_files(shop, directory)
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + "sku: A\nprice: much\n---\n", 5, "price: It must be a number such as"),
        (HEAD + "sku: A\nprice: 1.234\n---\n", 5, "at most 2 decimal places"),
        (HEAD + "sku: 5\n---\n", 4, "quotation marks"),
        (HEAD + "price: 1\n---\n", 3, "sku: It needs a value"),
        (HEAD + "sku: A\nborn: soon\n---\n", 5, "born: It must be a date"),
        (HEAD + "sku: A\nsince: soon\n---\n", 5, "since: It must be a date and time"),
        (HEAD + "sku: A\nstock: 99999999999\n---\n", 5, "between"),
        (HEAD + "sku: A\nsize: xl\n---\n", 5, "one of: s, m"),
        (HEAD + "sku: A\n---\n\ntext\n", 7, "contentType: sample can have no text"),
        ("---\r\ncontentType: sample\r\nsku: A\r\nstock: x\r\n---\r\n", 4, "whole number"),
        ("---\ncontentType: nonsense\nsku: A\n---\n\ntext\n", 0, "'nonsense' cannot be imported"),
    ],
)
@sqlite_only
def test_a_wrong_value_is_named_with_its_file_and_line(
    shop: Site, files: Callable[..., Path], text: str, line: int, words: str
) -> None:
    with pytest.raises(ImportFailed) as caught:
        import_files(shop, files({"sub/a.md": text}))
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("sub/a.md", line)
    assert words in problem.reason
    report = import_files(shop, files({"a.md": text, "b.md": ""}), skip_errors=True)
    assert report.created == [("b",)]


def test_what_is_going_to_be_published_on_time_lacks_nothing(
    shop: Site, files: Callable[..., Path]
) -> None:
    types = shop.registry.getUtility(IContentTypes)
    types.add(ContentType("sample", Sample, "Sample", incomplete_drafts=True))
    import_files(shop, files({"a.md": HEAD + "sku: A\npublishDate: 2091-05-01\n---\n"}))
    draft = files({"a.md": HEAD + "draft: true\n---\n"})
    with pytest.raises(ImportFailed) as caught:
        import_files(shop, draft)
    assert "sku: It needs a value" in str(caught.value)
    with shop.tree() as tree:
        shop.node(tree, "/a").publish_at = None
    assert import_files(shop, draft).updated == [("a",)]


def test_pages_become_samples_and_samples_pages(shop: Site, files: Callable[..., Path]) -> None:
    shop.add("/a", "text")
    import_files(shop, files({"a.md": HEAD + "sku: A\n---\n"}))
    assert field_of(shop, "/a", "sku") == "A"
    import_files(shop, files({"a.md": "---\ncontentType: sample-page\nauthor: Ann\n---\n\nx"}))
    assert (field_of(shop, "/a", "author"), field_of(shop, "/a", "body")) == ("Ann", "x")
    import_files(shop, files({"a.md": "text"}))
    assert field_of(shop, "/a", "type") == "page"


@sqlite_only
def test_the_source_view_s_front_matter_is_that_of_an_export(shop: Site, tmp_path: Path) -> None:
    shop.add("/p", "Text.", cls=SamplePage, title="P", author="Ann")
    shown = shop.client.get("/p/@@source").text
    assert "author: Ann" in shown
    assert export_files(shop, tmp_path / "out")["p.md"].decode() == shown


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 80), 1 << 80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
SAMPLES = st.fixed_dictionaries(
    {"sku": TEXT.filter(str.strip)},
    optional={
        "unit_price": st.none()
        | st.decimals(-999999, 999999, places=2, allow_nan=False, allow_infinity=False),
        "stock": st.integers(-(1 << 31), (1 << 31) - 1),
        "weight_kg": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "sold": st.booleans(),
        "born": st.none() | st.dates(),
        "since": TIMES.filter(lambda moment: moment.tzinfo and 2 < moment.year < 9998),
        "opens": st.none() | st.times(),
        "tags": JSON.filter(lambda value: value is not None),
        "facts": st.dictionaries(TEXT, VALUES, max_size=3),
        "note": st.none() | TEXT,
        "size": st.sampled_from(["s", "m", None]),
        "extra": st.dictionaries(TEXT | st.sampled_from(["price", "sku"]), st.integers()),
    },
)


def stored(site: Site) -> dict[str, str]:
    """All own columns of all samples, as text that tells 1, 1.0 and True apart."""
    with site.tree() as tree:
        columns = [column for column in Sample.__table__.c if column.name != "id"]
        query = tree.session.query(Sample.name, *columns).order_by(Sample.name)
        return {row[0]: repr(tuple(row[1:])) for row in query}


@contextmanager
def switched_off(site: Site) -> Iterator[None]:
    """Without the samples' classes, as they are recorded."""
    types = site.registry.getUtility(IContentTypes)
    with site.database.transaction() as session:
        record_types(session, types)
    kept = [types._types.pop(name) for name in ("sample", "sample-page")]
    yield
    for content_type in kept:
        types.add(content_type)


def clear(site: Site) -> None:
    with site.tree() as tree:
        tree.session.execute(delete(Node.__table__).where(Node.__table__.c.id != ROOT_ID))
        tree.session.get_one(Node, ROOT_ID).title = "Home"


@pytest.mark.parametrize(
    ("backend", "examples"), [("sqlite", 60), ("postgresql", 15)], indirect=["backend"]
)
def test_random_columns_come_back_as_they_were(
    new_site: Callable[[], Site], tmp_path: Path, examples: int
) -> None:
    site, other = with_samples(new_site()), with_samples(new_site())

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.lists(SAMPLES, max_size=3))
    def round_trip(samples: list[dict[str, Any]]) -> None:
        clear(site)
        clear(other)
        with site.tree() as tree:
            root = tree.session.get_one(Node, ROOT_ID)
            for number, values in enumerate(samples):
                node = Sample(title="T", **{"extra": {}, **values})
                tree.add(root, node, f"n{number}")
                finish(tree, node, site.renderer)
                # A new row gets the default for None.
                save(tree, node, {"size": values.get("size", "m")}, site.renderer)
        with tempfile.TemporaryDirectory(dir=tmp_path) as directory:
            first = Path(directory, "first")
            exported = export_files(site, first)
            import_files(other, first)
            assert stored(other) == stored(site)
            with switched_off(site):
                assert export_files(site, Path(directory, "off")) == exported
            assert export_files(other, Path(directory, "second")) == exported
            report = import_files(other, first)
            assert (report.created, report.updated) == ([], [])

    round_trip()
