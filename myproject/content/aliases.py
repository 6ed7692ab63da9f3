"""Aliases: the other addresses of a page that its file names, and the redirects that they are.

A file writes them from the top of its directory (``/old/page/``) or, as Hugo reads them, from
where the page's siblings are (``old-name``). They stay in ``node.extra`` as they were written; the
redirects are what counts, because a page may be moved, and a redirect deleted by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from myproject.content.transfer.links import (
    Names,
    follow_path,
    is_internal,
    outward_link,
    split_destination,
)
from myproject.content.transfer.lookup import Lookup
from myproject.translation import in_english
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.redirects import (
    Origin,
    Redirect,
    addresses_of,
    problem_with_address,
    resting,
    write,
)
from myproject.tree.urls import paths_of
from myproject.tree.visibility import EVERYTHING

_BATCH = 500


def place_of(alias: str, names: Names, at: Names) -> Names | None:
    """Return the address that an alias of the page *names* is, if it can be one.

    :param names: the page's place below the directory's top.
    :param at: the place on the site that the directory's top is.
    """
    path, more = split_destination(alias)
    if more or not is_internal(alias):
        return None
    base = at if path.startswith("/") else (at + names)[:-1]
    return follow_path(base, unquote(path))


def listed(value: Any) -> list[Any]:
    """Return what front matter says of aliases as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


# -- importing -------------------------------------------------------------------------------------


class Claim(NamedTuple):
    """A page, and the aliases that its file names.

    :ivar names: its place below the directory's top.
    """

    node_id: int
    names: Names
    file: str
    aliases: Sequence[str]


@dataclass(slots=True)
class Aliases:
    """What an import made of aliases.

    :ivar made, removed: number of redirects.
    :ivar shadowed: ``(file, alias)`` where there is a page, which keeps its address.
    :ivar refused: ``(file, alias, reason)`` of those that lead nowhere.
    """

    made: int = 0
    removed: int = 0
    shadowed: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)


def store_aliases(
    session: Session,
    claims: Collection[Claim],
    *,
    at: Names = (),
    reserved: Collection[str] = frozenset(),
    actor: str = "",
) -> Aliases:
    """Have the aliases of pages lead to them, and those that files no longer name nowhere.

    :param claims: all pages that files are about, also those without aliases.
    :param reserved: first names that belong to routes.
    """
    return _Storing(session, claims, at, reserved, actor).run()


class _Storing:
    def __init__(
        self,
        session: Session,
        claims: Collection[Claim],
        at: Names,
        reserved: Collection[str],
        actor: str,
    ) -> None:
        self.session, self.claims, self.at = session, claims, at
        self.reserved, self.actor = reserved, actor
        self.lookup, self.found = Lookup(session), Aliases()

    def run(self) -> Aliases:
        wanted = self._wanted()
        present = self._present()
        named = {(claim.node_id, address) for address, (claim, _) in wanted.items()}
        needless = [
            row.id
            for (node_id, address), row in present.items()
            if row.origin == Origin.ALIAS and (node_id, address) not in named
        ]
        new = {
            address: claim
            for address, claim in wanted.items()
            if (claim[0].node_id, address) not in present
        }
        self._delete(needless)
        rows = self._rows(new)
        write(self.session, rows)
        self.found.made, self.found.removed = len(rows), len(needless)
        return self.found

    def _wanted(self) -> dict[Names, tuple[Claim, str]]:
        """Return address -> the page that it is to lead to, and how its file writes it."""
        wanted: dict[Names, tuple[Claim, str]] = {}
        for claim in self.claims:
            for alias in claim.aliases:
                address = place_of(alias, claim.names, self.at)
                if address == self.at + claim.names:
                    continue
                if (reason := self._problem(address)) is not None:
                    self.found.refused.append((claim.file, alias, reason))
                    continue
                assert address is not None
                first, _ = wanted.setdefault(address, (claim, alias))
                if first is not claim:
                    reason = f"It is an alias of {first.file} as well."
                    self.found.refused.append((claim.file, alias, reason))
                elif self.lookup.find(address) is not None:
                    self.found.shadowed.append((claim.file, alias))
        return wanted

    def _problem(self, address: Names | None) -> str | None:
        if address is None:
            return "It is no path on this site."
        problem = problem_with_address(address, self.reserved)
        return None if problem is None else in_english(problem)

    def _present(self) -> dict[tuple[int, Names], Redirect]:
        """Return the redirects that lead to these pages, by page and address."""
        present: dict[tuple[int, Names], Redirect] = {}
        for row, address in _leading_to(self.session, [claim.node_id for claim in self.claims]):
            if row.target_id is not None:
                present[row.target_id, address] = row
        return present

    def _rows(self, new: Mapping[Names, tuple[Claim, str]]) -> list[dict[str, Any]]:
        keys = {self._key(address): claim for address, claim in new.items()}
        by_hand = self._by_hand(keys)
        rows = []
        for key, (claim, alias) in keys.items():
            if key in by_hand:
                reason = "Somebody has had this address lead elsewhere."
                self.found.refused.append((claim.file, alias, reason))
                continue
            where = dict(zip(("parent_id", "name", "rest"), key, strict=True))
            row = {"target_id": claim.node_id, "url": "", "origin": Origin.ALIAS}
            rows.append({**where, **row, "actor": self.actor})
        return rows

    def _key(self, address: Names) -> tuple[int, str, str]:
        """Return the columns of a redirect from an address: from the deepest place there is."""
        parent_id, depth = ROOT_ID, 0
        while depth < len(address) - 1:
            below = self.lookup.find(address[: depth + 1])
            if below is None:
                break
            parent_id, depth = below, depth + 1
        name, *rest = address[depth:]
        return parent_id, name, "/".join(rest)

    def _by_hand(self, keys: Mapping[tuple[int, str, str], Any]) -> set[tuple[int, str, str]]:
        """Return those of the keys at which there is a redirect that a person made."""
        names = sorted({name for _, name, _ in keys})
        found: set[tuple[int, str, str]] = set()
        for start in range(0, len(names), _BATCH):
            query = select(Redirect.parent_id, Redirect.name, Redirect.rest).where(
                Redirect.origin == Origin.MANUAL, Redirect.name.in_(names[start : start + _BATCH])
            )
            found.update((row[0], row[1], row[2]) for row in self.session.execute(query))
        return found & keys.keys()

    def _delete(self, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), _BATCH):
            self.session.execute(
                delete(Redirect).where(Redirect.id.in_(ids[start : start + _BATCH]))
            )


