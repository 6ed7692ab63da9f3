"""Walls."""

import sqlalchemy as sa

from alembic import op

revision = "gallery0001"
down_revision = None
branch_labels = ("gallery",)
depends_on = None


def upgrade():
    op.create_table(
        "gallery_wall",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("metres", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["node.id"], name=op.f("fk_gallery_wall_id_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_wall")),
    )


def downgrade():
    op.drop_table("gallery_wall")
