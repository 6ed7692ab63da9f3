"""The schema: what migrations make is what the models say, there and back."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, select, text

from myproject import jobs  # noqa: F401 - its table belongs to the metadata
from myproject.content import references, types  # noqa: F401
from myproject.db.base import Base
from myproject.db.engine import Database
from myproject.db.migrations import (
    downgrade,
    ensure_current,
    needed_heads,
    pending,
    present_heads,
    upgrade,
)
from myproject.exceptions import (
    ConfigurationProblem,
    DatabaseOutdated,
    DatabaseUnavailable,
    MigrationFailed,
)
from myproject.extend.points import Branch
from myproject.testing.schemas import schema_of
from myproject.tree.check import check_tree
from myproject.tree.node import ROOT_ID, Node


@pytest.fixture
def empty(backend):
    """A database without any table."""
    url = backend.new_url()
    database = Database(url)
    yield database
    database.dispose()
    backend.drop(url)


def core_tables():
    """Names of the core's tables: tests of add-ons add others to the same metadata."""
    rooms = tuple(f"myproject.{room}" for room in ("tree", "content", "security", "jobs"))
    mappers = [m for m in Base.registry.mappers if m.class_.__module__.startswith(rooms)]
    return {table.name for mapper in mappers for table in mapper.tables}


def test_migrations_make_the_schema_of_the_models(database):
    core = core_tables()
    assert core > {"node", "page", "site", "job_run", "known_type"}
    with database.writer.connect() as connection:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_object": lambda item, name, kind, *rest: kind != "table" or name in core,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def names_in(table):
    # But for primary keys: SQLite forgets the names of those it numbers by itself.
    constraints = table.constraints - {table.primary_key}
    return {item.name for item in [*constraints, *table.indexes]}


def test_constraints_and_indexes_are_those_of_the_models(database):
    reflected = MetaData()
    reflected.reflect(database.reader)
    for name in core_tables():
        table = Base.metadata.tables[name]
        assert names_in(table) == names_in(reflected.tables[name])


def test_up_down_and_up_again_leave_the_same_schema_of(empty):
    upgrade(empty)
    first = schema_of(empty)
    assert present_heads(empty) == needed_heads()
    with empty.writer.begin() as connection:
        downgrade(connection, (), "base")
    assert set(schema_of(empty)) == {"alembic_version"}
    upgrade(empty)
    assert schema_of(empty) == first


def test_upgrading_what_is_current_changes_nothing(database):
    before = schema_of(database)
    upgrade(database)
    assert schema_of(database) == before


def test_a_new_database_holds_a_sound_tree_of_one_page(database):
    session = database.read_session()
    assert session.scalars(select(Node.id)).all() == [ROOT_ID]
    assert list(check_tree(session)) == []
    session.close()


