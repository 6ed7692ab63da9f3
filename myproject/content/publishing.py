"""What readers see and what comes next: a draft beside the live page, publishing, and times.

The row of a published page is what readers see. What is written next is a revision ahead of it,
which the row names as its draft; publishing makes the row say what the draft says. A page that no
reader sees needs no draft of itself: its row is one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.content.fields import missing_fields
from myproject.content.operations import (
    begin_history,
    check_content,
    finish,
    save,
    set_fields,
)
from myproject.content.operations_log import Kind, add_step, begin_operation
from myproject.content.revisions import (
    Revision,
    differing,
    load_revision,
    record_revision,
    revised_fields,
    snapshot,
)
from myproject.content.stand_in import stand_in
from myproject.content.types import Content, UnavailableContent
from myproject.db.base import utcnow
from myproject.exceptions import InTrash, InvalidValue, MyprojectError, NotAddable, NotComplete
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.events import NodeEvent
from myproject.tree.history import moment_of, set_moment, standing_since
from myproject.tree.node import DRAFT, PUBLISHED, TRASHED, Node
from myproject.tree.operations import Tree
from myproject.tree.placement import standing_of
from myproject.tree.timing import is_due

_ = TranslationStringFactory("myproject")


@dataclass(frozen=True, slots=True)
class DraftSaved(NodeEvent):
    """A published page has a draft that says something else than the draft before, or than what
    readers see.

    :ivar changed: names of the fields.
    """

    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class DoneOnTime(NodeEvent):
    """What was due of a node was done by nobody in particular, and the journal has it.

    :ivar old_stage: where what readers did not see stood in its workflow before.
    """

    old_stage: str


# -- looking --------------------------------------------------------------------------------------


def draft_of(session: Session, node: Node) -> Revision | None:
    """Return the revision that readers do not see yet; None where they see the newest."""
    return None if node.draft_id is None else load_revision(session, node.id, node.draft_id)


def newest_of(session: Session, node: Node) -> Any:
    """Return a node as it was saved last: itself, or one like it that belongs to no session."""
    draft = draft_of(session, node)
    if draft is None:
        return node
    with session.no_autoflush:
        return _with_fields(node, draft.fields)


def newest_fields(session: Session, node: Node) -> dict[str, Any]:
    """Return field -> value of a node as it was saved last, whether readers see that or not."""
    draft = draft_of(session, node)
    fields = snapshot(node)
    if draft is not None:
        fields |= {name: value for name, value in draft.fields.items() if name in fields}
    return fields


def shadow(node: Node, fields: Mapping[str, Any], renderer: IMarkdownRenderer) -> Any:
    """Return a node like *node* that says something else, to be shown: it belongs to no session.

    :param fields: field -> value; what is missing is that of *node*, and what its type does not
        have is left out.
    """
    copy = _with_fields(node, fields)
    if isinstance(copy, Content):
        copy.derive(renderer)
    return copy


def _with_fields(node: Node, fields: Mapping[str, Any]) -> Any:
    cls = type(node)
    known = {name: fields[name] for name in revised_fields(cls) if name in fields}
    return stand_in(node, cls, {**snapshot(node), **known})


# -- writing --------------------------------------------------------------------------------------


def save_newest(
    tree: Tree,
    node: Node,
    values: Mapping[str, Any],
    renderer: IMarkdownRenderer,
    *,
    comment: str = "",
    incomplete: bool = False,
    may_publish: bool = True,
) -> set[str]:
    """Save what comes next of a node: as a draft where readers see the node, else in its row.

    :param values: field -> value.
    :param incomplete: whether required fields of a draft may be empty.
    :param may_publish: whether whoever saves may publish it, too. The time that somebody else has
        set for publishing was set for another version; it holds no longer if they may not.
    :returns: names of the fields that changed; nothing is written when there are none.
    :raises InvalidValue: and nothing has changed.
    """
    catch_up(tree, node, renderer)
    incomplete = incomplete and (node.publish_at is None or not may_publish)
    given = (tree, node, values, renderer)
    if node.seen_state == PUBLISHED:
        changed = _save_draft(*given, comment, incomplete=incomplete)
    elif node.draft_id is None:
        changed = save(*given, comment=comment, incomplete=incomplete)
    else:
        # It was taken back from readers with a draft ahead of it, which its row now is itself.
        before = newest_fields(tree.session, node)
        changed = set(differing(before, {**before, **values}))
        if changed:
            _apply(tree, node, {**before, **values}, renderer, comment, incomplete=incomplete)
    if changed and not may_publish and node.publish_at is not None:
        node.publish_at = None
        tree.session.flush()
    return changed


def _save_draft(
    tree: Tree,
    node: Node,
    values: Mapping[str, Any],
    renderer: IMarkdownRenderer,
    comment: str,
    *,
    incomplete: bool,
) -> set[str]:
    session = tree.session
    before = newest_fields(session, node)
    unknown = set(values) - set(before)
    if unknown:
        raise InvalidValue(min(unknown), f"{type(node).__name__} has no such field to edit.")
    with session.no_autoflush:
        copy = _with_fields(node, {**before, **values})
        if isinstance(copy, Content):
            copy.derive(renderer)
            # It is one as long as it is ahead of what readers see.
            copy.state = DRAFT
            check_content(tree, copy, incomplete=incomplete)
            copy.state = node.state
    changed = differing(before, snapshot(copy))
    if not changed:
        return set()
    begin_history(tree, node)
    revision = record_revision(session, copy, tree.actor, comment, is_live=False)
    node.draft_id = revision.id
    session.flush()
    tree.tell(DraftSaved(node.id, node, frozenset(changed)))
    return set(changed)


def _apply(
    tree: Tree,
    node: Node,
    fields: Mapping[str, Any],
    renderer: IMarkdownRenderer,
    comment: str,
    *,
    incomplete: bool = False,
) -> bool:
    """Have the row of a node say what its draft says, and return whether it said anything else."""
    known = {name: fields[name] for name in revised_fields(type(node)) if name in fields}
    changed = set_fields(node, known, before=lambda: begin_history(tree, node))
    node.draft_id = None
    if changed:
        node.modified_at = utcnow()
        try:
            finish(tree, node, renderer, changed=changed, comment=comment, incomplete=incomplete)
        except InvalidValue:
            tree.session.expire(node)
            raise
    tree.session.flush()
    return bool(changed)


def publish(
    tree: Tree,
    node: Node,
    renderer: IMarkdownRenderer,
    *,
    values: Mapping[str, Any] | None = None,
    comment: str = "",
) -> bool:
    """Have readers see what was saved last of a node.

    :param values: field -> value, of what is to be said besides.
    :param comment: for the revision; that of the draft when left out.
    :returns: whether they saw something else, or nothing, before.
    :raises NotComplete: when something is missing that a page needs.
    :raises NotAddable: when the draft is one of a type that is not switched on.
    :raises InvalidValue, InTrash, NodeGone: and nothing has changed.
    """
    draft, was = draft_of(tree.session, node), node.seen_state
    if node.state == TRASHED:
        raise InTrash(node.title)
    if draft is not None and isinstance(node, UnavailableContent):
        # What only its own type knows of the draft would be lost.
        raise NotAddable(
            _(
                "The type of “${title}” is not switched on, so its draft has to wait.",
                mapping={"title": node.title},
            )
        )
    fields = {**({} if draft is None else draft.fields), **(values or {})}
    node.publish_at = None
    if node.expire_at is not None and node.expire_at <= utcnow():
        node.expire_at = None
    changed = False
    if fields:
        with tree.session.no_autoflush:
            _check_complete(_with_fields(node, fields))
        if draft is not None:
            comment = comment or draft.comment
        changed = _apply(tree, node, fields, renderer, comment)
    tree.set_state(node, PUBLISHED)
    tree.set_stage(node, "")
    tree.session.flush()
    return changed or draft is not None or was != PUBLISHED


def publish_many(
    tree: Tree, nodes: Iterable[Node], renderer: IMarkdownRenderer, *, comment: str = ""
) -> int:
    """Publish many nodes at one moment: all of them, or with an error none.

    The caller's transaction holds it all.

    :returns: of how many readers see something else.
    """
    return sum(publish(tree, node, renderer, comment=comment) for node in nodes)


def unpublish(tree: Tree, node: Node) -> None:
    """Take a node back from readers; what was to happen to it on time will not.

    :raises InTrash, NodeGone:
    """
    node.publish_at = node.expire_at = None
    tree.set_state(node, DRAFT)
    tree.session.flush()


def discard_draft(tree: Tree, node: Node) -> bool:
    """Forget what is ahead of what readers see; its revisions stay in the history.

    :returns: whether there was anything.
    """
    if node.draft_id is None:
        return False
    node.draft_id = node.publish_at = None
    tree.set_stage(node, "")
    tree.session.flush()
    return True


def schedule(
    tree: Tree, node: Node, publish_at: dt.datetime | None, expire_at: dt.datetime | None
) -> None:
    """Say when a node, or its draft, is published, and when readers see it no longer.

    :param publish_at, expire_at: aware times; None for never.
    :raises InvalidValue: for ``publish_at`` or ``expire_at``: a time that is past, an end before
        the beginning, a beginning for which there is nothing to publish.
    :raises NotComplete: when something is missing that a page needs.
    """
    now = utcnow()
    if publish_at is not None and publish_at != node.publish_at:
        if publish_at <= now:
            raise InvalidValue(
                "publish_at", _("This time has passed. Choose a later one, or publish now.")
            )
        if node.draft_id is None and node.seen_state == PUBLISHED:
            raise InvalidValue(
                "publish_at",
                _("Readers see the newest version already: there is nothing to publish."),
            )
    if expire_at is not None and expire_at != node.expire_at and expire_at <= now:
        raise InvalidValue(
            "expire_at", _("This time has passed. Choose a later one, or unpublish.")
        )
    if publish_at is not None and expire_at is not None and expire_at <= publish_at:
        raise InvalidValue("expire_at", _("The end must come after the beginning."))
    if publish_at is not None:
        with tree.session.no_autoflush:
            _check_complete(_with_fields(node, newest_fields(tree.session, node)))
    node.publish_at, node.expire_at = publish_at, expire_at
    tree.session.flush()


def _check_complete(node: Node) -> None:
    if isinstance(node, Content) and (missing := missing_fields(node)):
        raise NotComplete(node.title, tuple(field.label for field in missing))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was due and could not be done."""

    node_id: int
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was due and was done.

    :ivar is_published: whether readers see it now; otherwise they do no longer.
    """

    node_id: int
    title: str
    is_published: bool


@dataclass(frozen=True, slots=True)
class Due:
    """What became of what was due.

    :ivar last_id: where to go on; None where nothing is left.
    """

    done: tuple[Done, ...]
    problems: tuple[Problem, ...]
    last_id: int | None


def publish_due(
    tree: Tree, renderer: IMarkdownRenderer, limit: int = 1000, *, after: int = 0
) -> Due:
    """Do what is due: publish, and take back from readers, who see that already by the clock.

    Safe when two do it at once, and when nothing is due. What cannot be done is left as it is.

    :param limit: pages at most.
    :param after: the node to go on after.
    """
    session = tree.session
    done: list[Done] = []
    problems: list[Problem] = []
    query = (
        select(Node)
        .where(is_due(Node), Node.id > after)
        .order_by(Node.id)
        .limit(limit)
        # What another has taken up is not waited for.
        .with_for_update(skip_locked=True, of=Node.__table__)
        .execution_options(populate_existing=True)
    )
    nodes, moment = session.scalars(query).all(), moment_of(session)
    for node in nodes:
        node_id, title = node.id, node.title
        try:
            with session.begin_nested():
                _do_what_is_due(tree, node, renderer)
        except (MyprojectError, InvalidValue) as error:
            problems.append(Problem(node_id, title, str(error)))
        else:
            done.append(Done(node_id, node.title, node.state == PUBLISHED))
    set_moment(session, moment)
    last_id = nodes[-1].id if len(nodes) == limit else None
    return Due(tuple(done), tuple(problems), last_id)


def catch_up(tree: Tree, node: Node, renderer: IMarkdownRenderer) -> bool:
    """Do what is due of one node, before anything else is done to it.

    Otherwise what is written now would be taken for what was to be published then. What cannot be
    published is not to be published on time any more: a draft that names a page which is gone would
    otherwise keep everybody from saying something better.

    :returns: whether anything was.
    """
    now = utcnow()
    times = (node.publish_at, node.expire_at)
    if node.state == TRASHED or not any(time is not None and time <= now for time in times):
        return False
    moment, actor = moment_of(tree.session), tree.actor
    # As by the job: it is no deed of whoever comes next.
    tree.actor = COMMAND_LINE
    try:
        with tree.session.begin_nested():
            _do_what_is_due(tree, node, renderer)
    except MyprojectError:
        node.publish_at = None
        tree.session.flush()
        _do_what_is_due(tree, node, renderer)
    finally:
        set_moment(tree.session, moment)
        tree.actor = actor
    return True


def _do_what_is_due(tree: Tree, node: Node, renderer: IMarkdownRenderer) -> None:
    now, expire_at = utcnow(), node.expire_at
    if node.publish_at is not None and node.publish_at <= now:
        # Kept as of when readers began to see it, so that the past shows what they saw.
        set_moment(tree.session, max(node.publish_at, standing_since(tree.session, node.id)))
        _keep_step(tree, node, lambda: publish(tree, node, renderer))
    if expire_at is not None and expire_at <= now:
        set_moment(tree.session, max(expire_at, standing_since(tree.session, node.id)))
        _keep_step(tree, node, lambda: unpublish(tree, node))


def _keep_step(tree: Tree, node: Node, do: Callable[[], object]) -> None:
    """Do something that was due, and keep that it happened if it has changed the node's state."""
    before, session = standing_of(node), tree.session
    do()
    if (node.state, node.stage) != (before.state, before.stage):
        at = moment_of(session)
        operation = begin_operation(session, tree.actor, Kind.STATE, node, at=at)
        add_step(session, operation, 0, node, before)
        session.flush()
        tree.tell(DoneOnTime(node.id, node, before.stage))
