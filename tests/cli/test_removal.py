"""``addon remove``: what an add-on has in the database is exported, and then gone."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SAWarning

from myproject.cli import main, removal
from myproject.content.check import check_content
from myproject.content.types import Folder, Page
from myproject.db.base import Base
from myproject.db.migrations import present_heads
from myproject.interfaces import IContentTypes
from myproject.testing import Backend, Run, Site, invoke, write_ini
from myproject.tree import node as nodes
from myproject.tree.check import check_tree
from myproject.tree.events import NodeDeleted
from myproject.tree.known import KnownType, known_types
from myproject.tree.node import Node
from myproject.tree.site import SITE_ID
from myproject.tree.site import Site as SiteRow

SHELF = '''
"""Books on shelves."""
from decimal import Decimal
from sqlalchemy import ForeignKey, Numeric
from sqlalchemy.orm import Mapped, mapped_column
from myproject.content.types import Content, Page
from myproject.declarations import Setting
from myproject.db.base import Id

class Book(Page):
    __tablename__ = "shelf_book"
    __mapper_args__ = {"polymorphic_identity": "shelf-book"}
    id: Mapped[int] = mapped_column(Id, ForeignKey("page.id", ondelete="CASCADE"), primary_key=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2), default=Decimal("9.50"))

class Shelf(Content):
    __mapper_args__ = {"polymorphic_identity": "shelf-shelf"}

def includeme(config):
    config.add_settings(Setting("myproject.shelf.metres", int, 3, "How long a shelf is."))
    config.add_content_type(Book, "Book")
    config.add_content_type(Shelf, "Shelf")
    config.add_content_type(Page, "Article")
    config.add_migrations("shelf", "shelf_addon:migrations")
'''

FIRST = '''
"""Books."""
revision, down_revision, branch_labels, depends_on = "shelf0001", None, ("shelf",), None
from alembic import op
import sqlalchemy as sa
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

def upgrade():
    key = sa.ForeignKey("page.id", ondelete="CASCADE")
    op.create_table(
        "shelf_book",
        sa.Column("id", Id, key, primary_key=True),
        sa.Column("price", sa.Numeric(10, 2), nullable=False),
    )

def downgrade():
    op.drop_table("shelf_book")
'''

SECOND = '''
"""Loans."""
revision, down_revision, branch_labels, depends_on = "shelf0002", "shelf0001", None, None
from alembic import op
import sqlalchemy as sa

def upgrade():
    op.create_table(
        "shelf_loan",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("since", sa.DateTime(timezone=True)),
        sa.Column("stamp", sa.LargeBinary),
    )
    op.add_column("site", sa.Column("shelf_note", sa.String(20)))

def downgrade():
    op.drop_column("site", "shelf_note")
    op.drop_table("shelf_loan")
'''


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.getfixturevalue(f"{request.param}_backend")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The module of an add-on with types and tables, which is forgotten in the end."""
    folder = tmp_path_factory.mktemp("shelf")
    package = folder / "shelf_addon"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").write_text(SHELF.lstrip())
    (package / "migrations" / "shelf0001.py").write_text(FIRST.lstrip())
    (package / "migrations" / "shelf0002.py").write_text(SECOND.lstrip())
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    with warnings.catch_warnings():
        # Tests of this module may be shared out so that one process makes it twice.
        warnings.simplefilter("ignore", SAWarning)
        module = importlib.import_module("shelf_addon")
    yield module
    sys.path.remove(str(folder))
    del sys.modules["shelf_addon"]
    Base.metadata.remove(Base.metadata.tables["shelf_book"])
    for name in ("shelf-book", "shelf-shelf"):
        del nodes._discriminators[name]


@pytest.fixture
def filled(shelf: Any, make_site: Callable[..., Site]) -> Site:
    """A site on which the add-on was on and has been used."""
    site = make_site(addons="shelf_addon")
    # Pages of its types alone, pages of other types below them, and some that are on their own.
    site.add("/shop", cls=shelf.Shelf)
    site.add("/shop/one", "See [two](two).", cls=shelf.Book)
    site.add("/shop/two", "Two.", cls=shelf.Book)
    site.add("/docs", "Docs.")
    site.add("/docs/book", "A book.", cls=shelf.Book, title="A book")
    site.add("/docs/book/inner", cls=shelf.Shelf)
    site.add("/docs/book/inner/help", "Help.")
    site.add("/docs/book/inner/other", cls=shelf.Book)
    with site.database.writer.begin() as connection:
        connection.execute(
            text("INSERT INTO shelf_loan VALUES (1, NULL, NULL), (2, NULL, :stamp)"),
            {"stamp": b"\x00\xff"},
        )
        connection.execute(text("UPDATE site SET shelf_note = 'ours'"))
    # Commands start the site, which then remembers its types.
    assert site.run("tree", "check").exit_code == 0
    with site.database.read_session() as session:
        assert {"shelf-book", "shelf-shelf"} < known_types(session).keys()
    return site


