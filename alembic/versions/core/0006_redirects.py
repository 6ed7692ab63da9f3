"""Redirects, and references that outlive the page they lead to."""

import sqlalchemy as sa

from alembic import op

revision = "core0006"
down_revision = "core0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)

TARGET = "fk_reference_target_id_node"


def reference(*constraints: sa.Constraint) -> sa.Table:
    """Return the table as it is, because migrations are also written as SQL for somebody to read:
    SQLite cannot change a constraint, and nobody could be asked then what the table looks like."""
    return sa.Table(
        "reference",
        sa.MetaData(),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_reference_source_id_node")
        ),
        sa.PrimaryKeyConstraint("source_id", "target_id", name=op.f("pk_reference")),
        sa.Index(op.f("ix_reference_target_id"), "target_id"),
        *constraints,
    )


def upgrade() -> None:
    op.create_table(
        "redirect",
        sa.Column("id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("rest", sa.String(2000), nullable=False),
        sa.Column("target_id", Id),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("last_hit_at", Time),
        sa.CheckConstraint(
            "(target_id IS NULL) = (url <> '')", name=op.f("ck_redirect_leads_to_one")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_redirect_parent_id_node")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["node.id"], ondelete="CASCADE", name=op.f("fk_redirect_target_id_node")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redirect")),
        sa.UniqueConstraint(
            "parent_id", "name", "rest", name=op.f("uq_redirect_parent_id_name_rest")
        ),
    )
    op.create_index(op.f("ix_redirect_target_id"), "redirect", ["target_id"])
    op.create_index(op.f("ix_redirect_created_at_id"), "redirect", ["created_at", "id"])
    op.create_index(op.f("ix_trash_name"), "trash", ["name"])
    target = sa.ForeignKeyConstraint(["target_id"], ["node.id"], ondelete="CASCADE", name=TARGET)
    with op.batch_alter_table("reference", copy_from=reference(target)) as batch:
        batch.drop_constraint(TARGET, type_="foreignkey")


def downgrade() -> None:
    op.execute("DELETE FROM reference WHERE target_id NOT IN (SELECT id FROM node)")
    with op.batch_alter_table("reference", copy_from=reference()) as batch:
        batch.create_foreign_key(TARGET, "node", ["target_id"], ["id"], ondelete="CASCADE")
    op.drop_index(op.f("ix_trash_name"), "trash")
    op.drop_table("redirect")
