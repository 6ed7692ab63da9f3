"""What waits for somebody: pages to review, pages that were sent back, and what became of others.

A page remembers only that it is in review. Who has submitted it, when and why is in the journal of
operations, which goes with it through every undo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from myproject.addons.review.steps import IN_REVIEW, REJECT, SUBMIT
from myproject.content.operations_log import DISCARDING, Operation, Step
from myproject.tree.lineages import load_with_lineage
from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.tree.placement import Placement
from myproject.tree.timing import seen_state
from myproject.tree.urls import climb, out_of_reach
from myproject.tree.visibility import BoundarySet, is_member, parameters_of

#: Pages of a list, at most.
MOST = 100

#: Submissions of somebody that are looked through, the latest first.
LOOKED_THROUGH = 500


#: That an operation was not taken back, and has taken back none.
_HOLDS = (Operation.undone_by_id.is_(None), Operation.undoes_id.is_(None))


class Waiting(NamedTuple):
    """A page, and the step that has brought it where it is.

    :ivar step: None for one that came there on another way, such as an import.
    """

    node: Node
    step: Operation | None


def _is_hidden() -> ColumnElement[bool]:
    """Return "there is something that readers do not see"."""
    node = Node.__table__.c
    ahead = and_(node.draft_id.is_not(None), node.state == PUBLISHED)
    return and_(node.state != TRASHED, or_(seen_state(node) != PUBLISHED, ahead))


def _last_step(*transitions: str) -> Any:
    """Return the number of a node's last step in the workflow that still holds; or of what has
    taken away what was on its way."""
    # Down the index of the node's own steps: a maximum of a join may be looked for among all
    # operations, for each node anew.
    query = (
        select(Step.operation_id)
        .join(Operation, Operation.id == Step.operation_id)
        .where(Step.node_id == Node.id, *_HOLDS)
        .order_by(Step.operation_id.desc())
        .limit(1)
    )
    if transitions:
        query = query.where(Operation.transition.in_(transitions))
    else:
        query = query.where(or_(Operation.transition != "", Operation.kind.in_(DISCARDING)))
    return query.correlate(Node).scalar_subquery()


def load_to_review(
    session: Session, places: BoundarySet, drafts: BoundarySet, *, most: int = MOST
) -> list[Waiting]:
    """Return pages in review, those that have waited longest first; one statement.

    :param places: the boundaries within which somebody may review.
    :param drafts: those within which they may see drafts, and so what lies below these.
    """
    submitted, here = _last_step(SUBMIT), select(Node.id).where(*_in_review(places))
    query = (
        select(Node, Operation)
        .outerjoin(Operation, Operation.id == submitted)
        .where(*_in_review(places), Node.id.not_in(out_of_reach(here, drafts, "drafts")))
        .order_by(Operation.id, Node.id)
        .limit(most)
    )
    return _waiting(session, query, parameters_of({"places": places, "drafts": drafts}))


def count_to_review(
    session: Session, places: BoundarySet, drafts: BoundarySet, *, most: int = MOST
) -> int:
    """Return how many pages are in review, as :func:`load_to_review` has them; one statement.

    :param most: more are not counted, and only twice as many are looked at: reviewers have this on
        each page.
    """
    if places.kind == "none":
        return 0
    found = select(Node.id).where(*_in_review(places)).limit(2 * most).cte("found")
    hidden = out_of_reach(select(found.c.id), drafts, "drafts")
    query = select(func.count()).select_from(found).where(found.c.id.not_in(hidden))
    count = (
        session.connection().scalar(query, parameters_of({"places": places, "drafts": drafts})) or 0
    )
    return min(count, most)


def _in_review(places: BoundarySet) -> Sequence[ColumnElement[bool]]:
    return (*_waits(), is_member(Node.__table__.c.boundary_id, places.kind, "places"))


def _waits() -> Sequence[ColumnElement[bool]]:
    stage = Node.__table__.c.stage
    # As the index says it: SQLite uses that for nothing else.
    return (stage == IN_REVIEW, stage != literal_column("''"), _is_hidden())


def load_submitted(session: Session, user_id: int) -> tuple[list[Waiting], list[Waiting]]:
    """Return what somebody has submitted: what was sent back, and what still waits for others.

    The latest first; one statement.
    """
    mine = (
        select(Operation.id)
        .where(Operation.actor_id == user_id, Operation.transition == SUBMIT)
        .order_by(Operation.at.desc(), Operation.id.desc())
        .limit(LOOKED_THROUGH)
    )
    nodes = select(Step.node_id).where(Step.operation_id.in_(mine.subquery().select()))
    query = (
        select(Node, Operation)
        .join(Operation, Operation.id == _last_step())
        .where(
            Node.id.in_(nodes),
            _is_hidden(),
            or_(
                and_(Operation.transition == REJECT, Node.stage == ""),
                and_(Operation.transition == SUBMIT, Node.stage == IN_REVIEW),
            ),
        )
        .order_by(Operation.id.desc())
        .limit(2 * MOST)
    )
    found = _waiting(session, query, {})
    back = [each for each in found if each.node.stage == ""]
    return back, [each for each in found if each.node.stage == IN_REVIEW]


def _waiting(session: Session, query: Any, parameters: dict[str, Any]) -> list[Waiting]:
    return [Waiting(*row) for row in session.execute(query, parameters)]


def load_submitters(
    session: Session, ids: Collection[int], undone_id: int | None = None
) -> dict[int, int]:
    """Return node -> the user who has submitted it last; one statement.

    :param undone_id: an operation that counts although it has just been undone.
    """
    holds = or_(and_(*_HOLDS), Operation.id == undone_id)
    query = (
        select(Step.node_id, Operation.actor_id)
        .join(Operation, Operation.id == Step.operation_id)
        .where(Step.node_id.in_(ids), Operation.transition == SUBMIT, holds)
        .order_by(Operation.id)
    )
    last = {row[0]: row[1] for row in session.execute(query)}
    return {node_id: user_id for node_id, user_id in last.items() if user_id is not None}


def has_left(node: Node, stood: Placement | None) -> bool:
    """Whether a page was in review where it stood before, and is no longer."""
    if stood is None or stood.stage != IN_REVIEW or stood.state == TRASHED:
        return False
    return node.stage != IN_REVIEW or node.state == TRASHED


def load_hidden(session: Session, trashed: Collection[int]) -> Sequence[Node]:
    """Return the pages that are in review and lie below pages which have just gone to the trash;
    two statements.

    :param trashed: the ids of these. What lay in the trash before is left out.
    """
    up = climb(select(Node.id).where(*_waits()))
    ways: defaultdict[int, dict[int, Any]] = defaultdict(dict)
    for row in session.execute(select(up.c.origin, up.c.parent_id, up.c.state, up.c.height)):
        ways[row.origin][row.height] = row
    found = []
    for origin, way in ways.items():
        above = {
            way[height - 1].parent_id
            for height, row in way.items()
            if height and row.state == TRASHED
        }
        if above and above <= {*trashed}:
            found.append(origin)
    return [*load_with_lineage(session, found).values()]
