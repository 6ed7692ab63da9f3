"""Finding: from what somebody typed to what a screen shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session
from zope.interface import implementer

from myproject.addons.search import sql
from myproject.addons.search.index import Index
from myproject.addons.search.interfaces import ISearch
from myproject.addons.search.models import DOCUMENT
from myproject.addons.search.query import Query, any_of, parse
from myproject.addons.search.snippets import LOOKED_AT, excerpt, marked
from myproject.addons.search.words import fold
from myproject.content.registry import ContentTypes
from myproject.security.access import ANONYMOUS
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.site import SITE_ID, Site
from myproject.tree.urls import climb, path_columns, paths_from_rows
from myproject.tree.visibility import Visibility

NODE = Node.__table__

#: Pages of results, and how many are counted.
MOST_PAGES = 20
COUNTED = 100
#: Suggestions that are shown, and that are looked at: some may turn out to be hidden.
SHOWN, CONSIDERED = 8, 24


@dataclass(frozen=True, slots=True)
class Result:
    """A page that was found.

    :ivar names: of the places from the root down to it.
    :ivar type: name of its content type.
    :ivar title, excerpt: with what was looked for in ``<mark>``.
    """

    id: int
    names: tuple[str, ...]
    type: str
    title: Markup
    excerpt: Markup


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A page whose title has what somebody types."""

    id: int
    names: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found.

    :ivar count: how many there are, as far as they are counted.
    :ivar more: whether there are more than that.
    :ivar page, last_page: from 1 on; *last_page* is 0 if nothing was found.
    :ivar first: the place of the first one on this page among all, from 1 on.
    :ivar instead: what else could be meant, where nothing was found.
    """

    query: Query
    results: Sequence[Result] = ()
    count: int = 0
    more: bool = False
    page: int = 1
    last_page: int = 0
    first: int = 1
    instead: Sequence[Suggestion] = ()


@implementer(ISearch)
class Search:
    """Searches one site on behalf of somebody.

    :param visibility: what they may see.
    :param types: those that are switched on.
    :param language: PostgreSQL's configuration.
    :param size: results on a page.
    """

    def __init__(
        self,
        session: Session,
        visibility: Visibility,
        types: ContentTypes,
        *,
        language: str = "simple",
        size: int = 20,
    ) -> None:
        self.session = session
        self.visibility = visibility
        self.index = Index(session, language)
        self.types = types
        self.size = size

    # -- asking -----------------------------------------------------------------------------------

    def find(self, text: str, within: Node | None = None, page: int = 1) -> Results:
        """Return one page of results, the best first: at most three statements.

        :param text: whatever somebody typed; nothing in it is an error.
        :param within: the node to search below; everywhere when left out.
        :param page: from 1 on; behind the last one there is nothing.
        """
        query = parse(text)
        if not query:
            return Results(query)
        ids = self._ids(query, within)
        if not ids:
            return Results(query, instead=self._suggest(any_of(text), within))
        last_page = -(-len(ids) // self.size)
        shown = ids[(page - 1) * self.size :][: self.size] if page >= 1 else []
        return Results(
            query,
            self._results(shown, query),
            min(len(ids), COUNTED),
            len(ids) > COUNTED,
            page,
            last_page,
            (page - 1) * self.size + 1,
        )

    def suggest(self, text: str, within: Node | None = None) -> list[Suggestion]:
        """Return pages whose titles have the words of a text that is still being typed."""
        return self._suggest(parse(text, typing=True), within)

    def put(self, node: Node) -> None:
        """Write what *node* says into the index."""
        self.index.put([node])

    def seems_incomplete(self) -> bool:
        """Whether pages are missing in the index, as far as a look at some of them tells."""
        return self.index.seems_incomplete(self.types)

    # -- how --------------------------------------------------------------------------------------

    def _ids(self, query: Query, within: Node | None) -> list[int]:
        """Return the ids of what is found and may be seen, in order; up to the last page's."""
        tiers = sql.ANYTHING if query.unwanted else sql.BOTH
        most = MOST_PAGES * self.size
        hits, complete = self._hits(query, tiers, within)
        if not complete and len(hits) < most and self._form(tiers, within).mode == sql.CLIMB:
            hits, _ = self._hits(query, tiers, within, walk=True)
        return hits[:most]

    def _hits(
        self, query: Query, tiers: str, within: Node | None, *, walk: bool = False
    ) -> tuple[list[int], bool]:
        """Return ids, the best first, and whether there are no others."""
        parameters = {
            "question": query.for_sqlite if self.index.is_sqlite else query.for_postgresql,
            "language": self.index.language,
            "types": [content_type.name for content_type in self.types],
            "start": ROOT_ID if within is None else within.id,
            **self.visibility.parameters(),
        }
        statement = sql.hits_query(self._form(tiers, within, walk=walk))
        rows = self.session.connection().execute(statement, parameters).all()
        full = sql.SUGGESTED if tiers == sql.TITLES else sql.RANKED
        complete = all(sum(row.tier == tier for row in rows) < full for tier in (0, 1))
        ranked = sorted((row.tier, -row.score, row.id) for row in rows if row.open)
        return [node_id for _, _, node_id in ranked], complete

    def _form(self, tiers: str, within: Node | None, *, walk: bool = False) -> sql.Form:
        limited = within is not None and within.id != ROOT_ID
        return sql.form_of(self.index.is_sqlite, tiers, self.visibility, limited, walk=walk)

    def _suggest(self, query: Query, within: Node | None) -> list[Suggestion]:
        if not query:
            return []
        ids, _ = self._hits(query, sql.TITLES, within)
        found = [
            Suggestion(row.origin, names, row.title)
            for row, names in self._places(ids[:CONSIDERED], texts=False)
        ]
        # First those that begin with what begins the text; otherwise in the order of the ranks.
        first = query.wanted[0].words[0]
        found.sort(key=lambda suggestion: not fold(suggestion.title).startswith(first))
        return found[:SHOWN]

    def _results(self, ids: Sequence[int], query: Query) -> list[Result]:
        stemmed = self.index.language != "simple"
        return [
            Result(
                row.origin,
                names,
                row.type,
                marked(row.title, query, stemmed=stemmed),
                excerpt((row.shown or "", row.summary), query, stemmed=stemmed),
            )
            for row, names in self._places(ids, texts=True)
        ]

    def _places(self, ids: Sequence[int], *, texts: bool) -> Iterator[tuple[Any, tuple[str, ...]]]:
        """Yield a row and the names from the root for each node, in order; one statement."""
        if not ids:
            return
        up = climb(select(NODE.c.id).where(NODE.c.id.in_(ids)))
        columns: list[Any] = [NODE.c.title, NODE.c.type]
        # Only beside the node itself, and not once more for each place above it. The ids are named
        # again, or PostgreSQL would rather read all nodes.
        itself = and_(up.c.height == 0, NODE.c.id == up.c.origin, NODE.c.id.in_(ids))
        joined = up.outerjoin(NODE, itself)
        if texts:
            shown = func.substr(DOCUMENT.c.shown, 1, LOOKED_AT).label("shown")
            columns += [NODE.c.summary, shown]
            document = and_(DOCUMENT.c.node_id == NODE.c.id, DOCUMENT.c.node_id.in_(ids))
            joined = joined.outerjoin(DOCUMENT, document)
        query = (
            select(*path_columns(up), *columns)
            .select_from(joined)
            .order_by(up.c.origin, up.c.height.desc())
        )
        rows = self.session.connection().execute(query).all()
        paths = paths_from_rows((row[:6] for row in rows), self.visibility)
        found = {row.origin: row for row in rows if row.height == 0}
        for node_id in ids:
            if node_id in paths and node_id in found:
                yield found[node_id], paths[node_id]


def search_of(scope: Any) -> Search:
    """Return the search on behalf of whoever makes a request; of visitors outside of requests."""
    settings = scope.registry.settings
    access = getattr(scope, "access", None)
    if access is None:
        session = scope.dbsession
        revision = session.scalar(select(Site.access_revision).where(Site.id == SITE_ID))
        policies = scope.registry.policies.get(session, revision, keep=False)
        access = policies.access(ANONYMOUS)
    return Search(
        scope.dbsession,
        access.visibility,
        scope.content_types,
        language=settings["myproject.search.language"],
        size=settings["myproject.search.page_size"],
    )
