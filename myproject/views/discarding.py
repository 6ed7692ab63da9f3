"""Discarding the draft of a page that readers see: first what would go, then doing it."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.content.publishing import catch_up, draft_of, newest_fields
from myproject.content.revision_log import people_named
from myproject.content.revisions import differing, snapshot
from myproject.security.permissions import Permission
from myproject.tree.node import Node
from myproject.tree.site import leave_revision
from myproject.views.done import tell_done
from myproject.views.forms import Notice, see_other, tell, text_of
from myproject.views.history import actor_of, number_in
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.versions import compared_values

_ = TranslationStringFactory("myproject")

TEMPLATE = f"{TEMPLATES}discard_draft.jinja2"


def discard_form(context: Node, request: Any, message: Any = "", status: int = 200) -> Any:
    """Show what would be discarded; at most eight statements."""
    draft = draft_of(request.dbsession, context)
    base = request.canonical_base.removesuffix("/")
    if draft is None:
        return _nothing(request)
    request.response.status_int = status
    live, newest = snapshot(context), newest_fields(request.dbsession, context)
    fields = compared_values(request, live, newest, differing(live, newest), (context.type,))
    title = _("Discard the draft of “${title}”?", mapping={"title": context.title})
    return {
        **page_screen(request, context, title, "discard-draft"),
        "notice": Notice("warning", request.localizer.translate(message)) if message else None,
        "draft": draft,
        "actor": actor_of(request, draft, people_named(request.dbsession, {draft.actor_id})),
        "fields": fields,
        "planned": context.publish_at,
        "base_url": base,
    }


def discard(context: Node, request: Any) -> Any:
    """Discard the draft that was shown; show another one if there is another one by now."""
    names = ["draft_id", "stage", "publish_at", "expire_at", "state"]
    request.dbsession.refresh(context, names, with_for_update={"key_share": True})
    # What readers see by the clock is no draft, and not for everybody to take back.
    done = catch_up(request.tree, context, request.renderer)
    if context.draft_id is None:
        return _nothing(request, done=done)
    if number_in(text_of(request, "draft", 20)) != context.draft_id:
        request.tm.doom()
        message = _("Somebody has saved another draft meanwhile. This is what it says.")
        return discard_form(context, request, message, 409)
    operation = request.journal.discard(context)
    text = _("The draft is discarded. It stays in the history, and can be restored.")
    tell_done(request, operation, text=text)
    return see_other(request, request.canonical_base)


def _nothing(request: Any, *, done: bool = False) -> Any:
    if "tm.active" in request.environ and not done:
        leave_revision(request.dbsession)
    tell(request, _("There is no draft any more: readers see the newest version."))
    return see_other(request, request.canonical_base)


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    for method, view in (("GET", discard_form), ("POST", discard)):
        config.add_view(
            view,
            name="discard-draft",
            context=Node,
            request_method=method,
            permission=Permission.EDIT,
            renderer=TEMPLATE,
        )