def test_a_migration_that_fails_leaves_nothing_behind(empty):
    with empty.writer.begin() as connection:
        connection.execute(text("CREATE TABLE site (id INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        upgrade(empty)
    assert set(schema_of(empty)) == {"site"}


def test_an_empty_database_is_told_to_be_made(empty):
    # The file is there, and there is nothing in it.
    empty.check_reachable()
    with pytest.raises(DatabaseOutdated, match=r"is empty\. Run: myproject -c my\.ini init$"):
        ensure_current(empty, "my.ini", migrate=False)
    ensure_current(empty, "my.ini", migrate=True)
    ensure_current(empty, "my.ini", migrate=False)


def test_another_schema_is_told(database):
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    expected = r"database holds something else \(other\)"
    with pytest.raises(DatabaseOutdated, match=expected):
        ensure_current(database, "my.ini", migrate=False)


def test_messages_about_the_schema_show_no_password(postgresql_backend):
    empty = postgresql_backend.new_url()
    for url in (empty.set(password="s3cret"), empty.update_query_dict({"password": "s3cret"})):
        database = Database(url)
        with pytest.raises(DatabaseOutdated) as caught:
            ensure_current(database, "my.ini", migrate=False)
        assert "s3cret" not in str(caught.value)
        assert empty.database in str(caught.value)
        database.dispose()
    postgresql_backend.drop(empty)


@pytest.mark.parametrize("migrate", [True, False])
def test_a_database_that_does_not_answer_is_told(migrate):
    database = Database("postgresql+psycopg://someone:s3cret@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable, match="cannot be reached") as caught:
        ensure_current(database, "my.ini", migrate=migrate)
    assert "s3cret" not in str(caught.value)


def test_the_schema_can_be_asked_for_while_somebody_writes(database):
    with database.transaction() as session:
        session.get_one(Node, ROOT_ID).title = "Changed"
        session.flush()
        assert present_heads(database) == needed_heads()


def test_a_file_that_does_not_exist_is_told_and_not_made(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/var/site.sqlite")
    with pytest.raises(DatabaseOutdated, match=r"not exist yet\. Run: myproject -c p\.ini init"):
        ensure_current(database, "p.ini", migrate=False)
    assert not any(tmp_path.iterdir())


def branch(folder, name="gallery"):
    """A branch of an add-on, with a first revision."""
    folder.mkdir(exist_ok=True)
    write(
        folder, f"{name}0001", None, name, 'op.create_table("picture", sa.Column("id", sa.Integer))'
    )
    return Branch(name, folder, name)


def write(folder, revision, down, label, up, down_body='op.drop_table("picture")'):
    """Write a migration."""
    (folder / f"{revision}.py").write_text(
        f'"""Pictures."""\nimport sqlalchemy as sa\nfrom alembic import op\n'
        f"revision, down_revision = {revision!r}, {down!r}\n"
        f"branch_labels, depends_on = {(label,) if label else None!r}, None\n\n"
        f"def upgrade():\n    {up}\n\ndef downgrade():\n    {down_body}\n"
    )


def test_a_branch_goes_up_and_down_and_leaves_the_core_alone(database, tmp_path):
    core, gallery = schema_of(database), branch(tmp_path / "g")
    upgrade(database, [gallery])
    assert present_heads(database) == needed_heads([gallery]) == {*needed_heads(), "gallery0001"}
    assert set(schema_of(database)) == {*core, "picture"}
    with database.writer.begin() as connection:
        downgrade(connection, [gallery], "gallery@base")
    assert schema_of(database) == core
    assert present_heads(database) == needed_heads()


def test_a_database_with_the_tables_of_an_absent_add_on_is_current(database, tmp_path):
    upgrade(database, [branch(tmp_path / "g")])
    ensure_current(database, "my.ini", migrate=False)
    other = branch(tmp_path / "h", "other")
    write(tmp_path / "h", "other0001", None, "other", "pass", "pass")
    upgrade(database, [other])
    assert present_heads(database) == {*needed_heads(), "gallery0001", "other0001"}


def test_an_add_on_s_missing_tables_are_told(database, tmp_path):
    with pytest.raises(DatabaseOutdated, match=r"lacks tables of gallery\. Run: .* db upgrade$"):
        ensure_current(database, "my.ini", [branch(tmp_path / "g")], migrate=False)
    ensure_current(database, "my.ini", [branch(tmp_path / "g")], migrate=True)


def test_a_newer_version_of_an_add_on_is_told(database, tmp_path):
    gallery = branch(tmp_path / "g")
    write(tmp_path / "g", "gallery0002", "gallery0001", None, "pass", "pass")
    upgrade(database, [gallery])
    (tmp_path / "g" / "gallery0002.py").unlink()
    with pytest.raises(DatabaseOutdated, match="newer version: gallery0002 of gallery"):
        ensure_current(database, "my.ini", [gallery], migrate=False)


def test_a_migration_that_fails_halfway_is_told_and_leaves_the_database_as_it_was(
    database, tmp_path
):
    before, gallery = schema_of(database), branch(tmp_path / "g")
    write(
        *(tmp_path / "g", "gallery0002", "gallery0001", None),
        'op.create_table("second", sa.Column("id", sa.Integer))\n    raise ValueError("no luck")',
    )
    with pytest.raises(MigrationFailed, match="nothing has changed") as caught:
        upgrade(database, [gallery])
    told = str(caught.value)
    assert "gallery0002 of the add-on 'gallery'" in told
    assert f"{tmp_path}/g/gallery0002.py, line 9: ValueError: no luck" in told
    assert schema_of(database) == before
    assert present_heads(database) == needed_heads()


def test_what_is_pending_is_told_with_its_sql(empty, database, tmp_path):
    gallery = branch(tmp_path / "g")
    write(
        *(tmp_path / "g", "gallery0002", "gallery0001", None),
        'op.get_bind().execute(sa.text("SELECT * FROM picture")).all()',
    )
    (first, second) = pending(database, [gallery])
    assert first[:3] == ("gallery", "gallery0001", "Pictures.")
    assert "CREATE TABLE picture" in first.sql
    assert (second.revision, second.sql) == ("gallery0002", "")
    everything = pending(empty, [gallery])
    assert [item.revision for item in everything][:2] == ["core0001", "core0002"]
    assert "INSERT INTO" in everything[0].sql
    assert schema_of(empty) == {}


@pytest.mark.parametrize(
    ("name", "label", "message"),
    [
        ("abcdef", "gallery", "has to be named after its branch"),
        ("gallery0001", None, "no first revision has branch_labels = \\('gallery',\\)"),
    ],
)
def test_migrations_that_are_not_as_they_have_to_be_are_told(
    database, tmp_path, name, label, message
):
    write(tmp_path, name, None, label, "pass")
    with pytest.raises(ConfigurationProblem, match=message):
        upgrade(database, [Branch("gallery", tmp_path, "gallery")])


def test_a_branch_s_folder_holds_its_own_revisions_only(database, tmp_path):
    gallery = branch(tmp_path / "g")
    write(tmp_path / "g", "core9999", "core0001", None, "pass")
    with pytest.raises(ConfigurationProblem, match="such as gallery0001"):
        upgrade(database, [gallery])


def test_a_revision_that_cannot_be_read_is_told(database, tmp_path):
    gallery = branch(tmp_path / "g")
    (tmp_path / "g" / "gallery0002.py").write_text("revision = nothing\n")
    with pytest.raises(ConfigurationProblem, match="cannot be read: NameError"):
        upgrade(database, [gallery])
