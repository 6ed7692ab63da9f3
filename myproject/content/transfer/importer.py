"""Importing a directory: everything or nothing, and a second time without doubling anything.

The caller's transaction holds it all. A plan is an import whose transaction is thrown away, so it
tells exactly what would happen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectin_polymorphic, undefer

from myproject.content.aliases import Aliases, Claim, store_aliases
from myproject.content.destinations import rewrite_destinations
from myproject.content.operations import begin_history, change_type, finish, set_fields
from myproject.content.publishing import catch_up, save_newest, schedule
from myproject.content.references import LOST
from myproject.content.registry import ContentTypes
from myproject.content.revisions import Revision
from myproject.content.transfer.document import (
    EXPIRE_KEY,
    ORDER_KEYS,
    PUBLISH_KEY,
    Document,
    claim,
    sort_key,
    weight_of,
)
from myproject.content.transfer.links import (
    DRAFT_SUFFIX,
    SUFFIX,
    Names,
    Resolver,
    is_internal,
    split_destination,
)
from myproject.content.transfer.lookup import Lookup
from myproject.content.transfer.scan import Entry, Problem, Scan, scan
from myproject.content.types import Content, Folder, Link, Page
from myproject.db.base import utcnow
from myproject.exceptions import InvalidName, InvalidValue, MyprojectError, TooDeep
from myproject.interfaces import IMarkdownRenderer
from myproject.translation import in_english
from myproject.tree.known import own_tables
from myproject.tree.names import MAX_DEPTH, check_name, title_from_name
from myproject.tree.node import PUBLISHED, Node, has_unseen
from myproject.tree.operations import Tree
from myproject.tree.traversal import load_lineage
from myproject.tree.urls import join_path

_FOREIGN_REFERENCE = re.compile(r"node:(?=\d)")

#: Drafts that one statement looks for.
_BATCH = 500

#: What files call the times of a page.
_KEYS = {"publish_at": PUBLISH_KEY, "expire_at": EXPIRE_KEY}

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


class ImportFailed(MyprojectError):
    """Files could not be read; nothing has been imported.

    :ivar problems: all of them.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class Report:
    """What an import did.

    :ivar created, updated: places, relative to the site's root, in order.
    :ivar unchanged: number of pages that already said the same.
    :ivar drafted: places of pages that readers see whose drafts are new or say something else.
    :ivar reordered: number of pages that got another place among their siblings.
    :ivar broken_links: ``(file, destination)`` of links that lead to no page.
    :ivar aliases: what became of the other addresses that files name.
    :ivar problems: files that were skipped.
    :ivar ignored: number of other files by kind.
    """

    created: list[Names] = field(default_factory=list)
    updated: list[Names] = field(default_factory=list)
    drafted: list[Names] = field(default_factory=list)
    unchanged: int = 0
    reordered: int = 0
    broken_links: list[tuple[str, str]] = field(default_factory=list)
    aliases: Aliases = field(default_factory=Aliases)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    ignored: dict[str, int] = field(default_factory=dict)


def import_directory(
    tree: Tree,
    directory: Path,
    *,
    types: ContentTypes,
    renderer: IMarkdownRenderer,
    at: Names = (),
    skip_errors: bool = False,
    progress: Progress = lambda items, total: items,
) -> Report:
    """Import the Markdown files of *directory* into the place *at*, which is made if need be.

    Pages are matched by place: what exists is updated, what is missing is added, what only the
    site has stays as it is. What is written next of a page that readers see is saved as its draft.

    :param progress: wraps the longest loop: ``(items, total) -> items``.
    :param at: names in NFC.
    :raises ImportFailed: unless *skip_errors*, when files cannot be imported.
    :raises NotADirectory, InvalidName, TooDeep: for *directory* and *at*.
    """
    _check_target(at, tree.reserved)
    found = scan(directory)
    _refuse_impossible(found, types, at, tree.reserved)
    if found.problems and not skip_errors:
        raise ImportFailed(found.problems)
    found.add_folders()
    return _Import(tree, found, types, renderer, at).run(progress, skip_errors)


