"""What a product has besides being a page."""

from __future__ import annotations

from decimal import Decimal

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import ForeignKey, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from myproject.content.types import Page
from myproject.db.base import Id
from myproject.exceptions import InvalidValue

_ = TranslationStringFactory("myproject")


class Product(Page):
    """A page about something that has a price."""

    __tablename__ = "products_product"
    __mapper_args__ = {"polymorphic_identity": "product"}  # noqa: RUF012 - SQLAlchemy's own

    id: Mapped[int] = mapped_column(Id, ForeignKey("page.id", ondelete="CASCADE"), primary_key=True)
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    currency: Mapped[str | None] = mapped_column(String(3))

    def check(self) -> None:
        super().check()
        if self.price < 0:
            raise InvalidValue("price", _("A price cannot be negative."))
