"""Moving, copying, deleting and publishing pages: one, or those that were chosen in a list.

First a place is picked, where there is one to be picked; then comes the plan; then, on another
view, what was planned. The first two only read, though forms with many pages have to be posted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.i18n import TranslationStringFactory

from myproject.content.operations_log import Kind
from myproject.content.workflow import LONGEST_NAME, Comment, mark_of
from myproject.content.workflow import Refusal as NoWay
from myproject.exceptions import InvalidValue
from myproject.registry import registry_of
from myproject.security.permissions import Permission
from myproject.security.policy import Refused
from myproject.tree.lineages import lock_nodes
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.views.forms import numbers_in, text_in
from myproject.views.placing import Picker
from myproject.views.planning import (
    Refusal,
    Task,
    attempt,
    back_of,
    chosen,
    finished,
    names_typed,
    plan_of,
    plan_values,
    settle,
    try_to,
    url_of,
    what,
)
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.taking import forbidden

_ = TranslationStringFactory("myproject")

#: What may be done here, with the name of the view that plans it.
VIEWS = {Kind.MOVE: "move", Kind.COPY: "copy", Kind.TRASH: "delete", Kind.STATE: "state"}

#: What the picker asks.
PICKING = {Kind.MOVE: _("Move ${what} to …"), Kind.COPY: _("Copy ${what} to …")}

PLAN = f"{TEMPLATES}plan.jinja2"


def move(context: Node, request: Any) -> dict[str, Any]:
    """Have a place picked for a page or several, and say what moving them there would do."""
    return _place_or_plan(context, request, Kind.MOVE)


def copy(context: Node, request: Any) -> dict[str, Any]:
    """The same for copies of them."""
    if Permission.ADD not in request.access.anywhere:
        reason = "no role given anywhere has it"
        raise HTTPForbidden(result=Refused(Permission.ADD, reason))
    return _place_or_plan(context, request, Kind.COPY)


def delete(context: Node, request: Any) -> dict[str, Any]:
    """Say what moving a page or several to the trash would do."""
    return _plan(context, request, _task(context, request, Kind.TRASH))


def state(context: Node, request: Any) -> Any:
    """Take pages to another state at once, or say first what that would do: where it takes them
    back from readers, and where whoever does it says why."""
    task = _task(context, request, Kind.STATE)
    _check_asked(context, request, task)
    plan = plan_of(request, task)
    is_plain = task.commented is Comment.NO and not any(
        PUBLISHED in way.sources for way in task.transitions
    )
    if not is_plain or not plan.is_possible or not task.nodes:
        request.tm.doom()
        return _screen(context, request, task)
    mark = text_in(request.params, "mark", 200)
    if mark and mark != mark_of(context):
        # Another version than the one on the screen that this was sent from.
        request.tm.doom()
        return _screen(context, request, task, Refusal(changed=True))
    unseen = _unseen(request, task)
    found = attempt(request, task)
    if isinstance(found, Refusal):
        return _screen(context, request, task, found)
    return finished(request, task, found, _place_after(context, request, task), unseen)


def _unseen(request: Any, task: Task) -> str:
    """Return what to say where only what published pages say has changed; empty if it will not."""
    changed = [node for node in task.nodes if node.draft_id is not None]
    if not changed:
        return ""
    text = _("Published the changes to ${what}.", mapping={"what": what(request, changed)})
    return request.localizer.translate(text)


def state_plan(context: Node, request: Any) -> dict[str, Any]:
    """Say what taking a page to another state would do."""
    task = _task(context, request, Kind.STATE)
    _check_asked(context, request, task)
    return _plan(context, request, task)


def _check_asked(context: Node, request: Any, task: Task) -> None:
    """Raise ``HTTPForbidden`` for the page at hand, if somebody lacks what this takes there."""
    way = task.ways.get(context.id)
    if isinstance(way, NoWay) and way.permission and len(task.nodes) == 1:
        verdict = request.has_permission(way.permission, context)
        raise HTTPForbidden(result=verdict) if not verdict else forbidden(request, way)


def arrange(context: Node, request: Any) -> Any:
    """Do what a plan said, if it still says so; else show it once more."""
    kind = text_in(request.POST, "kind", 20)
    if kind not in {str(kind) for kind in VIEWS}:
        raise InvalidValue("kind", _("There is no such operation."))
    settle(request)
    task = _task(context, request, Kind(kind))
    if not task.nodes or (task.target is None and task.kind in PICKING):
        request.tm.doom()
        return _plan(context, request, task, Refusal())
    # Where to go on is worked out while everything is where it was.
    before = _place_after(context, request, task)
    found = try_to(request, task, plan_of(request, task))
    if isinstance(found, Refusal):
        return _screen(context, request, task, found)
    after = before
    if task.kind == Kind.MOVE and len(task.nodes) == 1:
        after = url_of(request, task.nodes[0])
    elif task.kind == Kind.COPY and len(task.nodes) == 1 and found is not None:
        after = url_of(request, request.dbsession.get_one(Node, found.node_id))
    return finished(request, task, found, after)


def _task(context: Node, request: Any, kind: Kind) -> Task:
    """Return what the form, or the address, asks for."""
    nodes, gone = chosen(request, context)
    if kind == Kind.STATE and request.method == "POST":
        # Somebody else may be saving them, or deciding about them, at this very moment.
        there = lock_nodes(request.dbsession, nodes)
        nodes, gone = there, gone + len(nodes) - len(there)
    target, asked = None, numbers_in(request.params, "target")
    if asked and kind in PICKING and "pick" not in request.params:
        target = Picker(request, nodes, kind).place(asked[-1])
    names = names_typed(request, nodes)
    task = Task(kind, nodes, gone, target, names, back=back_of(request))
    return with_ways(request, task) if kind == Kind.STATE else task


def with_ways(request: Any, task: Task) -> Task:
    """Return a task with the transitions that the form, or the address, asks for."""
    params = request.params
    transition = text_in(params, "transition", LONGEST_NAME)
    state = ""
    if "transition" not in params:
        state = text_in(params, "state", LONGEST_NAME) or DRAFT
    find = partial(request.transitions.find, target=state, name=transition)
    return replace(
        task,
        ways={node.id: find(node) for node in task.nodes},
        state=state,
        transition=transition,
        comment=text_in(params, "comment", 500).strip(),
    )


def _place_or_plan(context: Node, request: Any, kind: Kind) -> dict[str, Any]:
    task = _task(context, request, kind)
    if task.target is not None and task.nodes:
        return _plan(context, request, task)
    asked = "target" in request.params and "pick" not in request.params
    return _pick(context, request, task, missing=asked)


def _plan(
    context: Node, request: Any, task: Task, refusal: Refusal | None = None
) -> dict[str, Any]:
    """Return a plan, or the reason why there is nothing to plan."""
    if not task.nodes:
        return _nothing(context, request, task)
    if task.target is None and task.kind in PICKING:
        return _pick(context, request, task, missing=True)
    return _screen(context, request, task, refusal)


def _screen(
    context: Node, request: Any, task: Task, refusal: Refusal | None = None
) -> dict[str, Any]:
    view = VIEWS[task.kind]
    values = page_screen(request, context, "", view)
    values.update(plan_values(request, task, plan_of(request, task), refusal))
    base = request.canonical_base.removesuffix("/")
    return {
        **values,
        "action": f"{base}/@@arrange",
        "plan_url": f"{base}/@@{view}",
        "cancel_url": task.back or request.canonical_base,
    }


def _pick(context: Node, request: Any, task: Task, *, missing: bool) -> dict[str, Any]:
    """Return the picker."""
    if not task.nodes:
        return _nothing(context, request, task)
    picker = Picker(request, task.nodes, task.kind)
    title = request.localizer.translate(
        PICKING[task.kind], mapping={"what": what(request, task.nodes)}
    )
    values = page_screen(request, context, title, VIEWS[task.kind])
    values.update(picking_values(request, task, picker, missing=missing))
    base = request.canonical_base.removesuffix("/")
    return {
        **values,
        "action": f"{base}/@@{VIEWS[task.kind]}",
        "cancel_url": task.back or request.canonical_base,
    }


def picking_values(request: Any, task: Task, picker: Picker, *, missing: bool) -> dict[str, Any]:
    """Return what the template of a picker shows.

    :param missing: whether a place was chosen that is not there.
    """
    if missing:
        request.response.status_int = 422
    return {
        "picking": True,
        "places": picker.show(_start(task.nodes)),
        "fields": [("ids", node.id) for node in task.nodes]
        + ([("back", task.back)] if task.back else []),
        "missing": missing,
        "choose": {
            Kind.MOVE: _("Move here"),
            Kind.COPY: _("Copy here"),
            Kind.RESTORE: _("Restore here"),
        }[task.kind],
    }


def _start(nodes: Sequence[Node]) -> Node | None:
    """Return the place that the picker opens first: where they are now."""
    return nodes[0].parent


def _nothing(context: Node, request: Any, task: Task) -> dict[str, Any]:
    """Return the screen for a choice of pages that are all gone."""
    request.response.status_int = 422
    values = page_screen(request, context, _("There is nothing to do"), VIEWS[task.kind])
    text = _("The pages that were chosen are not there any more.")
    return {
        **values,
        "picking": False,
        "nothing": request.localizer.translate(text),
        "cancel_url": task.back or request.canonical_base,
    }


def _place_after(context: Node, request: Any, task: Task) -> str:
    """Return where to go on after a task of which the form does not say."""
    if task.target is not None:
        return url_of(request, task.target)
    gone = {node.id for node in task.nodes} if task.kind == Kind.TRASH else set[int]()
    place: Node | None = context
    stay = context
    while place is not None:
        if place.id in gone and place.parent is not None:
            stay = place.parent
        place = place.parent
    return url_of(request, stay)


def includeme(config: Configurator) -> None:
    """Register the screens, and the view that does what they have said."""
    registry = registry_of(config)
    registry.reading_posts |= {"move", "copy", "delete"}
    views = (
        ("move", move, ("GET", "POST"), Permission.MOVE),
        ("copy", copy, ("GET", "POST"), Permission.VIEW),
        ("delete", delete, ("GET", "POST"), Permission.DELETE),
        # What it takes says each page's workflow.
        ("state", state_plan, ("GET",), Permission.VIEW),
        ("state", state, ("POST",), Permission.VIEW),
        ("arrange", arrange, ("POST",), Permission.VIEW),
    )
    for name, view, methods, permission in views:
        for method in methods:
            config.add_view(
                view,
                name=name,
                context=Node,
                request_method=method,
                permission=permission,
                renderer=PLAN,
            )
