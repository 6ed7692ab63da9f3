"""The content types that the site has had, for when the add-on of one is switched off."""

import sqlalchemy as sa

from alembic import op

revision = "core0003"
down_revision = "core0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_type",
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("addon", sa.String(200), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("tables", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_known_type")),
    )


def downgrade() -> None:
    op.drop_table("known_type")
