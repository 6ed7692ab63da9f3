"""Workflows: the states that a page goes through on its way to readers, and who may take it on.

A workflow is a state machine. Two of its states are the core's: a draft, and published. Those in
between are about what readers do not see, so a page with a draft beside what readers see is in two
states at once: it is published, and its draft stands somewhere on its way. A node remembers the
state in between as its ``stage``; one that no workflow knows, since its add-on is switched off, is
a draft like any other.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, object_session

from myproject.content.revisions import Revision
from myproject.exceptions import ConfigurationProblem, StepRefused
from myproject.security.access import Access
from myproject.security.permissions import Permission
from myproject.tree.actor import Actor
from myproject.tree.events import NodeEvent, NodeStateChanged
from myproject.tree.history import Place
from myproject.tree.node import DRAFT, PUBLISHED, TRASHED, Node, has_unseen
from myproject.tree.operations import Tree

_ = TranslationStringFactory("myproject")

#: Of a transition or a state: a part of forms and addresses.
LONGEST_NAME = 50

_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{LONGEST_NAME - 1}}}")


class Comment(StrEnum):
    """Whether somebody says why, when they take a page from one state to another."""

    NO = "no"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True)
class State:
    """Where a version of a page stands.

    :ivar name: as it is stored; ``draft`` and ``published`` are the core's.
    :ivar title: what a person calls it; a translation string where it is translated.
    :ivar reopens: whether a version that is saved in this state is a draft again. It says so where
        somebody has agreed to what the version before said.
    """

    name: str
    title: Any
    reopens: bool = False


#: ``(session, node, actor) -> why not``, as a translation string; None where nothing is against it.
Guard = Callable[[Session, Node, Actor], Any]


@dataclass(frozen=True)
class Transition:
    """A way from some states to another one.

    :ivar name: unique within its workflow.
    :ivar title: what the button says.
    :ivar sources, target: names of states.
    :ivar permission: what it takes at the page.
    :ivar comment: whether whoever takes it says why.
    :ivar of_own: whether it is open to somebody who has written what readers have not seen yet.
    :ivar guard: what else it depends on; asked when somebody is about to take it, not when it is
        offered.
    :ivar done: what is said when it has been taken, with ``${what}``; says the new state when left
        out.
    :ivar log: the same for lists of what was done, with ``${actor}`` and ``${what}``.
    """

    name: str
    title: Any
    sources: frozenset[str]
    target: str
    permission: str
    comment: Comment = Comment.NO
    of_own: bool = True
    guard: Guard | None = None
    done: Any = ""
    log: Any = ""


@dataclass(frozen=True)
class Workflow:
    """A state machine.

    :ivar name: what conflicts and the reference call it.
    :ivar states: in the order in which pages go through them; ``draft`` and ``published`` among
        them.
    :ivar transitions: in the order in which they are offered.
    :raises ConfigurationProblem: for one in which a page would be stuck, or that names what is not
        there.
    """

    name: str
    title: Any
    states: Sequence[State]
    transitions: Sequence[Transition]

    def __post_init__(self) -> None:
        if (problem := self._problem()) is not None:
            raise ConfigurationProblem(f"The workflow {self.name!r} cannot be used: {problem}")

    def _problem(self) -> str | None:
        names = [state.name for state in self.states]
        return (
            _problem_with_names("state", names)
            or _problem_with_names("transition", [each.name for each in self.transitions])
            or self._problem_with_states(names)
            or self._problem_with_ways(names)
        )

    def _problem_with_states(self, names: Sequence[str]) -> str | None:
        if TRASHED in names:
            return f"{TRASHED!r} is no state of a workflow."
        missing = [name for name in (DRAFT, PUBLISHED) if name not in names]
        return f"it has no state {missing[0]!r}." if missing else None

    def _problem_with_ways(self, names: Sequence[str]) -> str | None:
        for each in self.transitions:
            unknown = [name for name in (*sorted(each.sources), each.target) if name not in names]
            if unknown:
                return f"{each.name!r} names the state {unknown[0]!r}, which it does not have."
            if each.target in each.sources:
                return f"{each.name!r} leads from {each.target!r} to itself."
        for name in names:
            if not self._reaches(name, DRAFT):
                return f"nothing leads from {name!r} back to {DRAFT!r}: a page would be stuck."
            if not self._reaches(DRAFT, name):
                return f"nothing leads from {DRAFT!r} to {name!r}."
        return None

    def _reaches(self, source: str, target: str) -> bool:
        reached, before = {source}, set[str]()
        while reached != before:
            before = set(reached)
            reached |= {t.target for t in self.transitions if t.sources & reached}
        return target in reached

    @cached_property
    def stages(self) -> dict[str, State]:
        """The states between a draft and a published page, by name."""
        return {s.name: s for s in self.states if s.name not in (DRAFT, PUBLISHED)}

    def newest(self, row: Any) -> State:
        """Return the state of the newest version of a node.

        :param row: a node, or a row with its columns.
        """
        if not has_unseen(row):
            return self._by_name[PUBLISHED]
        return self.stages.get(row.stage) or self._by_name[DRAFT]

    def state(self, name: str) -> State:
        """Return one of its states.

        :raises KeyError: when it has none of this name.
        """
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, State]:
        return {state.name: state for state in self.states}

    def get(self, name: str) -> Transition | None:
        """Return one of its transitions, if it has one of this name."""
        return next((each for each in self.transitions if each.name == name), None)


def _problem_with_names(what: str, names: Sequence[str]) -> str | None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        return f"it has the {what} {twice[0]!r} twice."
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if not wrong:
        return None
    return (
        f"{wrong[0]!r} is no name of a {what}: small letters, digits and hyphens, at most "
        f"{LONGEST_NAME}."
    )


def _default() -> Workflow:
    states = (State(DRAFT, _("Draft")), State(PUBLISHED, _("Published")))
    publish = Transition("publish", _("Publish"), frozenset({DRAFT}), PUBLISHED, Permission.PUBLISH)
    unpublish = Transition(
        "unpublish", _("Unpublish"), frozenset({PUBLISHED}), DRAFT, Permission.PUBLISH
    )
    return Workflow("default", _("Publishing"), states, (publish, unpublish))


#: Two states: whoever may publish does so.
DEFAULT = _default()


class Workflows:
    """The workflows of one application, by content type."""

    def __init__(self) -> None:
        self._of_types: dict[str, Workflow] = {}
        self._general = DEFAULT

    def add(self, workflow: Workflow, type_name: str = "") -> None:
        """Have a type go through a workflow; all types that have none of their own where empty."""
        if type_name:
            self._of_types[type_name] = workflow
        else:
            self._general = workflow

    def of(self, type_name: str) -> Workflow:
        """Return the workflow that content of a type goes through."""
        return self._of_types.get(type_name, self._general)

    def __iter__(self) -> Iterator[Workflow]:
        """Iterate over the workflows, each once."""
        found = {id(each): each for each in (self._general, *self._of_types.values())}
        return iter(found.values())

    def title_of(self, name: str) -> Any:
        """Return what a state is called, as it is stored; one of a workflow that is switched off by
        now is a draft like any other."""
        titles = {state.name: state.title for each in self for state in each.states}
        return titles.get(name, titles[DRAFT])

    @cached_property
    def stages(self) -> dict[str, State]:
        """The states between a draft and a published page that there are, by name."""
        return {name: state for each in self for name, state in each.stages.items()}


def mark_of(node: Node) -> str:
    """Return a short text that is the same as long as the newest version of a node is the same.

    A form carries it, so that nobody publishes what somebody else has written meanwhile.
    """
    return f"{node.draft_id or 0}.{node.stage}.{node.modified_at.timestamp():.6f}"


@dataclass(frozen=True, slots=True)
class TransitionTaken:
    """Somebody has taken pages through transitions of their workflows, on a screen.

    Told in the transaction, which a subscriber ends by raising. What is undone is not told.

    :ivar scope: the request.
    :ivar nodes: those that are in another state now.
    :ivar transitions: node id -> the transition.
    :ivar stages: node id -> the stage that the node was in before.
    :ivar comment: why, in the words of whoever did.
    """

    scope: Any
    nodes: Sequence[Node]
    transitions: Mapping[int, Transition]
    stages: Mapping[int, str]
    comment: str


class Refusal(NamedTuple):
    """Why somebody cannot take a node from one state to another.

    :ivar reason: a translation string.
    :ivar permission: the one that is missing, if it is one.
    """

    reason: Any
    permission: str = ""


class Transitions:
    """What somebody may do with nodes by their workflows.

    :param access: what they may do; None for an operator, who may do everything.
    :param actor: who they are.
    """

    def __init__(
        self, session: Session, workflows: Workflows, access: Access | None, actor: Actor
    ) -> None:
        self.session, self.workflows = session, workflows
        self.access, self.actor = access, actor

    def offered(self, node: Node) -> list[Transition]:
        """Return the transitions that a node's states and somebody's permissions allow, in order.

        Takes no statement: guards are asked by :meth:`refusal`.
        """
        workflow = self.workflows.of(node.type)
        return [
            each
            for each in workflow.transitions
            if self._may(node.boundary_id, each.permission)
            and self._is_on(workflow, node, each, writing=False)
        ]

    def find(
        self, node: Node, *, target: str = "", name: str = "", writing: bool = False
    ) -> Transition | Refusal | None:
        """Return the transition to a state, or the one of this name; or else why there is none.

        None where there is nothing to do: the node is in that state.

        Where several lead there, it is the first one that nothing speaks against.

        :param target: the name of a state.
        :param name: of the transition.
        :param writing: whether it is about a version that they are saving right now, too. Of
            that no guard is asked: see :meth:`check_written`.
        """
        workflow = self.workflows.of(node.type)
        ways = [
            each
            for each in workflow.transitions
            if (each.name == name if name else each.target == target)
        ]
        if not ways:
            return Refusal(_("There is no such step in the workflow of this page."))
        refusals = []
        if not writing and self._is_there(workflow, node, ways):
            return None
        for way in ways:
            refusal = self.refusal(node, way, writing=writing)
            if refusal is None:
                return way
            refusals.append((self._is_on(workflow, node, way, writing=writing), refusal))
        # That of a way which at least begins where the page is tells more.
        return max(refusals, key=lambda pair: pair[0])[1]

    def refusal(
        self, node: Node, transition: Transition, *, writing: bool = False
    ) -> Refusal | None:
        """Return why somebody cannot take a transition; None if they can.

        :param writing: see :meth:`find`.
        """
        workflow = self.workflows.of(node.type)
        if not self._may(node.boundary_id, transition.permission):
            return Refusal(_("You may not do this here."), transition.permission)
        if not self._is_on(workflow, node, transition, writing=writing):
            return _elsewhere(workflow, node, transition)
        if not transition.of_own and self._is_own(node, writing=writing):
            return Refusal(
                _("You have written a part of this yourself, so somebody else has to decide.")
            )
        # What is being written is looked at when it has been.
        reason = None if writing else self._guarded(node, transition)
        return Refusal(reason) if reason else None

    def check_written(self, node: Node, transition: Transition | None) -> None:
        """Ask the guard of a transition that was found for a version which is written by now.

        :raises StepRefused: and what was written has to be taken back.
        """
        reason = None if transition is None else self._guarded(node, transition)
        if reason:
            raise StepRefused(reason)

    def _guarded(self, node: Node, transition: Transition) -> Any:
        return transition.guard and transition.guard(self.session, node, self.actor)

    def may_publish(self, node: Node) -> bool:
        """Whether somebody may save a version of a node and have readers see it at once."""
        found = self.find(node, target=PUBLISHED, writing=True)
        return isinstance(found, Transition)

    def find_for_new(self, type_name: str, boundary_id: int) -> Transition | Refusal:
        """Return the transition by which content of a type is published as it is added, or why not.

        :param boundary_id: of the place that it is added to.
        """
        ways = [
            each
            for each in self.workflows.of(type_name).transitions
            if each.target == PUBLISHED and DRAFT in each.sources and each.of_own
        ]
        if not ways:
            return Refusal(_("What is new has to be seen by somebody else first."))
        allowed = [each for each in ways if self._may(boundary_id, each.permission)]
        if not allowed:
            return Refusal(_("You may not do this here."), ways[0].permission)
        return allowed[0]

    def _is_there(self, workflow: Workflow, node: Node, ways: Sequence[Transition]) -> bool:
        """Whether a node is where all of these ways lead, and somebody might have taken one."""
        may = any(self._may(node.boundary_id, way.permission) for way in ways)
        return may and {way.target for way in ways} == _states(workflow, node)

    def _may(self, boundary_id: int, permission: str) -> bool:
        return self.access is None or permission in self.access.at(boundary_id)

    def _is_own(self, node: Node, *, writing: bool) -> bool:
        if self.actor.id is None:
            return False
        return writing or self.actor.id in authors_of_newest(self.session, node)

    @staticmethod
    def _is_on(workflow: Workflow, node: Node, transition: Transition, *, writing: bool) -> bool:
        """Whether a node is in a state from which a transition leads."""
        states = _states(workflow, node)
        if node.is_root:
            # Readers always see it.
            states -= {PUBLISHED}
        if writing:
            state = workflow.newest(node)
            again = state.name == PUBLISHED or state.reopens
            states |= {DRAFT} if again else {state.name}
        return bool(transition.sources & states)


def _states(workflow: Workflow, node: Node) -> set[str]:
    """Return the states that a node is in: of what readers see, and of what they do not."""
    seen = node.seen_state
    if seen == TRASHED:
        return set()
    return {workflow.newest(node).name} | ({PUBLISHED} if seen == PUBLISHED else set())


def _elsewhere(workflow: Workflow, node: Node, transition: Transition) -> Refusal:
    if node.state == TRASHED:
        return Refusal(_("It is in the trash. Restore it first."))
    if node.is_root and PUBLISHED in transition.sources:
        return Refusal(_("This is the root of the site, which readers always see."))
    mapping = {
        "state": workflow.newest(node).title,
        "states": ", ".join(
            str(state.title) for state in workflow.states if state.name in transition.sources
        ),
    }
    if transition.target == PUBLISHED and workflow.newest(node).name == PUBLISHED:
        return Refusal(_("Readers see the newest version already."))
    return Refusal(
        _("This takes one of these states: ${states}. It is: ${state}.", mapping=mapping)
    )


def authors_of_newest(session: Session, node: Node) -> set[int]:
    """Return the users who have saved what readers have not seen of a node; one statement."""
    return newest_authors(session, [node]).get(node.id, set())


def newest_authors(session: Session, nodes: Iterable[Node]) -> dict[int, set[int]]:
    """Return node -> the users who have saved what readers have not seen of it; two statements at
    most, however many nodes there are."""
    known = list(nodes)
    unseen = [node.id for node in known if node.seen_state != PUBLISHED]
    # What was ahead of what readers saw stays unseen when the page is taken back from them.
    ahead = [node.id for node in known if node.draft_id is not None and has_unseen(node)]
    found: defaultdict[int, set[int]] = defaultdict(set)
    for ids, is_newest in ((ahead, _is_ahead_of_live()), (unseen, _is_unseen())):
        if ids:
            query = (
                select(Revision.node_id, Revision.actor_id)
                .join(Node, Node.id == Revision.node_id)
                .where(Revision.node_id.in_(ids), is_newest)
                .distinct()
            )
            for node_id, actor_id in session.execute(query):
                if actor_id is not None:
                    found[node_id].add(actor_id)
    return found


def _is_ahead_of_live() -> ColumnElement[bool]:
    """Return "this revision belongs to its node's draft"."""
    # What readers see may be newer than a draft that was brought back: it begins after what they
    # saw when it was written.
    live = aliased(Revision)
    begun = select(func.max(live.id)).where(
        live.node_id == Node.id, live.valid_from.is_not(None), live.id < Node.draft_id
    )
    begun = func.coalesce(begun.correlate(Node).scalar_subquery(), 0)
    return and_(Revision.id > begun, Revision.valid_from.is_(None))


def _is_unseen() -> ColumnElement[bool]:
    """Return "this revision was saved since readers saw its node last", if they ever did; or "it
    was ahead of what they saw then, and something was saved since", which was made from it."""
    last = select(func.max(Place.valid_to)).where(
        Place.node_id == Node.id, Place.state == PUBLISHED
    )
    seen = last.correlate(Node).scalar_subquery()
    live, later = aliased(Revision), aliased(Revision)
    shown = select(func.max(live.id)).where(
        live.node_id == Node.id, live.valid_from.is_not(None), live.at <= seen
    )
    shown = func.coalesce(shown.correlate(Node).scalar_subquery(), 0)
    is_later = select(later.id).where(later.node_id == Node.id, later.at > seen)
    was_ahead = and_(
        Revision.valid_from.is_(None),
        Revision.id > shown,
        is_later.correlate(Node).exists(),
    )
    return or_(seen.is_(None), Revision.at > seen, was_ahead)


