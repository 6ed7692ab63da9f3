"""When a page, or the draft of one, is published, and when readers see it no longer."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from sqlalchemy.exc import InvalidRequestError

from myproject.content.publishing import catch_up
from myproject.content.workflow import Refusal, Transition, mark_of
from myproject.exceptions import InvalidValue, TreeError
from myproject.security.permissions import Permission
from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.tree.site import leave_revision
from myproject.views.bar import notes_of
from myproject.views.done import tell_done
from myproject.views.forms import Form, Notice, refusal_notice, see_other, text_of
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.taking import take
from myproject.views.times import from_local, to_local, zone_name_of

_ = TranslationStringFactory("myproject")

TEMPLATE = f"{TEMPLATES}schedule.jinja2"

#: The two fields of the form.
TIMES = ("publish_at", "expire_at")


def schedule_form(context: Node, request: Any) -> dict[str, Any]:
    """Show what is planned."""
    form = Form({name: _shown(request, getattr(context, name)) for name in TIMES})
    return _screen(context, request, form)


def plan(context: Node, request: Any) -> Any:
    """Plan what was posted, or show the form again with what is wrong."""
    _lock(context, request)
    clears = request.POST.get("do") == "clear"
    form = Form({name: text_of(request, name, 40) for name in TIMES})
    if text_of(request, "seen", 200) != _planned(context):
        message = _(
            "Somebody has changed this page meanwhile. Look at what is planned now, and send what "
            "you have typed once more."
        )
        return _again(context, request, form, message, 409)
    before = _planned(context)
    try:
        # What is refused must not leave anything half done.
        with request.dbsession.begin_nested():
            catch_up(request.tree, context, request.renderer)
            publish_at, expire_at = (
                None if clears else _typed(context, request, name) for name in TIMES
            )
            is_new = publish_at is not None and publish_at != context.publish_at
            way = _way(context, request) if is_new else None
            if way is None:
                operation = request.journal.schedule(context, publish_at, expire_at)
            else:
                # Who sets the time has agreed to what will be published.
                ways, times = {context.id: way}, (publish_at, expire_at)
                operation = take(request, [context], ways, times=times)
    except InvalidValue as error:
        if error.field not in TIMES:
            return _again(context, request, form, error.message)
        form.refuse(request, error)
        return _again(context, request, form)
    except TreeError as error:
        return _again(context, request, form, error.message)
    told = _told(context, request, before)
    tell_done(request, operation, told, text=told)
    return see_other(request, request.canonical_base)


def _way(node: Node, request: Any) -> Transition | None:
    """Return the transition by which a page is published on time.

    :raises InvalidValue: with the reason, when whoever asks may not take it.
    """
    way = request.transitions.find(node, target=PUBLISHED)
    if isinstance(way, Refusal):
        raise InvalidValue("publish_at", way.reason)
    return way


def _lock(node: Node, request: Any) -> None:
    names = ["state", "stage", "draft_id", "modified_at", *TIMES]
    try:
        request.dbsession.refresh(node, names, with_for_update={"key_share": True})
    except InvalidRequestError:
        raise HTTPNotFound(_("Somebody has deleted this page.")) from None
    if node.state == TRASHED:
        raise HTTPNotFound(_("Somebody has put this page into the trash."))


def _planned(node: Node) -> str:
    """Return what is planned, and of what, as the form carries it to be compared."""
    times = (getattr(node, name) for name in TIMES)
    said = (each.isoformat() if each else "never" for each in times)
    return " ".join((node.state, mark_of(node), *said))


def _shown(request: Any, moment: dt.datetime | None) -> str:
    if moment is None:
        return ""
    return to_local(request, moment).replace(tzinfo=None, second=0, microsecond=0).isoformat()[:16]


def _typed(node: Node, request: Any, name: str) -> dt.datetime | None:
    """Return the moment that somebody has typed in their own time zone.

    :raises InvalidValue:
    """
    text = text_of(request, name, 40)
    if name not in request.POST:
        # A form that does not ask for it says nothing about it.
        return getattr(node, name)
    if not text:
        return None
    if name == "expire_at" and node.is_root:
        raise InvalidValue(name, _("The start page of a site is always there."))
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        message = _("Write a day and a time, such as 2031-05-01 09:30.")
        raise InvalidValue(name, message) from None
    return from_local(request, moment, field=name, was=getattr(node, name))


def _told(node: Node, request: Any, before: str) -> Any:
    """Return what to say of what is planned now."""
    if _planned(node) == before:
        leave_revision(request.dbsession)
        return _("Nothing was changed.")
    moments = [
        None if each is None else f"{to_local(request, each):%Y-%m-%d %H:%M}"
        for each in (node.publish_at, node.expire_at)
    ]
    mapping = {"from": moments[0], "until": moments[1], "zone": zone_name_of(request)}
    if all(moments):
        return _("Published on ${from}, and hidden from ${until} on (${zone}).", mapping=mapping)
    if moments[0]:
        return _("It will be published on ${from} (${zone}).", mapping=mapping)
    if moments[1] and node.seen_state != PUBLISHED:
        hidden = _("It will be hidden on ${until} (${zone}), if it is published by then.")
        return hidden % mapping
    if moments[1]:
        return _("Readers will see it until ${until} (${zone}).", mapping=mapping)
    return _("Nothing is planned any more.")


def _again(node: Node, request: Any, form: Form, message: Any = "", status: int = 422) -> Any:
    """Show the form with what was posted; nothing is written."""
    request.tm.doom()
    request.response.status_int = status
    return _screen(node, request, form, refusal_notice(request, message))


def _screen(node: Node, request: Any, form: Form, notice: Notice | None = None) -> dict[str, Any]:
    is_live, has_draft = node.seen_state == PUBLISHED, node.draft_id is not None
    return {
        **page_screen(
            *(request, node, _("When readers see “${title}”", mapping={"title": node.title})),
            "schedule",
        ),
        "form": form,
        "notice": notice,
        "zone": zone_name_of(request),
        "seen": _planned(node),
        "is_live": is_live,
        "has_draft": has_draft,
        "can_publish": has_draft or not is_live,
        "can_expire": not node.is_root,
        "planned": notes_of(request, node),
        "is_planned": node.publish_at is not None or node.expire_at is not None,
        "base_url": request.canonical_base.removesuffix("/"),
    }


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    for method, view in (("GET", schedule_form), ("POST", plan)):
        config.add_view(
            view,
            name="schedule",
            context=Node,
            request_method=method,
            permission=Permission.PUBLISH,
            renderer=TEMPLATE,
        )
