"""The table of what is searched; the databases' own indexes of it are made by the migration."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Computed, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import REGCONFIG, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from myproject.db.base import Base, Id, UTCDateTime

#: In ``info``: only this kind of database has the column or the index.
POSTGRESQL_ONLY = {"dialect": "postgresql"}

#: Weights: A for titles, B for summaries, D for texts.
TITLES = "to_tsvector(language, title)"
WORDS = (
    "setweight(to_tsvector(language, title), 'A') || "
    "setweight(to_tsvector(language, summary), 'B') || "
    "setweight(to_tsvector(language, text), 'D')"
)


class Document(Base):
    """What a node says, as plain text.

    ``title``, ``summary`` and ``text`` are folded words; ``shown`` is the text as it is written,
    which excerpts are cut from. On SQLite triggers keep ``search_titles`` and ``search_index``, two
    full-text tables, with what is in here. Where the node stands and who may see it is asked of
    the node whenever somebody searches.
    """

    __tablename__ = "search_document"

    node_id: Mapped[int] = mapped_column(
        Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    shown: Mapped[str] = mapped_column(Text)
    #: PostgreSQL's configuration, which knows the endings of a language.
    language: Mapped[str] = mapped_column(REGCONFIG().with_variant(String(60), "sqlite"))
    #: Which way of making documents made this one.
    version: Mapped[int]
    #: The node's, at that time.
    modified_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    titles: Mapped[Any] = mapped_column(
        TSVECTOR, Computed(TITLES, persisted=True), info=POSTGRESQL_ONLY, nullable=True
    )
    words: Mapped[Any] = mapped_column(
        TSVECTOR, Computed(WORDS, persisted=True), info=POSTGRESQL_ONLY, nullable=True
    )

    __table_args__ = (
        Index(None, "titles", postgresql_using="gin", info=POSTGRESQL_ONLY),
        Index(None, "words", postgresql_using="gin", info=POSTGRESQL_ONLY),
    )


DOCUMENT = Document.__table__
#: The columns that both kinds of databases have.
COLUMNS = tuple(column for column in DOCUMENT.c if column.info != POSTGRESQL_ONLY)
