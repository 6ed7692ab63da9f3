"""The tree, its content and the references between pages."""

import datetime as dt

import sqlalchemy as sa

from alembic import op

revision = "core0001"
down_revision = None
branch_labels = ("core",)
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)


ROOT = (
    "INSERT INTO node (id, name, position, boundary_id, type, title, nav_title, summary, state,"
    " created_at, modified_at, extra)"
    " VALUES (1, '', 0, 1, 'page', 'Home', '', '', 'published', {now}, {now}, '{{}}')",
    "INSERT INTO page (id, body, body_html, toc) VALUES (1, '', '', '[]')",
    "INSERT INTO site (id, revision, changed_at, access_revision) VALUES (1, 1, {now}, 1)",
    "INSERT INTO boundary (node_id, inherits) VALUES (1, {yes})",
)


def upgrade() -> None:
    op.create_table(
        "node",
        sa.Column("id", Id, nullable=False),
        sa.Column("parent_id", Id),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("position", Id, nullable=False),
        sa.Column("boundary_id", Id, server_default=sa.text("1"), nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("nav_title", sa.String(500), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("draft_id", Id),
        sa.Column("publish_at", Time),
        sa.Column("expire_at", Time),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("modified_at", Time, nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.CheckConstraint("(parent_id IS NULL) = (id = 1)", name=op.f("ck_node_one_root")),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_node_not_its_own_parent")),
        sa.CheckConstraint("(name = '') = (id = 1)", name=op.f("ck_node_only_root_nameless")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_node_parent_id_node")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
        sa.UniqueConstraint("parent_id", "name", name=op.f("uq_node_parent_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_node_parent_id_position_id"), "node", ["parent_id", "position", "id"])
    op.create_index(op.f("ix_node_name"), "node", ["name"])
    op.create_index(op.f("ix_node_boundary_id"), "node", ["boundary_id"])
    for name in ("publish_at", "expire_at"):
        given = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            op.f(f"ix_node_{name}"), "node", [name], sqlite_where=given, postgresql_where=given
        )
    op.create_table(
        "boundary",
        sa.Column("node_id", Id, autoincrement=False, nullable=False),
        sa.Column("inherits", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_boundary_node_id_node")
        ),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_boundary")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", Time, nullable=False),
        sa.Column("access_revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_table(
        "page",
        sa.Column("id", Id, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("toc", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_page_id_node")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
    )
    op.create_table(
        "link",
        sa.Column("id", Id, nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("target_id", Id),
        sa.ForeignKeyConstraint(
            ["id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_link_id_node")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["node.id"], ondelete="SET NULL", name=op.f("fk_link_target_id_node")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    op.create_index(op.f("ix_link_target_id"), "link", ["target_id"])
    op.create_table(
        "reference",
        sa.Column("source_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_reference_source_id_node")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_reference_target_id_node")
        ),
        sa.PrimaryKeyConstraint("source_id", "target_id", name=op.f("pk_reference")),
    )
    op.create_index(op.f("ix_reference_target_id"), "reference", ["target_id"])
    create_root()


def create_root() -> None:
    """Insert the rows that every site has: the root page, its boundary and the site's own."""
    # As text, because it is also written as SQL for somebody to read.
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(" ")
    is_postgresql = op.get_context().dialect.name == "postgresql"
    facts = (
        {"now": f"'{now}+00'", "yes": "true"} if is_postgresql else {"now": f"'{now}'", "yes": 1}
    )
    for statement in ROOT:
        op.execute(statement.format(**facts))
    if is_postgresql:
        op.execute("SELECT setval(pg_get_serial_sequence('node', 'id'), 1)")


def downgrade() -> None:
    for table in ("reference", "link", "page", "site", "boundary", "node"):
        op.drop_table(table)
