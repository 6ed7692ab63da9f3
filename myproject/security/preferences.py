"""What people have chosen for themselves: language, time zone, keys, and how they edit.

Defaults are in here and not in the database: whoever has chosen nothing has no row, and follows
when a default is another one some day.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.security.models import Preference, User

#: How Markdown is written: with a toolbar and colours, or in a plain text box.
RICH = "rich"
PLAIN = "plain"
EDITORS = (RICH, PLAIN)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody has chosen.

    :ivar language: name of the locale of the screens; empty for the site's.
    :ivar time_zone: IANA name of the zone in which times are shown and typed; empty for the site's.
    :ivar shortcuts: whether single keys are shortcuts (WCAG 2.1.4).
    :ivar editor: one of :data:`EDITORS`.
    :ivar preview: whether the editor opens with its preview.
    """

    language: str = ""
    time_zone: str = ""
    shortcuts: bool = True
    editor: str = RICH
    preview: bool = True

    @property
    def tag(self) -> str:
        """A few characters that are different when these are: a part of validators of pages."""
        return f"{zlib.crc32(repr(self).encode()):x}"


DEFAULTS = Preferences()

_NAMES = tuple(field.name for field in fields(Preferences))

#: The columns that :func:`preferences_of` understands.
COLUMNS: Sequence[Any] = [getattr(Preference, name) for name in _NAMES]


def preferences_of(row: Sequence[Any]) -> Preferences:
    """Return the preferences that a row of :data:`COLUMNS` says; NULLs say nothing."""
    chosen = {name: value for name, value in zip(_NAMES, row, strict=True) if value is not None}
    return Preferences(**chosen) if chosen else DEFAULTS


def load_preferences(session: Session, user_id: int) -> Preferences:
    """Return what a user has chosen; one statement."""
    row = session.execute(select(*COLUMNS).where(Preference.user_id == user_id)).one_or_none()
    return DEFAULTS if row is None else preferences_of(row)


def store_preferences(session: Session, user_id: int, preferences: Preferences) -> None:
    """Store what a user has chosen; what is the default is not stored."""
    # Two forms sent at once must not both find that there is no row.
    session.get_one(User, user_id, with_for_update=True)
    chosen = {
        name: value if (value := getattr(preferences, name)) != getattr(DEFAULTS, name) else None
        for name in _NAMES
    }
    row = session.get(Preference, user_id)
    if row is None:
        row = Preference(user_id=user_id)
        session.add(row)
    for name, value in chosen.items():
        setattr(row, name, value)
    session.flush()
