"""The schema's version: what the database has, what this code needs, and how to get there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from alembic import command
from myproject.db.engine import Database
from myproject.exceptions import DatabaseOutdated

#: The migrations of a checkout lie beside the package.
SCRIPTS = Path(__file__).resolve().parent.parent.parent / "alembic"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration; migrations run on *connection*."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    folders = sorted(path for path in (SCRIPTS / "versions").iterdir() if path.is_dir())
    config.set_main_option("version_locations", ":".join(map(str, folders)))
    config.attributes["connection"] = connection
    return config


def needed_heads() -> set[str]:
    """Return the newest revision of every branch."""
    return set(ScriptDirectory.from_config(alembic_config()).get_heads())


def present_heads(database: Database) -> set[str]:
    """Return the revisions that the database has; empty for a new one."""
    with database.reader.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads())


def upgrade(database: Database) -> None:
    """Bring the database up to date, all in one transaction.

    :raises DatabaseUnavailable:
    """
    _run(database, lambda config: command.upgrade(config, "heads"))


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to *revision* (``base`` for nothing at all)."""
    _run(database, lambda config: command.downgrade(config, revision))


def _run(database: Database, action: Callable[[Config], None]) -> None:
    database.create_folder()
    database.check_reachable()
    with database.writer.begin() as connection:
        action(alembic_config(connection))


def ensure_current(database: Database, ini_name: str, *, migrate: bool) -> None:
    """Make sure that the database fits this code.

    :param ini_name: for the message.
    :param migrate: bring it up to date instead of complaining.
    :raises DatabaseUnavailable, DatabaseOutdated: the second says which command to run.
    """
    if migrate:
        database.create_folder()
    elif database.file_is_missing:
        # SQLite would make an empty file, or complain that it cannot.
        raise _outdated(database, "does not exist yet", ini_name, "init")
    database.check_reachable()
    present, needed = present_heads(database), needed_heads()
    if present == needed:
        return
    if migrate:
        upgrade(database)
        return
    if present:
        state = "has another schema than this version needs"
        raise _outdated(database, state, ini_name, "db upgrade")
    raise _outdated(database, "is empty", ini_name, "init")


def _outdated(database: Database, state: str, ini_name: str, command: str) -> DatabaseOutdated:
    return DatabaseOutdated(
        f"sqlalchemy.url = {database.shown_url}: the database {state}. "
        f"Run: myproject -c {ini_name} {command}"
    )
