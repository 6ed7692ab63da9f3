"""Exporting a part of the tree as a directory of Markdown: what the importer reads back unchanged.

What readers do not see yet of a page goes into a file beside it, and times to come into its front
matter. Links between exported pages become relative links between files. The same tree always gives
the same bytes, and so does what an empty site imports from them.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from myproject.content.aliases import WrittenAliases
from myproject.content.destinations import rewrite_destinations
from myproject.content.known import StoredType, stored_types
from myproject.content.references import LOST, reference_id
from myproject.content.registry import ContentTypes
from myproject.content.revisions import Revision
from myproject.content.transfer.document import (
    EXPIRE_KEY,
    PUBLISH_KEY,
    aliases_of,
    front_matter_of,
    is_bare_folder,
    sort_key,
    weight_of,
)
from myproject.content.transfer.frontmatter import dump
from myproject.content.transfer.importer import Progress
from myproject.content.transfer.links import (
    DRAFT_SUFFIX,
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
from myproject.db.base import utcnow
from myproject.exceptions import MyprojectError
from myproject.tree.copying import descend
from myproject.tree.node import PUBLISHED, Node, seen_state_of
from myproject.tree.timing import database_now, seen_state
from myproject.tree.urls import join_path, paths_of
from myproject.tree.visibility import EVERYTHING

_BATCH = 500


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
    file: PurePosixPath = PurePosixPath()  # noqa: RUF009 - paths are immutable
    written_weight: int | None = None

    @property
    def has_file(self) -> bool:
        """Whether its directory alone does not say all there is."""
        needless = self.is_bare_folder and self.has_children and self.written_weight is None
        # The top's directory has the name that whoever exports gives it.
        return not needless or not self.names


@dataclass(frozen=True, slots=True)
class _Version:
    """What one file says of a node.

    :ivar node: a row of the node table, or what has the attributes of one.
    :ivar times: key -> time to come.
    :ivar is_ahead: whether it is a draft beside what readers see.
    """

    place: _Place
    node: Any
    own: Own
    times: Mapping[str, dt.datetime]
    is_ahead: bool = False

    @property
    def file(self) -> PurePosixPath:
        file = self.place.file
        return file.with_name(file.stem + DRAFT_SUFFIX + SUFFIX) if self.is_ahead else file


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
        # One moment for all: what becomes due meanwhile is still to come.
        self.now = utcnow()
        self.newer = _newer_fields(session)
        self.places = _places(session, top_id, self.newer, self.now)
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
        for versions in progress(self._versions(), len(self.written)):
            for version in versions:
                if not (version.place.has_file or version.is_ahead):
                    continue
                file = directory / version.file
                file.parent.mkdir(parents=True, exist_ok=True)
                # Where letter case does not matter, two pages may have one file: never write over
                # it.
                with file.open("x", encoding="utf-8", newline="\n") as out:
                    out.write(self._text(version))
                written += 1
        return written

    def _versions(self) -> Iterator[list[_Version]]:
        """Yield what is to be written of each node."""
        node, ids = Node.__table__, self.written
        for start in range(0, len(ids), _BATCH):
            batch = select(node).where(node.c.id.in_(ids[start : start + _BATCH]))
            rows = self.session.connection().execute(batch).all()
            types, ahead = {row.id: row.type for row in rows}, self._ahead(rows)
            newer = {row.id: self.newer[row.id] for row in rows if row.id in self.newer}
            own = self.own.read(types, newer)
            drafted = self.own.read({number: types[number] for number in ahead}, ahead)
            for row in rows:
                place, node_now = self.places[row.id], _now(row, newer.get(row.id))
                if row.id not in ahead:
                    yield [_Version(place, node_now, own[row.id], _times(row, self.now))]
                    continue
                times = _times(row, self.now, EXPIRE_KEY)
                page = _Version(place, node_now, own[row.id], times)
                draft = _Version(
                    place,
                    SimpleNamespace(**{**row._mapping, **ahead[row.id]}),
                    drafted[row.id],
                    _times(row, self.now, PUBLISH_KEY),
                    is_ahead=True,
                )
                is_news = self._text(draft) != self._text(replace(draft, node=row, own=page.own))
                yield [page, draft] if is_news else [page]

    def _ahead(self, rows: Iterable[Any]) -> dict[int, dict[str, Any]]:
        """Return id -> field -> value of what is ahead of what readers see."""
        has_draft = (row for row in rows if row.draft_id is not None)
        ids = [row.draft_id for row in has_draft if row.id not in self.newer]
        if not ids:
            return {}
        query = select(Revision.node_id, Revision.fields).where(Revision.id.in_(ids))
        return {row.node_id: row.fields for row in self.session.execute(query)}

    def _text(self, version: _Version) -> str:
        node, own, place = version.node, version.own, version.place

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
        meta = front_matter_of(
            node,
            own=own,
            weight=None if version.is_ahead else place.written_weight,
            url=url,
            times=version.times,
            is_ahead=version.is_ahead,
        )
        if not version.is_ahead:
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


def _newer_fields(session: Session) -> dict[int, dict[str, Any]]:
    """Return id -> field -> value of nodes whose draft is not beside what readers see, but what
    they see on time already, or what a page says that was taken back from them."""
    is_seen = seen_state(Node.__table__.c) == PUBLISHED
    query = (
        select(Node.id, Revision.fields, Revision.at)
        .join(Revision, Revision.id == Node.draft_id)
        .where(or_(~is_seen, Node.publish_at <= database_now()))
    )
    return {row.id: {**row.fields, "modified_at": row.at} for row in session.execute(query)}


def _now(row: Any, newer: Mapping[str, Any] | None) -> Any:
    """Return a row of a node as it would be if what is due had been done.

    :param newer: see :func:`_newer_fields`.
    """
    if newer is None and row.publish_at is None and row.expire_at is None:
        return row
    return SimpleNamespace(**{**row._mapping, **(newer or {}), "state": seen_state_of(row)})


def _times(row: Any, now: dt.datetime, *keys: str) -> dict[str, dt.datetime]:
    """Return the times to come of a row of a node, by their keys.

    :param keys: the only ones that count, if there are any.
    """
    times = {PUBLISH_KEY: row.publish_at, EXPIRE_KEY: row.expire_at}
    return {
        key: time
        for key, time in times.items()
        if time is not None and time > now and (not keys or key in keys)
    }


def _places(
    session: Session, top_id: int, newer: Mapping[int, Mapping[str, Any]], now: dt.datetime
) -> dict[int, _Place]:
    down = descend(top_id, trash=False)
    columns = (
        *(Node.id, Node.parent_id, Node.name, Node.type, Node.title, Node.nav_title),
        *(Node.summary, Node.extra, Node.state, Node.publish_at, Node.expire_at),
    )
    query = (
        select(*columns)
        .join_from(down, Node, Node.id == down.c.id)
        .order_by(down.c.depth, Node.position, Node.id)
    )
    places: dict[int, _Place] = {}
    children: defaultdict[int, list[_Place]] = defaultdict(list)
    for row in session.execute(query):
        node = _now(row, newer.get(row.id))
        place = _Place(
            id=row.id,
            type=row.type,
            names=() if row.id == top_id else (*places[row.parent_id].names, row.name),
            label=node.nav_title or node.title,
            weight=weight_of(node.extra),
            aliases=aliases_of(node.extra),
            is_bare_folder=is_bare_folder(node) and not _times(row, now),
        )
        places[row.id] = place
        if row.id != top_id:
            children[row.parent_id].append(place)
            places[row.parent_id].has_children = True
    names = {number: {each.names[-1] for each in below} for number, below in children.items()}
    places[top_id].file = PurePosixPath(_index_file(names.get(top_id, ())))
    for parent_id, siblings in children.items():
        for place in siblings:
            place.file = _file_of(place, names[parent_id], names.get(place.id, ()))
        _give_weights(siblings)
    return places


def _file_of(place: _Place, beside: Collection[str], inside: Collection[str]) -> PurePosixPath:
    """Return the file of a place.

    :param beside: the names of all that is in the same place as it.
    :param inside: the names of what is in it.
    """
    name, folder = place.names[-1], PurePosixPath(*place.names)
    means_something = name.lower() in INDEX_STEMS or name.lower().endswith(DRAFT_SUFFIX)
    if inside or means_something or _is_in_the_way(name, beside):
        return folder / _index_file(inside)
    return folder.with_name(name + SUFFIX)


def _index_file(inside: Collection[str]) -> str:
    """Return which of the files that could be a directory's own page is."""
    free = (stem for stem in INDEX_STEMS if not _is_in_the_way(stem, inside))
    return next(free, INDEX_STEMS[0]) + SUFFIX


def _is_in_the_way(stem: str, names: Collection[str]) -> bool:
    """Whether a page may have a directory where a file, or that of its draft, would have to be."""
    return stem + SUFFIX in names or stem + DRAFT_SUFFIX + SUFFIX in names


def _give_weights(siblings: list[_Place]) -> None:
    """Write weights only where the order is not what the pages themselves would give."""
    natural = sorted(siblings, key=lambda p: sort_key(p.weight, p.label, p.names[-1]))
    if natural != siblings:
        for number, place in enumerate(siblings, 1):
            place.written_weight = number * 10
