"""Choosing a place in the tree: by browsing it, by searching, and among those used last.

Without a script it is one form, whose buttons open a place or choose it. A place that cannot be
chosen is shown all the same, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.content.operations_log import Kind, recent_targets
from myproject.exceptions import InvalidValue
from myproject.security.permissions import Permission
from myproject.tree.finding import find_pages
from myproject.tree.lineages import ids_above, load_with_lineage
from myproject.tree.listing import START, Key, load_children
from myproject.tree.node import DRAFT, Node
from myproject.tree.traversal import load_lineage
from myproject.tree.urls import names_of, virtual_root_of
from myproject.views.forms import numbers_in, text_in
from myproject.views.navigation import PLAIN_TYPES
from myproject.views.rendering import DOMAIN

_ = TranslationStringFactory(DOMAIN)

#: Children of a place that are shown at once, pages that a search finds, and places used last.
CHILDREN, FOUND, RECENT = 40, 15, 5


class Choice(NamedTuple):
    """A place that may be chosen.

    :ivar path: where it lies, readable.
    :ivar reason: why it cannot be chosen; empty where it can.
    :ivar opens: whether there is something below it to look at.
    """

    id: int
    title: str
    path: str
    type_title: str
    draft: bool
    reason: str
    opens: bool


@dataclass(slots=True)
class Places:
    """What a picker shows.

    :ivar here: the place that is open.
    :ivar above: the places above it, from the top down.
    :ivar children: of the open place, from a key on.
    :ivar more: the key of the children after these; empty where there are none.
    :ivar first: whether these are the first of them.
    :ivar search: what was searched for; *found* is what that found, None without a search.
    """

    here: Choice
    above: Sequence[Choice]
    children: Sequence[Choice]
    more: str = ""
    first: bool = True
    search: str = ""
    found: Sequence[Choice] | None = None
    recent: Sequence[Choice] = field(default=())


class Picker:
    """Offers places for some nodes to go to.

    :param kind: what is to be done with them.
    """

    def __init__(self, request: Any, nodes: Sequence[Node], kind: Kind) -> None:
        self.request, self.nodes, self.kind = request, nodes, kind
        self.session = request.dbsession
        self.translate = request.localizer.translate
        self.vroot = virtual_root_of(request)

    def top(self) -> Node:
        """Return the place that everything lies below: the root, or the virtual root."""
        request = self.request
        if request.lineage:
            return request.lineage[len(self.vroot)]
        return load_lineage(self.session, self.vroot, types=request.content_types).nodes[-1]

    def place(self, number: int) -> Node | None:
        """Return the place of this number; None for one that is not there for whoever asks."""
        return self._visible([number]).get(number)

    def show(self, start: Node | None = None) -> Places:
        """Return what the form asks for; at most ten statements.

        :param start: the place that is open when none has been asked for.
        """
        request, parameters = self.request, self.request.params
        here = self._asked() or (start if start is not None and self._is_inside(start) else None)
        here = here or self.top()
        after = _key(text_in(parameters, "after", 40))
        rows, more = load_children(
            self.session, here.id, request.access.below(here), after=after, page=CHILDREN
        )
        above = self._lineage(here)[:-1]
        # Whoever opens a place that was found looks at that, and no longer at the others.
        search = text_in(parameters, "q", 200) if "find" in parameters else ""
        return Places(
            self._choice(here),
            [self._choice(place) for place in above],
            self._children(here, rows),
            str(Key(rows[-1].position, rows[-1].id)) if more else "",
            after == START,
            search,
            self._found(search) if search else None,
            [] if search else self._recent(),
        )

    # -- places -----------------------------------------------------------------------------------

    def _asked(self) -> Node | None:
        """Return the place that was opened; the last, since buttons come after what is hidden."""
        numbers = numbers_in(self.request.params, "at")
        return self.place(numbers[-1]) if numbers else None

    def _visible(self, ids: Sequence[int]) -> dict[int, Node]:
        nodes = load_with_lineage(self.session, ids)
        return {
            number: node
            for number, node in nodes.items()
            if self._is_inside(node) and self.request.has_permission(Permission.VIEW, node)
        }

    def _is_inside(self, node: Node) -> bool:
        return names_of(node)[: len(self.vroot)] == self.vroot

    def _lineage(self, node: Node) -> list[Node]:
        """Return the places from the top down to *node* that whoever asks may view."""
        pages = self.request.visibility.pages
        way, place = [node], node.parent
        while place is not None and len(names_of(place)) >= len(self.vroot):
            if place.boundary_id in pages:
                way.append(place)
            place = place.parent
        return way[::-1]

    def _children(self, here: Node, rows: Sequence[Any]) -> list[Choice]:
        ids = [row.id for row in rows]
        # What lists are made of does not say within which boundary a page lies.
        query = select(Node.id, Node.type, Node.boundary_id, Node.state).where(Node.id.in_(ids))
        facts = {row.id: row for row in self.session.execute(query)} if ids else {}
        above = [here.id, *ids_above(here)]
        base = self._path(here).rstrip("/")
        return [
            self._made(
                facts[row.id], row.title, f"{base}/{row.name}", above, opens=row.has_children
            )
            for row in rows
            if row.id in facts
        ]

    def _found(self, search: str) -> list[Choice]:
        known = {content_type.name for content_type in self.request.content_types}
        found = find_pages(
            self.session,
            search,
            self.request.visibility,
            types=known,
            below=self.vroot,
            limit=FOUND,
        )
        nodes = self._visible([page.id for page in found])
        return [self._choice(node) for node in nodes.values()]

    def _recent(self) -> list[Choice]:
        identity = self.request.signed_in
        if identity is None:
            return []
        ids = recent_targets(self.session, identity.user_id, RECENT)
        return [self._choice(node) for node in self._visible(ids).values()]

    def _choice(self, node: Node) -> Choice:
        return self._made(node, node.title, self._path(node), ids_above(node), opens=True)

    def _made(
        self, facts: Any, title: str, path: str, above: Sequence[int], *, opens: bool
    ) -> Choice:
        content_type = self.request.content_types.get(facts.type)
        if content_type is None:
            reason: Any = _("Its content type is not switched on.")
        else:
            reason = self.request.planner.why_not_below(self.nodes, facts, above, self.kind)
        named = content_type is not None and facts.type not in PLAIN_TYPES
        return Choice(
            facts.id,
            title,
            path,
            self.translate(content_type.title) if content_type and named else "",
            facts.state == DRAFT,
            self.translate(reason) if reason is not None else "",
            opens,
        )

    def _path(self, node: Node) -> str:
        return "/" + "/".join(names_of(node)[len(self.vroot) :])


def _key(text: str) -> Key:
    try:
        return Key.parse(text) if text else START
    except InvalidValue:
        return START
