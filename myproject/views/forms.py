"""What screens with forms share: what was typed and what is wrong with it, and messages that are
shown on the next page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyramid.httpexceptions import HTTPSeeOther

from myproject.exceptions import InvalidValue
from myproject.security.passwords import LONGEST


class Notice(NamedTuple):
    """A message at the top of a screen.

    :ivar kind: ``success``, ``warning`` or ``danger``.
    """

    kind: str
    text: str


@dataclass
class Form:
    """A form as it is shown: field -> what it holds, and field -> what is wrong with it."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def refuse(self, error: InvalidValue) -> None:
        """Show *error* at its field."""
        self.errors[error.field] = error.reason


def text_of(request: Any, name: str, limit: int = 5000) -> str:
    """Return what was posted in a field, without space around and no longer than *limit*.

    Without NUL, too, which PostgreSQL takes in no text.
    """
    return str(request.POST.get(name, "")).replace("\0", "").strip()[:limit]


def typed_password(request: Any, name: str) -> str:
    """Return the password posted in a field as it was typed, cut off where it is too long."""
    return str(request.POST.get(name, ""))[: LONGEST + 1]


def numbers_of(request: Any, name: str) -> list[int]:
    """Return the numbers posted under one name; what is no number is left out."""
    return [int(text) for text in request.POST.getall(name) if text.isdecimal() and len(text) < 19]


def tell(request: Any, text: str, kind: str = "success") -> None:
    """Show a message on the next screen; *text* may be a translation string."""
    request.session.flash([kind, request.localizer.translate(text)])


def notices(request: Any) -> list[Notice]:
    """Return the messages that wait to be shown."""
    if request.registry.session_cookie not in request.environ.get("HTTP_COOKIE", ""):
        return []
    return [Notice(kind, text) for kind, text in request.session.pop_flash()]


def see_other(request: Any, path: str) -> HTTPSeeOther:
    """Return a redirect after something was done: to be returned, never raised."""
    return HTTPSeeOther(request.host_url + path)


def start_over(request: Any) -> None:
    """Take back what this request has written, and have it write nothing more.

    For showing a form again after an operation refused half-way: what the screen reads then is
    what the database holds.
    """
    request.tm.abort()
    request.tm.begin()
    request.tm.doom()
