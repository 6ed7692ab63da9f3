"""Taking pages through their workflows on behalf of whoever asks, and telling whoever subscribed.

All screens that publish, take back or anything in between do it by :func:`take`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.httpexceptions import HTTPForbidden

from myproject.content.journal import Times
from myproject.content.operations_log import Operation
from myproject.content.workflow import Refusal, Transition, TransitionTaken
from myproject.security.policy import Refused
from myproject.translation import translated
from myproject.tree.node import PUBLISHED, Node


def take(
    request: Any,
    nodes: Sequence[Node],
    ways: Mapping[int, Transition | Refusal | None],
    *,
    values: Mapping[str, Any] | None = None,
    comment: str = "",
    times: Times | None = None,
) -> Operation | None:
    """Take nodes through transitions, see :meth:`myproject.content.journal.Journal.take`.

    :param ways: what :meth:`myproject.content.workflow.Transitions.find` has said of each; nodes
        for which that is no transition are left as they are.
    """
    transitions = {id_: way for id_, way in ways.items() if isinstance(way, Transition)}
    moved = [node for node in nodes if node.id in transitions]
    stages = {node.id: node.stage for node in moved}
    operation = request.journal.take(
        transitions, moved, values=values, comment=comment, times=times
    )
    if moved:
        event = TransitionTaken(request, moved, transitions, stages, comment)
        request.registry.notify(event)
    return operation


def way_to_publish(request: Any, node: Node) -> Transition | None:
    """Return the transition by which a version that whoever asks is saving right now is published.

    :raises HTTPForbidden: with the reason, when they may not.
    """
    way = request.transitions.find(node, target=PUBLISHED, writing=True)
    if isinstance(way, Refusal):
        raise forbidden(request, way)
    return way


def forbidden(request: Any, refusal: Refusal) -> HTTPForbidden:
    """Return the error for somebody who may not do something, with the reason."""
    reason = translated(request.localizer, refusal.reason)
    return HTTPForbidden(result=Refused(refusal.permission, "%s", reason))
