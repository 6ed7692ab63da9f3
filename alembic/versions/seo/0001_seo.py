"""What editors tell search engines and social networks about a page."""

import sqlalchemy as sa

from alembic import op

revision = "seo0001"
down_revision = None
branch_labels = ("seo",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seo",
        sa.Column(
            "node_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("noindex", sa.String(length=10), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("image", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["node_id"], ["node.id"], name=op.f("fk_seo_node_id_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_seo")),
    )


def downgrade() -> None:
    op.drop_table("seo")
