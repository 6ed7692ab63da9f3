"""What editors say about one page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from myproject.db.base import Base, Id

_ = TranslationStringFactory("myproject")

#: What ``noindex`` may say besides nothing.
PAGE, SECTION = "page", "section"

_ADDRESS = re.compile(r"(?i)https?://[^/\s]\S*|/(?![/\\])\S*")


class PageSettings(Base):
    """What search engines and previews are told of one page; no row says nothing special."""

    __tablename__ = "seo"

    node_id: Mapped[int] = mapped_column(
        Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    noindex: Mapped[str] = mapped_column(
        String(10),
        default="",
        info={
            "label": _("Search engines"),
            "choices": [
                ("", _("may show this page")),
                (PAGE, _("leave out this page")),
                (SECTION, _("leave out this page and everything below it")),
            ],
            "widget": "radio",
        },
    )
    description: Mapped[str] = mapped_column(
        String(300),
        default="",
        info={
            "label": _("Text in previews of links"),
            "help": _("Where there is none, the page's description is shown."),
            "widget": "textarea",
        },
    )
    image: Mapped[str] = mapped_column(
        String(2000),
        default="",
        info={
            "label": _("Picture in previews of links"),
            "help": _("Its address. Where there is none, the first picture of the page is shown."),
        },
    )


def problem_with_image(address: str) -> str | None:
    """Say why this cannot be the address of a picture; none at all is fine."""
    try:
        if not address or (_ADDRESS.fullmatch(address) and urlsplit(address)):
            return None
    except ValueError:
        # Brackets that are no address of version 6.
        pass
    return "must be an address that begins with https://, http:// or a slash"