def _check_target(at: Names, reserved: frozenset[str]) -> None:
    for depth, name in enumerate(at):
        check_name(name, frozenset() if depth else reserved)
    if len(at) > MAX_DEPTH:
        raise TooDeep(MAX_DEPTH)


def _refuse_impossible(
    found: Scan, types: ContentTypes, at: Names, reserved: frozenset[str]
) -> None:
    for entries in (found.entries, found.drafts):
        for names, entry in list(entries.items()):
            problems = _problems_with_type(entry, types)
            if reason := _problem_with_place(at, names, reserved):
                problems.append((0, reason))
            for line, reason in problems:
                found.refuse(entry.file, reason, line)
            if problems:
                del entries[names]


def _problems_with_type(entry: Entry, types: ContentTypes) -> list[tuple[int, str]]:
    document = entry.document
    content_type = types.get(document.type)
    if content_type is None or not issubclass(content_type.cls, Content):
        return [
            (
                0,
                f"contentType {document.type!r} cannot be imported here: "
                "no add-on that is on has such a type",
            )
        ]
    if not document.head:
        return []
    problems = claim(
        document,
        content_type.cls,
        document.head,
        incomplete=content_type.incomplete_drafts,
    )
    document.head = ""
    return problems


def _problem_with_place(at: Names, names: Names, reserved: frozenset[str]) -> str | None:
    if len(at + names) > MAX_DEPTH:
        return f"lies more than {MAX_DEPTH} levels deep"
    if not at and names:
        try:
            check_name(names[0], reserved)
        except InvalidName as error:
            return str(error)
    return None


