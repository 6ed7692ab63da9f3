"""The screen on which editors say how a page is to be found and previewed."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory

from myproject.addons.seo.head import is_closed, preview_of
from myproject.addons.seo.models import PageSettings, problem_with_image
from myproject.addons.seo.store import FIELDS, Told, write
from myproject.exceptions import InvalidValue, NodeGone
from myproject.security.permissions import Permission
from myproject.tree.node import Node
from myproject.tree.urls import names_of
from myproject.views.bar import is_public
from myproject.views.fields import form_fields, posted_fields
from myproject.views.forms import Form, see_other, tell
from myproject.views.rendering import Item, page_screen

_ = TranslationStringFactory("myproject")

NAME = "seo"
TITLE = _("Search engines")


def seo_screen(context: Node, request: Any) -> dict[str, Any]:
    """Show what is said of a page, and how it looks to others; one statement."""
    told = Told(request.dbsession, request.lineage)
    return _screen(context, request, told, Form(values=told.own))


def change_seo(context: Node, request: Any) -> Any:
    """Have something said of a page."""
    values, form = posted_fields(request, PageSettings)
    values = {name: value.strip() for name, value in values.items()}
    if problem_with_image(values.get("image", "")) is not None:
        message = _("It must be an address that begins with https://, http:// or a slash.")
        form.refuse(request, InvalidValue("image", message))
    if form.errors:
        request.response.status_int = 422
        return _screen(context, request, Told(request.dbsession, request.lineage), form)
    try:
        write(request.dbsession, context, values)
    except NodeGone as error:
        raise HTTPNotFound(error.message) from error
    tell(request, _("Saved."))
    return see_other(request, _url(request))


def _screen(context: Node, request: Any, told: Told, form: Form) -> dict[str, Any]:
    above = told.hidden_by if told.hidden_by is not context else None
    return {
        **page_screen(request, context, TITLE, NAME),
        "action": _url(request),
        "fields": form_fields(request, FIELDS, form),
        "preview": preview_of(context, request, told.own),
        "site_title": request.registry.settings["myproject.site_title"],
        "closed": is_closed(request),
        "private": not is_public(request, context),
        "hidden": told.hidden_by is not None,
        "hidden_by": None if above is None else _place(request, above),
    }


def _place(request: Any, node: Node) -> Item:
    """Return a place above as whoever asks may know of it: with a link, by name or not."""
    if node.boundary_id not in request.visibility.pages:
        return Item(request.localizer.translate(_("a place above")), "")
    return Item(node.label, request.path_url_of(names_of(node)) or "")


def _url(request: Any) -> str:
    return f"{request.canonical_base.removesuffix('/')}/@@{NAME}"


def includeme(config: Configurator) -> None:
    """Register the screen, and the ways to it."""
    config.add_toolbar_action(NAME, TITLE, view=NAME, permission=Permission.EDIT, order=600)
    for method, view in (("GET", seo_screen), ("POST", change_seo)):
        config.add_view(
            view,
            name=NAME,
            context=Node,
            request_method=method,
            permission=Permission.EDIT,
            renderer="myproject.addons.seo:templates/seo.jinja2",
        )
