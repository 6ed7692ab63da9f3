"""What happened to the tree, told to whoever subscribed.

Every event is sent inside the transaction, after the rows were written: a subscriber that raises
vetoes the operation. Wrapped in :class:`Committed` it is sent once more after the commit, when
side effects outside the database are safe.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from myproject.tree.node import Node

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """Base of all tree events.

    :ivar node_id: the node that the operation was about; stays valid after the commit.
    :ivar node: the same node, inside the transaction only.
    """

    node_id: int
    node: Node = field(repr=False, compare=False)


class NodeAdded(NodeEvent):
    """A node has come into the tree."""


@dataclass(frozen=True, slots=True)
class NodeRenamed(NodeEvent):
    """A node, and with it everything below, has a new address."""

    old_name: str


@dataclass(frozen=True, slots=True)
class NodeMoved(NodeEvent):
    """A node has another parent, and perhaps another name."""

    old_parent_id: int
    old_name: str


class NodeReordered(NodeEvent):
    """A node has another place among its siblings."""


@dataclass(frozen=True, slots=True)
class NodeCopied(NodeEvent):
    """A section was copied.

    :ivar copies: id of each original -> id of its copy, the whole section.
    """

    source_id: int
    copies: dict[int, int] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NodeTrashed(NodeEvent):
    """A node, and with it everything below, lies in the trash.

    :ivar old_name, old_state: what they were and will be again.
    """

    old_name: str
    old_state: str


@dataclass(frozen=True, slots=True)
class NodeRestored(NodeEvent):
    """A node, and with it everything below, has come back from the trash.

    :ivar old_parent_id, old_name: where it was before it went there.
    """

    old_parent_id: int
    old_name: str


@dataclass(frozen=True, slots=True)
class NodeStateChanged(NodeEvent):
    """A node was published, or is no longer."""

    old_state: str


@dataclass(frozen=True, slots=True)
class NodeStageChanged(NodeEvent):
    """What readers do not see of a node stands somewhere else in its workflow."""

    old_stage: str


class NodeDeleted(NodeEvent):
    """A node and everything below it has gone for good."""


@dataclass(frozen=True, slots=True)
class Committed:
    """An event whose transaction has been committed."""

    event: NodeEvent


def after_commit_subscriber(
    subscriber: Callable[[Any], object], event: type
) -> Callable[[Any], None]:
    """Return a subscriber of :class:`Committed` that calls *subscriber* with events of one class.

    What it raises is logged: everything has been written, and others want to be told, too.
    """

    def call(committed: Any) -> None:
        if isinstance(committed.event, event):
            try:
                subscriber(committed.event)
            except Exception:
                log.exception("After the commit of %s: %r failed", committed.event, subscriber)

    return call
