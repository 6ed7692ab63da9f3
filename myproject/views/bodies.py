"""How much may be sent to a view: more than that is refused before any of it is looked at.

Every view takes four times what a form may have (``myproject.max_form_size``), so that forms that
are only somewhat too large can be shown again with what was typed. A view that takes more says so,
``config.add_view(..., max_body=100_000_000)``; the server's own limit is the last word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from pyramid.interfaces import IViewDeriverInfo
from pyramid.response import Response

from myproject.db.transaction import SAFE_METHODS

View = Callable[[Any, Any], Response]

#: How many times the limit of a form is read, so that the form can be shown again.
READ = 4


class LimitedInput:
    """The body of a request that does not say how long it is, as far as the limit.

    :raises HTTPRequestEntityTooLarge: when more is read.
    """

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream, self._left = stream, limit

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise HTTPRequestEntityTooLarge
        return data

    def read(self, size: int = -1) -> bytes:
        """Read as of a file, but never much more than is allowed."""
        most = self._left + 1
        return self._counted(
            self._stream.read(most if size is None or size < 0 else min(size, most))
        )

    def readline(self, size: int = -1) -> bytes:
        """Read a line."""
        most = self._left + 1
        wanted = most if size is None or size < 0 else min(size, most)
        return self._counted(self._stream.readline(wanted))

    def __iter__(self) -> Any:
        return iter(self.readline, b"")


def is_too_large(request: Any) -> bool:
    """Whether a form has more than it may; what says no length is looked at when it is read."""
    return (request.content_length or 0) > request.registry.settings["myproject.max_form_size"]


def limit_deriver(view: View, info: IViewDeriverInfo) -> View:
    """Wrap views that are posted to."""
    own = cast(Any, info).options.get("max_body")
    if info.exception_only:
        return view

    def limited(context: Any, request: Any) -> Response:
        if request.method not in SAFE_METHODS:
            limit = own or request.registry.settings["myproject.max_form_size"] * READ
            length = request.content_length
            if length is None:
                stream = request.environ["wsgi.input"]
                request.environ["wsgi.input"] = LimitedInput(stream, limit)
            elif length > limit:
                raise HTTPRequestEntityTooLarge
        return view(context, request)

    return limited


limit_deriver.options = ("max_body",)  # type: ignore[attr-defined]


def includeme(config: Configurator) -> None:
    """Look at the length before anything of a form is read, the token included."""
    config.add_view_deriver(limit_deriver, "max_body", under="secured_view", over="csrf_view")
