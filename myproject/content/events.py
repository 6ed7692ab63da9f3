"""What happened to content, told like what happens to the tree."""

from __future__ import annotations

from dataclasses import dataclass

from myproject.tree.events import NodeEvent


@dataclass(frozen=True, slots=True)
class ContentSaved(NodeEvent):
    """A node says something else than before, or is new and says something for the first time.

    Sent when all its columns are written, those that follow from others included. A new node has
    been announced by ``NodeAdded`` before. Copies of nodes are announced by ``NodeCopied`` only.

    :ivar changed: names of the fields that were set to something else; ``type`` is among them for
        a node of another type. All fields of a new node.
    """

    changed: frozenset[str]