class Reopening:
    """Makes a draft like any other of what stands no longer where it stood in its workflow.

    That is a version that was saved after somebody had agreed to the one before, and content that
    has become one of a type with another workflow. Where readers see the newest version by now,
    however that has come about, the next draft begins anew.

    :param notify: called with each event.
    """

    def __init__(self, workflows: Workflows, notify: Callable[[object], object]) -> None:
        self.workflows, self.notify = workflows, notify

    def __call__(self, event: NodeEvent) -> None:
        """See to the node that was saved, or is in another state."""
        node, session = event.node, object_session(event.node)
        # Of a workflow that is switched off nobody knows.
        is_known = node.stage in self.workflows.stages
        if session is None or not is_known or node.state == TRASHED:
            return
        state = self.workflows.of(node.type).stages.get(node.stage)
        if state is not None and state.reopens and not isinstance(event, NodeStateChanged):
            # What was agreed to is not what would be published then.
            node.publish_at = None
        elif state is not None and has_unseen(node):
            return
        Tree(session, notify=self.notify).set_stage(node, "")


def checked_permissions(workflow: Workflow, permissions: Iterable[str]) -> None:
    """Raise ``ConfigurationProblem`` if a transition takes a permission that there is not."""
    known = set(permissions)
    for transition in workflow.transitions:
        if transition.permission not in known:
            raise ConfigurationProblem(
                f"The transition {transition.name!r} of the workflow {workflow.name!r} takes the "
                f"permission {transition.permission!r}, which nobody has added."
            )
