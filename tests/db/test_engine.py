"""Readers that cannot write, writers that write in transactions only."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import transaction
from pyramid_retry import IRetryableError
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from myproject.content.types import Folder
from myproject.db import engine
from myproject.db.engine import Database
from myproject.db.transaction import is_transactional, mark_changed
from myproject.exceptions import DatabaseUnavailable, ReadOnlySession
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.site import SITE_ID, Site, count_revision

NODE = Node.__table__
RENAME = update(NODE).where(NODE.c.id == ROOT_ID).values(title="Changed")


@pytest.fixture
def reading(database):
    session = database.read_session()
    yield session
    session.close()


def title(database):
    with database.reader.connect() as connection:
        return connection.scalar(select(NODE.c.title).where(NODE.c.id == ROOT_ID))


# Readers


@pytest.mark.parametrize(
    "change",
    [
        lambda session, root: session.add(Folder(title="New", name="new", parent_id=ROOT_ID)),
        lambda session, root: setattr(root, "title", "Changed"),
        lambda session, root: session.delete(root),
    ],
    ids=["add", "change", "delete"],
)
def test_a_reading_session_refuses_to_flush(database, reading, change):
    change(reading, reading.get_one(Node, ROOT_ID))
    for write in (reading.flush, reading.commit):
        with pytest.raises(ReadOnlySession, match="A safe request must not write"):
            write()
    assert title(database) == "Home"


def test_a_reading_session_does_not_mind_a_change_that_changes_nothing(reading):
    root = reading.get_one(Node, ROOT_ID)
    root.title = str(root.title)
    reading.flush()


def test_the_database_itself_refuses_writes_from_a_reading_session(database, reading):
    with database.reader.connect() as connection:
        for execute in (reading.connection().execute, connection.execute):
            for statement in (RENAME, insert(Site).values(id=2), text("DELETE FROM page")):
                with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
                    execute(statement)
    assert title(database) == "Home"


def test_a_reading_session_begins_no_transaction(database, reading, count_statements):
    with count_statements(database) as statements:
        reading.get_one(Node, ROOT_ID)
        reading.close()
    assert len(statements) == 1
    assert statements[0].startswith("SELECT")


def test_readers_see_what_was_committed_and_nothing_else(database, reading):
    with database.transaction() as session:
        session.get_one(Node, ROOT_ID).title = "Changed"
        session.flush()
        assert title(database) == "Home"
    assert title(database) == "Changed"


def test_readers_keep_the_options_of_the_url(postgresql_backend):
    url = postgresql_backend.create()
    database = Database(url.update_query_dict({"options": "-c application_name=mine"}))
    with database.reader.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "mine"
        assert connection.scalar(text("SHOW default_transaction_read_only")) == "on"
    database.dispose()
    postgresql_backend.drop(url)


# Writers


def fail_after_writing(database):
    with pytest.raises(ZeroDivisionError), database.transaction() as session:  # noqa: PT012
        session.get_one(Node, ROOT_ID).title = "Changed"
        session.flush()
        raise ZeroDivisionError


def test_a_transaction_is_committed_at_the_end_of_the_block(database):
    with database.transaction() as session:
        session.get_one(Node, ROOT_ID).title = "Changed"
    assert title(database) == "Changed"


def test_a_transaction_is_aborted_by_an_exception(database):
    fail_after_writing(database)
    assert title(database) == "Home"


def test_a_core_statement_is_rolled_back_unless_the_session_is_marked(database):
    with database.transaction() as session:
        session.connection().execute(RENAME)
    assert title(database) == "Home"
    with database.transaction() as session:
        session.connection().execute(RENAME)
        mark_changed(session)
    assert title(database) == "Changed"


def test_a_statement_that_goes_through_the_session_marks_it(database):
    with database.transaction() as session:
        session.execute(RENAME)
    assert title(database) == "Changed"


def test_sessions_of_two_managers_do_not_share_a_transaction(database):
    first, second = (transaction.TransactionManager(explicit=True) for _ in range(2))
    first.begin()
    second.begin()
    database.write_session(first).execute(RENAME)
    second.abort()
    first.commit()
    assert title(database) == "Changed"


@pytest.mark.parametrize(("method", "writes"), [("GET", False), ("HEAD", False), ("OPTIONS", False),
    ("POST", True), ("PUT", True), ("DELETE", True)])  # fmt: skip
def test_only_requests_that_may_write_get_a_transaction(method, writes):
    registry = SimpleNamespace(reading_posts={"preview"})
    request = SimpleNamespace(method=method, environ={"PATH_INFO": "/a"}, registry=registry)
    assert is_transactional(request) is writes


# The site's revision


@pytest.fixture
def counted(database):
    event.listen(database.writers, "before_commit", count_revision)
    return database


def revision(database):
    session: Session = database.read_session()
    site = session.get_one(Site, SITE_ID)
    session.close()
    return site.revision, site.changed_at


def test_the_revision_rises_once_for_each_transaction_that_wrote(counted):
    before, changed_at = revision(counted)
    with counted.transaction() as session:
        root = session.get_one(Node, ROOT_ID)
        for name in "ab":
            root.title = name
            session.flush()
            with session.begin_nested():
                session.connection().execute(RENAME)
    after, changed_later = revision(counted)
    assert after == before + 1
    assert changed_later > changed_at


def test_the_revision_rises_neither_for_reading_nor_for_an_abort(counted):
    before = revision(counted)
    with counted.transaction() as session:
        session.get_one(Node, ROOT_ID)
    fail_after_writing(counted)
    assert revision(counted) == before


def test_an_application_counts_its_revisions(site):
    before, _ = revision(site.database)
    site.add("/a")
    assert revision(site.database)[0] == before + 1
    site.client.get("/a")
    assert revision(site.database)[0] == before + 1


# Locks and connections


def test_a_busy_sqlite_is_tried_again(sqlite_backend, monkeypatch):
    monkeypatch.setattr(engine, "SQLITE_BUSY_SECONDS", 0)
    database = Database(sqlite_backend.create())
    with database.transaction() as session:
        session.execute(RENAME)
        second = database.write_session(transaction.TransactionManager())
        with pytest.raises(OperationalError, match="database is locked") as caught:
            second.get_one(Node, ROOT_ID)
        assert IRetryableError.providedBy(caught.value)
    with database.transaction() as session:
        assert session.get_one(Node, ROOT_ID).title == "Changed"
    database.dispose()


def test_sqlite_is_set_up_for_many_readers_and_one_writer(sqlite_backend):
    database = Database(sqlite_backend.create())
    for engine_, read_only in ((database.writer, 0), (database.reader, 1)):
        with engine_.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "foreign_keys", "query_only", "busy_timeout")
            }
        assert pragmas == {
            "journal_mode": "wal",
            "foreign_keys": 1,
            "query_only": read_only,
            "busy_timeout": 5000,
        }
    database.dispose()


SECRET = "s3cret"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://someone:{SECRET}@127.0.0.1:1/nothing?connect_timeout=1",
        f"postgresql+psycopg://127.0.0.1:1/nothing?user=someone&password={SECRET}",
        "sqlite:////nowhere/at/all.sqlite",
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(url):
    database = Database(url)
    with pytest.raises(DatabaseUnavailable, match="cannot be reached") as caught:
        database.check_reachable()
    assert str(caught.value).startswith(f"sqlalchemy.url = {url.partition(':')[0]}:")
    assert SECRET not in str(caught.value)


def test_the_folder_of_a_sqlite_file_is_made(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/var/data/site.sqlite")
    database.create_folder()
    database.create_folder()
    database.check_reachable()
    database.dispose()


def test_a_session_that_was_only_given_objects_is_committed(database):
    with database.transaction() as session:
        session.add(Site(id=2, revision=1))
    with database.read_session() as session:
        assert session.get(Site, 2) is not None