# -- exporting -------------------------------------------------------------------------------------


class WrittenAliases:
    """The aliases that files are to name: those of redirects, as they were written if they were.

    :param ids: the pages that are exported.
    :param at: where on the site the directory's top is.
    """

    def __init__(self, session: Session, ids: Collection[int], at: Names) -> None:
        self._at = at
        self._addresses: dict[int, dict[Names, Redirect]] = {}
        for row, address in _leading_to(session, ids):
            if row.target_id is not None:
                self._addresses.setdefault(row.target_id, {})[address] = row
        rows = [row for found in self._addresses.values() for row in found.values()]
        self._resting = resting(session, rows)
        self._all = {address for found in self._addresses.values() for address in found}

    def has(self, node_id: int) -> bool:
        """Whether there is something to say of a page beyond what was written."""
        return node_id in self._addresses

    def put_into(self, meta: dict[str, Any], node_id: int, names: Names) -> None:
        """Set ``aliases`` in the front matter of the page *names* (below the top)."""
        rows = self._addresses.get(node_id, {})
        before = listed(meta.get("aliases"))
        has_aliases = any(row.origin == Origin.ALIAS for row in rows.values())
        said: set[Names] = set()
        kept = [alias for alias in before if self._is_kept(alias, names, said, certain=has_aliases)]
        more = [
            outward_link_below(self._at, address)
            for address in sorted(rows.keys() - said)
            if rows[address].id not in self._resting or rows[address].origin == Origin.ALIAS
        ]
        if kept == before and not more:
            return
        if kept or more:
            # In its place where it has one; the order of keys is part of the file.
            meta["aliases"] = [*kept, *more]
        else:
            del meta["aliases"]

    def _is_kept(self, alias: Any, names: Names, said: set[Names], *, certain: bool) -> bool:
        address = place_of(alias, names, self._at) if isinstance(alias, str) else None
        if address is None or address == self._at + names or problem_with_address(address):
            return True
        said.add(address)
        # Where the page has redirects of aliases, one that is missing was deleted, or the page has
        # been moved since it was written from there.
        return address in self._all or not certain


def outward_link_below(at: Names, address: Names) -> str:
    """Return how a file in the directory that is *at* writes an address."""
    is_inside = address[: len(at)] == at
    return outward_link((), address[len(at) :]) if is_inside else outward_link(at, address)


def _leading_to(session: Session, ids: Collection[int]) -> Iterator[tuple[Redirect, Names]]:
    """Yield the redirects that lead to nodes, with their addresses."""
    numbers = sorted(ids)
    for start in range(0, len(numbers), _BATCH):
        query = select(Redirect).where(Redirect.target_id.in_(numbers[start : start + _BATCH]))
        rows = session.scalars(query).all()
        addresses = addresses_of(session, rows, EVERYTHING) if rows else {}
        for row in rows:
            address = addresses[row.id]
            if address is not None:
                yield row, address


# -- by hand ---------------------------------------------------------------------------------------


def forget_alias(session: Session, redirect: Redirect) -> None:
    """Have a page's file no longer name the address of a redirect that is about to be deleted, or
    to lead elsewhere; else the next import of that file would make it again."""
    if redirect.target_id is None:
        return
    node = session.get(Node, redirect.target_id)
    address = addresses_of(session, [redirect], EVERYTHING)[redirect.id]
    if node is None or address is None or "aliases" not in node.extra:
        return
    place = paths_of(session, [node.id], EVERYTHING).get(node.id, ())
    before = listed(node.extra["aliases"])
    kept = [alias for alias in before if not _is_at(alias, address, place)]
    if kept != before:
        rest = {key: value for key, value in node.extra.items() if key != "aliases"}
        node.extra = {**node.extra, "aliases": kept} if kept else rest


def _is_at(alias: Any, address: Names, place: Names) -> bool:
    if not isinstance(alias, str):
        return False
    names = place_of(alias, place, ())
    if names is None or not alias.startswith("/"):
        return names == address
    # Nobody knows any more where the directory was imported that it begins at.
    return bool(names) and address[-len(names) :] == names


def remove(session: Session, redirect: Redirect) -> None:
    """Delete a redirect, for good."""
    forget_alias(session, redirect)
    session.delete(redirect)
    session.flush()
