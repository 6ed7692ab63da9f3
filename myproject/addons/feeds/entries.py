"""A feed as plain values: what is written as Atom, and as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from myproject.addons.feeds.html import with_complete_addresses
from myproject.addons.feeds.newest import NOW, Found, Moment, key_of, newest
from myproject.content.references import references_in
from myproject.tree.node import Node
from myproject.tree.urls import paths_of

NODE = Node.__table__

#: RFC 4151 wants a day on which the name was its owner's; one for all, so that ids stay.
_SINCE = "2026"


@dataclass(frozen=True, slots=True)
class Category:
    """A section that an entry lies in.

    :ivar term: the path of the section.
    :ivar label: its title.
    """

    term: str
    label: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in a feed.

    :ivar html: its text, every address in it complete; None where feeds bring none.
    """

    id: str
    url: str
    title: str
    summary: str
    html: str | None
    published: dt.datetime
    updated: dt.datetime
    authors: Sequence[str]
    categories: Sequence[Category]


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of a feed.

    :ivar url: of this page of it.
    :ivar first, next: of the first page, and of the next one if there is one.
    :ivar home: what the feed is of.
    :ivar author: of entries that name none.
    """

    id: str
    url: str
    first: str
    next: str | None
    home: str
    title: str
    description: str
    language: str
    author: str
    updated: dt.datetime
    entries: Sequence[Entry]


def feed_of(context: Node, request: Any, name: str, after: Moment = NOW) -> Feed:
    """Return a page of the feed of a place, for whoever asks.

    :param name: of the view.
    :param after: where the page begins.
    """
    settings = request.registry.settings
    types = [content_type.name for content_type in request.content_types]
    size = settings["myproject.feeds.size"]
    page = newest(request.dbsession, context.id, request.visibility, types, size, after)
    entries = _Entries(request).of(page.found)
    home = request.canonical_host + request.canonical_base
    first = f"{home.removesuffix('/')}/@@{name}"
    site = settings["myproject.site_title"]
    is_site = context is request.virtual_root
    return Feed(
        id=f"{tag_of(request, context.id)}/feed",
        url=first if after == NOW else f"{first}?after={key_of(after)}",
        first=first,
        next=None if page.after is None else f"{first}?after={key_of(page.after)}",
        home=home,
        title=site if is_site else f"{context.title} – {site}",
        description=context.summary,
        language=settings["myproject.locale"].replace("_", "-"),
        author=site,
        updated=entries[0].updated if entries else context.modified_at,
        entries=entries,
    )


def tag_of(request: Any, node_id: int) -> str:
    """Return what a node is called in all feeds, wherever it is moved (RFC 4151)."""
    host = urlsplit(request.canonical_host).hostname or "localhost"
    return f"tag:{host},{_SINCE}:node/{node_id}"


class _Entries:
    """Makes entries: a statement for what all nodes have, one for each table of texts, and one for
    the addresses of links if there are any."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.connection = request.dbsession.connection()
        self.host = request.canonical_host
        self.depth = len(request.lineage)
        self.full_text = request.registry.settings["myproject.feeds.full_text"]

    def of(self, found: Sequence[Found]) -> list[Entry]:
        """Return an entry for each page that is still there."""
        facts = self._facts([item.id for item in found])
        texts = self._texts(facts) if self.full_text else {}
        targets = {number for html in texts.values() for number in references_in(html)}
        addresses = self._addresses(targets)
        entries = []
        for item in found:
            url = self._url(item.names)
            if item.id not in facts or url is None:
                continue
            row = facts[item.id]
            html = texts.get(item.id)
            entries.append(
                Entry(
                    id=tag_of(self.request, item.id),
                    url=url,
                    title=row.title,
                    summary=row.summary,
                    html=None
                    if html is None
                    else with_complete_addresses(html, url, addresses.get),
                    published=row.created_at,
                    updated=item.modified_at,
                    authors=_authors(row.extra),
                    categories=self._categories(item),
                )
            )
        return entries

    def _url(self, names: tuple[str, ...]) -> str | None:
        path = self.request.path_url_of(names)
        return None if path is None else self.host + path

    def _facts(self, ids: Sequence[int]) -> dict[int, Any]:
        if not ids:
            return {}
        columns = ("id", "type", "title", "summary", "created_at", "extra")
        query = select(*(NODE.c[name] for name in columns)).where(NODE.c.id.in_(ids))
        return {row.id: row for row in self.connection.execute(query)}

    def _texts(self, facts: Mapping[int, Any]) -> dict[int, str]:
        """Return the stored HTML of each node whose type has any, wherever that is stored."""
        tables: dict[Any, list[int]] = {}
        for row in facts.values():
            content_type = self.request.content_types.get(row.type)
            columns = content_type.cls.__mapper__.columns
            if "body_html" in columns:
                tables.setdefault(columns["body_html"], []).append(row.id)
        texts: dict[int, str] = {}
        for column, ids in tables.items():
            query = select(column.table.c.id, column).where(column.table.c.id.in_(ids))
            texts.update((node_id, html) for node_id, html in self.connection.execute(query))
        return texts

    def _addresses(self, ids: Iterable[int]) -> dict[int, str]:
        wanted = list(ids)
        if not wanted:
            return {}
        paths = paths_of(self.request.dbsession, wanted, self.request.visibility)
        urls = ((node_id, self._url(names)) for node_id, names in paths.items())
        return {node_id: url for node_id, url in urls if url is not None}

    def _categories(self, item: Found) -> list[Category]:
        """Return the sections between the feed's place and the page, as far as they may be seen."""
        visibility, found = self.request.visibility, []
        for height, place in enumerate(item.places[self.depth : -1], self.depth):
            if visibility.shows(place.boundary_id, place.state):
                path = self.request.path_url_of(item.names[:height])
                found.append(Category(path or "", place.title))
        return found


def _authors(extra: Mapping[str, Any]) -> list[str]:
    """Return the authors that a page's front matter names: text, lists, or mappings with a name."""
    given = extra.get("authors") or extra.get("author") or ()
    if not isinstance(given, list | tuple):
        given = [given]
    named = (item.get("name") if isinstance(item, Mapping) else item for item in given)
    return [name.strip() for name in named if isinstance(name, str) and name.strip()]
