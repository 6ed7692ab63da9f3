"""The screen of what is planned: what readers begin to see, and stop seeing, at times to come."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.security.permissions import SIGNED_IN, Permission
from myproject.tree.planned import Key, Planned, load_planned
from myproject.tree.traversal import no_root
from myproject.views.menus import record_tabs
from myproject.views.people import load_places, with_query
from myproject.views.rendering import TEMPLATES, layout
from myproject.views.sentences import Part, parts_of
from myproject.views.times import by_day

_ = TranslationStringFactory("myproject")

#: Entries on one page of the list.
PAGE = 50

_APPEARS = _("${what} is published")
_CHANGES = _("The changes to ${what} are published")
_DISAPPEARS = _("${what} is taken back from readers")


class Line(NamedTuple):
    """Something to come, as the list shows it.

    :ivar where: path of the page.
    :ivar schedule: where another time can be set, by whoever may publish.
    """

    at: dt.datetime
    parts: list[Part]
    where: str
    schedule: str | None


def planned(request: Any) -> dict[str, Any]:
    """Show what is planned where whoever asks may edit; at most six statements."""
    request.response.cache_control = "no-store"
    after = Key.parse(request.GET.get("after", ""))
    writable = request.access.where(Permission.EDIT, Permission.VIEW, Permission.VIEW_DRAFTS)
    found = load_planned(
        *(request.dbsession, writable, request.visibility.drafts), after=after, limit=PAGE + 1
    )
    here = found[:PAGE]
    places = load_places(request, {each.key.node_id for each in here})
    lines = [
        _line(request, each, url)
        for each in here
        if (url := places.get(each.key.node_id, ("", None))[1]) is not None
    ]
    following = here[-1].key if len(found) > PAGE else None
    return {
        **layout(request, _("Planned")),
        "tabs": record_tabs(request, "planned"),
        "days": by_day(request, lines),
        "first": with_query(request, "/@@planned") if after else None,
        "following": with_query(request, "/@@planned", after=following) if following else None,
    }


def _line(request: Any, each: Planned, url: str) -> Line:
    sentence = _CHANGES if each.is_draft else _APPEARS
    if each.key.is_end:
        sentence = _DISAPPEARS
    what = [Part(f"“{each.title}”", True, url)]
    parts = parts_of(request.localizer.translate(sentence), {"what": what})
    may_publish = Permission.PUBLISH in request.access.at(each.boundary_id)
    schedule = f"{url.removesuffix('/')}/@@schedule" if may_publish else None
    return Line(each.key.at, parts, url, schedule)


def includeme(config: Configurator) -> None:
    """Register the screen and its tab."""
    config.add_route("planned", "/@@planned", factory=no_root)
    config.add_view(
        planned,
        route_name="planned",
        request_method="GET",
        permission=SIGNED_IN,
        renderer=f"{TEMPLATES}planned.jinja2",
    )
