"""Alembic's environment: one for all branches, ``versions/core`` and one more for each add-on.

The connection is handed in by ``myproject.db.migrations``, which knows the ini file.
"""

from sqlalchemy import Connection, text

from alembic import context
from myproject import jobs  # noqa: F401 - its table belongs to the metadata
from myproject.content import journal, references, revisions, scratch, types  # noqa: F401
from myproject.db.base import Base
from myproject.security import models  # noqa: F401
from myproject.tree import history, trash  # noqa: F401

#: Any number will do, as long as nothing else locks it.
MIGRATION_LOCK = 7_310_544_021


def run(connection: Connection) -> None:
    """Run the migrations in the transaction that is open on *connection*."""
    if connection.dialect.name == "postgresql":
        # Several servers may start at once: one migrates, the others wait and find it done.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        compare_server_default=True,
    )
    context.run_migrations()


def write_sql() -> None:
    """Write the statements that the migrations would execute."""
    dialect = context.config.attributes["dialect"]
    context.configure(
        dialect=dialect,
        dialect_name=dialect.name,
        literal_binds=True,
        render_as_batch=dialect.name == "sqlite",
    )
    context.run_migrations()


connection = context.config.attributes.get("connection")
if context.is_offline_mode():
    write_sql()
elif connection is None:
    raise SystemExit("Migrations run through: myproject -c FILE.ini db upgrade")
else:
    run(connection)
