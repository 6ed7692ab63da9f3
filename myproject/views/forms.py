"""What screens with forms share: what was typed and what is wrong with it, and messages that are
shown on the next page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyramid.httpexceptions import HTTPSeeOther

from myproject.exceptions import InvalidValue
from myproject.security.passwords import LONGEST
from myproject.translation import translated


class Action(NamedTuple):
    """What a message offers to do: a form of one button.

    :ivar url: the path that it is posted to.
    """

    label: str
    url: str


class Notice(NamedTuple):
    """A message at the top of a screen.

    :ivar kind: ``success``, ``warning`` or ``danger``.
    """

    kind: str
    text: str
    action: Action | None = None


def refusal_notice(request: Any, message: Any) -> Notice | None:
    """Return what a screen says of what it has refused, such as an error's message; None for
    nothing."""
    return Notice("danger", translated(request.localizer, message)) if message else None


@dataclass
class Form:
    """A form as it is shown: field -> what it holds, and field -> what is wrong with it."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def refuse(self, request: Any, error: InvalidValue) -> None:
        """Show *error* at its field."""
        self.errors[error.field] = translated(request.localizer, error.reason)


def text_of(request: Any, name: str, limit: int = 5000) -> str:
    """Return what was posted in a field, without space around and no longer than *limit*.

    Without NUL, too, which PostgreSQL takes in no text.
    """
    return text_in(request.POST, name, limit)


def text_in(parameters: Any, name: str, limit: int = 5000) -> str:
    """Return what is in a field of ``request.POST``, ``GET`` or ``params``, in the same way."""
    return str(parameters.get(name, "")).replace("\0", "").strip()[:limit]


def typed_password(request: Any, name: str) -> str:
    """Return the password posted in a field as it was typed, cut off where it is too long."""
    return str(request.POST.get(name, ""))[: LONGEST + 1]


def numbers_of(request: Any, name: str) -> list[int]:
    """Return the numbers posted under one name; what is no number is left out."""
    return numbers_in(request.POST, name)


def numbers_in(parameters: Any, name: str) -> list[int]:
    """Return the numbers under one name in ``request.POST``, ``GET`` or ``params``."""
    return [
        int(text)
        for text in parameters.getall(name)
        # An uploaded file is none.
        if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 19
    ]


def tell(request: Any, text: str, kind: str = "success", action: Action | None = None) -> None:
    """Show a message on the next screen, whichever that is.

    :param text: may be a translation string, such as the message of an error, as may the action's
        label.
    :param action: what can be done about it with one click, such as to undo it.
    """
    localizer = request.localizer
    offered = [] if action is None else [translated(localizer, action.label), action.url]
    request.session.flash([kind, translated(localizer, text), *offered])


def has_notices(request: Any) -> bool:
    """Whether messages wait to be shown; nothing is looked up for visitors without a session."""
    if request.registry.session_cookie not in request.environ.get("HTTP_COOKIE", ""):
        return False
    return bool(request.session.peek_flash())


def notices(request: Any) -> list[Notice]:
    """Return the messages that wait to be shown."""
    if not has_notices(request):
        return []
    return [
        Notice(kind, text, Action(*offered) if offered else None)
        for kind, text, *offered in request.session.pop_flash()
    ]


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
