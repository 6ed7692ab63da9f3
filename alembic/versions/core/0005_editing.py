"""The trash, the history of places and of content, the journal of operations, unsaved work."""

import sqlalchemy as sa

from alembic import op

revision = "core0005"
down_revision = "core0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)


def foreign_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """Return a key to another table whose rows take these with them when they go."""
    name, _, key = target.partition(".")
    return sa.ForeignKeyConstraint(
        [column],
        [f"{name}.{key}"],
        ondelete="CASCADE",
        name=op.f(f"fk_{table}_{column}_{name}"),
    )


def upgrade() -> None:
    # What lists of contents are sorted by, besides their own order and names, which have theirs.
    op.create_index(
        op.f("ix_node_parent_id_modified_at_id"), "node", ["parent_id", "modified_at", "id"]
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    title = sa.text("title COLLATE NOCASE" if is_sqlite else "lower(title)")
    op.create_index(op.f("ix_node_parent_id_title_id"), "node", ["parent_id", title, "id"])
    op.create_table(
        "trash",
        sa.Column("node_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("actor", sa.String(200), nullable=False),
        foreign_key("trash", "node_id", "node.id"),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_trash")),
    )
    op.create_index(op.f("ix_trash_at"), "trash", ["at"])
    op.create_table(
        "place",
        sa.Column("node_id", Id, autoincrement=False, nullable=False),
        sa.Column("valid_from", Time, nullable=False),
        sa.Column("valid_to", Time),
        sa.Column("parent_id", Id),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("position", Id, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("changeset_id", Id),
        foreign_key("place", "node_id", "node.id"),
        sa.PrimaryKeyConstraint("node_id", "valid_from", name=op.f("pk_place")),
    )
    op.create_index(
        op.f("ix_place_parent_id_name_valid_from"), "place", ["parent_id", "name", "valid_from"]
    )
    # All that there is has stood where it does since it came.
    op.execute(
        "INSERT INTO place (node_id, valid_from, parent_id, name, position, state)"
        " SELECT id, created_at, parent_id, name, position, state FROM node"
    )
    op.create_table(
        "revision",
        sa.Column("id", Id, nullable=False),
        sa.Column("node_id", Id, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("comment", sa.String(500), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("parent_id", Id),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("position", Id, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("valid_from", Time),
        sa.Column("valid_to", Time),
        sa.Column("changeset_id", Id),
        foreign_key("revision", "node_id", "node.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_revision_node_id_id"), "revision", ["node_id", "id"])
    op.create_index(
        op.f("ix_revision_node_id_valid_from_id"), "revision", ["node_id", "valid_from", "id"]
    )
    for columns in (["at", "id"], ["actor_id", "at", "id"]):
        op.create_index(op.f(f"ix_revision_{'_'.join(columns)}"), "revision", columns)
    op.create_table(
        "operation",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("node_id", Id, nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("target_id", Id),
        sa.Column("target_title", sa.String(500), nullable=False),
        sa.Column("undoes_id", Id),
        sa.Column("undone_by_id", Id),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
        sqlite_autoincrement=True,
    )
    for columns in (["at", "id"], ["actor_id", "at", "id"]):
        op.create_index(op.f(f"ix_operation_{'_'.join(columns)}"), "operation", columns)
    op.create_table(
        "operation_step",
        sa.Column("operation_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("node_id", Id, nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        foreign_key("operation_step", "operation_id", "operation.id"),
        sa.PrimaryKeyConstraint("operation_id", "number", name=op.f("pk_operation_step")),
    )
    op.create_index(
        op.f("ix_operation_step_node_id_operation_id"),
        "operation_step",
        ["node_id", "operation_id"],
    )
    op.create_table(
        "scratch",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("node_id", Id, nullable=False),
        sa.Column("purpose", sa.String(60), nullable=False),
        sa.Column("saved_at", Time, nullable=False),
        sa.Column("base_revision_id", Id, nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        foreign_key("scratch", "user_id", "user_account.id"),
        foreign_key("scratch", "node_id", "node.id"),
        sa.PrimaryKeyConstraint("user_id", "node_id", "purpose", name=op.f("pk_scratch")),
    )
    op.create_index(op.f("ix_scratch_node_id"), "scratch", ["node_id"])


def downgrade() -> None:
    for table in ("scratch", "operation_step", "operation", "revision", "place", "trash"):
        op.drop_table(table)
    for columns in ("title", "modified_at"):
        op.drop_index(op.f(f"ix_node_parent_id_{columns}_id"), table_name="node")
