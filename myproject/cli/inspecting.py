"""``explain`` and ``settings``: why the site does what it does."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

import click
from pyramid.exceptions import PredicateMismatch
from pyramid.interfaces import IContextFound, IMultiView, IRequest, IView, IViewClassifier
from pyramid.request import Request as WebRequest
from pyramid.router import Router
from sqlalchemy import event
from zope.interface import providedBy

from myproject.cli.context import Context
from myproject.interfaces import IContentTypes
from myproject.tree.node import Node
from myproject.tree.urls import SEGMENT_SAFE

_ACCESS_LOG = "myproject.access"
_HOST = re.compile(r"[a-z]+://[^/?#]*", re.IGNORECASE)
#: What may stand in a path as it was typed, escapes included.
_URL_SAFE = SEGMENT_SAFE + "/%"


@click.command()
@click.argument("path")
@click.pass_obj
def explain(context: Context, path: str) -> None:
    """Show how an address is answered: segments, node, view, permission, statements.

    PATH is written as in a browser. The request is really made, as an anonymous reader.
    """
    database = context.current_database
    statements: list[str] = []

    @event.listens_for(database.reader, "before_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    app = context.configurator.make_wsgi_app()
    with _no_access_log():
        seen = _Watched(app, path)
    lines = {**seen.describe(), "statements": str(len(statements)), **seen.answer()}
    for label, text in lines.items():
        click.echo(f"{label + ':':<13}{text}")


@contextmanager
def _no_access_log() -> Iterator[None]:
    # Nobody has visited the site.
    log = logging.getLogger(_ACCESS_LOG)
    was, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = was


class _Watched:
    """One request through the whole application, looked at from outside.

    :param address: a path, or a whole URL of which only path and query count.
    """

    def __init__(self, app: Router, address: str) -> None:
        self.app = app
        path, _, query = _HOST.sub("", address).partition("#")[0].partition("?")
        self.web_request = WebRequest.blank("/" + quote(path.lstrip("/"), safe=_URL_SAFE))
        self.web_request.query_string = quote(query, safe=_URL_SAFE + "?")
        self.request: Any = None
        app.registry.registerHandler(self._remember, (IContextFound,))
        self.response = self.web_request.get_response(app)
        # Nobody reads the body, and that of a file is an open file.
        if hasattr(self.response.app_iter, "close"):
            self.response.app_iter.close()

    def _remember(self, found: Any) -> None:
        if self.request is not None:
            return
        self.request = request = found.request
        self.context, self.view_name = request.context, request.view_name
        self.view = self._find_view(request)
        self.permission = getattr(self.view, "__permission__", None) or "view"
        self.verdict = request.has_permission(self.permission, self.context)

    def _find_view(self, request: Any) -> Any:
        required = (IViewClassifier, IRequest, providedBy(request.context))
        view = self.app.registry.adapters.lookup(required, IView, name=request.view_name)
        if IMultiView.providedBy(view):
            try:
                return view.match(request.context, request)
            except PredicateMismatch:
                return None
        return view

    def describe(self) -> dict[str, str]:
        """Return label -> what was found, up to the view."""
        if self.request is None:
            return {"consumed": "nothing: refused before the database was asked"}
        request, node = self.request, self.context
        if not isinstance(node, Node):
            route = request.matched_route
            return {"route": f"{route.name} ({route.pattern})" if route else "none"}
        types = self.app.registry.getUtility(IContentTypes)
        switched = "" if types.get(node.type) else " (its add-on is not switched on)"
        left = [unquote(name) for name in request.path_info.split("/") if name]
        left = left[len(request.traversed) :]
        return {
            "consumed": "/" + "/".join(request.traversed),
            "left over": "/".join(left) or "nothing",
            "node": f"{node.id} {node.title!r}",
            "type": f"{node.type}{switched}, {node.state}",
            "view": self._describe_view(),
            "permission": f"{self.permission}: {self._describe_verdict()}",
        }

    def answer(self) -> dict[str, str]:
        """Return label -> what was answered."""
        location = self.response.headers.get("Location")
        answer = {"answer": self.response.status}
        return answer if location is None else {**answer, "location": location}

    def _describe_view(self) -> str:
        if self.view is None:
            named = f"is called {self.view_name!r} here" if self.view_name else "shows this type"
            return f"none {named}"
        original = getattr(self.view, "__original_view__", self.view)
        return f"{original.__module__}.{original.__qualname__}"

    def _describe_verdict(self) -> str:
        return f"{'allowed' if self.verdict else 'denied'}, because {self.verdict.msg}"


@click.command()
@click.pass_obj
def settings(context: Context) -> None:
    """Print every setting that is in force, and where it comes from. Secrets stay hidden."""
    for setting in context.registry.declared_settings.explain():
        click.echo(f"{setting.key} = {setting.value}".rstrip())
        click.echo(click.style(f"    from {setting.source}. {setting.help}", dim=True))
