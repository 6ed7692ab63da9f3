"""What happened at a page and below it: saves and operations in one list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.content.operations_log import Operation
from myproject.content.revision_log import Change, changes_of, people_named
from myproject.content.revisions import Revision
from myproject.content.timeline import (
    SAVE,
    Entry,
    Filters,
    Moment,
    Timeline,
    Watcher,
    load_timeline,
)
from myproject.security.models import User
from myproject.security.names import normalize_account
from myproject.security.permissions import Permission
from myproject.tree.node import Node
from myproject.views.done import audience_of
from myproject.views.forms import Form
from myproject.views.history import actor_of
from myproject.views.operations import Row, rows_of
from myproject.views.people import load_places, with_query
from myproject.views.periods import period_of
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.sentences import Part, parts_of
from myproject.views.times import by_day
from myproject.views.versions import label_of, labels_of

_ = TranslationStringFactory("myproject")

#: Entries on one page of a list.
PAGE = 30

#: Names of fields that an entry shows.
NAMED = 5

_ADDED = _("${actor} added ${what}")
_CHANGED = _("${actor} changed ${what}")
_DRAFTED = _("${actor} changed the draft of ${what}")

_FILTERS = ("who", "person", "since", "until")

#: Node -> what to call it, and its URL.
Places = Mapping[int, tuple[str, str | None]]


class Line(NamedTuple):
    """Something that happened, as a list shows it.

    :ivar at: when.
    :ivar key: the same for this and for nothing else.
    :ivar kind: ``save``, or the kind of an operation.
    :ivar parts: the sentence.
    :ivar changed: names of the fields that were changed.
    :ivar compare: where it is shown what has changed.
    :ivar page: address of the page that it is about, if it has one.
    :ivar is_undone: whether it was undone.
    """

    at: dt.datetime
    key: str
    kind: str
    actor: str
    parts: Sequence[Part]
    comment: str = ""
    changed: str = ""
    compare: str | None = None
    page: str | None = None
    is_undone: bool = False

    @property
    def text(self) -> str:
        """The sentence without its links."""
        return "".join(part.text for part in self.parts)


# -- screens --------------------------------------------------------------------------------------


def changes(context: Node, request: Any) -> dict[str, Any]:
    """Show what happened to a page and below it; at most thirty statements."""
    path = f"{request.canonical_base.removeprefix(request.mount).removesuffix('/')}/@@changes"
    values = page_screen(request, context, _("What changed below here"), "changes")
    values |= listed(request, context.id, path)
    return {**values, "whole_url": f"{request.mount}/@@activity"}


def watcher_of(request: Any) -> Watcher:
    """Return what whoever asks is shown of what happened."""
    writable = request.access.where(Permission.EDIT, Permission.VIEW, Permission.VIEW_DRAFTS)
    return Watcher(audience_of(request), writable, request.visibility.drafts)


def listed(request: Any, node_id: int, path: str) -> dict[str, Any]:
    """Return what the template of a list shows.

    :param path: of the screen, below the mount.
    """
    form = Form(
        {name: request.GET.get(name, "").replace("\0", "").strip()[:100] for name in _FILTERS}
    )
    since, until = period_of(request, form)
    filters = Filters(since=since, until=until)._replace(**_person(request, form))
    before = _before(request)
    found = load_timeline(
        request.dbsession, node_id, watcher_of(request), filters, before=before, limit=PAGE
    )
    lines = lines_of(request, found, path)
    following = found.following
    given = form.values
    return {
        "feed": None,
        "whole_url": None,
        "days": by_day(request, lines),
        "form": form,
        "is_filtered": any(given.values()),
        "all_url": f"{request.mount}{path}",
        "first": with_query(request, path, **given) if before else None,
        "following": with_query(request, path, **given, before=following) if following else None,
    }


def _before(request: Any) -> Moment | None:
    text = request.GET.get("before", "")
    return Moment.parse(text) if text else None


def _person(request: Any, form: Form) -> dict[str, Any]:
    """Return what a list is narrowed to of people; one statement at most.

    Who is named exactly is looked up by number, which finds all that they have ever done.
    """
    if form.values["who"] == "me" and request.signed_in is not None:
        return {"user_id": request.signed_in.user_id}
    person = form.values["person"]
    if not person:
        return {}
    query = select(User.id).where(User.name == normalize_account(person))
    user_id = request.dbsession.scalar(query)
    return {"person": person} if user_id is None else {"user_id": user_id}


# -- lines ----------------------------------------------------------------------------------------


def lines_of(request: Any, found: Timeline, path: str) -> list[Line]:
    """Return what happened as lines; at most seventeen statements, however much it is.

    :param path: of the list that is narrowed to a person by a click on the name.
    """
    saves = _load(request, Revision, [entry for entry in found.entries if _is_save(entry)])
    deeds = _load(request, Operation, [entry for entry in found.entries if not _is_save(entry)])
    people = people_named(
        request.dbsession, {each.actor_id for each in (*saves.values(), *deeds.values())}
    )
    places = load_places(request, {each.node_id for each in saves.values()})
    changed = changes_of(request.dbsession, saves.values())
    labels = labels_of(request, {each.type for each in saves.values()})
    rows = {row.number: row for row in (rows_of(request, list(deeds.values())) if deeds else ())}
    lines = []
    for entry in found.entries:
        number = entry.moment.id
        # What was removed a moment ago is left out.
        if _is_save(entry) and number in saves and entry.node_id in places:
            save = saves[number]
            actor = _actor(request, save, people, path)
            lines.append(_saved(request, save, actor, changed[number], places, labels))
        elif not _is_save(entry) and number in rows:
            actor = _actor(request, deeds[number], people, path)
            lines.append(_done(deeds[number], rows[number], actor))
    return lines


def _is_save(entry: Entry) -> bool:
    return entry.moment.table == SAVE


def _load(request: Any, cls: Any, entries: Sequence[Entry]) -> dict[int, Any]:
    ids = [entry.moment.id for entry in entries]
    if not ids:
        return {}
    return {row.id: row for row in request.dbsession.scalars(select(cls).where(cls.id.in_(ids)))}


def _actor(request: Any, deed: Any, people: Mapping[int, str], path: str) -> Part:
    url = with_query(request, path, person=deed.actor) if deed.actor_id is not None else None
    return Part(actor_of(request, deed, people), True, url)


def _saved(
    request: Any,
    save: Revision,
    actor: Part,
    change: Change,
    places: Places,
    labels: Mapping[str, str],
) -> Line:
    title, url = places[save.node_id]
    base = None if url is None else url.removesuffix("/")
    sentence = _CHANGED if save.valid_from is not None else _DRAFTED
    compare = f"{base}/@@history?from={change.previous_id}&to={save.id}"
    if change.previous_id is None:
        sentence, compare = _ADDED, f"{base}/@@revision?id={save.id}"
    names = [label_of(request, name, labels) for name in change.names]
    parts = parts_of(
        request.localizer.translate(sentence),
        {"actor": [actor], "what": [Part(f"“{title}”", True, url)]},
    )
    return Line(
        save.at,
        f"s{save.id}",
        "add" if change.previous_id is None else "save",
        actor.text,
        parts,
        save.comment,
        ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else ""),
        None if base is None else compare,
        url,
    )


def _done(deed: Operation, row: Row, actor: Part) -> Line:
    # Whoever did it stands in the sentence by name; here the name leads to what else they did.
    parts = [
        actor if part.is_name and part.url is None and part.text == actor.text else part
        for part in row.parts
    ]
    page = next((part.url for part in row.parts if part.url), None)
    return Line(
        *(row.at, f"o{deed.id}", row.kind, actor.text, parts, row.comment),
        page=page,
        is_undone=row.is_undone,
    )


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    config.add_view(
        changes,
        name="changes",
        context=Node,
        request_method="GET",
        permission=Permission.EDIT,
        renderer=f"{TEMPLATES}timeline.jinja2",
    )