class _Import:
    """One run: nodes first, then what they say, because a link may lead to any of them."""

    def __init__(
        self,
        tree: Tree,
        found: Scan,
        types: ContentTypes,
        renderer: IMarkdownRenderer,
        at: Names,
    ) -> None:
        self.tree, self.found, self.types, self.renderer, self.at = tree, found, types, renderer, at
        self.session: Session = tree.session
        self.nodes: dict[Names, Node] = {}
        self.created: set[Names] = set()
        self.retyped: set[Names] = set()
        self.drafts: Sequence[Revision] = ()
        self.lookup = Lookup(self.session)
        self.resolver = Resolver(
            {names: entry.document.aliases for names, entry in found.entries.items()},
            at,
            lambda names: self.lookup.find(names) is not None,
        )
        self.complete = _complete_nodes(types)
        self.report = Report(
            problems=found.problems, files=found.files, ignored=dict(found.ignored)
        )

    def run(self, progress: Progress, skip_errors: bool) -> Report:
        self._join_drafts()
        self._place_top()
        levels: defaultdict[Names, list[Entry]] = defaultdict(list)
        for names, entry in self.found.entries.items():
            if names:
                levels[names[:-1]].append(entry)
        for above in sorted(levels, key=len):
            self._place(above, levels[above])
        if self.report.problems and not skip_errors:
            raise ImportFailed(self.report.problems)
        entries = list(self.found.entries.values())
        for entry in progress(entries, len(entries)):
            self._fill(entry)
        self.session.flush()
        self._save_drafts()
        if self.report.problems and not skip_errors:
            raise ImportFailed(self.report.problems)
        for children in levels.values():
            self._sort(children)
        self._store_aliases()
        return self.report

    def _join_drafts(self) -> None:
        """Where readers see nothing of a page, what is written next of it is what it says."""
        for names, draft in list(self.found.drafts.items()):
            entry = self.found.entries.get(names)
            if entry is None or entry.document.fields.get("state", PUBLISHED) == PUBLISHED:
                continue
            page = entry.document
            keys = ("state", "created_at", "modified_at")
            kept = {key: page.fields[key] for key in keys if key in page.fields}
            order = {key: page.extra[key] for key in ORDER_KEYS if key in page.extra}
            document = replace(
                draft.document,
                fields={**draft.document.fields, **kept},
                extra={**draft.document.extra, **order},
                publish_at=draft.document.publish_at or page.publish_at,
                expire_at=page.expire_at,
                aliases=page.aliases,
            )
            self.found.entries[names] = Entry(names, draft.file, document)
            del self.found.drafts[names]

    def _store_aliases(self) -> None:
        claims = [
            Claim(self.nodes[names].id, names, str(entry.file), entry.document.aliases)
            for names, entry in self.found.entries.items()
            if not entry.document.implied
        ]
        self.report.aliases = store_aliases(
            self.session,
            claims,
            at=self.at,
            reserved=self.tree.reserved,
            actor=self.tree.actor.name,
        )

    # -- places -----------------------------------------------------------------------------------

    def _place_top(self) -> None:
        """Find the node to import into, with folders made on the way where there are none."""
        nodes = load_lineage(self.session, self.at).nodes
        node = nodes[-1]
        for depth in range(len(nodes) - 1, len(self.at)):
            name = self.at[depth]
            node = self.tree.add(node, Folder(title=title_from_name(name), extra={}), name)
            if depth + 1 == len(self.at) and () in self.found.entries:
                self.created.add(())
            else:
                finish(self.tree, node, self.renderer)
                self.report.created.append(self.at[: depth + 1])
        self.nodes[()] = node
        if () in self.found.entries:
            self._use(node, self.found.entries[()])

    def _place(self, above: Names, entries: list[Entry]) -> None:
        parent = self.nodes[above]
        existing = {} if above in self.created else self._children(parent)
        new = []
        for entry in sorted(entries, key=_order):
            name = entry.names[-1]
            if name in existing:
                self._use(existing[name], entry)
            else:
                content_type = self.types.require(entry.document.type)
                values = {"title": entry.document.fields["title"], "extra": {}}
                node = content_type.cls(name=name, **values, **entry.document.own)
                self.nodes[entry.names] = node
                self.created.add(entry.names)
                new.append(node)
        self.tree.add_many(parent, new)

    def _children(self, parent: Node) -> dict[str, Node]:
        children = self.complete.where(Node.parent_id == parent.id)
        return {node.name: node for node in self.session.scalars(children)}

    def _use(self, node: Node, entry: Entry) -> None:
        """Take the *node* that is at the entry's place, turned into its type if need be."""
        document = entry.document
        self.nodes[entry.names] = node
        if document.implied or node.type == document.type:
            return
        if self.types.get(node.type) is None:
            place = join_path(self.at + entry.names)
            self.found.refuse(entry.file, f"{place} is a {node.type!r}, which files cannot hold")
            del self.found.entries[entry.names]
            return
        self.nodes[entry.names] = change_type(
            self.tree,
            node,
            document.type,
            self.types,
            document.own,
            # What is missing by then is found out when all has been filled in.
            incomplete=True,
        )
        self.retyped.add(entry.names)

    def _sort(self, entries: list[Entry]) -> None:
        """Put imported siblings into their order; what is in order already is not touched."""
        wanted = sorted(entries, key=self._order_now)
        for entry, following in reversed(list(pairwise(wanted))):
            node, next_node = self.nodes[entry.names], self.nodes[following.names]
            if (node.position, node.id) > (next_node.position, next_node.id):
                self.tree.reorder(node, next_node)
                # A new page is put into its place; that is no news.
                self.report.reordered += entry.names not in self.created

    def _order_now(self, entry: Entry) -> tuple[Any, ...]:
        node = self.nodes[entry.names]
        return sort_key(weight_of(node.extra), node.label, node.name)

    # -- content ----------------------------------------------------------------------------------

    def _fill(self, entry: Entry) -> None:
        node, document = self.nodes[entry.names], entry.document
        is_new = entry.names in self.created
        if document.implied and not is_new:
            self.report.unchanged += 1
            return
        if not is_new:
            catch_up(self.tree, node, self.renderer)
        values = self._values(entry, node)
        keep = None if is_new else partial(begin_history, self.tree, node)
        changed = set_fields(node, values, before=keep)
        is_taken_back = "state" in changed and node.state != PUBLISHED
        changed |= _plan(node, document, is_taken_back=is_taken_back)
        if not changed and not is_new and entry.names not in self.retyped:
            self.report.unchanged += 1
            return
        if not is_new and "modified_at" not in values:
            node.modified_at = utcnow()
        try:
            finish(
                self.tree,
                node,
                self.renderer,
                changed=None if is_new else changed,
                # A time that was set before holds for it, too.
                incomplete=document.may_be_incomplete
                and node.publish_at is None
                and self.types.require(node.type).incomplete_drafts,
            )
        except MyprojectError as error:
            raise ImportFailed([Problem(str(entry.file), 0, str(error))]) from error
        place = self.at + entry.names
        (self.report.created if is_new else self.report.updated).append(place)

    def _save_drafts(self) -> None:
        drafts = list(self.found.drafts.values())
        for start in range(0, len(drafts), _BATCH):
            batch = drafts[start : start + _BATCH]
            nodes = [self.nodes.get(entry.names) for entry in batch]
            ids = [node.draft_id for node in nodes if node is not None and node.draft_id]
            # The session has them while they are kept; one by one it would be a statement each.
            self.drafts = self.session.scalars(select(Revision).where(Revision.id.in_(ids))).all()
            for entry in batch:
                self._save_draft(entry)

    def _save_draft(self, entry: Entry) -> None:
        """Save what is written next of a page, ahead of what its readers see."""
        document, place = entry.document, self.at + entry.names
        node = self.nodes.get(entry.names) or self._node_at(place)
        if node is None:
            name = entry.file.name[: -len(DRAFT_SUFFIX + SUFFIX)] + SUFFIX
            reason = f"there is no page {join_path(place)}; call a new one {name}, with draft: true"
            self.found.refuse(entry.file, reason)
            return
        if node.type != document.type:
            reason = f"{join_path(place)} is a {node.type!r}, its draft a {document.type!r}"
            self.found.refuse(entry.file, reason)
            return
        values = self._values(entry, node)
        for name in ("state", "created_at", "modified_at"):
            values.pop(name, None)
        begin, end = document.publish_at, document.expire_at
        try:
            changed = save_newest(
                self.tree,
                node,
                values,
                self.renderer,
                incomplete=document.may_be_incomplete
                and self.types.require(node.type).incomplete_drafts,
            )
            wanted = (begin or node.publish_at, end or node.expire_at)
            if has_unseen(node) and wanted != (node.publish_at, node.expire_at):
                schedule(self.tree, node, *wanted)
                changed.add("publish_at")
        except InvalidValue as error:
            key = _KEYS.get(error.field, error.field)
            reason = f"{key}: {in_english(error.reason)}"
            raise ImportFailed([Problem(str(entry.file), 0, reason)]) from error
        except MyprojectError as error:
            raise ImportFailed([Problem(str(entry.file), 0, str(error))]) from error
        if changed:
            self.report.drafted.append(place)

    def _values(self, entry: Entry, node: Node) -> dict[str, Any]:
        """Return field -> value of what a file says of a node."""
        document = entry.document
        values = {**document.fields, **document.own, "extra": dict(document.extra)}
        if isinstance(node, Page) and document.body is not None:
            values["body"] = self._with_references(entry, document.body)
        if isinstance(node, Link):
            values |= self._link_target(entry, values["extra"])
        for name, (key, link) in document.references.items():
            values[name] = self._reference(entry, key, link, values["extra"])
        return values

    def _node_at(self, place: Names) -> Node | None:
        node_id = self.lookup.find(place)
        if node_id is None:
            return None
        return self.session.scalars(self.complete.where(Node.id == node_id)).one_or_none()

    def _with_references(self, entry: Entry, body: str) -> str:
        def reference(destination: str) -> str | None:
            if _FOREIGN_REFERENCE.match(destination):
                # A number of another site would lead to a stranger here.
                return LOST + destination.removeprefix("node:")
            if not is_internal(destination):
                return None
            names = self._find(entry, destination)
            if names is None:
                return None
            return f"node:{self._id_at(names)}{split_destination(destination)[1]}"

        return rewrite_destinations(body, reference)

    def _link_target(self, entry: Entry, extra: dict[str, Any]) -> dict[str, Any]:
        """Return the columns of a Link; what leads nowhere stays in *extra*, lest it be lost."""
        url = str(extra.pop("url", "") or "")
        names = self._find(entry, url) if is_internal(url) else None
        if names is not None:
            _, suffix = split_destination(url)
            # A reference has no room for a fragment.
            if suffix:
                return {"target_id": None, "url": join_path(names) + suffix}
            return {"target_id": self._id_at(names), "url": ""}
        if url.startswith(LOST) or (is_internal(url) and not url.startswith("/")):
            extra["url"], url = url, ""
        return {"target_id": None, "url": url}

    def _reference(self, entry: Entry, key: str, link: str, extra: dict[str, Any]) -> int | None:
        """Return the id of the page that a field leads to; what leads to none stays in *extra*."""
        if not link:
            return None
        names = self._find(entry, link) if is_internal(link) else None
        if names is not None:
            return self._id_at(names)
        extra[key] = _FOREIGN_REFERENCE.sub(LOST, link, count=1)
        return None

    def _find(self, entry: Entry, destination: str) -> Names | None:
        """Return the place on the site that a link leads to; one that leads nowhere is reported."""
        names = self.resolver.resolve(entry.names, entry.file, destination)
        if names is None:
            self.report.broken_links.append((str(entry.file), destination))
        return names

    def _id_at(self, names: Names) -> int | None:
        is_below = names[: len(self.at)] == self.at
        node = self.nodes.get(names[len(self.at) :]) if is_below else None
        return self.lookup.find(names) if node is None else node.id


