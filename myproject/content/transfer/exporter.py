"""Exporting a part of the tree as a directory of Markdown: what the importer reads back unchanged.

Links between exported pages become relative links between files. The same tree always gives the
same bytes, and so does what an empty site imports from them.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.content.aliases import WrittenAliases
from myproject.content.destinations import rewrite_destinations
from myproject.content.known import StoredType, stored_types
from myproject.content.references import LOST, reference_id
from myproject.content.registry import ContentTypes
from myproject.content.transfer.document import (
    aliases_of,
    front_matter_of,
    is_bare_folder,
    sort_key,
    weight_of,
)
from myproject.content.transfer.frontmatter import dump
from myproject.content.transfer.importer import Progress
from myproject.content.transfer.links import (
    INDEX_STEMS,
    SUFFIX,
    Names,
    Resolver,
    is_internal,
    outward_link,
    relative_link,
    split_destination,
)
from myproject.content.transfer.lookup import Lookup
from myproject.content.transfer.own import Own, OwnReader
from myproject.exceptions import MyprojectError
from myproject.tree.copying import descend
from myproject.tree.node import Node
from myproject.tree.urls import join_path, paths_of
from myproject.tree.visibility import EVERYTHING

_BATCH = 500
_INDEX = "_index" + SUFFIX


class CannotExport(MyprojectError):
    """The directory or the place is not usable."""


@dataclass(slots=True)
class _Place:
    """Where a node stands, and where its file goes.

    :ivar names: from the top of what is exported down; empty for the top itself.
    :ivar label: by which siblings without a weight are sorted.
    :ivar written_weight: the weight its file needs to keep its place, None if none.
    """

    id: int
    type: str
    names: Names
    label: str
    weight: float | None
    aliases: tuple[str, ...]
    is_bare_folder: bool
    has_children: bool = False
    file: PurePosixPath = PurePosixPath(_INDEX)  # noqa: RUF009 - paths are immutable
    written_weight: int | None = None

    @property
    def has_file(self) -> bool:
        """Whether its directory alone does not say all there is."""
        needless = self.is_bare_folder and self.has_children and self.written_weight is None
        # The top's directory has the name that whoever exports gives it.
        return not needless or not self.names


def export_directory(
    session: Session,
    directory: Path,
    *,
    types: ContentTypes,
    at: Names = (),
    only: Collection[str] | None = None,
    progress: Progress = lambda items, total: items,
) -> int:
    """Write the place *at* and everything below into *directory*, and return the number of files.

    :param directory: must be empty or not exist; its files appear when all are written.
    :param types: of the site. Those that it has had are written just the same.
    :param at: names in NFC.
    :param only: names of types; pages of other types get no file.
    :raises CannotExport:
    """
    lookup = Lookup(session)
    top_id = lookup.find(at)
    if top_id is None:
        raise CannotExport(f"There is no page at {join_path(at)}.")
    directory = directory.resolve()
    exists = directory.exists()
    if exists and (not directory.is_dir() or any(directory.iterdir())):
        raise CannotExport(f"{directory} is not empty. Name a new or an empty directory.")
    # On the file system of the target, so that all is moved there at once.
    partial = directory if exists else directory.parent
    partial /= f".{directory.name}.partial-{os.getpid()}"
    try:
        partial.mkdir(parents=True)
        written = _Export(session, at, top_id, lookup, stored_types(session, types), only).write(
            partial, progress
        )
        if exists:
            for path in partial.iterdir():
                path.rename(directory / path.name)
            partial.rmdir()
        else:
            partial.rename(directory)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CannotExport(f"{directory} cannot be written: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return written


class _Export:
    """One run: where every file goes first, because a link may lead to any of them."""

    def __init__(
        self,
        session: Session,
        at: Names,
        top_id: int,
        lookup: Lookup,
        stored: Mapping[str, StoredType],
        only: Collection[str] | None,
    ) -> None:
        self.session, self.at = session, at
        self.own = OwnReader(session, stored)
        self.places = _places(session, top_id)
        self.aliases = WrittenAliases(session, self.places, at)
        for place in self.places.values():
            place.is_bare_folder &= not self.aliases.has(place.id)
        self.written = [p.id for p in self.places.values() if only is None or p.type in only]
        self.by_names = {place.names: place for place in self.places.values()}
        self.resolver = Resolver(
            {place.names: place.aliases for place in self.places.values()},
            at,
            lambda names: lookup.find(names) is not None,
            root_first=True,
        )
        self.outside: dict[int, Names | None] = {}

    def write(self, directory: Path, progress: Progress) -> int:
        """Write all files below *directory*."""
        written = 0
        for node, own in progress(self._nodes(), len(self.written)):
            place = self.places[node.id]
            if not place.has_file:
                continue
            file = directory / place.file
            file.parent.mkdir(parents=True, exist_ok=True)
            # Where letter case does not matter, two pages may have one file: never write over it.
            with file.open("x", encoding="utf-8", newline="\n") as out:
                out.write(self._text(node, own, place))
            written += 1
        return written

    def _nodes(self) -> Iterator[tuple[Any, Own]]:
        """Yield the row of each node, and what its type adds to it."""
        node, ids = Node.__table__, self.written
        for start in range(0, len(ids), _BATCH):
            batch = select(node).where(node.c.id.in_(ids[start : start + _BATCH]))
            rows = self.session.connection().execute(batch).all()
            own = self.own.read({row.id: row.type for row in rows})
            yield from ((row, own[row.id]) for row in rows)

    def _text(self, node: Any, own: Own, place: _Place) -> str:
        def rewritten(destination: str) -> str | None:
            return self._destination(place, destination)

        url = None
        if own.link is not None:
            own_url, target_id = own.link
            if target_id is not None:
                url = self._link_to_node(place, target_id)
            else:
                url = rewritten(own_url or str(node.extra.get("url") or ""))
        own.refer(lambda node_id: self._link_to_node(place, node_id), node.extra)
        meta = front_matter_of(node, own=own, weight=place.written_weight, url=url)
        self.aliases.put_into(meta, place.id, place.names)
        return dump(meta, rewrite_destinations(own.body, rewritten))

    def _destination(self, place: _Place, destination: str) -> str | None:
        """Return how a file says what a link in the tree says; None where that is the same."""
        node_id = reference_id(destination)
        if node_id is not None:
            return self._link_to_node(place, node_id) + split_destination(destination)[1]
        if not is_internal(destination):
            return None
        # What the importer would find is written in the one way that exports write it.
        names = self.resolver.resolve(place.names, place.file, destination)
        if names is None:
            return None
        return self._link(place, names) + split_destination(destination)[1]

    def _link_to_node(self, place: _Place, node_id: int) -> str:
        if node_id in self.places:
            return self._link(place, self.at + self.places[node_id].names)
        if node_id not in self.outside:
            self.outside[node_id] = paths_of(self.session, [node_id], EVERYTHING).get(node_id)
        names = self.outside[node_id]
        return f"{LOST}{node_id}" if names is None else self._link(place, names)

    def _link(self, place: _Place, names: Names) -> str:
        """Return the relative link to the place *names* of the site."""
        folder = place.file.parent.parts
        is_inside = names[: len(self.at)] == self.at
        target = self.by_names.get(names[len(self.at) :]) if is_inside else None
        if target is None:
            # Out of the directory: an import into the same place finds it there.
            return outward_link(self.at, names)
        if target.has_file:
            return relative_link(folder, target.file.parts)
        return relative_link(folder, target.names, is_directory=True)


def _places(session: Session, top_id: int) -> dict[int, _Place]:
    down = descend(top_id, trash=False)
    columns = (
        *(Node.id, Node.parent_id, Node.name, Node.type, Node.title, Node.nav_title),
        *(Node.summary, Node.state, Node.extra),
    )
    query = (
        select(*columns)
        .join_from(down, Node, Node.id == down.c.id)
        .order_by(down.c.depth, Node.position, Node.id)
    )
    places: dict[int, _Place] = {}
    children: defaultdict[int, list[_Place]] = defaultdict(list)
    for row in session.execute(query):
        place = _Place(
            id=row.id,
            type=row.type,
            names=() if row.id == top_id else (*places[row.parent_id].names, row.name),
            label=row.nav_title or row.title,
            weight=weight_of(row.extra),
            aliases=aliases_of(row.extra),
            is_bare_folder=is_bare_folder(row),
        )
        places[row.id] = place
        if row.id != top_id:
            children[row.parent_id].append(place)
            places[row.parent_id].has_children = True
    for siblings in children.values():
        _give_files(siblings)
        _give_weights(siblings)
    return places


def _give_files(siblings: list[_Place]) -> None:
    names = {place.names[-1] for place in siblings}
    for place in siblings:
        name = place.names[-1]
        folder = PurePosixPath(*place.names)
        # A file b.md may not stand where another page's directory b.md has to.
        in_its_way = name + SUFFIX in names
        if place.has_children or name.lower() in INDEX_STEMS or in_its_way:
            place.file = folder / _INDEX
        else:
            place.file = folder.with_name(name + SUFFIX)


def _give_weights(siblings: list[_Place]) -> None:
    """Write weights only where the order is not what the pages themselves would give."""
    natural = sorted(siblings, key=lambda p: sort_key(p.weight, p.label, p.names[-1]))
    if natural != siblings:
        for number, place in enumerate(siblings, 1):
            place.written_weight = number * 10
