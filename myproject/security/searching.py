"""Finding users and groups by a part of what they are called."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, func, or_

from myproject.security.models import Principal, User
from myproject.security.names import normalize_account


def matching(cls: type[Principal], text: str) -> ColumnElement[bool]:
    """Return "the name, title or address contains this", without regard to case where it can."""
    folded = escaped(normalize_account(text))
    # Titles are not folded as names are, and SQLite knows the small letters of ASCII only.
    typed = escaped(unicodedata.normalize("NFC", text).strip())
    pairs: list[tuple[Any, str]] = [
        (cls.name, folded),
        (func.lower(cls.title), typed.lower()),
        (cls.title, typed),
    ]
    if cls is User:
        pairs.append((User.email, folded))
    return or_(*(column.like(f"%{wanted}%", escape="\\") for column, wanted in pairs))


def escaped(text: str) -> str:
    """Return *text* for LIKE, where it stands for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
