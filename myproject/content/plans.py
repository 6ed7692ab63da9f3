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
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from myproject.content.fields import editable_fields, missing_fields
from myproject.content.journal import Kind
from myproject.content.links import leading_into
from myproject.content.publishing import newest_of
from myproject.content.registry import ContentTypes
from myproject.content.workflow import Refusal, Transition, mark_of
from myproject.db.base import Id
from myproject.exceptions import InvalidName
from myproject.security.access import Access, Policies
from myproject.security.effects import Effect, Region, effects_of
from myproject.security.permissions import Permission
from myproject.tree.names import MAX_DEPTH, check_name, free_name, name_from_title, problem_with
from myproject.tree.node import PUBLISHED, ROOT_ID, TRASHED, Node
from myproject.tree.placing import DEEP, height_of, way_up
from myproject.tree.timing import seen_state
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
    :ivar seen: what else somebody who agrees to it has looked at.
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
    seen: tuple[str, ...] = ()

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
            *(self.pages, self.published, self.links_in, self.effects, self.seen),
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
        plan = Plan(Kind.RENAME, (node,), problems=tuple(problems))
        return self._counted(plan, self._measure([node]))

    def move(
        self, nodes: Sequence[Node], parent: Node, names: Mapping[int, str] | None = None
    ) -> Plan:
        """Return what putting nodes below *parent* would do.

        :param names: node id -> another name, for those that get one.
        """
        problems = self._refused(nodes, Permission.MOVE, Kind.MOVE)
        coming = [node for node in nodes if node.parent_id != parent.id]
        problems += self._coming(nodes, parent, Kind.MOVE, _named(coming, names))
        section = self._measure(nodes)
        effects = self._effects(section, coming, parent)
        plan = Plan(Kind.MOVE, tuple(nodes), parent, problems=tuple(problems))
        return self._counted(replace(plan, effects=tuple(effects)), section)

    def copy(
        self, nodes: Sequence[Node], parent: Node, names: Mapping[int, str] | None = None
    ) -> Plan:
        """Return what putting copies of nodes below *parent* would do."""
        problems = self._refused(nodes, Permission.VIEW, Kind.COPY)
        problems += self._coming(nodes, parent, Kind.COPY, _named(nodes, names))
        section = self._measure(nodes)
        problems += self._unseen_drafts(section)
        plan = Plan(Kind.COPY, tuple(nodes), parent, problems=tuple(problems))
        return replace(plan, pages=section.pages, published=section.published)

    def trash(self, nodes: Sequence[Node]) -> Plan:
        """Return what putting nodes into the trash would do."""
        problems = self._refused(nodes, Permission.DELETE, Kind.TRASH)
        section = self._measure(nodes)
        problems += self._out_of_reach(section, Permission.DELETE)
        return self._counted(Plan(Kind.TRASH, tuple(nodes), problems=tuple(problems)), section)

    def take(self, nodes: Sequence[Node], ways: Mapping[int, Transition | Refusal | None]) -> Plan:
        """Return what taking nodes through transitions of their workflows would do.

        :param ways: node id -> the transition, or why there is none, or None where there is nothing
            to do: what :meth:`myproject.content.workflow.Transitions.find` has said.
        """
        refused = [(node, ways[node.id]) for node in nodes]
        problems = [
            Problem(node.id, node.title, way.reason)
            for node, way in refused
            if isinstance(way, Refusal)
        ]
        taken = {id_: way for id_, way in ways.items() if isinstance(way, Transition)}
        problems += self._incomplete(
            node for node in nodes if node.id in taken and taken[node.id].target == PUBLISHED
        )
        # Who agrees to something agrees to what they have seen.
        seen = tuple(mark_of(node) for node in nodes)
        plan = Plan(Kind.STATE, tuple(nodes), problems=tuple(problems), seen=seen)
        hidden = any(PUBLISHED in way.sources for way in taken.values())
        # Publishing breaks no links; and a draft hides what is below it.
        return self._counted(plan, self._measure(nodes)) if hidden else plan

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
        section = self._measure(nodes)
        moving = [] if parent is None else [node for node in nodes if node.parent_id != parent.id]
        for node in moving:
            if not self._may(node.boundary_id, Permission.MOVE):
                reason = _("You may not move it, so it can only go back to where it was.")
                problems.append(Problem(node.id, node.title, reason))
        effects = [] if parent is None else self._effects(section, moving, parent)
        return Plan(
            Kind.RESTORE,
            tuple(nodes),
            parent,
            section.pages,
            section.published,
            effects=tuple(effects),
            problems=tuple(problems),
        )

    def purge(self, nodes: Sequence[Node]) -> Plan:
        """Return what deleting nodes for good would do."""
        section = self._measure(nodes, trash=True)
        problems = self._out_of_reach(section, Permission.DELETE)
        return self._counted(Plan(Kind.PURGE, tuple(nodes), problems=tuple(problems)), section)

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

    def _incomplete(self, nodes: Iterable[Node]) -> list[Problem]:
        """Return what is missing in drafts that are to be published."""
        problems = []
        for node in nodes:
            wanted = any(field.may_wait for field in editable_fields(type(node)))
            newest = newest_of(self.session, node) if wanted else node
            labels = [str(field.label) for field in missing_fields(newest)] if wanted else []
            if labels:
                said = {"fields": ", ".join(labels)}
                reason = _("It is not complete yet. It still needs: ${fields}.", mapping=said)
                problems.append(Problem(node.id, node.title, reason))
        return problems

    def _unseen_drafts(self, section: _Section) -> list[Problem]:
        """Return a problem where copies would show this person drafts that they may not see."""
        count = sum(
            group.pages
            for group in section.groups
            if group.state != PUBLISHED
            and not self._may(group.boundary_id, Permission.VIEW, Permission.VIEW_DRAFTS)
        )
        if not count:
            return []
        reason = _("${n} of these pages are drafts that you may not see.", mapping={"n": count})
        return [Problem(None, "", reason)]

    def _out_of_reach(self, section: _Section, permission: str) -> list[Problem]:
        """Return a problem where pages below lie that this person may not do this with."""
        count = sum(
            group.pages for group in section.groups if not self._may(group.boundary_id, permission)
        )
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
        reserved = self.reserved if parent.id == ROOT_ID else frozenset()
        for node, name in wanted.items():
            try:
                good[node] = check_name(name, reserved)
            except InvalidName as error:
                possible = name_from_title(name or node.title) if problem_with(name) else name
                possible = f"{possible}-2" if possible in reserved else possible
                free = free_name(possible, self._like(parent, possible))
                problems.append(Problem(node.id, node.title, error.message, name, free))
        taken = self._taken(parent, set(good.values()), () if are_new else good)
        counts = Counter(good.values())
        for node, name in good.items():
            if name not in taken and counts[name] < 2:
                continue
            counts[name] -= 1
            free = free_name(name, self._like(parent, name) | set(good.values()))
            reason = _("There is another page called “${name}” there.", mapping={"name": name})
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

    @staticmethod
    def _counted(plan: Plan, section: _Section) -> Plan:
        """Return *plan* with how many pages it is about, and how many links lead to them."""
        return replace(
            plan,
            pages=section.pages,
            published=section.published,
            links_in=section.links_in,
            linking=section.linking,
        )

    def _measure(self, nodes: Iterable[Node], *, trash: bool = False) -> _Section:
        """Walk once through what lies at and below nodes; one statement.

        :param trash: whether what lies in the trash below them counts.
        """
        node = Node.__table__
        # What has appeared or disappeared on time has, although nobody has noted it yet.
        seen = seen_state(node.c).label("state")
        down = (
            select(node.c.id.label("top"), node.c.id, node.c.boundary_id, seen)
            .where(node.c.id.in_([each.id for each in nodes]))
            .cte("down", recursive=True)
        )
        below = node.c.parent_id == down.c.id
        if not trash:
            below &= node.c.state != TRASHED
        # The walk carries what is counted: joined to it afterwards, it would be looked up again.
        columns = (down.c.top, node.c.id, node.c.boundary_id, seen)
        down = down.union_all(select(*columns).join_from(down, node, below))
        groups = (down.c.top, down.c.boundary_id, down.c.state)
        leading = leading_into(select(down.c.id), LINKING).cte("leading")
        counted = (cast(leading.c.source_id, Id), cast(leading.c.count, Id))
        query = union_all(
            select(literal(False).label("links"), *groups, func.count()).group_by(*groups),
            select(literal(True), *counted, cast(null(), node.c.state.type), cast(null(), Id)),
        )
        found, linking, links_in = [], [], 0
        for links, *row in self.session.connection().execute(query).all():
            if links:
                linking.append(row[0])
                links_in = row[1]
            else:
                found.append(_Group._make(row))
        return _Section(found, links_in, tuple(sorted(linking)))

    def _effects(self, section: _Section, nodes: Sequence[Node], parent: Node) -> list[Effect]:
        """Return who gains or loses what when nodes come to lie below *parent*.

        :param section: what lies at and below them.
        """
        new = parent.boundary_id
        outer = {node.id: self._outer(node) for node in nodes if self._outer(node) != new}
        if not outer:
            return []
        regions: Counter[tuple[int, int]] = Counter()
        places = dict(self.policies.places)
        for group in section.groups:
            old = outer.get(group.top)
            if old is None:
                continue
            here = group.boundary_id
            regions[here, new if here == old else here] += group.pages
            place = places.get(here)
            if place is not None and here != old and place.above == old:
                places[here] = replace(place, above=new)
        affected = {
            reason.principal_id
            for boundary_id in {new, *outer.values()}
            for reason in self.policies.applying(boundary_id)
        }
        after = Policies(places, self.policies.roles)
        found = [Region(*key, pages) for key, pages in regions.items()]
        return effects_of(self.session, self.policies, after, found, affected)

    @staticmethod
    def _outer(node: Node) -> int:
        """Return the boundary that a node lies in when its own is left out."""
        return ROOT_ID if node.parent is None else node.parent.boundary_id


class _Group(NamedTuple):
    """Pages below one of the nodes of a plan, with one boundary and one state."""

    top: int
    boundary_id: int
    state: str
    pages: int


class _Section(NamedTuple):
    """What lies at and below the nodes of a plan, and what leads to it from elsewhere."""

    groups: Sequence[_Group]
    links_in: int
    linking: tuple[int, ...]

    @property
    def pages(self) -> int:
        return sum(group.pages for group in self.groups)

    @property
    def published(self) -> int:
        return sum(group.pages for group in self.groups if group.state == PUBLISHED)


def _named(nodes: Iterable[Node], names: Mapping[int, str] | None) -> dict[Node, str]:
    new = names or {}
    return {node: new.get(node.id, node.name) for node in nodes}
