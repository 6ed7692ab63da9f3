"""Content types as an add-on would have them, with all kinds of columns, and their tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from pyramid.config import Configurator
from sqlalchemy import JSON, Date, ForeignKey, Numeric, String, Text, Time
from sqlalchemy.orm import Mapped, mapped_column

from myproject.content.types import Content, Page
from myproject.db.base import Base, Id, TaggedJSON, UTCDateTime, utcnow
from myproject.db.engine import Database
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.node import Node


class Sample(Content):
    """Has all kinds of columns."""

    __tablename__ = "sample"

    id: Mapped[int] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True)
    # There are two ways from here to the node table.
    __mapper_args__ = {"polymorphic_identity": "sample", "inherit_condition": id == Node.id}  # noqa: A003
    sku: Mapped[str] = mapped_column(
        String(20), info={"label": "SKU", "help": "As printed.", "widget": "barcode"}
    )
    unit_price: Mapped[Decimal | None] = mapped_column(
        "price_per_unit", Numeric(8, 2), info={"key": "price"}
    )
    stock: Mapped[int] = mapped_column(default=3)
    weight_kg: Mapped[float | None]
    sold: Mapped[bool] = mapped_column(default=False)
    born: Mapped[dt.date | None] = mapped_column(Date)
    since: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    opens: Mapped[dt.time | None] = mapped_column(Time)
    tags: Mapped[Any] = mapped_column(JSON, default=list)
    facts: Mapped[dict[Any, Any]] = mapped_column(TaggedJSON, default=dict)
    note: Mapped[str | None] = mapped_column(Text)
    size: Mapped[str | None] = mapped_column(
        String(2), default="m", info={"choices": [("s", "Small"), "m"]}
    )
    related_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("node.id", ondelete="SET NULL"), info={"label": "Related", "key": "related"}
    )
    shouted: Mapped[str] = mapped_column(String(500), default="", info={"derived": True})

    def derive(self, renderer: IMarkdownRenderer) -> None:
        super().derive(renderer)
        self.shouted = self.title.upper()[:500]


class SamplePage(Page):
    """A page with one column more."""

    __tablename__ = "sample_page"
    __mapper_args__ = {"polymorphic_identity": "sample-page"}

    id: Mapped[int] = mapped_column(Id, ForeignKey("page.id", ondelete="CASCADE"), primary_key=True)
    author: Mapped[str] = mapped_column(String(100), default="")


TABLES: Any = (Sample.__table__, SamplePage.__table__)

for _table in TABLES:
    # No migration of ours makes them, so the schema that ours are compared with has none of them.
    Base.metadata.remove(_table)


def create_tables(database: Database) -> None:
    """Do what the add-on's migration would do."""
    with database.writer.begin() as connection:
        for table in TABLES:
            table.create(connection)


def includeme(config: Configurator) -> None:
    config.add_content_type(Sample, "Sample")
    config.add_content_type(SamplePage, "Page with an author")
