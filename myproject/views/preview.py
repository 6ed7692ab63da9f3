"""What a text would look like as a page, while it is being written.

``POST @@preview`` at a page that is edited, or at the place below which one is added, with ``body``
and ``title``; ``?new=1`` for the latter. It takes the way that saving takes, and stores nothing.
"""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.i18n import TranslationStringFactory

from myproject.content.references import resolve_unsaved
from myproject.content.types import Page
from myproject.registry import registry_of
from myproject.security.permissions import Permission
from myproject.tree.node import Node
from myproject.views.bodies import READ

_ = TranslationStringFactory("myproject")

#: Bytes that a character takes at most, and room for what is around a text in a request.
_BYTES, _AROUND = 12, 100_000


def preview_json(context: Node, request: Any) -> dict[str, Any]:
    """Return ``html`` as the page would show it.

    With it the addresses of its references, ``links``, and the ids of those that are ``broken``.
    ``base`` is the address that relative links in it start from. A text that is too long is
    answered with 413 and a ``message``.
    """
    _check_permission(context, request)
    request.response.cache_control = "no-store"
    limit = request.registry.settings["myproject.text_limit"]
    if (request.content_length or 0) > limit * _BYTES + _AROUND:
        return _too_long(request, limit)
    body, title = _posted(request, "body"), _posted(request, "title")
    if len(body) > limit or len(title) > limit:
        return _too_long(request, limit)
    # A page that nobody keeps is what saving makes of the text, to the letter.
    page = Page(title=title, body=body)
    page.derive(request.renderer)
    resolved = resolve_unsaved(
        request.dbsession, page.body_html, request.visibility, request.path_url_of
    )
    base = request.canonical_base
    if "new" in request.GET:
        base = base.removesuffix("/") + "/"
    return {
        "html": resolved.html,
        "links": resolved.urls,
        "broken": sorted(resolved.broken),
        "base": base,
    }


def _check_permission(context: Node, request: Any) -> None:
    """Let those pass who may edit here, or add below.

    :raises HTTPForbidden:
    """
    verdict = request.has_permission(Permission.EDIT, context)
    if not verdict and not request.has_permission(Permission.ADD, context):
        raise HTTPForbidden(result=verdict)


def _posted(request: Any, name: str) -> str:
    value = request.POST.get(name, "")
    return value if isinstance(value, str) else ""


def _too_long(request: Any, limit: int) -> dict[str, Any]:
    request.response.status_int = 413
    message = _(
        "This text is longer than ${limit} characters. Make several pages of it.",
        mapping={"limit": f"{limit:,}"},
    )
    return {"message": request.localizer.translate(message)}


def includeme(config: Configurator) -> None:
    """Register the preview for every node: whoever may see a place may ask whether they may."""
    registry = registry_of(config)
    registry.reading_posts |= {"preview"}
    config.add_view(
        preview_json,
        name="preview",
        context=Node,
        request_method="POST",
        permission=Permission.VIEW,
        renderer="json",
        max_body=max(
            registry.declared_settings["myproject.text_limit"] * _BYTES + _AROUND,
            registry.declared_settings["myproject.max_form_size"] * READ,
        ),
    )
