"""The tree beside the screens of people who work with pages, as templates want it.

The way to the page at hand is open; other branches are fetched when they are opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy.orm.exc import ObjectDeletedError

from myproject.security.access import ANONYMOUS
from myproject.security.permissions import Permission
from myproject.tree.finding import find_pages
from myproject.tree.listing import Key
from myproject.tree.node import DRAFT, PUBLISHED, Node, is_ahead, seen_state_of
from myproject.tree.outline import Branch, Twig, Wanted, load_branches
from myproject.tree.urls import paths_of, quote_segment, virtual_root_of
from myproject.views.bar import ahead_note, hidden_title

_ = TranslationStringFactory("myproject")

#: Pages in a branch that is opened, and that a search shows.
SIZE, FOUND = 50, 20


@dataclass(slots=True)
class Leaf:
    """A place in the tree.

    :ivar fetch: where its children come from; empty where there are none.
    :ivar kind, state: who can see it, ``draft``, ``private`` or ``public``; and in words.
    :ivar children: None while they are not loaded.
    :ivar path: of one that was found, the address.
    """

    id: int
    title: str
    url: str
    fetch: str
    kind: str
    state: str
    current: bool = False
    children: Twigs | None = None
    path: str = ""


@dataclass(slots=True)
class Twigs:
    """The children of a place.

    :ivar earlier, later: where more of them come from.
    """

    leaves: Sequence[Leaf]
    earlier: str = ""
    later: str = ""


class Outline:
    """Makes the tree for one request."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.types = request.content_types
        self.public = request.policies.access(ANONYMOUS).visibility.pages
        translate = request.localizer.translate
        self.states = {
            "draft": translate(_("Draft")),
            "private": translate(_("Not public")),
            "public": "",
        }

    def revealed(self, node: Node) -> Leaf:
        """Return the tree from the topmost place that may be known of, open down to *node*."""
        request, seen = self.request, self.request.visibility.pages
        lineage = request.lineage[len(virtual_root_of(request)) :]
        start = len(lineage) - 1
        while start > 0 and lineage[start - 1].boundary_id in seen:
            start -= 1
        way = lineage[start:]
        base = request.canonical_base.removesuffix("/")
        bases = [base]
        for _place in way[1:]:
            bases.insert(0, bases[0].rpartition("/")[0])
        wanted = [
            Wanted(
                place.id,
                request.access.below(place),
                None if child is None else Key(child.position, child.id),
            )
            for place, child in zip(way, (*way[1:], None), strict=True)
        ]
        branches = load_branches(request.dbsession, wanted, size=SIZE)
        below: Twigs | None = None
        # A draft above hides what is below it from readers, whatever that says of itself.
        above = len(request.lineage) - len(way) + 1
        leads = [
            all(place.seen_state == PUBLISHED for place in request.lineage[: above + index])
            for index in range(len(way))
        ]
        for index in reversed(range(len(way))):
            child_id = way[index + 1].id if index + 1 < len(way) else None
            twigs = self.twigs(bases[index], branches[index], public=leads[index])
            for leaf in twigs.leaves:
                if leaf.id == child_id:
                    leaf.children = below
                    leaf.current = leaf.id == node.id
            below = twigs
        top = way[0]
        url = self._url(bases[0], top.boundary_id, top.type) or "/"
        reached = all(place.seen_state == PUBLISHED for place in request.lineage[: above - 1])
        kind, state = self._state(top, public=reached)
        leaf = Leaf(top.id, top.label, url, f"{bases[0]}/@@tree", kind, state)
        leaf.children, leaf.current = below, top.id == node.id
        return leaf

    def twigs(self, base: str, branch: Branch, *, public: bool) -> Twigs:
        """Return a branch of the place whose URL path is *base*.

        :param public: whether readers can walk to the place.
        """
        leaves = [self._leaf(base, twig, public=public) for twig in branch.twigs]
        fetch = f"{base}/@@tree"
        return Twigs(
            leaves,
            f"{fetch}?before={branch.twigs[0].key}" if branch.earlier and branch.twigs else "",
            f"{fetch}?after={branch.twigs[-1].key}" if branch.later and branch.twigs else "",
        )

    def found(self, text: str) -> list[Leaf]:
        """Return the pages whose titles have the words of a text."""
        request = self.request
        vroot = virtual_root_of(request)
        names = [content_type.name for content_type in self.types]
        pages = find_pages(
            request.dbsession, text, request.visibility, types=names, below=vroot, limit=FOUND
        )
        leaves = []
        for page in pages:
            url = request.path_url_of(page.names) or "/"
            kind = "draft" if page.state == DRAFT else "public"
            path = "/" + "/".join(page.names[len(vroot) :])
            # What may be done there is looked at when it is opened.
            leaves.append(Leaf(page.id, page.title, url, "", kind, self.states[kind], path=path))
        return leaves

    def reopened(self, ids: Sequence[int]) -> list[tuple[int, Twigs]]:
        """Return the branches of some places, of those that may be seen; two statements."""
        request = self.request
        paths = paths_of(request.dbsession, ids, request.visibility)
        shown = [number for number in ids if number in paths]
        wanted = [Wanted(number, request.visibility) for number in shown]
        branches = load_branches(request.dbsession, wanted, size=SIZE)
        found = []
        for number, branch in zip(shown, branches, strict=True):
            url = request.path_url_of(paths[number])
            if url is not None:
                found.append((number, self.twigs(url.removesuffix("/"), branch, public=True)))
        return found

    def _leaf(self, base: str, twig: Twig, *, public: bool) -> Leaf:
        url = f"{base}/{quote_segment(twig.name)}"
        kind, state = self._state(twig, public=public)
        return Leaf(
            twig.id,
            twig.nav_title or twig.title,
            self._url(url, twig.boundary_id, twig.type),
            f"{url}/@@tree" if twig.has_children and twig.type in self.types else "",
            kind,
            state,
        )

    def _state(self, row: Any, *, public: bool) -> tuple[str, str]:
        """Return the kind of a place and its state in words.

        :param row: a node, or a row with its columns.
        """
        state = seen_state_of(row)
        if state != PUBLISHED:
            return "draft", hidden_title(self.request, row)
        kind = "public" if public and row.boundary_id in self.public else "private"
        mine = self.request.access.at(row.boundary_id)
        if Permission.VIEW_DRAFTS in mine and is_ahead(row):
            changed = self.request.localizer.translate(ahead_note(self.request, row))
            words = [each for each in (self.states[kind], changed) if each]
            return f"{kind} ahead", ", ".join(words)
        return kind, self.states[kind]

    def _url(self, url: str, boundary_id: int, type_name: str) -> str:
        """Return where a link leads: to the contents for those who work there, else the page."""
        if type_name not in self.types:
            return ""
        may = Permission.EDIT in self.request.access.at(boundary_id)
        return f"{url}/@@contents" if may else url


def sidebar_of(request: Any, node: Node) -> Leaf | None:
    """Return the tree beside a screen of *node*, to which *request* leads; one statement."""
    try:
        return Outline(request).revealed(node)
    except ObjectDeletedError:
        # Somebody else has deleted it, which the screen says.
        return None
