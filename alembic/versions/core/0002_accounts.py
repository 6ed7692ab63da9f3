"""Accounts, logins, grants and the record of what happened to them."""

import sqlalchemy as sa

from alembic import op

revision = "core0002"
down_revision = "core0001"
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
    op.create_table(
        "principal",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principal")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_principal_kind_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "user_account",
        sa.Column("id", Id, nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("last_login_at", Time),
        foreign_key("user_account", "id", "principal.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "user_group",
        sa.Column("id", Id, nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        foreign_key("user_group", "id", "principal.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_group")),
    )
    op.create_table(
        "membership",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("group_id", Id, nullable=False),
        foreign_key("membership", "user_id", "user_account.id"),
        foreign_key("membership", "group_id", "user_group.id"),
        sa.PrimaryKeyConstraint("user_id", "group_id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_group_id"), "membership", ["group_id"])
    op.create_table(
        "login",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time, nullable=False),
        sa.Column("address", sa.String(60), nullable=False),
        sa.Column("agent", sa.String(300), nullable=False),
        foreign_key("login", "user_id", "user_account.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_token_hash")),
    )
    op.create_index(op.f("ix_login_user_id"), "login", ["user_id"])
    op.create_index(op.f("ix_login_expires_at"), "login", ["expires_at"])
    op.create_table(
        "one_time_link",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("expires_at", Time, nullable=False),
        foreign_key("one_time_link", "user_id", "user_account.id"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_link")),
    )
    op.create_index(op.f("ix_one_time_link_user_id"), "one_time_link", ["user_id"])
    op.create_table(
        "access_grant",
        sa.Column("node_id", Id, nullable=False),
        sa.Column("principal_id", Id, nullable=False),
        sa.Column("role", sa.String(50), nullable=False),
        foreign_key("access_grant", "node_id", "boundary.node_id"),
        foreign_key("access_grant", "principal_id", "principal.id"),
        sa.PrimaryKeyConstraint("node_id", "principal_id", "role", name=op.f("pk_access_grant")),
    )
    op.create_index(op.f("ix_access_grant_principal_id"), "access_grant", ["principal_id"])
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("actor_id", Id),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("subject_id", Id),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("node_id", Id),
        sa.Column("address", sa.String(60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    for columns in (["kind", "id"], ["actor_id", "id"], ["subject_id", "id"], ["at"]):
        op.create_index(op.f(f"ix_audit_{'_'.join(columns)}"), "audit", columns)
    create_principals()


def create_principals() -> None:
    """Insert whom every site knows, and let everyone read: a new site is a public one."""
    op.execute(
        "INSERT INTO principal (id, kind, name, title) VALUES"
        " (1, 'everyone', 'everyone', 'Everyone'),"
        " (2, 'authenticated', 'authenticated', 'Everybody who is signed in')"
    )
    op.execute("INSERT INTO access_grant (node_id, principal_id, role) VALUES (1, 1, 'reader')")
    if op.get_context().dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('principal', 'id'), 2)")


def downgrade() -> None:
    for table in (
        "audit",
        "access_grant",
        "one_time_link",
        "login",
        "membership",
        "user_group",
        "user_account",
        "principal",
    ):
        op.drop_table(table)
