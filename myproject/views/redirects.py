"""The redirects of the site: which address leads where, how often, and what people make of it.

Who may move pages at the root may open the screen. Shown are the redirects of places and pages
that one may move: a redirect is what a move leaves, and it decides what an address shows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory

from myproject.content.aliases import forget_alias, remove
from myproject.content.types import can_lead_to
from myproject.exceptions import InvalidValue
from myproject.security.permissions import Permission
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import TRASHED, Node
from myproject.tree.redirects import (
    Address,
    Cursor,
    Line,
    Origin,
    Redirect,
    add,
    address_of,
    addresses_of,
    change,
    load_redirects,
    problem_with_address,
    resting,
    walk,
)
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.tree.urls import join_path, paths_of, virtual_root_of
from myproject.tree.visibility import BoundarySet
from myproject.views.forms import Form, see_other, start_over, tell, text_of
from myproject.views.people import PAGE, screen, with_query
from myproject.views.rendering import TEMPLATES

_ = TranslationStringFactory("myproject")

PATH = "/@@redirects"
_LONGEST: int = Redirect.__table__.c.url.type.length  # type: ignore[attr-defined]

#: Kind -> what it is called, and what it means.
ORIGINS: Mapping[str, tuple[Any, Any]] = {
    Origin.MOVED: (_("Moved"), _("The page was renamed or moved.")),
    Origin.ALIAS: (_("From a file"), _("An imported file named it as an alias.")),
    Origin.MANUAL: (_("By hand"), _("Somebody made or changed it.")),
}


class Row(NamedTuple):
    """A redirect as the list shows it.

    :ivar address: None outside of the virtual root, and where whoever asks may not look.
    :ivar target: URL of the page or the address that it leads to; None like *address*.
    :ivar title: the page's; empty for an address.
    :ivar note: why it leads nowhere at present.
    """

    redirect: Redirect
    address: str | None
    target: str | None
    title: str
    origin: str
    actor: str
    note: str


# -- the list -------------------------------------------------------------------------------------


def redirects(request: Any) -> dict[str, Any]:
    """Show redirects, the newest first; at most six statements."""
    # What was followed a moment ago belongs to what somebody wants to see.
    request.registry.redirect_hits.flush()
    search = request.GET.get("q", "")[:500].strip().replace("\0", "")
    origin = request.GET.get("origin", "")
    origin = origin if origin in ORIGINS else ""
    after = request.GET.get("after", "")
    lines, more = load_redirects(
        request.dbsession,
        _within(request),
        search=_searched(request, search),
        origin=origin,
        before=_cursor(after),
        limit=PAGE,
    )
    filters = {"q": search, "origin": origin}
    last = _written(lines[-1].redirect) if more else ""
    return screen(
        request,
        _("Redirects"),
        "redirects",
        rows=_rows(request, lines),
        search=search,
        origin=origin,
        origins=[(kind, request.localizer.translate(title)) for kind, (title, _) in _origins()],
        url=f"{request.mount}{PATH}",
        first=with_query(request, PATH, **filters) if after else None,
        following=with_query(request, PATH, **filters, after=last) if more else None,
    )


def _origins() -> list[tuple[str, tuple[Any, Any]]]:
    return [(str(kind), titles) for kind, titles in ORIGINS.items()]


def _within(request: Any) -> BoundarySet:
    """Return where whoever asks may move pages."""
    return request.access.where(Permission.MOVE)


def _searched(request: Any, text: str) -> str:
    """Return what to look for when somebody has pasted a whole address."""
    path = _path_in(request, text)
    return text if path is None else unquote(path.partition("?")[0].partition("#")[0])


def _cursor(text: str) -> Cursor | None:
    at, _dot, number = text.partition(".")
    if not (at.isdecimal() and number.isdecimal() and len(text) < 40):
        return None
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(at))
    except OverflowError:
        return None
    return Cursor(moment, min(int(number), 2**63 - 1))


def _written(redirect: Redirect) -> str:
    since = redirect.created_at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return f"{since // dt.timedelta(microseconds=1)}.{redirect.id}"


def _rows(request: Any, lines: list[Line]) -> list[Row]:
    """Return lines as they are shown; three statements, however many there are."""
    if not lines:
        return []
    session, found = request.dbsession, [line.redirect for line in lines]
    addresses = addresses_of(session, found, request.visibility)
    targets = {each.target_id for each in found if each.target_id is not None}
    paths = paths_of(session, targets, request.visibility)
    at_rest = resting(session, found)
    return [
        _row(request, line, addresses[line.redirect.id], paths, line.redirect.id in at_rest)
        for line in lines
    ]


def _row(
    request: Any,
    line: Line,
    names: tuple[str, ...] | None,
    paths: Mapping[int, tuple[str, ...]],
    is_resting: bool,
) -> Row:
    redirect, translate = line.redirect, request.localizer.translate
    path = paths.get(redirect.target_id) if redirect.target_id is not None else None
    target = redirect.url or (None if path is None else request.path_url_of(path))
    note = ""
    if line.state == TRASHED:
        note = translate(_("in the trash"))
    elif is_resting:
        note = translate(_("a page has this address"))
    actor = redirect.actor
    if actor == COMMAND_LINE.name:
        actor = translate(_("The command line"))
    return Row(
        redirect,
        None if names is None else request.path_url_of(names),
        target,
        line.title or "",
        redirect.origin,
        actor,
        note,
    )


# -- one ------------------------------------------------------------------------------------------


def new_redirect(request: Any) -> dict[str, Any]:
    """Ask for an address and where it is to lead."""
    address = request.GET.get("address", "")[:_LONGEST]
    return _form(request, Form({"address": address, "target": ""}))


def create_redirect(request: Any) -> Any:
    """Have an address lead elsewhere."""
    typed = {name: text_of(request, name, _LONGEST + 1) for name in ("address", "target")}
    session = request.dbsession
    try:
        address = _typed_address(request, typed["address"])
        target = _typed_target(request, typed["target"])
        add(session, address, **target, actor=request.actor.name)
        session.flush()
    except InvalidValue as error:
        return _form(request, _refused(request, error, typed))
    leave_revision(session)
    shown = request.path_url_of(address.names) or join_path(address.names)
    if address.is_taken:
        text = _(
            "${address} is the address of a page now, so the redirect rests until that page is "
            "gone, and works for what has no page below it.",
            mapping={"address": shown},
        )
        tell(request, text, "warning")
    else:
        text = _("${address} leads elsewhere now.", mapping={"address": shown})
        tell(request, text)
    return see_other(request, f"{request.mount}{PATH}")


def redirect(request: Any) -> dict[str, Any]:
    """Show one redirect, to change where it leads or to delete it."""
    request.registry.redirect_hits.flush()
    _found, row = _asked_for(request)
    return _form(request, Form({"target": unquote(row.target or "")}), row)


def save_redirect(request: Any) -> Any:
    """Have it lead somewhere else."""
    found, row = _asked_for(request)
    forget_alias(request.dbsession, found)
    typed = {"target": text_of(request, "target", _LONGEST + 1)}
    try:
        change(request.dbsession, found, **_typed_target(request, typed["target"]))
        found.actor = request.actor.name
    except InvalidValue as error:
        form = _refused(request, error, typed)
        _found, row = _asked_for(request)
        return _form(request, form, row)
    leave_revision(request.dbsession)
    tell(request, _("${address} leads there from now on.", mapping={"address": row.address or ""}))
    return see_other(request, f"{request.mount}{PATH}")


def delete(request: Any) -> Any:
    """Have the address lead nowhere."""
    found, row = _asked_for(request)
    remove(request.dbsession, found)
    leave_revision(request.dbsession)
    text = _("${address} no longer leads anywhere.", mapping={"address": row.address or ""})
    tell(request, text)
    return see_other(request, f"{request.mount}{PATH}")


def _asked_for(request: Any) -> tuple[Redirect, Row]:
    """Return the redirect that the address names, if whoever asks may change it.

    :raises HTTPNotFound: also where it belongs to places that they may not move pages at.
    """
    number = int(request.matchdict["id"])
    lines, _more = load_redirects(request.dbsession, _within(request), number=number)
    if not lines:
        raise HTTPNotFound("There is no such redirect.")
    return lines[0].redirect, _rows(request, lines)[0]


def _form(request: Any, form: Form, row: Row | None = None) -> dict[str, Any]:
    title = _("New redirect") if row is None else _("Redirect")
    url = f"{request.mount}{PATH}"
    return screen(
        request,
        title,
        "redirects",
        form=form,
        row=row,
        origins=dict(_origins()),
        translate=request.localizer.translate,
        url=url,
        action=f"{url}/new" if row is None else f"{url}/{row.redirect.id}",
    )


def _refused(request: Any, error: InvalidValue, typed: Mapping[str, str]) -> Form:
    start_over(request)
    request.response.status_int = 422
    form = Form(typed)
    form.refuse(request, error)
    return form


# -- what was typed -------------------------------------------------------------------------------


def _path_in(request: Any, text: str) -> str | None:
    """Return the path on this site that an address names, whole or without the host."""
    for host in (request.host_url, request.canonical_host):
        if text.lower().startswith(f"{host.lower()}/") or text.lower() == host.lower():
            text = text[len(host) :] or "/"
    if not text.startswith("/") or text.startswith("//"):
        return None
    mount = unquote(request.mount)
    return text[len(mount) :] if mount and text.startswith(f"{mount}/") else text


def _names_in(request: Any, path: str) -> tuple[str, ...]:
    return (*virtual_root_of(request), *filter(None, unquote(path).split("/")))


def _typed_address(request: Any, text: str) -> Address:
    """Return the address that is to lead elsewhere.

    :raises InvalidValue:
    """
    path = _path_in(request, text)
    if path is None:
        raise InvalidValue("address", _("Write a path on this site, such as /old/page."))
    parts = urlsplit(path)
    if parts.query or parts.fragment:
        reason = _("Leave out what follows a ? or a #: it leads on with the address.")
        raise InvalidValue("address", reason)
    address = address_of(
        request.dbsession, _names_in(request, path), request.registry.reserved_names
    )
    # Whoever decides what an address shows could as well put a page there.
    place = request.dbsession.get_one(Node, address.key["parent_id"])
    if Permission.MOVE not in request.access.at(place.boundary_id):
        raise InvalidValue("address", _("You may not move pages at this address."))
    return address


def _typed_target(request: Any, text: str) -> dict[str, Any]:
    """Return where an address is to lead: ``target_id`` or ``url``.

    :raises InvalidValue:
    """
    path = _path_in(request, text)
    if path is None or _is_of_a_route(request, path):
        if len(text) > _LONGEST or not can_lead_to(text):
            reason = _(
                "Write the path of a page, such as /docs/install, or an address that begins with "
                "https://, http:// or mailto:."
            )
            raise InvalidValue("target", reason)
        return {"url": text}
    node = _page_at(request, urlsplit(path).path)
    if node is None:
        reason = _("There is no page at ${path}.", mapping={"path": path})
        raise InvalidValue("target", reason)
    if Permission.MOVE not in request.access.at(node.boundary_id):
        raise InvalidValue("target", _("You may not move that page."))
    return {"target_id": node.id}


def _is_of_a_route(request: Any, path: str) -> bool:
    first = unquote(path).strip("/").partition("/")[0]
    return first in request.registry.reserved_names or first.startswith("@@")


def _page_at(request: Any, path: str) -> Node | None:
    session, names = request.dbsession, _names_in(request, path)
    if problem_with_address(names or ("x",)) is not None:
        return None
    ids = walk(session, names)
    if len(ids) <= len(names) or ids[-1] not in paths_of(session, ids[-1:], request.visibility):
        return None
    return session.get_one(Node, ids[-1])


def includeme(config: Configurator) -> None:
    """Register the screens."""
    config.add_route("redirects", PATH, factory=no_root)
    config.add_tab(
        "redirects",
        _("Redirects"),
        group="site",
        view="redirects",
        permission=Permission.MOVE,
        order=500,
    )
    config.add_route("new_redirect", f"{PATH}/new", factory=no_root)
    config.add_route("redirect", PATH + "/{id:[0-9]{1,18}}", factory=no_root)
    config.add_route("redirect_action", PATH + "/{id:[0-9]{1,18}}/{action}", factory=no_root)
    for route, method, view, template in (
        ("redirects", "GET", redirects, "redirects"),
        ("new_redirect", "GET", new_redirect, "redirect"),
        ("new_redirect", "POST", create_redirect, "redirect"),
        ("redirect", "GET", redirect, "redirect"),
        ("redirect", "POST", save_redirect, "redirect"),
    ):
        config.add_view(
            view,
            route_name=route,
            request_method=method,
            permission=Permission.MOVE,
            renderer=f"{TEMPLATES}{template}.jinja2",
        )
    config.add_view(
        delete,
        route_name="redirect_action",
        match_param="action=delete",
        request_method="POST",
        permission=Permission.MOVE,
    )
