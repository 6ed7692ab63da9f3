"""Plans: what an operation would do, in numbers, before it is done.

A plan reads and never writes. It says how many pages it is about, what becomes of links to them,
who gains or loses what, and everything that stands in its way; an operation whose plan has no
problems goes through, unless somebody else was quicker. What a plan takes does not depend on how
often it is looked at, and grows with the section that it is about only by counting its rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myproject.content.journal import Kind
from myproject.content.links import links_into
from myproject.content.registry import ContentTypes
from myproject.exceptions import InvalidName
from myproject.security.access import Access, Policies
from myproject.security.effects import Effect, Region, effects_of
from myproject.security.permissions import Permission
from myproject.tree.copying import descend
from myproject.tree.names import MAX_DEPTH, check_name, free_name
from myproject.tree.node import PUBLISHED, ROOT_ID, TRASHED, Node
from myproject.tree.operations import DEEP, height_of, way_up
from myproject.tree.trash import Trashed

_ = TranslationStringFactory("myproject")

#: Pages that link into a section and are named one by one.
LINKING = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps an operation from being done.

    :ivar node_id: the node that it is about; None for the operation as a whole.
    :ivar title: of the node.
    :ivar reason: a sentence, as a translation string.
    :ivar name: the name that could not be used, where that is what is wrong.
    :ivar suggestion: one that could.
    """

    node_id: int | None
    title: str
    reason: Any
    name: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation would do.

    :ivar nodes: those that it was asked for.
    :ivar target: where they would go.
    :ivar pages: how many pages these are with all that lies below them, without the trash.
    :ivar published: how many of them readers can see now, as far as their own state says.
    :ivar links_in: how many links from elsewhere lead to them.
    :ivar linking: ids of some of the pages that have these links.
    :ivar effects: who gains or loses what.
    :ivar problems: what keeps it from being done.
    """

    kind: Kind
    nodes: tuple[Node, ...]
    target: Node | None = None
    pages: int = 0
    published: int = 0
    links_in: int = 0
    linking: tuple[int, ...] = ()
    effects: tuple[Effect, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    @property
    def is_possible(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.problems

    @property
    def digest(self) -> str:
        """A short text that is the same as long as the plan says the same.

        A form carries it, so that nobody confirms one thing and gets another.
        """
        said = (
            *(self.kind, [node.id for node in self.nodes]),
            None if self.target is None else self.target.id,
            *(self.pages, self.published, self.links_in, self.effects),
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


class Planner:
    """Makes plans on behalf of somebody.

    :param session: it only reads.
    :param types: the content types that are switched on.
    :param policies: who may do what.
    :param access: what this person may do; None for the operator, who may do everything.
    :param reserved: names that no child of the root may have.
    """

    def __init__(
        self,
        session: Session,
        types: ContentTypes,
        policies: Policies,
        access: Access | None,
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self.session = session
        self.types = types
        self.policies = policies
        self.access = access
        self.reserved = reserved

    # -- plans ------------------------------------------------------------------------------------

    def rename(self, node: Node, name: str) -> Plan:
        """Return what giving *node* another name would do."""
        problems = self._refused([node], Permission.MOVE, Kind.RENAME)
        if node.parent is not None:
            problems += self._names(node.parent, {node: name})
        return self._counted(Plan(Kind.RENAME, (node,), problems=tuple(problems)))

    def move(
        self, nodes: Sequence[Node], parent: Node, names: Mapping[int, str] | None = None
    ) -> Plan:
        """Return what putting nodes below *parent* would do.

        :param names: node id -> another name, for those that get one.
        """
        problems = self._refused(nodes, Permission.MOVE, Kind.MOVE)
        coming = [node for node in nodes if node.parent_id != parent.id]
        problems += self._coming(nodes, parent, Kind.MOVE, _named(coming, names))
        plan = self._counted(Plan(Kind.MOVE, tuple(nodes), parent, problems=tuple(problems)))
        return replace(plan, effects=tuple(self._effects(coming, parent)))

    def copy(
        self, nodes: Sequence[Node], parent: Node, names: Mapping[int, str] | None = None
    ) -> Plan:
        """Return what putting copies of nodes below *parent* would do."""
        problems = self._refused(nodes, Permission.VIEW, Kind.COPY)
        problems += self._coming(nodes, parent, Kind.COPY, _named(nodes, names))
        plan = Plan(Kind.COPY, tuple(nodes), parent, problems=tuple(problems))
        pages, published = self._count(nodes)
        return replace(plan, pages=pages, published=published)

    def trash(self, nodes: Sequence[Node]) -> Plan:
        """Return what putting nodes into the trash would do."""
        problems = self._refused(nodes, Permission.DELETE, Kind.TRASH)
        problems += self._out_of_reach(nodes, Permission.DELETE)
        return self._counted(Plan(Kind.TRASH, tuple(nodes), problems=tuple(problems)))

    def set_state(self, nodes: Sequence[Node], state: str) -> Plan:
        """Return what publishing nodes, or taking them back from readers, would do."""
        problems = self._refused(nodes, Permission.PUBLISH, Kind.STATE)
        plan = Plan(Kind.STATE, tuple(nodes), problems=tuple(problems))
        # Publishing breaks no links; and a draft hides what is below it.
        return plan if state == PUBLISHED else self._counted(plan)

    def restore(
        self,
        nodes: Sequence[Node],
        parent: Node | None = None,
        names: Mapping[int, str] | None = None,
    ) -> Plan:
        """Return what bringing nodes back from the trash would do.

        :param parent: where to; where each of them was when left out.
        """
        called = {
            row.node_id: row.name
            for row in self.session.scalars(
                select(Trashed).where(Trashed.node_id.in_([node.id for node in nodes]))
            )
        }
        wanted = {**called, **(names or {})}
        problems: list[Problem] = []
        for node in nodes:
            if node.id not in called:
                reason = _("It is not in the trash any more.")
                problems.append(Problem(node.id, node.title, reason))
        places: dict[int, list[Node]] = {}
        for node in nodes:
            place = node.parent if parent is None else parent
            if place is not None and node.id in called:
                places.setdefault(place.id, []).append(node)
        for place_id, coming in places.items():
            place = self.session.get_one(Node, place_id)
            problems += self._coming(coming, place, Kind.RESTORE, _named(coming, wanted))
        pages, published = self._count(nodes)
        moving = [] if parent is None else [node for node in nodes if node.parent_id != parent.id]
        return Plan(
            Kind.RESTORE,
            tuple(nodes),
            parent,
            pages,
            published,
            effects=() if parent is None else tuple(self._effects(moving, parent)),
            problems=tuple(problems),
        )

    def purge(self, nodes: Sequence[Node]) -> Plan:
        """Return what deleting nodes for good would do."""
        problems = self._out_of_reach(nodes, Permission.DELETE)
        return self._counted(Plan(Kind.PURGE, tuple(nodes), problems=tuple(problems)))

    # -- what stands in the way -------------------------------------------------------------------

    def why_not_below(
        self,
        nodes: Sequence[Node],
        parent: Any,
        above: Collection[int],
        kind: Kind = Kind.MOVE,
    ) -> Any:
        """Return why nodes cannot go below a place, as a translation string; None if they can.

        Asks the database nothing, so a picker can ask it of each place that it shows.

        :param parent: a node, or a row with its ``id``, ``type`` and ``boundary_id``.
        :param above: ids of the places above it.
        """
        way = {parent.id, *above}
        for node in nodes:
            if node.id == parent.id and kind != Kind.COPY:
                return _("This is what you are moving.")
            if node.id in way and kind != Kind.COPY:
                return _("It lies within what you are moving.")
            if kind == Kind.MOVE and node.parent_id == parent.id:
                return _("It is there already.")
        for node in nodes:
            if (reason := self._why_not_added(node, parent)) is not None:
                return reason
        if len(way) >= MAX_DEPTH:
            return _("It lies too deep: addresses have at most ${n} parts.", {"n": MAX_DEPTH})
        return None

    def _why_not_added(self, node: Node, parent: Any) -> Any:
        content_type = self.types.get(node.type)
        if content_type is None:
            return _("Its content type is not switched on.")
        if content_type.addable_in is not None and parent.type not in content_type.addable_in:
            return _("Content of this type cannot be added there.")
        needed = {Permission.ADD, content_type.permission}
        if not self._may(parent.boundary_id, *needed):
            return _("You may not add pages there.")
        return None

    def _coming(
        self, nodes: Sequence[Node], parent: Node, kind: Kind, named: Mapping[Node, str]
    ) -> list[Problem]:
        """Return what keeps nodes from coming below *parent*, by these names.

        Of somebody who may not add anything there it is not even asked what there is.
        """
        problems = self._place_problems(nodes, parent, kind)
        return problems or self._names(parent, named, are_new=kind == Kind.COPY)

    def _place_problems(self, nodes: Sequence[Node], parent: Node, kind: Kind) -> list[Problem]:
        up = way_up(self.session, parent.id)
        if TRASHED in up.values():
            reason = _("It is in the trash. Restore it first, or choose another place.")
            return [Problem(None, parent.title, reason)]
        above = [node_id for node_id in up if node_id != parent.id]
        problems = []
        for node in nodes:
            reason = self.why_not_below([node], parent, above, kind)
            if reason is None and self._is_too_deep(len(up), node):
                reason = _(
                    "It would lie too deep: addresses have at most ${n} parts.",
                    mapping={"n": MAX_DEPTH},
                )
            if reason is not None:
                problems.append(Problem(node.id, node.title, reason))
        return problems

    def _is_too_deep(self, depth: int, node: Node) -> bool:
        return depth > DEEP and depth + height_of(self.session, node.id) > MAX_DEPTH

    def _refused(self, nodes: Iterable[Node], permission: str, kind: Kind) -> list[Problem]:
        """Return a problem for each node that this person may not do this with."""
        problems = []
        for node in nodes:
            if node.is_root and kind != Kind.STATE:
                reason = _("This is the root of the site, which stays where it is.")
            elif node.state == TRASHED:
                reason = _("It is in the trash. Restore it first.")
            elif not self._may(node.boundary_id, permission):
                reason = _("You may not do this here.")
            else:
                continue
            problems.append(Problem(node.id, node.title, reason))
        return problems

    def _out_of_reach(self, nodes: Sequence[Node], permission: str) -> list[Problem]:
        """Return a problem where pages below lie that this person may not do this with."""
        if self.access is None:
            return []
        down, node = descend(*(node.id for node in nodes)), Node.__table__
        query = (
            select(node.c.boundary_id, func.count())
            .join_from(down, node, node.c.id == down.c.id)
            .group_by(node.c.boundary_id)
        )
        rows = self.session.connection().execute(query).all()
        count = sum(pages for place, pages in rows if not self._may(place, permission))
        if not count:
            return []
        reason = _(
            "${n} of the pages below are out of your reach: you may not delete them.",
            mapping={"n": count},
        )
        return [Problem(None, "", reason)]

    def _may(self, boundary_id: int, *permissions: str) -> bool:
        return self.access is None or set(permissions) <= self.access.at(boundary_id)

    def _names(
        self, parent: Node, wanted: Mapping[Node, str], *, are_new: bool = False
    ) -> list[Problem]:
        """Return a problem for each name that cannot be used below *parent*."""
        problems, good = [], {}
        for node, name in wanted.items():
            try:
                good[node] = check_name(
                    name, self.reserved if parent.id == ROOT_ID else frozenset()
                )
            except InvalidName as error:
                reason = _("The name ${name} cannot be used.", mapping={"name": f"“{name}”"})
                suggestion = free_name(f"{name}-2", set()) if error.name else ""
                problems.append(Problem(node.id, node.title, reason, name, suggestion))
        taken = self._taken(parent, set(good.values()), () if are_new else good)
        counts = Counter(good.values())
        for node, name in good.items():
            if name not in taken and counts[name] < 2:
                continue
            counts[name] -= 1
            free = free_name(name, self._like(parent, name) | set(good.values()))
            reason = _("There is another page called ${name} there.", mapping={"name": f"“{name}”"})
            problems.append(Problem(node.id, node.title, reason, name, free))
        return problems

    def _taken(self, parent: Node, names: set[str], but: Iterable[Node]) -> set[str]:
        node = Node.__table__
        query = select(node.c.name).where(
            node.c.parent_id == parent.id,
            node.c.name.in_(names),
            node.c.id.not_in([each.id for each in but]),
        )
        return set(self.session.scalars(query)) if names else set()

    def _like(self, parent: Node, name: str) -> set[str]:
        """Return the names of children that begin like one."""
        node = Node.__table__
        # A range, which the index on names serves: a pattern would read all the children.
        query = select(node.c.name).where(
            node.c.parent_id == parent.id, node.c.name.startswith(name, autoescape=True)
        )
        return set(self.session.scalars(query))

    # -- counting ---------------------------------------------------------------------------------

    def _counted(self, plan: Plan) -> Plan:
        """Return *plan* with how many pages it is about, and how many links lead to them."""
        pages, published = self._count(plan.nodes)
        count, linking = links_into(self.session, [node.id for node in plan.nodes], limit=LINKING)
        return replace(
            plan, pages=pages, published=published, links_in=count, linking=tuple(linking)
        )

    def _count(self, nodes: Iterable[Node]) -> tuple[int, int]:
        down, node = descend(*(node.id for node in nodes), trash=False), Node.__table__
        published = func.count().filter(node.c.state == PUBLISHED)
        query = select(func.count(), published).join_from(down, node, node.c.id == down.c.id)
        found = self.session.connection().execute(query).one()
        return found[0], found[1]

    def _effects(self, nodes: Sequence[Node], parent: Node) -> list[Effect]:
        """Return who gains or loses what when nodes come to lie below *parent*."""
        new = parent.boundary_id
        coming = [node for node in nodes if self._outer(node) != new]
        if not coming:
            return []
        regions: Counter[tuple[int, int]] = Counter()
        places, affected = dict(self.policies.places), set[int]()
        for node in coming:
            old = self._outer(node)
            for boundary_id, pages in self._by_boundary(node):
                regions[boundary_id, new if boundary_id == old else boundary_id] += pages
                place = places.get(boundary_id)
                if place is not None and boundary_id != old and place.above == old:
                    places[boundary_id] = replace(place, above=new)
            affected |= {reason.principal_id for reason in self.policies.applying(old)}
        affected |= {reason.principal_id for reason in self.policies.applying(new)}
        after = Policies(places, self.policies.roles)
        found = [Region(*key, pages) for key, pages in regions.items()]
        return effects_of(self.session, self.policies, after, found, affected)

    @staticmethod
    def _outer(node: Node) -> int:
        """Return the boundary that a node lies in when its own is left out."""
        return ROOT_ID if node.parent is None else node.parent.boundary_id

    def _by_boundary(self, node: Node) -> list[tuple[int, int]]:
        down, table = descend(node.id, trash=False), Node.__table__
        query = (
            select(table.c.boundary_id, func.count())
            .join_from(down, table, table.c.id == down.c.id)
            .group_by(table.c.boundary_id)
        )
        return [(row[0], row[1]) for row in self.session.connection().execute(query)]


def _named(nodes: Iterable[Node], names: Mapping[int, str] | None) -> dict[Node, str]:
    new = names or {}
    return {node: new.get(node.id, node.name) for node in nodes}
