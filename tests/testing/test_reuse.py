"""A PostgreSQL database that is used again cannot be told from a new one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from myproject.content.types import Page
from myproject.db.engine import Database
from myproject.exceptions import NameTaken
from myproject.extend.switching import available
from myproject.testing import PostgreSQL, Site, databases, need
from myproject.testing.databases import POSTGRES
from myproject.testing.reuse import Connection, State


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[PostgreSQL]:
    """A backend that has one database at a time, which comes back if it can be used again."""
    url = need(POSTGRES, "PostgreSQL database")
    backend = PostgreSQL(tmp_path_factory.mktemp("server"), url, ahead=1)
    yield backend
    backend.finish()


@pytest.fixture
def url(server: PostgreSQL) -> URL:
    return server.create()


@pytest.fixture
def fresh(server: PostgreSQL) -> State:
    """The state of what new databases are copies of."""
    with Connection(server.template) as connection:
        return connection.state()


@pytest.fixture
def renewed(server: PostgreSQL):
    """``renewed(url)``: the database that comes after this one."""
    made = []

    def renew(url: URL) -> URL:
        server.drop(url)
        made.append(server.create())
        return made[-1]

    yield renew
    for url in made:
        server.drop(url)


def state_of(url: URL) -> State:
    with Connection(url) as connection:
        return connection.state()


def oid_of(url: URL) -> int:
    with Connection(url) as connection:
        query = "SELECT oid FROM pg_database WHERE datname = current_database()"
        return connection.execute(query)[0][0]


def execute(url: URL, *statements: str) -> None:
    database = Database(url)
    with database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    database.dispose()


def fail(site: Site) -> None:
    """Add what cannot be added, after something that can."""
    with site.tree() as tree:
        for name in ("c", "b"):
            tree.add(site.node(tree, "/a"), Page(title=name), name)


def use(url: URL) -> None:
    """Write into many tables, and fail in the midst of it."""
    site = Site(url)
    site.add("/a", "Text, and [a link](/)." * 500, title="A")
    site.add("/a/b")
    site.grant("ann", "editor", "/a")
    site.make_private("/a/b")
    site.sign_in("ann").get("/a")
    with pytest.raises(NameTaken):
        fail(site)
    with site.tree() as tree:
        tree.purge(site.node(tree, "/a/b"))
    site.close()


def test_the_state_is_that_of_all_tables(url, fresh, renewed):
    assert state_of(url) == fresh
    database = Database(url)
    with database.reader.connect() as connection:
        tables = connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        names = set(tables)
        filled = {t for t in names if connection.scalar(text(f"SELECT count(*) FROM {t}"))}
    database.dispose()
    assert {name for name in fresh.tables.pages if not name.startswith("pg_toast.")} == names
    assert set(fresh.tables.rows) == filled >= {"node", "principal", "access_grant"}
    assert fresh.sequences["node_id_seq"] == (1, True)
    renewed(url)


def test_one_that_was_written_to_is_as_good_as_new(url, fresh, renewed):
    oid = oid_of(url)
    use(url)
    assert state_of(url) != fresh
    again = renewed(url)
    assert (oid_of(again), state_of(again)) == (oid, fresh)
    site = Site(again)
    # Numbers are given out from the beginning, and nothing is left of who was allowed what.
    assert site.add("/a") == 2
    assert site.client.get("/a").status_int == 200
    with pytest.raises(KeyError), site.tree() as tree:
        site.node(tree, "/a/b")
    site.close()
    execute(again, "SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE node SET title = 'Other'",
        "UPDATE node SET title = title",
        "INSERT INTO principal (kind, name, title) VALUES ('group', 'g', 'G')",
        "SELECT nextval('node_id_seq')",
        "SELECT setval('node_id_seq', 1, false)",
        "TRUNCATE node CASCADE",
        "DELETE FROM access_grant",
        "ANALYZE",
        "VACUUM FULL node",
        "SELECT pg_advisory_lock(1)",
    ],
)
def test_what_changes_no_schema_is_undone(url, fresh, renewed, statement):
    oid = oid_of(url)
    execute(url, statement)
    again = renewed(url)
    assert (oid_of(again), state_of(again)) == (oid, fresh)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE other (id serial PRIMARY KEY, node_id int REFERENCES node (id), text text)",
        'CREATE TABLE "Other\'s" (id int); CREATE VIEW other AS SELECT * FROM "Other\'s"',
    ],
)
def test_tables_and_indexes_that_were_not_there_go(url, fresh, renewed, statement):
    oid = oid_of(url)
    execute(url, *statement.split("; "))
    again = renewed(url)
    assert (oid_of(again), state_of(again)) == (oid, fresh)


def test_it_is_known_which_tables_were_written_to(url, fresh, renewed):
    site = Site(url)
    assert site.client.get("/").status_int == 200
    site.close()
    with Connection(url) as connection:
        assert connection.end_others()
        assert connection.written() == set()
        execute(url, "UPDATE node SET title = title")
        database = Database(url)
        with database.writer.connect() as rolled_back:
            rolled_back.execute(text("DELETE FROM access_grant"))
        database.dispose()
        # Not counted: whoever resets databases knows what they write.
        connection.execute("DELETE FROM principal")
        assert connection.end_others()
        assert connection.written() == {"node", "access_grant"}
        connection.forget_written()
        assert connection.written() == set()


def test_nothing_is_left_of_add_ons(url, fresh, renewed):
    oid = oid_of(url)
    site = Site(url, addons=" ".join(available()))
    site.add("/a", "Text to find.")
    site.close()
    assert len(state_of(url).tables.pages) > len(fresh.tables.pages)
    again = renewed(url)
    assert (oid_of(again), state_of(again)) == (oid, fresh)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE scratch",
        "CREATE TABLE other (id int)",
        "ALTER TABLE node ADD COLUMN other int",
        "ALTER TABLE node ALTER COLUMN title SET DEFAULT 'x'",
        "ALTER TABLE node DISABLE TRIGGER ALL",
        "ALTER TABLE node RENAME TO other",
        "ALTER TABLE node SET (fillfactor = 50)",
        "ALTER TABLE node ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE login ADD CHECK (id > 0)",
        "ALTER SEQUENCE node_id_seq INCREMENT 2",
        "CREATE UNIQUE INDEX other ON node (title)",
        "CREATE VIEW other AS SELECT 1",
        "CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE other AS ENUM ('a')",
        "CREATE SCHEMA other",
        "COMMENT ON TABLE node IS 'x'",
        "GRANT SELECT ON node TO PUBLIC",
        "GRANT ALL ON SCHEMA public TO PUBLIC",
        "SELECT lo_create(0)",
        "ALTER DATABASE {name} SET work_mem = 64",
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC",
    ],
)
def test_each_change_of_the_schema_is_seen(url, fresh, renewed, statement):
    execute(url, statement.format(name=url.database))
    with Connection(url) as connection:
        assert (connection.settings(), connection.schema()) != (fresh.settings, fresh.schema)
        # Those of the database as a whole are seen by themselves.
        assert connection.written() is None or connection.settings() != fresh.settings
    assert state_of(renewed(url)) == fresh


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE node DROP COLUMN title",
        "CREATE MATERIALIZED VIEW other AS SELECT * FROM node; CREATE INDEX ON other (id)",
        # All that is written goes, but indexes keep the size that they had.
        "INSERT INTO principal (kind, name, title)"
        " SELECT 'group', n || repeat('x', 80), 'G' FROM generate_series(1, 30000) n",
    ],
)
def test_what_cannot_be_undone_leads_to_another_database(url, fresh, renewed, statement):
    oid = oid_of(url)
    execute(url, *statement.split("; "))
    again = renewed(url)
    assert oid_of(again) != oid
    assert state_of(again) == fresh


def test_whoever_is_still_connected_is_thrown_out_with_all_locks(url, fresh, renewed):
    oid = oid_of(url)
    database = Database(url)
    with database.writer.connect() as connection:
        connection.execute(text("LOCK TABLE node IN ACCESS EXCLUSIVE MODE"))
        connection.execute(text("DELETE FROM access_grant"))
        again = renewed(url)
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
    assert (oid_of(again), state_of(again)) == (oid, fresh)
    # And whoever kept the URL does not write into somebody else's database.
    with pytest.raises(OperationalError, match="does not exist"):
        database.writer.connect()
    database.dispose()


def test_an_empty_one_is_dropped(server, renewed):
    empty = server.new_url()
    oid = oid_of(empty)
    again = renewed(empty)
    assert oid_of(again) != oid
    assert "node" in state_of(again).tables.pages


def test_it_takes_a_superuser(server):
    somebody = server.server.update_query_dict({"options": "-c role=pg_monitor"})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        Connection(somebody)


def test_for_anybody_else_each_is_a_new_one(server, tmp_path, monkeypatch):
    def refuse(url: URL) -> None:
        raise psycopg.errors.InsufficientPrivilege

    monkeypatch.setattr(databases, "Template", refuse)
    backend = PostgreSQL(tmp_path, server.server.render_as_string(hide_password=False), ahead=1)
    url = backend.create()
    oid = oid_of(url)
    use(url)
    backend.drop(url)
    again = backend.create()
    assert oid_of(again) != oid
    assert state_of(again).sequences["node_id_seq"] == (1, True)
    backend.drop(again)
    backend.finish()
