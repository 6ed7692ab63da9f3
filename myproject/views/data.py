"""Content as data: ``@@json`` of a place, and the schemas of all types at ``/@@types``."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from sqlalchemy import inspect
from sqlalchemy.orm import object_session

from myproject.content.as_json import json_schema_of, to_json
from myproject.content.types import Content
from myproject.security.permissions import SIGNED_IN, Permission
from myproject.tree.traversal import no_root
from myproject.tree.urls import names_of
from myproject.views import conditional
from myproject.views.picking import readable_path


def json_view(context: Content, request: Any) -> Any:
    """Answer with what a place says as JSON: ``type``, ``id``, ``path``, ``state``,
    ``created_at``, ``modified_at`` and ``fields``, which the schema of its type describes.

    Links in Markdown are ``node:12``, as they are stored: with the numbers of pages they stay
    right wherever those are moved, and may be sent back.
    """
    if (unchanged := conditional.check(request, "json")) is not None:
        return unchanged
    # What readers of HTML never need, in one statement.
    deferred = [
        prop.key
        for prop in inspect(type(context)).column_attrs
        if prop.deferred and prop.key != "extra"
    ]
    if object_session(context) is not None:
        request.dbsession.refresh(context, deferred)
    return {
        "type": context.type,
        "id": context.id,
        "path": readable_path(request, names_of(context)),
        "state": context.seen_state,
        "created_at": _moment(context.created_at),
        "modified_at": _moment(context.modified_at),
        "fields": to_json(context),
    }


def types_view(request: Any) -> dict[str, Any]:
    """Answer with the types that are switched on: name -> title, description, where they may be
    added, whether their drafts may be incomplete, and the JSON schema of their fields."""
    translate = request.localizer.translate
    return {
        "types": {
            each.name: {
                "title": translate(each.title),
                "description": translate(each.description) if each.description else "",
                "addable_in": None if each.addable_in is None else sorted(each.addable_in),
                "incomplete_drafts": each.incomplete_drafts,
                "schema": json_schema_of(each.cls),
            }
            for each in request.content_types
        }
    }


def _moment(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z")


def includeme(config: Configurator) -> None:
    """Register both."""
    config.add_view(
        json_view,
        name="json",
        context=Content,
        request_method="GET",
        permission=Permission.VIEW,
        renderer="json",
    )
    config.add_route("types", "/@@types", factory=no_root)
    config.add_view(
        types_view, route_name="types", request_method="GET", permission=SIGNED_IN, renderer="json"
    )
