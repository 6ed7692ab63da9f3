"""The screens that list what was done, to the whole site or to a page and below, and undo it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.content.obstacles import Obstacles
from myproject.content.operations_log import (
    UNDO,
    Filters,
    Kind,
    Listed,
    Operation,
    load_operation,
    load_operations,
    load_operations_within,
    undo_depths,
)
from myproject.exceptions import CannotUndo
from myproject.security.models import Principal
from myproject.security.permissions import SIGNED_IN, Permission
from myproject.translation import translated
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import TRASHED, Node
from myproject.tree.traversal import no_root
from myproject.views.addresses import safe_next
from myproject.views.done import (
    SENTENCES,
    audience_of,
    in_words,
    missing,
    pages,
    tell_done,
    undo_url,
)
from myproject.views.forms import see_other, tell, text_of
from myproject.views.menus import record_tabs
from myproject.views.people import load_places, with_query
from myproject.views.rendering import TEMPLATES, layout, page_screen
from myproject.views.sentences import Part, parts_of

_ = TranslationStringFactory("myproject")

#: Rows on one page of a list.
PAGE = 30

#: Operations about more pages are not looked at before somebody wants to undo them.
LOOKED_AT = 200

#: What a list can be narrowed to, besides a person.
KINDS: Sequence[tuple[Any, str]] = (
    *((SENTENCES[kind][0], kind.value) for kind in Kind if kind in SENTENCES),
    (_("Published or taken back"), Kind.STATE.value),
    (_("Undone"), UNDO),
)


class Row(NamedTuple):
    """An operation as a list shows it.

    :ivar kind: of :class:`Kind`, for its icon.
    :ivar undo: where undoing is posted to; None where that cannot be done.
    :ivar why_not: why it cannot; empty where it can, and where nobody could.
    :ivar is_undone: whether it has been.
    :ivar comment: why, in the words of whoever did it.
    """

    number: int
    kind: str
    at: dt.datetime
    parts: list[Part]
    undo: str | None
    label: str
    why_not: str
    is_undone: bool
    comment: str = ""


# -- lists ----------------------------------------------------------------------------------------


def operations(request: Any) -> dict[str, Any]:
    """Show what was done on the site, the newest first; at most thirteen statements."""
    filters, before = _asked(request)
    listed = load_operations(
        request.dbsession, audience_of(request), filters, before=before, limit=PAGE
    )
    request.response.cache_control = "no-store"
    values = {**layout(request, _("What was done")), "tabs": record_tabs(request, "operations")}
    return {**values, **_list(request, listed, filters, before, "/@@operations")}


def node_operations(context: Node, request: Any) -> dict[str, Any]:
    """Show what was done to a page and below it."""
    filters, before = _asked(request)
    listed = load_operations_within(
        request.dbsession, context.id, audience_of(request), filters, before=before, limit=PAGE
    )
    values = page_screen(request, context, _("What was done here"), "operations")
    path = request.canonical_base.removeprefix(request.mount).removesuffix("/")
    return {**values, **_list(request, listed, filters, before, f"{path}/@@operations")}


def _asked(request: Any) -> tuple[Filters, int | None]:
    """Return what a list is to be narrowed to, and from where on it is to be shown."""
    kind = request.GET.get("kind", "")
    person = request.GET.get("person", "").replace("\0", "").strip()[:100]
    me = request.signed_in if request.GET.get("who") == "me" else None
    before = request.GET.get("before", "")
    filters = Filters(
        kind if kind in {value for _title, value in KINDS} else "",
        person,
        None if me is None else me.user_id,
    )
    is_number = before.isascii() and before.isdecimal() and len(before) < 19
    return filters, int(before) if is_number else None


def _list(
    request: Any, listed: Listed, filters: Filters, before: int | None, path: str
) -> dict[str, Any]:
    translate = request.localizer.translate
    chosen = {
        "who": "me" if filters.user_id is not None else "",
        "kind": filters.kind,
        "person": filters.person,
    }
    following = listed.following
    return {
        "rows": rows_of(request, listed.operations),
        "kinds": sorted((translate(title), kind) for title, kind in KINDS),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "all_url": f"{request.mount}{path}",
        "here_url": with_query(request, path, **chosen, before=before),
        "first": with_query(request, path, **chosen) if before else None,
        "following": with_query(request, path, **chosen, before=following) if following else None,
    }


def rows_of(request: Any, listed: Sequence[Operation]) -> list[Row]:
    """Return operations as rows; at most eleven statements, however many there are."""
    session = request.dbsession
    obstacles = Obstacles(session, [one for one in listed if one.count <= LOOKED_AT])
    depths = undo_depths(session, [one.id for one in listed]) if listed else {}
    ids = {one.actor_id for one in listed} - {None}
    query = select(Principal.id, Principal.title).where(Principal.id.in_(ids))
    people = {row[0]: row[1] for row in session.execute(query)} if ids else {}
    about = {number for one in listed for number in (one.node_id, one.target_id) if number}
    places = load_places(request, about)
    return [_row(request, one, obstacles, depths[one.id], people, places) for one in listed]


def _row(
    request: Any,
    operation: Operation,
    obstacles: Obstacles,
    depth: int,
    people: Mapping[int, str],
    places: Mapping[int, tuple[str, str | None]],
) -> Row:
    translate = request.localizer.translate
    is_undo = bool(depth % 2)
    _report, sentence = in_words(request, operation, obstacles, undone=is_undo)
    words = translate(sentence)
    names = {
        "actor": [_actor(request, operation, people)],
        "what": _what(request, operation, places),
        "target": [_place(operation.target_id, operation.target_title, places)],
    }
    undo, why_not = _undo(request, operation, obstacles)
    return Row(
        operation.id,
        operation.kind,
        operation.at,
        parts_of(words, names),
        undo,
        translate(_("Redo") if is_undo else _("Undo")),
        why_not,
        operation.undone_by_id is not None,
        operation.comment,
    )


def _undo(request: Any, operation: Operation, obstacles: Obstacles) -> tuple[str | None, str]:
    """Return where undoing is posted to, or why it cannot be done."""
    translate = request.localizer.translate
    if (reason := obstacles.reason(operation)) is not None:
        return None, translated(request.localizer, reason)
    if lacking := missing(request, obstacles.needed(operation)):
        return None, translate(_refusal(lacking))
    return undo_url(request, operation), ""


def _refusal(lacking: Sequence[str]) -> Any:
    return _(
        "Undoing it takes a permission that you do not have there: ${permission}.",
        mapping={"permission": ", ".join(lacking)},
    )


def _actor(request: Any, operation: Operation, people: Mapping[int, str]) -> Part:
    if operation.actor_id is None and operation.actor in ("", COMMAND_LINE.name):
        return Part(request.localizer.translate(_("The command line")), True)
    return Part(people.get(operation.actor_id or 0, operation.actor), True)


def _what(
    request: Any, operation: Operation, places: Mapping[int, tuple[str, str | None]]
) -> list[Part]:
    first = _place(operation.node_id, operation.title, places)
    if operation.count == 1:
        return [first]
    more = _("and ${pages} more", mapping={"pages": pages(request, operation.count - 1)})
    return [first, Part(" " + request.localizer.translate(more))]


def _place(number: int | None, title: str, places: Mapping[int, tuple[str, str | None]]) -> Part:
    """Return a page by the title that it had then, with a link if it can be gone to now."""
    return Part(f"“{title}”", True, places.get(number or 0, ("", None))[1])


# -- undoing --------------------------------------------------------------------------------------


def undo(request: Any) -> Any:
    """Take an operation back, and say so, or say why that cannot be done."""
    session, number = request.dbsession, request.matchdict["id"]
    operation = load_operation(session, int(number), audience_of(request))
    if operation is None:
        raise HTTPNotFound("There is no such operation, or it is none of this person's business.")
    fallback = _destination(request, operation)
    try:
        _check_permission(request, operation)
        undone = request.journal.undo(operation)
    except CannotUndo as error:
        request.tm.doom()
        tell(request, error.reason, "danger")
        return see_other(request, _next(request) or fallback)
    tell_done(request, undone)
    return see_other(request, _next(request) or _destination(request, undone))


def _check_permission(request: Any, operation: Operation) -> None:
    """Refuse to undo what whoever asks may not do the other way round.

    :raises CannotUndo: unless it cannot be undone anyway, for a better reason.
    """
    obstacles = Obstacles(request.dbsession, [operation])
    if obstacles.reason(operation) is None:
        lacking = missing(request, obstacles.needed(operation))
        if lacking:
            raise CannotUndo(_refusal(lacking))


def _next(request: Any) -> str:
    wanted = text_of(request, "next", 2000)
    return safe_next(request, wanted) if wanted else ""


def _destination(request: Any, operation: Operation) -> str:
    """Return where to go on: to the page that it was about, if there is one now, or above it."""
    node = request.dbsession.get(Node, operation.node_id)
    wanted = []
    while node is not None:
        if node.state != TRASHED:
            wanted.append(node.id)
        node = node.parent
    if operation.count > 1:
        # Of several pages it is the place where they are that shows them all.
        wanted = wanted[1:] or wanted
    places = load_places(request, wanted[:20])
    urls = (places[number][1] for number in wanted if number in places)
    return next((url for url in urls if url), f"{request.mount}/@@operations")


def includeme(config: Configurator) -> None:
    """Register the screens, and what their buttons do."""
    config.add_route("operations", "/@@operations", factory=no_root)
    config.add_route("undo", r"/@@operations/{id:[0-9]{1,18}}/undo", factory=no_root)
    config.add_view(
        operations,
        route_name="operations",
        request_method="GET",
        permission=SIGNED_IN,
        renderer=f"{TEMPLATES}operations.jinja2",
    )
    config.add_view(undo, route_name="undo", request_method="POST", permission=SIGNED_IN)
    config.add_view(
        node_operations,
        name="operations",
        context=Node,
        request_method="GET",
        permission=Permission.EDIT,
        renderer=f"{TEMPLATES}operations.jinja2",
    )
