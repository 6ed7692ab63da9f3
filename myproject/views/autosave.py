"""Keeping what somebody writes while they write it: one row per person, place and purpose.

It makes no history, nobody else sees it, and no page looks different for it. It is filled in again
when the form is opened the next time, and dropped when the form is saved.
"""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.content.revisions import newest_revision_id
from myproject.content.scratch import store_scratch
from myproject.security.permissions import Permission
from myproject.tree.node import Node
from myproject.tree.site import leave_revision
from myproject.views.editing import PURPOSE, number_of
from myproject.views.keeping import BASE, problem_with
from myproject.views.times import to_local
from myproject.views.writing import kept_values

_ = TranslationStringFactory("myproject")


def keep_edit(context: Node, request: Any) -> dict[str, Any]:
    """Keep what the form of this page holds."""
    base = number_of(request, BASE)
    answer = _keep(context, request, PURPOSE, base)
    if base and newest_revision_id(request.dbsession, context) != base:
        message = _(
            "Somebody has saved this page since. When you save, you will see both versions."
        )
        answer["warning"] = request.localizer.translate(message)
    return answer


def keep_new(context: Node, request: Any) -> dict[str, Any]:
    """Keep what the form of a new page below this one holds."""
    content_type = request.content_types.get(request.GET.get("type", ""))
    if content_type is None:
        return _refuse(request, 422, _("There is no such type any more."))
    return _keep(context, request, new_purpose(content_type.name), 0)


def new_purpose(type_name: str) -> str:
    """Return the purpose of the form for a new page."""
    return f"add:{type_name}"


def _keep(context: Node, request: Any, purpose: str, base: int) -> dict[str, Any]:
    leave_revision(request.dbsession)
    request.response.cache_control = "no-store"
    if (problem := problem_with(request)) is not None:
        return _refuse(request, problem.status, problem.message)
    # PostgreSQL takes no NUL in JSON either.
    values = {name: value.replace("\0", "") for name, value in kept_values(request).items()}
    user_id = request.signed_in.user_id
    scratch = store_scratch(request.dbsession, user_id, context.id, purpose, values, base)
    time = f"{to_local(request, scratch.saved_at):%H:%M}"
    message = _("Kept as a draft of yours at ${time}", mapping={"time": time})
    return {"kept": scratch.saved_at.isoformat(), "message": request.localizer.translate(message)}


def _refuse(request: Any, status: int, message: Any) -> dict[str, Any]:
    request.response.status_int = status
    return {"message": request.localizer.translate(message)}


def includeme(config: Configurator) -> None:
    """Register both for every node."""
    for name, view, permission in (
        ("autosave", keep_edit, Permission.EDIT),
        ("autosave-new", keep_new, Permission.ADD),
    ):
        config.add_view(
            view,
            name=name,
            context=Node,
            request_method="POST",
            permission=permission,
            renderer="json",
        )
