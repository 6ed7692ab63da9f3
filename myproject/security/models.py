"""The tables of accounts and access: who there is, who is signed in, who was granted what.

Everyone, everybody who is signed in, users and groups are *principals*: whom something can be
granted to. Secrets (of logins and of one-time links) are stored as hashes only.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from myproject.db.base import Base, Id, TaggedJSON, UTCDateTime, utcnow

#: Principals that every site has.
EVERYONE_ID = 1
AUTHENTICATED_ID = 2


class Principal(Base):
    """Somebody whom a role can be granted to.

    :ivar name: unique among its kind; as people type it, in small letters.
    :ivar title: as people read it.
    """

    __tablename__ = "principal"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200))

    __mapper_args__ = {"polymorphic_on": "kind"}  # noqa: RUF012 - SQLAlchemy's own convention
    __table_args__ = (
        UniqueConstraint("kind", "name"),
        # A number is never given twice: a forged form must not reach a stranger.
        {"sqlite_autoincrement": True},
    )


class Everyone(Principal):
    """Whoever comes along, signed in or not."""

    __mapper_args__ = {"polymorphic_identity": "everyone"}  # noqa: RUF012


class Authenticated(Principal):
    """Everybody who is signed in."""

    __mapper_args__ = {"polymorphic_identity": "authenticated"}  # noqa: RUF012


class User(Principal):
    """A person with an account."""

    __tablename__ = "user_account"
    __mapper_args__ = {"polymorphic_identity": "user"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(
        Id, ForeignKey("principal.id", ondelete="CASCADE"), primary_key=True
    )
    #: In small letters; None where nobody knows it, so that it can be unique.
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    #: None until a password was chosen.
    password_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    last_login_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class Preference(Base):
    """What a person has chosen, where it is not the default: each column is NULL until then."""

    __tablename__ = "preference"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    language: Mapped[str | None] = mapped_column(String(35))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    shortcuts: Mapped[bool | None] = mapped_column()
    editor: Mapped[str | None] = mapped_column(String(20))
    preview: Mapped[bool | None] = mapped_column()


class Group(Principal):
    """People who are granted roles together."""

    __tablename__ = "user_group"
    __mapper_args__ = {"polymorphic_identity": "group"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(
        Id, ForeignKey("principal.id", ondelete="CASCADE"), primary_key=True
    )
    description: Mapped[str] = mapped_column(String(500), default="")


class Membership(Base):
    """A user belongs to a group."""

    __tablename__ = "membership"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_group.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Login(Base):
    """Somebody is signed in somewhere, until this expires or is revoked (deleted)."""

    __tablename__ = "login"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, index=True)
    #: Where from and with what, so that people recognise their own.
    address: Mapped[str] = mapped_column(String(60), default="")
    agent: Mapped[str] = mapped_column(String(300), default="")


class OneTimeLink(Base):
    """A link that lets somebody choose a password, once and not for ever."""

    __tablename__ = "one_time_link"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class FeedToken(Base):
    """What opens the feeds of one person, until it is ended (deleted)."""

    __tablename__ = "feed_token"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)


class Grant(Base):
    """A principal has a role at a node and everywhere below."""

    __tablename__ = "access_grant"

    node_id: Mapped[int] = mapped_column(
        Id, ForeignKey("boundary.node_id", ondelete="CASCADE"), primary_key=True
    )
    principal_id: Mapped[int] = mapped_column(
        Id, ForeignKey("principal.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str] = mapped_column(String(50), primary_key=True)


class AuditEntry(Base):
    """Something about accounts or access happened.

    Names are stored beside the numbers: the entry outlives whom it is about.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    kind: Mapped[str] = mapped_column(String(50))
    #: Who did it; None for somebody who is not signed in, and for the command line.
    actor_id: Mapped[int | None] = mapped_column(Id)
    actor: Mapped[str] = mapped_column(String(200), default="")
    #: The account or group that it is about.
    subject_id: Mapped[int | None] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(String(200), default="")
    #: The place in the tree that it is about.
    node_id: Mapped[int | None] = mapped_column(Id)
    address: Mapped[str] = mapped_column(String(60), default="")
    details: Mapped[dict[str, Any]] = mapped_column(TaggedJSON, default=dict)

    __table_args__ = (
        Index(None, "kind", "id"),
        Index(None, "actor_id", "id"),
        Index(None, "subject_id", "id"),
        Index(None, "at"),
        {"sqlite_autoincrement": True},
    )
