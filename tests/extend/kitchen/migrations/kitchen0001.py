"""Dishes."""

import sqlalchemy as sa

from alembic import op

revision = "kitchen0001"
down_revision = None
branch_labels = ("kitchen",)
depends_on = None


def upgrade():
    op.create_table("dish", sa.Column("name", sa.String(50), primary_key=True))


def downgrade():
    op.drop_table("dish")
