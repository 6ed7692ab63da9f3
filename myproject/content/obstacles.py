"""What keeps an operation from being undone, for many operations at once.

A list of operations says of each whether it can still be taken back. That takes seven statements,
however many operations there are and whatever they were about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.orm import Session, aliased

from myproject.content.operations_log import DISCARDING, Kind, Operation, Step
from myproject.content.revisions import Revision
from myproject.security.permissions import Permission
from myproject.tree.node import PUBLISHED, ROOT_ID, TRASHED, Node, is_ahead
from myproject.tree.placement import Placement
from myproject.tree.urls import climb
from myproject.tree.visibility import ids_in

_ = TranslationStringFactory("myproject")

#: Pairs of place and name that one statement looks for.
_BATCH = 400


class _Way(NamedTuple):
    """The way from a place up to the root: its ids, and whether one of them is in the trash."""

    ids: frozenset[int]
    trashed: bool


class Obstacles:
    """What keeps operations from being undone, and what undoing them takes.

    :param session: it only reads.
    :param operations: they are looked at all at once.
    """

    def __init__(self, session: Session, operations: Sequence[Operation]) -> None:
        self.session = session
        self.operations = operations
        ids = [operation.id for operation in operations]
        self.steps: defaultdict[int, list[Step]] = defaultdict(list)
        for step in session.scalars(
            select(Step).where(Step.operation_id.in_(ids)).order_by(Step.operation_id, Step.number)
        ):
            self.steps[step.operation_id].append(step)
        steps = [step for some in self.steps.values() for step in some]
        places = {step.came_from.parent_id for step in steps if step.came_from is not None}
        self._nodes = self._load_nodes({*places, *(step.node_id for step in steps)})
        self._ways = self._load_ways(places)
        self._later = self._load_later(ids)
        self._saved = self._load_saved(steps)
        self._taken = self._load_taken(steps)
        self._undoers = self._load_undoers()

    # -- answers ----------------------------------------------------------------------------------

    def reason(self, operation: Operation) -> Any:
        """Return why an operation cannot be undone, as a translation string; None if it can."""
        if operation.undone_by_id is not None:
            who = self._undoers.get(operation.undone_by_id, "")
            return _("It has been undone already, by ${who}.", mapping={"who": who})
        if operation.kind == Kind.PURGE:
            return _("What was deleted for good cannot be brought back.")
        reasons = (self._why_not(step, operation.kind) for step in self.steps[operation.id])
        return next((reason for reason in reasons if reason is not None), None)

    def needed(self, operation: Operation) -> set[tuple[int, str]]:
        """Return what undoing takes: pairs of a boundary and a permission there."""
        taken = operation.permissions.split()
        return {need for step in self.steps[operation.id] for need in self._needed(step, taken)}

    def _why_not(self, step: Step, kind: str) -> Any:
        node, after, title = self._nodes.get(step.node_id), step.went_to, {"title": step.title}
        if node is None:
            return _("“${title}” has been deleted for good since.", mapping=title)
        later = self._later.get((step.operation_id, step.node_id))
        if later is not None:
            return _(
                "“${title}” has been changed by ${who} since. Undo that first.",
                mapping={**title, "who": later},
            )
        there = (node.parent_id or ROOT_ID, node.name, node.state)
        if after is None or there != (after.parent_id, after.name, after.state):
            return _("“${title}” is no longer where this has put it.", mapping=title)
        if kind in DISCARDING:
            return self._why_not_ahead(step, node, after)
        return self._why_not_stand(step, node, after)

    def _why_not_ahead(self, step: Step, node: Any, after: Placement) -> Any:
        """Return why a draft cannot come back, or go again."""
        is_saved = (step.operation_id, step.node_id) in self._saved
        if not is_saved and node.draft_id == after.draft_id:
            return None
        return _(
            "“${title}” has been saved since. What was discarded is in its history: restore it "
            "from there.",
            mapping={"title": step.title},
        )

    def _why_not_stand(self, step: Step, node: Any, after: Placement) -> Any:
        """Return why a node cannot stand again where it stood, in the tree and in its workflow."""
        before, title = step.came_from, {"title": step.title}
        if before is not None and before.stage != after.stage:
            if node.stage != after.stage:
                return _("“${title}” is in another state than this has put it in.", mapping=title)
            if before.state == after.state == PUBLISHED and not is_ahead(node):
                return _(
                    "Readers see the changes to “${title}” already. Restore an older version from "
                    "its history instead.",
                    mapping=title,
                )
        if _plans(before, after) and (node.publish_at, node.expire_at) != after.times:
            return _("Something else is planned for “${title}” by now.", mapping=title)
        if (step.operation_id, step.node_id) in self._saved:
            return _(
                "“${title}” has been saved since. Publish what it says now instead.",
                mapping=title,
            )
        if before is None or before.state == TRASHED or before[:2] == after[:2]:
            return None
        return self._why_not_there(step, before)

    @staticmethod
    def is_scheduling(step: Step) -> bool:
        """Whether a step has changed nothing but what is planned."""
        before, after = step.came_from, step.went_to
        return before is not None and after is not None and before.standing == after.standing

    def _why_not_there(self, step: Step, before: Placement) -> Any:
        """Return why a node cannot go back to where it was."""
        parent, way = self._nodes.get(before.parent_id), self._ways.get(before.parent_id)
        if parent is None or way is None:
            return _(
                "The page that “${title}” was in has been deleted for good.",
                mapping={"title": step.title},
            )
        mapping = {"place": parent.title, "title": step.title}
        if way.trashed:
            return _(
                "“${place}”, where “${title}” was, is in the trash. Restore it first.",
                mapping=mapping,
            )
        if step.node_id in way.ids:
            return _("“${place}”, where “${title}” was, lies within it now.", mapping=mapping)
        others = self._taken.get((before.parent_id, before.name), {})
        other = next((name for number, name in others.items() if number != step.node_id), None)
        if other is None:
            return None
        return _(
            "There is another page called ${name} at its old place now: “${other}”.",
            mapping={"name": before.name, "other": other},
        )

    def _needed(self, step: Step, taken: Sequence[str]) -> Iterable[tuple[int, str]]:
        """Yield what undoing a step takes.

        :param taken: the permissions of the transitions that its operation has taken.
        """
        node, before, after = self._nodes.get(step.node_id), step.came_from, step.went_to
        if node is None or after is None:
            return
        here = node.boundary_id
        if before is None or TRASHED in (before.state, after.state):
            # Away to the trash, or back from there.
            yield here, Permission.DELETE
        elif (before.state, before.stage) != (after.state, after.stage) or self.is_scheduling(step):
            yield from ((here, permission) for permission in taken or (Permission.PUBLISH,))
        if before is None or before.state == TRASHED:
            return
        if before.parent_id != after.parent_id:
            place = self._nodes.get(before.parent_id)
            yield here, Permission.MOVE
            yield (ROOT_ID if place is None else place.boundary_id), Permission.ADD
        elif after.state != TRASHED and before[1:3] != after[1:3]:
            yield here, Permission.MOVE

    # -- what they are made from ------------------------------------------------------------------

    def _load_nodes(self, ids: Iterable[int]) -> Mapping[int, Any]:
        query = select(
            *(Node.id, Node.parent_id, Node.name, Node.state, Node.title, Node.boundary_id),
            *(Node.draft_id, Node.stage, Node.publish_at, Node.expire_at),
        ).where(_among(Node.id, ids))
        return {row.id: row for row in self.session.execute(query)}

    def _load_ways(self, places: Iterable[int]) -> Mapping[int, _Way]:
        up = climb(select(Node.id).where(_among(Node.id, places)))
        ids, trashed = defaultdict[int, set[int]](set), set[int]()
        rows = self.session.execute(select(up.c.origin, up.c.parent_id, up.c.state))
        for origin, parent_id, state in rows:
            ids[origin] |= {origin, parent_id or ROOT_ID}
            if state == TRASHED:
                trashed.add(origin)
        return {place: _Way(frozenset(way), place in trashed) for place, way in ids.items()}

    def _load_later(self, ids: Sequence[int]) -> Mapping[tuple[int, int], str]:
        """Return operation and node -> who did something to it later that still holds."""
        later, other = aliased(Step), aliased(Operation)
        # The first one of each by itself: a page to which much is done would have to be read whole.
        number = (
            select(later.operation_id)
            .join(other, other.id == later.operation_id)
            .where(
                later.node_id == Step.node_id,
                later.operation_id > Step.operation_id,
                other.undone_by_id.is_(None),
                other.undoes_id.is_(None) | (other.undoes_id < Step.operation_id),
            )
            .order_by(later.operation_id)
            .limit(1)
            .correlate(Step)
            .scalar_subquery()
        )
        first = (
            select(Step.operation_id, Step.node_id, number.label("first"))
            .where(Step.operation_id.in_(ids))
            .subquery()
        )
        query = select(first.c.operation_id, first.c.node_id, Operation.actor).join(
            Operation, Operation.id == first.c.first
        )
        return {(row[0], row[1]): row[2] for row in self.session.execute(query)}

    def _load_saved(self, steps: Sequence[Step]) -> set[tuple[int, int]]:
        """Return operation and node, where undoing would show readers, at once or on time, what
        has been saved since, so that nobody has agreed to it; or would bring a draft back that has
        nothing of it."""
        discarding = {each.id for each in self.operations if each.kind in DISCARDING}
        shown = {
            (step.operation_id, step.node_id)
            for step in steps
            if step.operation_id in discarding or _shows(step.went_to, step.came_from)
        }
        if not shown:
            return set()
        since = select(Revision.id).where(
            Revision.node_id == Step.node_id, Revision.at > Operation.at
        )
        query = (
            select(Step.operation_id, Step.node_id)
            .join(Operation, Operation.id == Step.operation_id)
            .where(Step.operation_id.in_({number for number, _node in shown}), since.exists())
        )
        return {(row[0], row[1]) for row in self.session.execute(query)} & shown

    def _load_taken(self, steps: Iterable[Step]) -> Mapping[tuple[int, str], Mapping[int, str]]:
        """Return place and name -> id and title of the pages that have this address now."""
        wanted = {
            before[:2]
            for step in steps
            if (before := step.came_from) is not None
            and (step.went_to is None or before[:2] != step.went_to[:2])
        }
        found: defaultdict[tuple[int, str], dict[int, str]] = defaultdict(dict)
        pairs = sorted(wanted)
        for start in range(0, len(pairs), _BATCH):
            query = select(Node.parent_id, Node.name, Node.id, Node.title).where(
                tuple_(Node.parent_id, Node.name).in_(pairs[start : start + _BATCH])
            )
            for parent_id, name, number, title in self.session.execute(query):
                found[parent_id or ROOT_ID, name][number] = title
        return found

    def _load_undoers(self) -> Mapping[int, str]:
        ids = {operation.undone_by_id for operation in self.operations} - {None}
        if not ids:
            return {}
        query = select(Operation.id, Operation.actor).where(Operation.id.in_(ids))
        return {row[0]: row[1] for row in self.session.execute(query)}


def _plans(before: Placement | None, after: Placement) -> bool:
    """Whether a step has changed what is planned, and not what readers see."""
    return before is not None and before.state == after.state and before.times != after.times


def _shows(now: Placement | None, then: Placement | None) -> bool:
    """Whether readers would see a page, at once or on time, that was put back from one standing to
    another, and do not as it stands now."""
    if now is None or then is None or TRASHED in (now.state, then.state):
        return False
    is_published = then.state == PUBLISHED and now.state != PUBLISHED
    return is_published or (then.publish_at is not None and then.publish_at != now.publish_at)


def _among(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """Return "one of these"; one parameter, however many there are."""
    listed = ids_in(literal(",".join(map(str, sorted(ids)))))
    return column.op("IN", is_comparison=True)(listed)
