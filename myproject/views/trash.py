"""The trash: what was deleted, to look at, to bring back, and to delete for good."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.content.operations_log import Kind
from myproject.content.references import resolve_references
from myproject.exceptions import InvalidValue
from myproject.registry import registry_of
from myproject.security.models import Principal
from myproject.security.permissions import SIGNED_IN, Permission
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.lineages import load_with_lineage
from myproject.tree.listing import load_children
from myproject.tree.node import DRAFT, TRASHED, Node
from myproject.tree.trash import (
    Discarded,
    Key,
    OldPlace,
    Trashed,
    in_trash,
    load_trash,
    old_places,
    sizes,
)
from myproject.tree.traversal import no_root
from myproject.tree.urls import virtual_root_of
from myproject.views.forms import numbers_in, text_in, text_of
from myproject.views.menus import record_tabs
from myproject.views.moving import picking_values
from myproject.views.people import PAGE, load_places, with_query
from myproject.views.placing import Picker
from myproject.views.planning import (
    Refusal,
    Task,
    back_of,
    check_count,
    finished,
    names_typed,
    plan_of,
    plan_values,
    settle,
    try_to,
    what,
)
from myproject.views.rendering import TEMPLATES, Item, layout

_ = TranslationStringFactory("myproject")

#: Of one page in the trash, so many of those below it are named.
BELOW = 50

PLAN = f"{TEMPLATES}plan.jinja2"


class Place(NamedTuple):
    """Where something was, as whoever asks may know of it.

    :ivar path: readable; empty where it is not to be seen.
    :ivar in_trash: whether it is in the trash itself.
    """

    title: str
    path: str
    url: str | None
    in_trash: bool


class Row(NamedTuple):
    """Something in the trash, as the list shows it.

    :ivar below: how many pages lie below it.
    :ivar until: when it is deleted for good; None where that does not happen by itself.
    """

    id: int
    title: str
    name: str
    type_title: str
    place: Place
    below: int
    at: dt.datetime
    by: str
    until: dt.datetime | None


# -- looking --------------------------------------------------------------------------------------


def trash(request: Any) -> dict[str, Any]:
    """Show what is in the trash and may be deleted by whoever asks; at most nine statements."""
    search = text_in(request.GET, "q", 200)
    before = Key.parse(text_in(request.GET, "before", 60))
    found, more = load_trash(
        request.dbsession, _mine(request), search=search, before=before, limit=PAGE
    )
    path, following = "/@@trash", str(found[-1].key) if more else None
    return {
        **_frame(request, _("Trash")),
        "rows": _rows(request, found),
        "search": search,
        "days": request.registry.settings["myproject.trash_days"],
        "all_url": f"{request.mount}{path}",
        "back": with_query(request, path, q=search, before=str(before) if before else None),
        "first": with_query(request, path, q=search) if before else None,
        "following": with_query(request, path, q=search, before=following) if more else None,
    }


def trashed(request: Any) -> dict[str, Any]:
    """Show what something in the trash says, and what lies below it."""
    session, number = request.dbsession, int(request.matchdict["id"])
    node = _load(request, [number]).get(number)
    if node is None:
        raise HTTPNotFound("There is nothing of this number in the trash that may be seen.")
    kept = session.get_one(Trashed, node.id)
    discarded = Discarded(
        *(node.id, node.title, node.type, kept.name, node.parent_id or 0, node.boundary_id),
        *(kept.at, kept.actor_id, kept.actor),
    )
    below, more = load_children(session, node.id, request.access.below(node), page=BELOW)
    html = getattr(node, "body_html", "")
    return {
        **_frame(request, node.title),
        "row": _rows(request, [discarded])[0],
        "summary": node.summary,
        "was_draft": kept.state == DRAFT,
        "body": resolve_references(session, node.id, html, request.visibility, request.path_url_of),
        "below": [row.title for row in below],
        "more_below": more,
        "all_url": f"{request.mount}/@@trash",
        "back": f"{request.mount}/@@trash",
    }


def _mine(request: Any) -> Any:
    """Return the boundaries within which whoever asks may delete, and see the trash."""
    return request.access.where(Permission.VIEW, Permission.DELETE)


def _frame(request: Any, title: Any) -> dict[str, Any]:
    request.response.cache_control = "no-store"
    return {**layout(request, title), "tabs": record_tabs(request, "trash")}


def _rows(request: Any, found: Sequence[Discarded]) -> list[Row]:
    """Return rows of the list; at most five statements."""
    if not found:
        return []
    session = request.dbsession
    places = old_places(session, {each.place_id for each in found})
    visible = load_places(request, places)
    below = sizes(session, [each.id for each in found])
    people = _people(request, {each.actor_id for each in found} - {None})
    days = request.registry.settings["myproject.trash_days"]
    until = dt.timedelta(days=days) if days else None
    rows = []
    for each in found:
        content_type = request.content_types.get(each.type)
        title = each.type if content_type is None else content_type.title
        rows.append(
            Row(
                each.id,
                each.title,
                each.name,
                request.localizer.translate(title),
                _place(request, places.get(each.place_id), visible.get(each.place_id)),
                below.get(each.id, 0),
                each.at,
                people.get(each.actor_id or 0) or _name(request, each.actor),
                None if until is None else each.at + until,
            )
        )
    return rows


def _people(request: Any, ids: set[Any]) -> Mapping[int, str]:
    query = select(Principal.id, Principal.title).where(Principal.id.in_(ids))
    return {row[0]: row[1] for row in request.dbsession.execute(query)} if ids else {}


def _name(request: Any, actor: str) -> str:
    known = actor not in ("", COMMAND_LINE.name)
    return actor if known else request.localizer.translate(_("The command line"))


def _place(request: Any, place: OldPlace | None, seen: tuple[str, str | None] | None) -> Place:
    nowhere = request.localizer.translate(_("A place that you may not see"))
    if place is None or place.boundary_id not in request.visibility.pages:
        return Place(nowhere, "", None, False)
    if seen is None and not place.in_trash:
        # Below a draft of somebody else's.
        return Place(nowhere, "", None, False)
    names = place.names[len(virtual_root_of(request)) :]
    return Place(place.title, "/" + "/".join(names), seen[1] if seen else None, place.in_trash)


def _load(request: Any, ids: Sequence[int]) -> dict[int, Node]:
    """Return those of *ids* that are in the trash, for whoever may delete them."""
    return load_with_lineage(request.dbsession, in_trash(request.dbsession, ids, _mine(request)))


# -- bringing back, and deleting for good ---------------------------------------------------------


def restore_plan(request: Any) -> dict[str, Any]:
    """Say what bringing things back would do, or have another place picked for them."""
    task = _task(request, Kind.RESTORE)
    asked = "target" in request.params and "pick" not in request.params
    if task.nodes and ("pick" in request.params or "find" in request.params or _browses(request)):
        return _pick(request, task)
    if task.nodes and asked and task.target is None:
        return _pick(request, task, missing=True)
    return _plan(request, task)


def purge_plan(request: Any) -> dict[str, Any]:
    """Say what deleting things for good would do, and ask for it in writing."""
    return _plan(request, _task(request, Kind.PURGE))


def arrange(request: Any) -> Any:
    """Do what a plan said, if it still says so; else show it once more."""
    kind = text_of(request, "kind", 20)
    if kind not in (Kind.RESTORE, Kind.PURGE):
        raise InvalidValue("kind", _("There is no such operation."))
    settle(request)
    task = _task(request, Kind(kind))
    if not task.nodes:
        request.tm.doom()
        return _plan(request, task, Refusal())
    if task.kind == Kind.RESTORE and task.target is None and numbers_in(request.POST, "target"):
        request.tm.doom()
        return _pick(request, task, missing=True)
    plan = plan_of(request, task)
    if task.kind == Kind.PURGE and plan.is_possible and not _is_confirmed(request, task, plan):
        request.tm.doom()
        return _plan(request, task, Refusal(), unconfirmed=True)
    found = try_to(request, task, plan)
    if isinstance(found, Refusal):
        return _plan(request, task, found)
    return finished(request, task, found, f"{request.mount}/@@trash")


def _task(request: Any, kind: Kind) -> Task:
    ids = list(dict.fromkeys(numbers_in(request.params, "ids")))
    check_count(request, ids)
    nodes = list(_load(request, ids).values())
    target, asked = None, numbers_in(request.params, "target")
    if asked and kind == Kind.RESTORE and "pick" not in request.params:
        target = Picker(request, nodes, kind).place(asked[-1])
    return Task(
        kind,
        nodes,
        len(ids) - len(nodes),
        target,
        names_typed(request, nodes),
        back=back_of(request),
    )


def _browses(request: Any) -> bool:
    return "at" in request.params and "target" not in request.params


def _plan(
    request: Any, task: Task, refusal: Refusal | None = None, *, unconfirmed: bool = False
) -> dict[str, Any]:
    cancel = task.back or f"{request.mount}/@@trash"
    if not task.nodes:
        request.response.status_int = 422
        text = _("What was chosen is not in the trash any more.")
        values = _frame(request, _("There is nothing to do"))
        nothing = request.localizer.translate(text)
        return {**values, "nothing": nothing, "cancel_url": cancel}
    plan = plan_of(request, task)
    values = {**_frame(request, ""), **plan_values(request, task, plan, refusal)}
    if task.kind == Kind.PURGE:
        values["confirmation"] = _confirmation(request, task, plan, unconfirmed=unconfirmed)
    elif task.target is None:
        values["offers"] = _offers(request, task)
    view = "restore-plan" if task.kind == Kind.RESTORE else "purge-plan"
    return {
        **values,
        "action": f"{request.mount}/@@trash/@@arrange",
        "plan_url": f"{request.mount}/@@trash/@@{view}",
        "cancel_url": cancel,
    }


def _pick(request: Any, task: Task, *, missing: bool = False) -> dict[str, Any]:
    mapping = {"what": what(request, task.nodes)}
    title = request.localizer.translate(_("Restore ${what} to …"), mapping=mapping)
    picker = Picker(request, task.nodes, task.kind)
    return {
        **_frame(request, title),
        **picking_values(request, task, picker, missing=missing),
        "action": f"{request.mount}/@@trash/@@restore-plan",
        "cancel_url": task.back or f"{request.mount}/@@trash",
    }


def _offers(request: Any, task: Task) -> list[Item]:
    """Return what to restore first: places that are in the trash themselves."""
    above: dict[int, Node] = {}
    for node in task.nodes:
        place = node.parent
        while place is not None:
            if place.state == TRASHED:
                above[place.id] = place
            place = place.parent
    ids = in_trash(request.dbsession, list(above), _mine(request)) if above else []
    return [
        Item(above[number].title, with_query(request, "/@@trash/@@restore-plan", ids=number))
        for number in ids
    ]


# -- asking in writing ----------------------------------------------------------------------------


def _confirmation(request: Any, task: Task, plan: Any, *, unconfirmed: bool) -> dict[str, str]:
    translate = request.localizer.translate
    text = _expected(task, plan)
    one = len(task.nodes) == 1
    label = _("Type its title to confirm:") if one else _("Type the number of pages to confirm:")
    error = _("Type ${text} to confirm.", mapping={"text": text}) if unconfirmed else ""
    return {"label": translate(label), "text": text, "error": translate(error) if error else ""}


def _expected(task: Task, plan: Any) -> str:
    """Return what has to be typed: the title of one page, of several the number with all below."""
    title = " ".join(task.nodes[0].title.split()) if len(task.nodes) == 1 else ""
    return title or str(plan.pages)


def _is_confirmed(request: Any, task: Task, plan: Any) -> bool:
    typed = " ".join(text_of(request, "confirm", 600).split())
    return typed.casefold() == _expected(task, plan).casefold()


def includeme(config: Configurator) -> None:
    """Register the screens."""
    registry = registry_of(config)
    registry.reading_posts |= {"restore-plan", "purge-plan"}
    routes = (
        ("trash", "/@@trash", (("GET", trash),), f"{TEMPLATES}trash.jinja2"),
        ("trashed", "/@@trash/{id:[0-9]{1,18}}", (("GET", trashed),), f"{TEMPLATES}trashed.jinja2"),
        (
            "restore_plan",
            "/@@trash/@@restore-plan",
            (("GET", restore_plan), ("POST", restore_plan)),
            PLAN,
        ),
        ("purge_plan", "/@@trash/@@purge-plan", (("GET", purge_plan), ("POST", purge_plan)), PLAN),
        ("trash_arrange", "/@@trash/@@arrange", (("POST", arrange),), PLAN),
    )
    for name, pattern, views, renderer in routes:
        config.add_route(name, pattern, factory=no_root)
        for method, view in views:
            config.add_view(
                view,
                route_name=name,
                request_method=method,
                permission=SIGNED_IN,
                renderer=renderer,
            )
