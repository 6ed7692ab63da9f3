"""The inbox, the review of one page, and what a page says of it to those who work on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory

from myproject.addons.review.addresses import NAME, OF_START, review_url
from myproject.addons.review.inbox import (
    Waiting,
    count_to_review,
    load_submitted,
    load_to_review,
)
from myproject.addons.review.steps import IN_REVIEW, REJECT, REVIEW
from myproject.content.operations_log import load_taken
from myproject.content.publishing import draft_of
from myproject.content.revision_log import load_live, people_named
from myproject.content.revisions import Revision, latest_revision_id, load_revision
from myproject.extend.configurator import SiteConfigurator
from myproject.security.permissions import SIGNED_IN, Permission
from myproject.translation import translated
from myproject.tree.node import PUBLISHED, Node, has_unseen, is_ahead, stage_of
from myproject.tree.traversal import no_root
from myproject.tree.visibility import BoundarySet
from myproject.views.bar import Step, notes_of, steps_of
from myproject.views.done import SENTENCES
from myproject.views.history import actor_of
from myproject.views.menus import record_tabs
from myproject.views.people import load_places
from myproject.views.planning import seen_digest
from myproject.views.rendering import DOMAIN, layout, page_screen

_ = TranslationStringFactory(DOMAIN)

TEMPLATES = "myproject.addons.review:templates/"


class Row(NamedTuple):
    """A page of the inbox.

    :ivar url: of its review.
    :ivar where: its path.
    :ivar at, actor, comment: of the step that has brought it where it is; None and empty where
        nobody knows.
    """

    title: str
    url: str
    where: str
    at: dt.datetime | None
    actor: str
    comment: str
    notes: Sequence[str]


class Said(NamedTuple):
    """A step that somebody has taken with a page.

    :ivar is_undone: whether it was taken back.
    """

    at: dt.datetime
    actor: str
    title: str
    comment: str
    is_undone: bool


# -- the inbox ------------------------------------------------------------------------------------


def reviewable(request: Any) -> BoundarySet:
    """Return the boundaries within which whoever asks may review."""
    return request.access.where(Permission.VIEW, Permission.VIEW_DRAFTS, REVIEW)


def inbox(request: Any) -> dict[str, Any]:
    """Show what waits for whoever asks; at most five statements, however much it is."""
    request.response.cache_control = "no-store"
    session, places = request.dbsession, reviewable(request)
    may_review = REVIEW in request.access.anywhere
    waiting = load_to_review(session, places, request.visibility.drafts) if may_review else []
    back, submitted = load_submitted(session, request.signed_in.user_id)
    every = [*waiting, *back, *submitted]
    urls = load_places(request, {each.node.id for each in every})
    people = people_named(session, {each.step.actor_id for each in every if each.step})
    lists = [_rows(request, some, urls, people) for some in (waiting, back, submitted)]
    return {
        **layout(request, _("Review")),
        "tabs": record_tabs(request, NAME),
        "may_review": may_review,
        "waiting": lists[0],
        "back": lists[1],
        "submitted": lists[2],
    }


def _rows(
    request: Any,
    waiting: Sequence[Waiting],
    urls: Mapping[int, tuple[str, str | None]],
    people: Mapping[int, str],
) -> list[Row]:
    rows = []
    for node, step in waiting:
        _title, url = urls.get(node.id, ("", None))
        if url is None:
            # In the trash, or not for whoever asks to see any more.
            continue
        rows.append(
            Row(
                node.title,
                review_url(request, url),
                url,
                None if step is None else step.at,
                "" if step is None else actor_of(request, step, people),
                "" if step is None else step.comment,
                [request.localizer.translate(_what(node)), *_times(request, node)],
            )
        )
    return rows


def _what(node: Node) -> Any:
    """Return what of a page is reviewed."""
    return _("Changes to a published page") if is_ahead(node) else _("Not published yet")


def _times(request: Any, node: Node) -> list[str]:
    """Return what is to become of a page on time."""
    return notes_of(request, node)[1 if is_ahead(node) else 0 :]


def waiting_count(context: Any, request: Any) -> dict[str, Any] | None:
    """Say in the masthead how much waits for whoever may review; one statement."""
    if request.signed_in is None or REVIEW not in request.access.anywhere:
        return None
    drafts = request.visibility.drafts
    count = count_to_review(request.dbsession, reviewable(request), drafts)
    if not count:
        return None
    # Under the name by which the strings of calls are collected.
    ngettext = request.localizer.pluralize
    label = ngettext(
        "Review: ${n} page waits for you",
        "Review: ${n} pages wait for you",
        count,
        DOMAIN,
        {"n": count},
    )
    return {
        "count": count,
        "label": request.localizer.translate(label),
        "url": f"{request.mount}/@@{NAME}",
        "style": _style(request),
    }


def _style(request: Any) -> str:
    """Return the address of the style sheet, which pages of readers do not load."""
    return request.registry.static_urls(request, "review:review.css")


# -- one page -------------------------------------------------------------------------------------


def review(context: Node, request: Any) -> dict[str, Any]:
    """Show where a page stands, what was said about it, and what can be done now."""
    session, base = request.dbsession, request.canonical_base.removesuffix("/")
    newest = _newest(request, context)
    taken = load_taken(session, context.id)
    actors = {each.operation.actor_id for each in taken}
    people = people_named(session, actors | ({newest.actor_id} if newest else set()))
    ahead = is_ahead(context)
    live = load_live(session, context.id) if ahead and newest is not None else None
    compare = f"{base}/@@history?from={live.id}&to={newest.id}" if live and newest else ""
    steps = [step for step in steps_of(request, context, base) if step.is_of_draft]
    title = _("Review of “${title}”", mapping={"title": context.title})
    may_edit = bool(request.has_permission(Permission.EDIT, context))
    state = request.registry.workflows.of(context.type).newest(context)
    return {
        **page_screen(request, context, title, NAME),
        "state": request.localizer.translate(state.title),
        "is_open": state.name != PUBLISHED,
        "is_live": context.seen_state == PUBLISHED,
        "planned": _times(request, context),
        "newest": newest,
        "writer": "" if newest is None else actor_of(request, newest, people),
        "look_url": f"{request.canonical_base}{'?version=draft' if ahead else ''}",
        "compare_url": compare if may_edit else "",
        "edit_url": f"{base}/@@edit" if may_edit else "",
        "schedule_url": f"{base}/@@schedule" if _may_schedule(request, context, steps) else "",
        "steps": steps,
        "blocked": _blocked(request, context, steps),
        "said": [_said(request, each, people) for each in taken],
        "digest": seen_digest(request, context),
        "action": f"{base}/@@arrange",
    }


def _newest(request: Any, node: Node) -> Revision | None:
    """Return the revision of what is reviewed."""
    session = request.dbsession
    draft = draft_of(session, node)
    return draft or load_revision(session, node.id, latest_revision_id(session, node.id))


def _may_schedule(request: Any, node: Node, steps: Sequence[Step]) -> bool:
    offered = {each.name for each in request.transitions.offered(node) if each.target == PUBLISHED}
    may = bool(request.has_permission(Permission.PUBLISH, node))
    return may and any(step.name in offered for step in steps)


def _blocked(request: Any, node: Node, steps: Sequence[Step]) -> Mapping[str, str]:
    """Return transition -> why whoever asks cannot take it, of those that are offered."""
    workflow, found = request.registry.workflows.of(node.type), {}
    for step in steps:
        transition = workflow.get(step.name)
        if transition is not None:
            refusal = request.transitions.refusal(node, transition)
            if refusal is not None:
                found[step.name] = translated(request.localizer, refusal.reason)
    return found


def _said(request: Any, taken: Any, people: Mapping[int, str]) -> Said:
    operation = taken.operation
    title = request.registry.workflows.title_of(taken.target)
    if taken.is_discarded:
        title = SENTENCES[operation.kind][0]
    return Said(
        operation.at,
        actor_of(request, operation, people),
        request.localizer.translate(title),
        operation.comment,
        operation.undone_by_id is not None or operation.undoes_id is not None,
    )


def standing(context: Any, request: Any) -> dict[str, Any] | None:
    """Say above a page that it is in review, or was sent back; two statements, for those only who
    work on pages that readers do not see."""
    if request.signed_in is None or not request.lineage or request.shown_revision is not None:
        return None
    if not has_unseen(context) or not request.has_permission(Permission.VIEW_DRAFTS, context):
        return None
    taken = load_taken(request.dbsession, context.id, limit=1)
    if not taken:
        return None
    operation = taken[0].operation
    in_review = stage_of(context) == IN_REVIEW
    if not in_review and operation.transition != REJECT:
        return None
    people = people_named(request.dbsession, {operation.actor_id})
    return {
        "style": _style(request),
        "in_review": in_review,
        "operation": operation,
        "actor": actor_of(request, operation, people),
        "url": review_url(request, request.canonical_base),
    }


def includeme(config: SiteConfigurator) -> None:
    """Register the screens, and the ways to them."""
    config.add_tab(
        NAME, _("Review"), group="records", view=NAME, permission=Permission.VIEW_DRAFTS, order=50
    )
    config.add_route("review", f"/@@{NAME}", factory=no_root)
    config.add_view(
        inbox,
        route_name="review",
        request_method="GET",
        permission=SIGNED_IN,
        renderer=f"{TEMPLATES}inbox.jinja2",
    )
    config.add_toolbar_action(
        NAME, _("Review"), view=NAME, permission=Permission.VIEW_DRAFTS, order=410
    )
    for name in (NAME, OF_START):
        config.add_view(
            review,
            name=name,
            context=Node,
            request_method="GET",
            permission=Permission.VIEW_DRAFTS,
            renderer=f"{TEMPLATES}review.jinja2",
        )
    config.add_slot_panel(waiting_count, "tools", renderer=f"{TEMPLATES}count.jinja2", order=50)
    config.add_slot_panel(
        standing,
        "before-content",
        renderer=f"{TEMPLATES}standing.jinja2",
        context=Node,
        order=50,
    )