@pytest.fixture
def run(database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands in an empty directory, with the add-on switched off."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    ini = write_ini(tmp_path / "site.ini", database_url)
    return lambda *arguments: invoke(ini, *arguments)


def everything(site: Site) -> dict[str, list[str]]:
    """All rows of all tables."""
    with site.database.reader.connect() as connection:
        inspector = inspect(connection)
        return {
            name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"'))))
            for name in inspector.get_table_names()
            # It is written with each start that knows of other types.
            if name not in ("known_type", "site")
        }


def exports(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "work").iterdir())


def test_it_is_exported_and_gone(filled: Site, run: Run, tmp_path: Path) -> None:
    with filled.database.read_session() as session:
        before = session.scalars(select(SiteRow.revision)).one()
    result = run("addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 0, result.output
    out = result.stdout
    assert "  6 pages of its types (shelf-book, shelf-shelf)\n" in out
    assert "  the table shelf_book with 4 rows\n" in out
    assert "  the table shelf_loan with 2 rows\n" in out
    assert "  the column shelf_note of the table site, set in 1 row\n" in out
    assert "2 pages of its types with pages of other types below become folders:\n" in out
    assert "  /docs/book\n  /docs/book/inner\n" in out
    (export,) = exports(tmp_path)
    assert export.name.startswith("removed-shelf_addon-")
    assert out.splitlines()[-2] == (
        "Removed shelf_addon: 4 pages deleted, 2 sections kept as a folder, 2 tables dropped, "
        f"1 column dropped. The export is in {export.name}."
    )

    with filled.database.read_session() as session:
        kept = {node.name: type(node) for node in session.scalars(select(Node))}
        assert kept == {"": Page, "docs": Page, "book": Folder, "inner": Folder, "help": Page}
        assert session.scalar(select(Node.title).where(Node.name == "book")) == "A book"
        assert not {"shelf-book", "shelf-shelf"} & known_types(session).keys()
        assert "page" in known_types(session)
        assert list(check_tree(session)) == []
        types = filled.registry.getUtility(IContentTypes)
        assert list(check_content(session, types)) == []
        assert session.scalar(select(SiteRow.revision)) == before + 1
    inspector = inspect(filled.database.reader)
    inspector.clear_cache()
    assert not [name for name in inspector.get_table_names() if name.startswith("shelf")]
    assert "shelf_note" not in [column["name"] for column in inspector.get_columns("site")]
    assert not [head for head in present_heads(filled.database) if head.startswith("shelf")]
    assert run("tree", "check").stdout == "The tree is sound.\n"


def test_the_export_can_be_imported_again(
    filled: Site, shelf: Any, run: Run, tmp_path: Path, make_site: Callable[..., Site]
) -> None:
    assert run("addon", "remove", "shelf_addon", "--yes", "--export", "kept/here").exit_code == 0
    kept = tmp_path / "work" / "kept" / "here"
    pages = sorted(str(path.relative_to(kept / "pages")) for path in kept.rglob("*.md"))
    assert pages == [
        *("docs/book/_index.md", "docs/book/inner/_index.md", "docs/book/inner/other.md"),
        *("shop/_index.md", "shop/one.md", "shop/two.md"),
    ]
    lines = (kept / "tables" / "shelf_loan.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 1, "since": None, "stamp": None},
        {"id": 2, "since": None, "stamp": {"base64": "AP8="}},
    ]
    assert json.loads((kept / "tables" / "site.jsonl").read_text()) == {
        "id": SITE_ID,
        "shelf_note": "ours",
    }
    books = (kept / "tables" / "shelf_book.jsonl").read_text().splitlines()
    assert {float(json.loads(line)["price"]) for line in books} == {9.5}
    again = make_site(addons="shelf_addon")
    assert again.run("import", str(kept / "pages")).exit_code == 0
    with again.database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(shelf.Book)) == 4
    assert 'href="/shop/two"' in again.client.get("/shop/one")
    assert again.run("tree", "check", "--links").exit_code == 0


