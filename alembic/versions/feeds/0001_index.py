"""Nodes in the order of their last changes."""

from alembic import op

revision = "feeds0001"
down_revision = None
branch_labels = ("feeds",)
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_node_modified_at_id"), "node", ["modified_at", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_node_modified_at_id"), "node")
