"""Putting one page of a list before another one: by drag, by keyboard, and by number.

The order of pages belongs to the place that they are in: it is what its readers see, and putting
one page higher puts others lower. So it takes the permission to move at the place itself, and none
at the pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.exceptions import MyprojectError, TreeError
from myproject.security.permissions import Permission
from myproject.tree.contents import neighbour_at, number_of, sibling_at
from myproject.tree.node import Node
from myproject.views.addresses import safe_next
from myproject.views.contents import Contents
from myproject.views.done import tell_done
from myproject.views.forms import Form, refusal_notice, see_other
from myproject.views.rendering import TEMPLATES, page_screen

_ = TranslationStringFactory("myproject")

DIRECTIONS = ("up", "down", "top", "bottom")


class Refused(MyprojectError):
    """What was asked for cannot be done."""


def reorder(context: Node, request: Any) -> Any:
    """Put ``node`` before the page ``before``, in a ``direction``, or at the number ``position``.

    Whatever keeps it from being done, the list is shown as it is now, with the reason.
    """
    session = request.dbsession
    try:
        node = _required(
            _child(context, request, "node"),
            _("The page is no longer in this list, which is shown as it is now."),
        )
        with session.begin_nested():
            operation = request.journal.reorder(node, _before(context, request, node))
    except (Refused, TreeError) as error:
        request.tm.doom()
        return _refuse(context, request, error)
    tell_done(request, operation)
    return see_other(request, _back(context, request))


def position_screen(context: Node, request: Any) -> dict[str, Any]:
    """Ask to which number a page is to go; two statements."""
    node = _child(context, request, "node")
    if node is None:
        raise HTTPNotFound("There is no such page in this list.")
    number, count = number_of(request.dbsession, node, request.access.below(context))
    title = _("Position of ${title}", mapping={"title": node.title})
    return {
        **page_screen(request, context, title, "contents"),
        "alone": True,
        "action": _url(request, "reorder"),
        "back": _back(context, request),
        "node_id": node.id,
        "count": count,
        "form": Form(values={"position": number}),
    }


def _child(context: Node, request: Any, field: str) -> Node | None:
    """Return the child of *context* whose id a parameter is, if it may be seen."""
    text = request.params.get(field, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return None
    query = select(Node).where(Node.id == int(text), Node.parent_id == context.id)
    node = request.dbsession.scalars(query).one_or_none()
    below = request.access.below(context)
    return node if node is not None and below.shows(node.boundary_id, node.state) else None


def _required(node: Node | None, reason: Any) -> Node:
    if node is None:
        raise Refused(reason)
    return node


def _before(context: Node, request: Any, node: Node) -> Node | None:
    """Return which page to stand before, None for the end.

    :raises Refused: when it is not there, or nothing sensible was asked for.
    """
    session, params, below = request.dbsession, request.params, request.access.below(context)
    if "before" in params:
        return _required(
            _child(context, request, "before"),
            _(
                "The page that it was to stand before is no longer in this list, which is shown as "
                "it is now."
            ),
        )
    direction = params.get("direction", "")
    if direction in DIRECTIONS:
        possible, sibling = neighbour_at(session, node, below, direction)
        # At the end already: it stays before itself.
        return _loaded(session, sibling) if possible else node
    text = params.get("position", "").strip()
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10 and int(text)):
        raise Refused(_("Give the number of a position: 1 is the first one."))
    return _loaded(session, sibling_at(session, node, below, int(text)))


def _loaded(session: Any, node_id: int | None) -> Node | None:
    return None if node_id is None else session.get(Node, node_id)


def _refuse(context: Node, request: Any, error: MyprojectError) -> dict[str, Any]:
    """Return the list that the form was sent from, as it is now."""
    request.response.status_int = 422
    screen = Contents(context, request, _query_of(_back(context, request)))
    return screen.show(refusal_notice(request, error.message))


def _query_of(address: str) -> Mapping[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def _back(context: Node, request: Any) -> str:
    """Return the address to go back to: that of the list that was shown."""
    url = _url(request, "contents")
    wanted = request.params.get("back", "")
    return safe_next(request, wanted) if wanted.startswith(f"{url}?") else url


def _url(request: Any, view: str) -> str:
    return f"{request.canonical_base.removesuffix('/')}/@@{view}"


def includeme(config: Configurator) -> None:
    """Register the operation, and the screen that asks for a number."""
    for method, view, template in (
        ("GET", position_screen, "position"),
        ("POST", reorder, "contents"),
    ):
        config.add_view(
            view,
            name="reorder",
            context=Node,
            request_method=method,
            permission=Permission.MOVE,
            renderer=f"{TEMPLATES}{template}.jinja2",
        )