def test_a_plan_changes_nothing(filled: Site, run: Run, tmp_path: Path) -> None:
    before = everything(filled)
    result = run("addon", "remove", "shelf_addon", "--plan")
    assert result.exit_code == 0
    assert "6 pages of its types" in result.stdout
    assert exports(tmp_path) == []
    assert everything(filled) == before


def test_where_nobody_can_be_asked_nothing_happens(filled: Site, run: Run, tmp_path: Path) -> None:
    before = everything(filled)
    result = run("addon", "remove", "shelf_addon")
    assert result.exit_code == 1
    assert result.stderr == "Nobody can be asked here. Say --yes to go on.\n"
    assert exports(tmp_path) == []
    assert everything(filled) == before


@pytest.mark.parametrize(("typed", "status"), [("shelf_addon", 0), ("shelf", 1), (None, 1)])
def test_the_name_has_to_be_typed(
    filled: Site,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str | None,
    status: int,
) -> None:
    terminal = type("Stdin", (), {"isatty": staticmethod(lambda: True)})
    monkeypatch.setattr(removal, "sys", type("Sys", (), {"stdin": terminal}))
    before = everything(filled)
    given = "" if typed is None else f"{typed}\n"
    command = ["-c", str(tmp_path / "site.ini"), "addon", "remove", "shelf_addon"]
    result = CliRunner().invoke(main, command, input=given)
    assert result.exit_code == status
    if status:
        # Who does not mean it is left with nothing to tidy up.
        assert exports(tmp_path) == []
        assert everything(filled) == before
    else:
        (export,) = exports(tmp_path)
        assert f"its pages come back by: myproject import {export.name}/pages" in result.stdout
        assert "shelf_book" not in everything(filled)


