"""The pages that a sitemap lists, in batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, String, bindparam, func, select
from sqlalchemy.orm import Session

from myproject.db.base import Id
from myproject.tree.copying import descend
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.timing import seen_state
from myproject.tree.urls import quote_segment
from myproject.tree.visibility import Visibility, ids_in, visible

NODE = Node.__table__

#: Ids in a part. The protocol allows 50,000 URLs and 50 MB, with URLs of up to 2,048 characters:
#: as many of the longest fit.
PART = 10_000
#: Ids that are looked at together.
BATCH = 1_000
#: Places above pages that are remembered, at most.
REMEMBERED = 50_000
#: Characters of a URL (sitemaps.org: less than 2,048).
LONGEST = 2_047


class Page(NamedTuple):
    """A page in the sitemap."""

    url: str
    modified_at: dt.datetime


class Part(NamedTuple):
    """A part of the sitemap that has pages."""

    number: int
    modified_at: dt.datetime


@dataclass(frozen=True)
class Listed:
    """What a sitemap lists.

    :ivar visibility: of visitors who are not signed in.
    :ivar types: names of the content types whose nodes are pages.
    :ivar conditions: of add-ons, on the node table.
    :ivar root_id: the (virtual) root.
    :ivar root_url: its URL, without a slash at the end.
    """

    visibility: Visibility
    types: Sequence[str]
    conditions: Sequence[ColumnElement[bool]]
    root_id: int
    root_url: str

    def parts(self, session: Session) -> list[Part]:
        """Return the parts that have pages; one statement.

        A part whose pages all lie below drafts is among them: to find that out would take as long
        as listing them.
        """
        number = (NODE.c.id - 1) // PART + 1
        query = select(number.label("number"), func.max(NODE.c.modified_at)).where(*self._where())
        if self.root_id != ROOT_ID:
            query = query.where(NODE.c.id.in_(select(descend(self.root_id).c.id)))
        query = query.group_by("number").order_by("number")
        rows = session.connection().execute(query, self._parameters()).all()
        return [Part(*row) for row in rows]

    def has_part(self, session: Session, part: int) -> bool:
        """Whether the index, without a virtual root, would name a part; one statement."""
        query = select(NODE.c.id).where(_in_range(), *self._where()).limit(1)
        batch = {**_range((part - 1) * PART, PART), **self._parameters()}
        return session.connection().scalar(query, batch) is not None

    def pages(self, session: Session, part: int) -> Iterator[list[Page]]:
        """Yield the pages of a part in batches; at most two statements for each.

        :param part: its number, from 1 on.
        """
        places = _Places(session, self)
        columns = (NODE.c.id, NODE.c.parent_id, NODE.c.name, NODE.c.modified_at)
        query = select(*columns).where(_in_range(), *self._where()).order_by(NODE.c.id)
        for start in range((part - 1) * PART, part * PART, BATCH):
            batch = {**_range(start, BATCH), **self._parameters()}
            rows = session.connection().execute(query, batch).all()
            places.load({row.parent_id for row in rows if row.parent_id is not None})
            urls = ((places.url_of(row), row.modified_at) for row in rows)
            yield [Page(url, at) for url, at in urls if url is not None and len(url) <= LONGEST]

    def _where(self) -> list[ColumnElement[bool]]:
        is_page = NODE.c.type.in_(bindparam("types", expanding=True))
        return [is_page, visible(NODE.c, self.visibility.kind), *self.conditions]

    def _parameters(self) -> dict[str, Any]:
        return {"types": self.types, **self.visibility.parameters()}


def _in_range() -> ColumnElement[bool]:
    return NODE.c.id.between(bindparam("first", type_=Id), bindparam("last", type_=Id))


def _range(start: int, count: int) -> dict[str, int]:
    return {"first": start + 1, "last": start + count}


def _above() -> Select[*tuple[Any, ...]]:
    """Return the statement for places and all that is above them, each once."""

    def places(columns: Any) -> list[Any]:
        names = ("id", "parent_id", "name", "boundary_id")
        return [*(columns[name] for name in names), seen_state(columns).label("state")]

    given = ids_in(bindparam("ids", type_=String))
    wanted = NODE.c.id.op("IN", is_comparison=True)(given)
    up = select(*places(NODE.c)).where(wanted).cte("up", recursive=True)
    above = NODE.alias("above")
    step = select(*places(above.c))
    return select(up.union(step.join_from(up, above, above.c.id == up.c.parent_id)))


_ABOVE = _above()


class _Places:
    """The URLs of the places above pages."""

    def __init__(self, session: Session, listed: Listed) -> None:
        self.session = session
        self.listed = listed
        self._rows: dict[int, Any] = {}
        self._urls: dict[int, str | None] = {}

    def load(self, ids: Iterable[int]) -> None:
        """Load these places and all above them, unless they are known; one statement."""
        if len(self._rows) > REMEMBERED:
            self._rows.clear()
            self._urls.clear()
        wanted = [str(node_id) for node_id in ids if node_id not in self._rows]
        if wanted:
            rows = self.session.connection().execute(_ABOVE, {"ids": ",".join(wanted)})
            self._rows.update((row.id, row) for row in rows)

    def url_of(self, page: Any) -> str | None:
        """Return a page's URL; None below a draft, and outside of the virtual root."""
        if page.id == self.listed.root_id:
            return self.listed.root_url + "/"
        above = self._url(page.parent_id)
        return None if above is None else f"{above}/{quote_segment(page.name)}"

    def _url(self, node_id: int | None) -> str | None:
        if node_id == self.listed.root_id:
            # It leads through itself, or there were no sitemap.
            return self.listed.root_url
        row = None if node_id is None else self._rows.get(node_id)
        if row is None:
            return None
        if row.id not in self._urls:
            above = self._url(row.parent_id)
            leads = self.listed.visibility.leads_through(row.boundary_id, row.state)
            hidden = above is None or not leads
            self._urls[row.id] = None if hidden else f"{above}/{quote_segment(row.name)}"
        return self._urls[row.id]
