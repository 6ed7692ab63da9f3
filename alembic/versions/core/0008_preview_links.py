"""Links that show people without an account what comes next of a page."""

import sqlalchemy as sa

from alembic import op

revision = "core0008"
down_revision = "core0007"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "preview_link",
        sa.Column("id", Id, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("node_id", Id, nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", Id),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["node_id"],
            ["node.id"],
            ondelete="CASCADE",
            name=op.f("fk_preview_link_node_id_node"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_preview_link_token_hash")),
    )
    op.create_index(op.f("ix_preview_link_node_id"), "preview_link", ["node_id"])


def downgrade() -> None:
    op.drop_table("preview_link")