def test_what_a_type_of_another_add_on_has_there_is_not_lost(
    filled: Site, run: Run, tmp_path: Path
) -> None:
    """A type may be below another add-on's, and have a part of its columns in that one's table."""
    with filled.database.transaction() as session:
        tables = ["page", "shelf_book"]
        session.add(
            KnownType(name="novel", addon="novels", title="Novel", tables=tables, fields=[])
        )
    before = everything(filled)
    result = run("addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 1
    assert "Pages of the type 'novel' (novels)" in result.stderr
    assert "Remove novels first." in result.stderr
    assert everything(filled) == before
    assert exports(tmp_path) == []


def test_a_second_export_of_a_day_does_not_meet_the_first(
    filled: Site, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise removal.CannotRemove("no")

    with monkeypatch.context() as patched:
        patched.setattr(removal.Removal, "carry_out", fail)
        assert run("addon", "remove", "shelf_addon", "--yes").exit_code == 1
    assert run("addon", "remove", "shelf_addon", "--yes").exit_code == 0
    first, second = exports(tmp_path)
    assert second.name == f"{first.name}-2"


def test_a_failure_leaves_everything_as_it_was(
    filled: Site, run: Run, tmp_path: Path, shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_back, calls = removal.Removal.take_back, []

    def fail_for_real(self: removal.Removal, connection: Any) -> None:
        take_back(self, connection)
        calls.append(connection)
        if len(calls) == 2:
            raise removal.CannotRemove("The disk is full.")

    monkeypatch.setattr(removal.Removal, "take_back", fail_for_real)
    before = everything(filled)
    result = run("addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 1
    (export,) = exports(tmp_path)
    assert result.stderr.endswith(
        f"Nothing was changed. The export is in {export.name}.\nThe disk is full.\n"
    )
    assert everything(filled) == before
    assert (export / "pages" / "shop" / "one.md").exists()


def test_a_migration_that_cannot_be_taken_back_is_told(
    filled: Site, run: Run, tmp_path: Path, shelf: Any
) -> None:
    file = Path(shelf.__file__).parent / "migrations" / "shelf0002.py"
    source = file.read_text()
    file.write_text(source.replace('op.drop_table("shelf_loan")', "raise ValueError('no luck')"))
    before = everything(filled)
    try:
        result = run("addon", "remove", "shelf_addon", "--yes")
    finally:
        file.write_text(source)
    assert result.exit_code == 1
    assert "shelf0002 of the add-on 'shelf_addon' failed, and nothing has changed" in result.stderr
    assert f"{file}, line 17: ValueError: no luck" in result.stderr
    assert everything(filled) == before
    assert exports(tmp_path) == []


def test_rows_of_other_tables_are_not_lost_with_it(
    filled: Site, run: Run, shelf: Any, tmp_path: Path
) -> None:
    file = Path(shelf.__file__).parent / "migrations" / "shelf0002.py"
    source = file.read_text()
    down = "op.execute('DELETE FROM page WHERE id > 1')\n    op.drop_table"
    file.write_text(source.replace("op.drop_table", down))
    before = everything(filled)
    try:
        result = run("addon", "remove", "shelf_addon", "--yes")
    finally:
        file.write_text(source)
    assert result.exit_code == 1
    assert "rows of the table page, which stays" in result.stderr
    assert everything(filled) == before
    assert exports(tmp_path) == []


def test_pages_that_are_moved_meanwhile_stop_it(
    filled: Site, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move(*_: object, **__: object) -> None:
        with filled.tree() as tree:
            tree.move(filled.node(tree, "/docs/book/inner"), filled.node(tree, "/shop"))

    monkeypatch.setattr(removal, "_ask", move)
    result = run("addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 1
    assert "moved or deleted meanwhile. Run the command again." in result.stderr
    with filled.database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Node)) == 9


def test_other_add_ons_are_told_of_what_is_deleted(
    filled: Site, tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    module = type(sys)("listening_addon")
    module.__dict__["includeme"] = lambda config: config.add_event_subscriber(
        lambda event: seen.append(event.node.name), NodeDeleted
    )
    monkeypatch.setitem(sys.modules, "listening_addon", module)
    monkeypatch.chdir(tmp_path)
    ini = write_ini(tmp_path / "site.ini", database_url, "myproject.addons = listening_addon")
    assert invoke(ini, "addon", "remove", "shelf_addon", "--yes").exit_code == 0
    assert sorted(seen) == ["other", "shop"]


# -- refusals -------------------------------------------------------------------------------------


def test_what_is_on_is_not_removed(filled: Site, tmp_path: Path, database_url: URL) -> None:
    ini = write_ini(tmp_path / "site.ini", database_url, "myproject.addons = shelf_addon")
    result = invoke(ini, "addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        "shelf_addon is on. Take it out of myproject.addons first: its content is kept until "
        "you remove it.\n"
    )


def test_what_is_required_is_not_removed(
    filled: Site, tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needs_shelf.py").write_text(
        'requires = ("shelf_addon",)\ndef includeme(config): pass\n'
    )
    importlib.invalidate_caches()
    ini = write_ini(tmp_path / "site.ini", database_url, "myproject.addons = needs_shelf")
    result = invoke(ini, "addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 1
    assert result.stderr == "shelf_addon is required by needs_shelf. Remove that first.\n"


def test_what_nobody_has_heard_of_is_told(run: Run) -> None:
    result = run("addon", "remove", "serach")
    assert result.exit_code == 2
    assert "Did you mean search?" in result.stderr


@pytest.mark.usefixtures("shelf")
def test_what_was_never_on_has_nothing_to_remove(run: Run, tmp_path: Path) -> None:
    result = run("addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 0
    assert result.stdout == "Nothing of shelf_addon is in the database.\n"
    assert exports(tmp_path) == []


def test_a_directory_that_is_not_empty_is_refused(filled: Site, run: Run, tmp_path: Path) -> None:
    result = run("addon", "remove", "shelf_addon", "--yes", "--export", str(tmp_path))
    assert result.exit_code == 1
    assert "is not empty. Name a new or an empty directory." in result.stderr
    assert "shelf_book" in everything(filled)


def test_an_older_version_is_to_be_upgraded_first(filled: Site, run: Run) -> None:
    with filled.database.writer.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = 'shelf0001' WHERE version_num = :it"),
            {"it": "shelf0002"},
        )
    result = run("addon", "remove", "shelf_addon", "--yes")
    assert result.exit_code == 1
    assert "The database has an older version of shelf_addon: shelf0001." in result.stderr


def test_settings_of_what_is_removed_may_be_there_still(
    filled: Site, tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPROJECT__ADDONS", "search")
    ini = write_ini(
        *(tmp_path / "site.ini", database_url),
        *("myproject.shelf.metres = 7", "myproject.auto_migrate = true"),
    )
    result = invoke(ini, "addon", "remove", "shelf_addon", "--plan")
    assert result.exit_code == 0, result.output
    assert "6 pages of its types" in result.stdout
