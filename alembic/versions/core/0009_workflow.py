"""Where what readers do not see stands in its workflow, and how operations have taken it there."""

import sqlalchemy as sa

from alembic import op

revision = "core0009"
down_revision = "core0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "node", sa.Column("stage", sa.String(50), nullable=False, server_default=sa.text("''"))
    )
    somewhere = sa.text("stage <> ''")
    op.create_index(
        op.f("ix_node_stage"),
        "node",
        ["stage"],
        sqlite_where=somewhere,
        postgresql_where=somewhere,
    )
    for name, length in (("transition", 50), ("permissions", 200), ("comment", 500)):
        column = sa.Column(name, sa.String(length), nullable=False, server_default=sa.text("''"))
        op.add_column("operation", column)


def downgrade() -> None:
    # One by one: SQLite drops a column by itself, and need not copy a table of a million pages.
    for name in ("comment", "permissions", "transition"):
        op.drop_column("operation", name)
    op.drop_index(op.f("ix_node_stage"), "node")
    op.drop_column("node", "stage")
