"""The screen of a page's contents: sorted, filtered, chosen from, and put in order.

It is for people who may edit the page: those are the ones who work with what is below it, and
every role of the core that may add or move pages may edit them, too. Each thing that is offered
for a page below is looked at for that page.

What was chosen travels from page to page in the form itself, so it does not take a script. Such a
form is posted because of its size; it writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.content.revisions import latest_savers
from myproject.content.workflow import State as WorkflowState
from myproject.extend.points import BulkAction
from myproject.registry import registry_of
from myproject.security.access import ANONYMOUS
from myproject.security.permissions import Permission
from myproject.tree.contents import (
    Key,
    Line,
    Listing,
    Order,
    Page,
    count_contents,
    ids_of_contents,
    kept_of,
    key_of,
    load_contents,
)
from myproject.tree.node import DRAFT, PUBLISHED, Node, is_ahead, seen_state_of
from myproject.tree.urls import quote_segment
from myproject.views.bar import State, hidden_title, is_public, notes_of
from myproject.views.forms import Notice
from myproject.views.menus import actions, has_view, translated
from myproject.views.rendering import TEMPLATES, page_screen

_ = TranslationStringFactory("myproject")

#: Lines on a page, and pages that can be chosen at once.
SIZE, MOST = 50, 1000

#: What the bulk bar offers of the core's: name, title, view, permission, order, a field besides.
BULK: Sequence[tuple[str, Any, str, Permission, int, tuple[str, str]]] = (
    ("move", _("Move"), "move", Permission.MOVE, 100, ("", "")),
    ("copy", _("Copy"), "copy", Permission.VIEW_DRAFTS, 200, ("", "")),
    ("share", _("Share"), "share", Permission.SHARE, 300, ("", "")),
    ("publish", _("Publish"), "state", Permission.PUBLISH, 400, ("state", PUBLISHED)),
    ("unpublish", _("Unpublish"), "state", Permission.PUBLISH, 410, ("state", DRAFT)),
    ("delete", _("Delete"), "delete", Permission.DELETE, 900, ("", "")),
)

#: Columns: what they are sorted by, and what they are called.
COLUMNS: Sequence[tuple[Order, Any]] = (
    (Order.TITLE, _("Title")),
    (Order.TYPE, _("Type")),
    (Order.MODIFIED, _("Changed")),
    (Order.NAME, _("Name in the address")),
)

ORDERS = {order.value: order for order in Order}

#: Longest text of a filter.
LONGEST = 200


class RowAction(NamedTuple):
    """Something that may be done with a page of the list."""

    name: str
    title: str
    view: str


@dataclass(frozen=True, slots=True)
class Row:
    """A page of the list.

    :ivar url: its address; empty for one whose type is switched off.
    :ivar open: whether there is a list of its own contents for whoever asks.
    :ivar selected: whether it was chosen.
    """

    id: int
    title: str
    name: str
    url: str
    type: str
    type_title: str
    state: State
    modified: dt.datetime
    by: str
    open: bool
    selected: bool
    actions: Sequence[RowAction]


class Column(NamedTuple):
    """A heading that sorts.

    :ivar sorted: ``ascending``, ``descending``, or empty.
    """

    title: str
    name: str
    url: str
    sorted: str


def contents_screen(context: Node, request: Any) -> dict[str, Any]:
    """Show a page of the contents; seven statements, however many lines it has."""
    return Contents(context, request).show()


class Contents:
    """The screen of one place for one request.

    :param query: what is shown of it; the request's own when left out.
    """

    def __init__(self, node: Node, request: Any, query: Mapping[str, str] | None = None) -> None:
        self.node, self.request = node, request
        self.query = request.params if query is None else query
        self.translate = request.localizer.translate
        self.page_url = request.canonical_base
        self.base = self.page_url.removesuffix("/")
        self.url = f"{self.base}/@@contents"
        self.below = request.access.below(node)
        self.stages: Mapping[str, WorkflowState] = request.registry.workflows.stages
        self.listing = self._listing()
        self._actions: dict[tuple[str, int], Sequence[RowAction]] = {}
        self.public = is_public(request, node) or node.is_root
        self.public_pages = request.policies.access(ANONYMOUS).visibility.pages

    # -- what is asked for ------------------------------------------------------------------------

    def _listing(self) -> Listing:
        """Return what the query asks for.

        :raises InvalidValue: for a place in the list that no link of ours leads to.
        """
        query = self.query
        wanted = query.get("sort", "")
        name = wanted.removeprefix("-")
        order = ORDERS.get(name, Order.POSITION)
        keys: dict[str, Key] = {}
        for side in ("after", "before"):
            if text := query.get(side):
                keys[side] = Key.parse(order, text)
                break
        text, kind, state = (
            query.get(name, "").replace("\0", "").strip()[:LONGEST]
            for name in ("q", "type", "state")
        )
        stages = tuple(self.stages)
        descending = wanted.startswith("-")
        return Listing(order, descending, text=text, type=kind, state=state, stages=stages, **keys)

    def address(self, **changes: Any) -> str:
        """Return the path of the same list, changed in some respects; from its first page on."""
        listing = self.listing
        sort = ("-" if listing.descending else "") + listing.order.value
        values: dict[str, Any] = {
            "q": listing.text,
            "type": listing.type,
            "state": listing.state,
            "sort": "" if sort == Order.POSITION else sort,
            **changes,
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return self.url + (f"?{query}" if query else "")

    @property
    def here(self) -> str:
        """The path of the very page that is shown."""
        after, before = self.listing.after, self.listing.before
        return self.address(after=after, before=before)

    # -- what was chosen --------------------------------------------------------------------------

    def _selected(self) -> tuple[list[int], bool]:
        """Return the ids of what was chosen, and whether those are not all."""
        request = self.request
        if request.method != "POST":
            return [], False
        what = self.query.get("select", "")
        if what == "none":
            return [], False
        session, node_id = request.dbsession, self.node.id
        if what == "matching":
            found = ids_of_contents(session, node_id, self.below, self.listing, most=MOST + 1)
            return found[:MOST], len(found) > MOST
        ids = list(dict.fromkeys(ids_posted(request)))
        return kept_of(session, node_id, self.below, ids[:MOST]), len(ids) > MOST

    # -- what is shown ----------------------------------------------------------------------------

    def show(self, notice: Notice | None = None) -> dict[str, Any]:
        """Return the variables of the template.

        :param notice: shown besides those that wait.
        """
        request, listing = self.request, self.listing
        session = request.dbsession
        page = load_contents(session, self.node.id, self.below, listing, size=SIZE)
        selected, too_many = self._selected()
        chosen = set(selected)
        savers = latest_savers(session, [line.id for line in page.lines]) if page.lines else {}
        rows = [self._row(line, savers.get(line.id, ""), chosen) for line in page.lines]
        matching = self._count(page)
        shown = {row.id for row in rows}
        may_order = bool(request.has_permission(Permission.MOVE, self.node))
        in_order = listing.order is Order.POSITION and not listing.descending
        values = page_screen(request, self.node, self._title(), "contents")
        if too_many:
            text = _("At most ${most} pages can be chosen at once.", mapping={"most": MOST})
            notice = Notice("warning", self.translate(text))
        if notice is not None:
            waiting = values["notices"]
            values["notices"] = lambda: [notice, *waiting()]
        values.update(
            action=self.url,
            here=self.here,
            base=self.base,
            listing=listing,
            rows=rows,
            selected=selected,
            carried=[number for number in selected if number not in shown],
            most=MOST,
            matching=matching,
            columns=self._columns(),
            default_order_url=self.address(sort=""),
            in_order=in_order,
            can_reorder=may_order,
            can_drag=may_order and in_order and not listing.is_filtered,
            following=None if page.following is None else page.following.id,
            previous_url=self._beside(page, "before") if page.earlier else "",
            next_url=self._beside(page, "after") if page.later else "",
            first_url=self.address() if page.earlier else "",
            unfiltered_url=self.address(q="", type="", state=""),
            types=self._types(),
            states=[
                (PUBLISHED, self.translate(_("Published"))),
                (DRAFT, self.translate(_("Draft"))),
                *((name, self.translate(state.title)) for name, state in self.stages.items()),
            ],
            bulk=self._bulk(),
            translated=lambda item: translated(request, item),
        )
        return values

    def _title(self) -> Any:
        return _("Contents of ${title}", mapping={"title": self.node.title})

    def _count(self, page: Page) -> int:
        """Return how many pages match, one more than may be chosen at most."""
        if not page.earlier and not page.later:
            return len(page.lines)
        session = self.request.dbsession
        return count_contents(session, self.node.id, self.below, self.listing, most=MOST + 1)

    def _beside(self, page: Page, side: str) -> str:
        """Return the address of the page before or after the one that is shown."""
        if not page.lines:
            # Everything on it has gone meanwhile.
            return self.address()
        line = page.lines[0 if side == "before" else -1]
        return self.address(**{side: key_of(line, self.listing.order)})

    def _columns(self) -> list[Column]:
        found, listing = [], self.listing
        for order, title in COLUMNS:
            is_sorted = ""
            if listing.order is order:
                is_sorted = "descending" if listing.descending else "ascending"
            # What changed last is what one looks for first.
            newest = order is Order.MODIFIED
            turned = is_sorted == ("descending" if newest else "ascending")
            sort = f"-{order}" if newest is not turned else order.value
            found.append(
                Column(self.translate(title), order.value, self.address(sort=sort), is_sorted)
            )
        return found

    def _types(self) -> list[tuple[str, str]]:
        found = [
            (content_type.name, self.translate(content_type.title))
            for content_type in self.request.content_types
        ]
        return sorted(found, key=lambda item: item[1].lower())

    def _bulk(self) -> list[BulkAction]:
        request, cls = self.request, type(self.node)
        allowed: dict[str, bool] = {}
        found = []
        for action in request.registry.extensions.bulk_actions:
            permission = action.permission
            if permission not in allowed:
                allowed[permission] = bool(request.has_permission(permission, self.node))
            if allowed[permission] and has_view(request.registry, cls, action.view):
                found.append(action)
        return found

    def _row(self, line: Line, by: str, chosen: set[int]) -> Row:
        content_type = self.request.content_types.get(line.type)
        mine = self.request.access.at(line.boundary_id)
        url = "" if content_type is None else f"{self.base}/{quote_segment(line.name)}"
        return Row(
            line.id,
            line.title,
            line.name,
            url,
            line.type,
            line.type if content_type is None else self.translate(content_type.title),
            self._state(line),
            line.modified_at,
            by,
            line.has_children and content_type is not None and Permission.EDIT in mine,
            line.id in chosen,
            self._row_actions(line),
        )

    def _state(self, line: Line) -> State:
        state, ahead = seen_state_of(line), False
        notes: Sequence[str] = ()
        if Permission.VIEW_DRAFTS in self.request.access.at(line.boundary_id):
            notes, ahead = notes_of(self.request, line), is_ahead(line)
        if state != PUBLISHED:
            return State("draft", hidden_title(self.request, line), notes)
        if self.public and line.boundary_id in self.public_pages:
            return State("public", self.translate(_("Published")), notes, ahead)
        return State("private", self.translate(_("Not public")), notes, ahead)

    def _row_actions(self, line: Line) -> Sequence[RowAction]:
        """Return what may be done with a page: the same for all of a type within a boundary."""
        key = (line.type, line.boundary_id)
        if key not in self._actions:
            content_type = self.request.content_types.get(line.type)
            mine = self.request.access.at(line.boundary_id)
            found = (
                []
                if content_type is None
                else actions(self.request, content_type.cls, mine.__contains__)
            )
            self._actions[key] = [
                RowAction(item.name, translated(self.request, item), item.view) for item in found
            ]
        return self._actions[key]


def ids_posted(request: Any) -> list[int]:
    """Return the numbers that a form with chosen pages has posted; others are left out."""
    return [
        int(text)
        for text in request.POST.getall("ids")
        if text.isascii() and text.isdecimal() and len(text) < 19
    ]


def includeme(config: Configurator) -> None:
    """Register the screen, and what the core does with many pages."""
    for name, title, view, permission, order, field in BULK:
        config.add_bulk_action(
            name, title, view=view, permission=permission, order=order, field=field
        )
    registry = registry_of(config)
    registry.reading_posts |= {"contents"}
    config.add_view(
        contents_screen,
        name="contents",
        context=Node,
        request_method=("GET", "POST"),
        permission=Permission.EDIT,
        renderer=f"{TEMPLATES}contents.jinja2",
    )
