"""Products: what a page about something that has a price has besides."""

import sqlalchemy as sa

from alembic import op

revision = "products0001"
down_revision = None
branch_labels = ("products",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "products_product",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.ForeignKeyConstraint(
            ["id"], ["page.id"], name=op.f("fk_products_product_id_page"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products_product")),
    )


def downgrade() -> None:
    op.drop_table("products_product")
