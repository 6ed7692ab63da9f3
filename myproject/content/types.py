"""The built-in content types: Folder, Page, Link, and the stand-in for those of absent add-ons."""

from __future__ import annotations

import re
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import JSON, ForeignKey, String, Text, inspect
from sqlalchemy.orm import Mapped, mapped_column

from myproject.content.columns import reference_fields
from myproject.content.fields import fields_of, validate
from myproject.content.references import references_in, with_lost_references, without_strays
from myproject.db.base import Id
from myproject.exceptions import UNSTORABLE, InvalidValue, TooLong
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.known import CORE
from myproject.tree.node import ALL_TYPES, UNAVAILABLE, Node

_ = TranslationStringFactory("myproject")

#: What a link may lead to: web, mail, or a path on this host (but not ``//host``).
_LEADS_SOMEWHERE = re.compile(r"(?i)(?:https?://[^/\s]|mailto:\S|/(?![/\\]))")


def can_lead_to(url: str) -> bool:
    """Whether a Link may have this *url*."""
    return _LEADS_SOMEWHERE.match(url) is not None


class Content(Node):
    """What every content type can do besides standing in the tree."""

    # Not mapped itself. A mapped class between would give its subclasses an identity of their own,
    # and a session would make a second object of a node that it has already.
    __abstract__ = True

    def derive(self, renderer: IMarkdownRenderer) -> None:
        """Compute the stored columns that follow from edited ones; called by every save."""
        for field in ("title", "nav_title", "summary"):
            # Invisible, and lost in forms and files.
            setattr(self, field, (getattr(self, field) or "").strip())

    def referenced_ids(self) -> set[int]:
        """Return the ids of the nodes that this one's content points to: those that its reference
        columns hold. A type that knows of more adds them to what this returns."""
        values = {getattr(self, field.name) for field in reference_fields(type(self))}
        return values - {None}

    def check(self) -> None:
        """Raise ``InvalidValue`` if the fields do not make sense together."""
        self._check(incomplete=False)

    def check_incomplete(self) -> None:
        """Do this for a draft in which required fields are still empty: each value that is there is
        looked at. Whether they make sense together is asked when all are."""
        self._check(incomplete=True)

    def _check(self, *, incomplete: bool) -> None:
        if not self.title.strip():
            raise InvalidValue("title", _("Give the page a title."))
        self._check_fields(incomplete=incomplete)
        for column in self.__mapper__.column_attrs:
            # What is not loaded has not been edited.
            value = self.__dict__.get(column.key)
            if not isinstance(value, str):
                continue
            if UNSTORABLE.search(value):
                reason = _("A character in it cannot be stored; remove it.")
                raise InvalidValue(column.key, reason)
            limit = getattr(column.columns[0].type, "length", None)
            if limit is not None and len(value) > limit:
                raise TooLong(column.key, limit)

    def _check_fields(self, *, incomplete: bool) -> None:
        """Check the fields of the type's own columns, and set them to what these can hold."""
        cls, stored = type(self), self.__dict__
        is_new = not inspect(self).persistent
        given = {}
        for field in fields_of(cls):
            if field.name in stored:
                given[field.name] = stored[field.name]
            elif is_new and field.required:
                given[field.name] = None
        for name, value in validate(cls, given, incomplete=incomplete).items():
            if type(value) is not type(given[name]) or value != given[name]:
                setattr(self, name, value)


class Folder(Content):
    """A place that only holds others."""

    __mapper_args__ = {"polymorphic_identity": "folder"}  # noqa: RUF012


class Page(Content):
    """A page of Markdown. Like every node it can have children."""

    __tablename__ = "page"
    __table_args__ = {"info": {CORE: True}}  # noqa: RUF012
    __mapper_args__ = {"polymorphic_identity": "page"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True)
    #: Markdown; links to other pages are written ``node:ID``.
    body: Mapped[str] = mapped_column(
        Text, default="", deferred=True, info={"label": _("Text"), "widget": "markdown"}
    )
    #: The sanitised HTML of ``body``, with its links still as references.
    body_html: Mapped[str] = mapped_column(Text, default="", info={"derived": True})
    #: ``[level, id, text]`` of each heading, in order.
    toc: Mapped[list[Any]] = mapped_column(JSON, default=list, info={"derived": True})

    def derive(self, renderer: IMarkdownRenderer) -> None:
        super().derive(renderer)
        # One kind of line end, whatever browsers and files send.
        self.body = (self.body or "").replace("\r\n", "\n").replace("\r", "\n")
        source = with_lost_references(self.body)
        rendered = renderer.render(source, title=self.title)  # pyright: ignore[reportCallIssue]
        self.body_html = without_strays(rendered.html, source)
        self.toc = [[heading.level, heading.id, heading.text] for heading in rendered.toc]

    def referenced_ids(self) -> set[int]:
        return super().referenced_ids() | references_in(self.body_html)


class Link(Content):
    """A place in the tree that leads elsewhere: to another node or to a URL."""

    __tablename__ = "link"
    __table_args__ = {"info": {CORE: True}}  # noqa: RUF012

    id: Mapped[int] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True)
    target_id: Mapped[int | None] = mapped_column(
        Id,
        ForeignKey("node.id", ondelete="SET NULL"),
        index=True,
        info={
            "label": _("Page it leads to"),
            "help": _("It goes on leading there when that page is moved or renamed."),
        },
    )
    url: Mapped[str] = mapped_column(
        String(2000),
        default="",
        info={
            "label": _("Web address"),
            "help": _("Only used where no page is chosen. Such as https://example.org/."),
        },
    )

    # There are two ways from here to the node table; this one is what a link is.
    __mapper_args__ = {"polymorphic_identity": "link", "inherit_condition": id == Node.id}  # noqa: A003, RUF012

    def check(self) -> None:
        super().check()
        if self.url and not can_lead_to(self.url):
            reason = _(
                "“${url}” must begin with https://, http:// or mailto:, or with a /.",
                mapping={"url": self.url},
            )
            raise InvalidValue("url", reason)


class UnavailableContent(Content):
    """A row whose type belongs to an add-on that is not installed. Kept, never shown to readers."""

    __mapper_args__ = {"polymorphic_identity": UNAVAILABLE}  # noqa: RUF012


# A row of an absent type keeps its own discriminator, so that it comes back when the add-on does;
# without this the mapper would warn at each flush that the class and the discriminator differ.
UnavailableContent.__mapper__._acceptable_polymorphic_identities = ALL_TYPES  # type: ignore[assignment]
