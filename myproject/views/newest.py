"""Which version of a page is shown: what readers see, or the draft of what comes next.

``?version=draft`` shows the draft to people who may view drafts. A draft whose time has come is
shown to everybody, although nobody has published it yet; and of a page that readers do not see, the
newest version is shown to those who see it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden, HTTPSeeOther
from pyramid.interfaces import IViewDeriverInfo
from pyramid.response import Response
from sqlalchemy.orm import object_session

from myproject.content.publishing import draft_of, shadow
from myproject.content.revision_log import load_live, people_named
from myproject.content.revisions import Revision
from myproject.content.workflow import mark_of
from myproject.security.permissions import Permission
from myproject.tree.node import PUBLISHED, Node
from myproject.views.bar import Step, steps_of
from myproject.views.history import actor_of
from myproject.views.menus import has_view

View = Callable[[Any, Any], Response]

#: Views that show what a page says: the page, its Markdown and its JSON.
SHOWING = frozenset({"", "source", "json"})


class ShownDraft(NamedTuple):
    """A draft that is shown as the page, for the banner above it.

    :ivar live: the address of what readers see.
    :ivar compare, edit, discard, schedule: addresses; None for those who may not.
    :ivar steps: the transitions that the draft may be taken through.
    :ivar take: where they are posted to.
    :ivar mark: what is posted along, of which version this is.
    """

    at: dt.datetime
    actor: str
    comment: str
    live: str
    compare: str | None
    edit: str | None
    discard: str | None
    schedule: str | None
    steps: Sequence[Step]
    take: str
    mark: str


def newest_deriver(view: View, info: IViewDeriverInfo) -> View:
    """Wrap views that show what a node says: another version of it may be what is shown."""
    if info.exception_only:
        return view

    def of_a_version(context: Any, request: Any) -> Response:
        if (
            isinstance(context, Node)
            and request.view_name in SHOWING
            and request.matched_route is None
            and object_session(context) is not None
        ):
            asked = bool(request.query_string) and request.GET.get("version") == "draft"
            if asked or context.draft_id is not None:
                found = _version(context, request, asked=asked)
                if isinstance(found, Response):
                    return found
                # What is around the content, such as a price, goes by the request's own.
                context = request.context = found
        return view(context, request)

    return of_a_version


def _version(node: Node, request: Any, *, asked: bool) -> Any:
    """Return the version that is shown, or the way to the page where there is no such one."""
    by_itself = node.has_due_draft or node.seen_state != PUBLISHED
    if asked and not by_itself:
        if not (verdict := request.has_permission(Permission.VIEW_DRAFTS, node)):
            raise HTTPForbidden(result=verdict)
    elif not by_itself:
        return node
    draft = draft_of(request.dbsession, node)
    if asked and (draft is None or by_itself):
        # It has been published, or discarded; whoever kept the address sees the page.
        location = request.host_url + request.canonical_base
        return HTTPSeeOther(location, headers={"Cache-Control": "no-store"})
    if draft is None:
        return node
    if asked:
        request.shown_draft = _shown(request, node, draft)
        request.response.headers["X-Robots-Tag"] = "noindex"
    return shadow(node, draft.fields, request.renderer)


def draft_url(request: Any) -> str:
    """Return the address of the draft of the page that *request* leads to."""
    return f"{request.canonical_base}?version=draft"


def _shown(request: Any, node: Node, draft: Revision) -> ShownDraft:
    session, base = request.dbsession, request.canonical_base.removesuffix("/")
    may_edit = bool(request.has_permission(Permission.EDIT, node))
    may_publish = bool(request.has_permission(Permission.PUBLISH, node))
    live = load_live(session, node.id) if may_edit else None
    schedule = may_publish and has_view(request.registry, type(node), "schedule")
    return ShownDraft(
        draft.at,
        actor_of(request, draft, people_named(session, {draft.actor_id})),
        draft.comment,
        request.canonical_base,
        None if live is None else f"{base}/@@history?from={live.id}&to={draft.id}",
        f"{base}/@@edit" if may_edit else None,
        f"{base}/@@discard-draft" if may_edit else None,
        f"{base}/@@schedule" if schedule else None,
        [step for step in steps_of(request, node, base) if step.is_of_draft],
        f"{base}/@@state",
        mark_of(node),
    )


def includeme(config: Configurator) -> None:
    """Register the deriver, inside of permission checks and of what an address must be like."""
    config.add_view_deriver(newest_deriver, "newest", under="place", over="csrf_view")
