"""The record of accounts and access as plain sentences, and the screen that searches it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.interfaces import IRoles
from myproject.security.audit import Event, load_entries
from myproject.security.models import AuditEntry, Principal
from myproject.security.permissions import Permission
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.traversal import no_root
from myproject.views.forms import Form
from myproject.views.people import PAGE, load_places, screen, with_query
from myproject.views.periods import period_of
from myproject.views.rendering import TEMPLATES
from myproject.views.sentences import Part, parts_of

_ = TranslationStringFactory("myproject")

#: Kind of entry -> what it is called where entries are chosen, and the sentence it is shown as.
#: ``actor`` did it, to ``subject``; ``place`` is in the tree, ``what`` are names of fields.
SENTENCES: Mapping[str, tuple[Any, Any]] = {
    Event.SIGNED_IN: (_("Signed in"), _("${actor} signed in")),
    Event.SIGN_IN_FAILED: (
        _("Failed to sign in"),
        _("Someone failed to sign in as ${actor}"),
    ),
    Event.SIGNED_OUT: (_("Signed out"), _("${actor} signed out")),
    Event.LOGINS_REVOKED: (_("Logins ended"), _("${actor} signed ${subject} out elsewhere")),
    Event.PASSWORD_CHANGED: (
        _("Password changed"),
        _("${actor} set the password of ${subject}"),
    ),
    Event.LINK_MADE: (
        _("One-time link made"),
        _("${actor} made a one-time link for ${subject}"),
    ),
    Event.LINK_REQUESTED: (
        _("One-time link asked for"),
        _("Someone asked for a one-time link as ${actor}"),
    ),
    Event.FEED_MADE: (
        _("Address of a feed made"),
        _("${actor} made an address of a feed for ${subject}"),
    ),
    Event.FEED_ENDED: (
        _("Address of a feed ended"),
        _("${actor} ended the address of a feed of ${subject}"),
    ),
    Event.USER_CREATED: (_("User created"), _("${actor} created the user ${subject}")),
    Event.USER_CHANGED: (
        _("User changed"),
        _("${actor} changed the user ${subject}: ${what}"),
    ),
    Event.USER_DISABLED: (_("User disabled"), _("${actor} disabled the user ${subject}")),
    Event.USER_ENABLED: (_("User enabled"), _("${actor} enabled the user ${subject}")),
    Event.USER_DELETED: (_("User deleted"), _("${actor} deleted the user ${subject}")),
    Event.GROUP_CREATED: (_("Group created"), _("${actor} created the group ${subject}")),
    Event.GROUP_CHANGED: (
        _("Group changed"),
        _("${actor} changed the group ${subject}: ${what}"),
    ),
    Event.GROUP_DELETED: (_("Group deleted"), _("${actor} deleted the group ${subject}")),
    Event.MEMBER_ADDED: (
        _("Member added"),
        _("${actor} added ${subject} to the group ${group}"),
    ),
    Event.MEMBER_REMOVED: (
        _("Member removed"),
        _("${actor} removed ${subject} from the group ${group}"),
    ),
    Event.ROLE_GRANTED: (
        _("Role given"),
        _("${actor} gave ${subject} the role ${role} at ${place}"),
    ),
    Event.ROLE_REVOKED: (
        _("Role taken"),
        _("${actor} took the role ${role} from ${subject} at ${place}"),
    ),
    Event.INHERITING_STOPPED: (
        _("Inheriting stopped"),
        _("${actor} stopped ${place} from inheriting what is granted above"),
    ),
    Event.INHERITING_RESUMED: (
        _("Inheriting resumed"),
        _("${actor} let ${place} inherit what is granted above again"),
    ),
}
#: For entries that somebody did to themselves.
OWN: Mapping[str, Any] = {
    Event.PASSWORD_CHANGED: _("${actor} chose a new password"),
    Event.LOGINS_REVOKED: _("${actor} signed out elsewhere"),
    Event.LINK_MADE: _("${actor} made a one-time link"),
    Event.FEED_MADE: _("${actor} made an address of a feed"),
    Event.FEED_ENDED: _("${actor} ended an address of a feed"),
    Event.USER_CHANGED: _("${actor} changed their own account: ${what}"),
}
#: For entries of what add-ons that are switched off have recorded.
UNKNOWN = _("${actor}: ${kind} ${subject}")

FIELDS: Mapping[str, Any] = {
    "name": _("name"),
    "title": _("full name"),
    "email": _("mail address"),
    "description": _("description"),
}


class Line(NamedTuple):
    """An entry as it is shown."""

    at: dt.datetime
    parts: list[Part]
    address: str
    is_alarming: bool


def lines_of(request: Any, entries: Sequence[AuditEntry]) -> list[Line]:
    """Return entries as sentences; two statements, however many there are."""
    ids = {
        number
        for entry in entries
        for number in (entry.actor_id, entry.subject_id, entry.details.get("group_id"))
        if isinstance(number, int)
    }
    query = select(Principal.id, Principal.kind, Principal.title).where(Principal.id.in_(ids))
    people = {row.id: row for row in request.dbsession.execute(query)} if ids else {}
    places = load_places(request, {entry.node_id for entry in entries if entry.node_id})
    return [_line(request, entry, people, places) for entry in entries]


def _line(
    request: Any,
    entry: AuditEntry,
    people: Mapping[int, Any],
    places: Mapping[int, tuple[str, str | None]],
) -> Line:
    translate = request.localizer.translate
    names = {
        "actor": _actor(request, entry, people),
        "subject": _person(request, entry.subject_id, entry.subject, people),
        "place": _place(request, entry, places),
        "group": _person(
            request, entry.details.get("group_id"), str(entry.details.get("group", "")), people
        ),
        "role": Part(_role(request, str(entry.details.get("role", ""))), True),
        "what": Part(", ".join(translate(FIELDS.get(name, name)) for name in _fields(entry))),
        "kind": Part(entry.kind),
    }
    is_own = entry.actor_id is not None and entry.actor_id == entry.subject_id
    _title, sentence = SENTENCES.get(entry.kind, ("", UNKNOWN))
    words = translate(OWN.get(entry.kind, sentence) if is_own else sentence)
    parts = parts_of(words, {name: [part] for name, part in names.items()})
    alarming = entry.kind == Event.SIGN_IN_FAILED
    return Line(entry.at, parts, entry.address, alarming)


def _fields(entry: AuditEntry) -> list[str]:
    fields = entry.details.get("fields", [])
    return [str(name) for name in fields] if isinstance(fields, list) else []


def _actor(request: Any, entry: AuditEntry, people: Mapping[int, Any]) -> Part:
    translate = request.localizer.translate
    if entry.actor_id is None:
        if not entry.actor:
            return Part(translate(_("Someone")))
        if entry.actor == COMMAND_LINE.name:
            return Part(translate(_("The command line")), True)
    return _person(request, entry.actor_id, entry.actor, people)


def _person(request: Any, number: int | None, name: str, people: Mapping[int, Any]) -> Part:
    row = people.get(number) if number is not None else None
    if row is None:
        return Part(name, True)
    screens = {"user": "users", "group": "groups"}
    if row.kind not in screens:
        return Part(row.title, True)
    return Part(row.title, True, f"{request.mount}/@@{screens[row.kind]}/{row.id}")


def _place(request: Any, entry: AuditEntry, places: Mapping[int, tuple[str, str | None]]) -> Part:
    title, url = places.get(entry.node_id or 0, (entry.details.get("place", ""), None))
    gone = request.localizer.translate(_("a place that is gone"))
    return Part(url or str(title) or gone, True, url)


def _role(request: Any, name: str) -> str:
    role = request.registry.getUtility(IRoles).get(name)
    return request.localizer.translate(role.title) if role else name


# -- the screen -----------------------------------------------------------------------------------


def audit(request: Any) -> dict[str, Any]:
    """Show what happened, the newest first; at most five statements."""
    fields = {name: request.GET.get(name, "")[:200].strip() for name in _FILTERS}
    form, before = Form(fields), request.GET.get("before", "")
    since, until = period_of(request, form)
    entries, more = load_entries(
        request.dbsession,
        event=fields["kind"],
        person=fields["person"],
        since=since,
        until=until,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        limit=PAGE,
    )
    translate = request.localizer.translate
    kinds = sorted((translate(title), str(kind)) for kind, (title, _words) in SENTENCES.items())
    following = with_query(request, "/@@audit", **fields, before=entries[-1].id) if more else None
    return screen(
        request,
        _("Audit"),
        "audit",
        form=form,
        kinds=kinds,
        lines=lines_of(request, entries),
        is_filtered=any(fields.values()),
        first=with_query(request, "/@@audit", **fields) if before else None,
        following=following,
        all_url=f"{request.mount}/@@audit",
    )


_FILTERS = ("kind", "person", "since", "until")


def includeme(config: Configurator) -> None:
    """Register the screen."""
    config.add_route("audit", "/@@audit", factory=no_root)
    config.add_tab(
        "audit",
        _("Audit"),
        group="site",
        view="audit",
        permission=Permission.MANAGE_USERS,
        order=900,
    )
    config.add_view(
        audit,
        route_name="audit",
        request_method="GET",
        permission=Permission.MANAGE_USERS,
        renderer=f"{TEMPLATES}audit.jinja2",
    )