def _plan(node: Node, document: Document, *, is_taken_back: bool) -> set[str]:
    """Have a node appear and disappear when its file says so; return names of what that changed.

    What a file does not say of it stays as it is, as far as that makes sense yet.

    :param is_taken_back: whether the file has taken it back from readers.
    """
    # Then nothing is left of what somebody has agreed to, or has planned.
    is_over = is_taken_back or (node.state == PUBLISHED and node.draft_id is None)
    begin = document.publish_at or (None if is_over else node.publish_at)
    end = document.expire_at or node.expire_at
    if begin is not None and end is not None and end <= begin:
        begin, end = document.publish_at, document.expire_at
    planned: dict[str, Any] = {"publish_at": begin, "expire_at": end}
    if is_over:
        planned["stage"] = ""
    if node.state != PUBLISHED:
        # The file is newer than what was ahead of what readers saw once.
        planned["draft_id"] = None
    changed = {name for name, value in planned.items() if getattr(node, name) != value}
    for name in changed:
        setattr(node, name, planned[name])
    return changed


def _complete_nodes(types: ContentTypes) -> Select[Any]:
    """Return a query of nodes with all that files say of them: one by one it would be a statement
    each. What other sites in this process have registered may have no table here."""
    classes = [each.cls for each in types if own_tables(each.cls)]
    deferred = (Page.body, Node.extra, Node.created_at)
    return select(Node).options(
        selectin_polymorphic(Node, classes), *(undefer(column) for column in deferred)
    )


def _order(entry: Entry) -> tuple[Any, ...]:
    fields = entry.document.fields
    label = fields.get("nav_title") or fields["title"]
    return sort_key(entry.document.weight, label, entry.names[-1])
