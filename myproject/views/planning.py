"""Structural operations as screens have them: a plan in numbers, a question, one transaction.

What was announced is what happens: the form carries a digest of its plan, which is made anew in the
transaction that carries it out. If it says something else by then, it is shown once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import func, select

from myproject.content.operations_log import Kind, Operation
from myproject.content.plans import Plan
from myproject.content.revisions import Revision
from myproject.content.workflow import Comment, Transition
from myproject.content.workflow import Refusal as NoWay
from myproject.exceptions import InvalidValue, TreeError
from myproject.interfaces import IRoles
from myproject.security.permissions import Permission
from myproject.translation import PluralStringFactory, translated
from myproject.tree.boundaries import share_boundaries
from myproject.tree.copying import descend
from myproject.tree.lineages import load_with_lineage
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.tree.site import SITE_ID, Site
from myproject.tree.urls import names_of
from myproject.views.addresses import safe_next
from myproject.views.changes import sentences
from myproject.views.done import PUBLISH, UNPUBLISH, pages, tell_done
from myproject.views.forms import numbers_in, see_other, text_in
from myproject.views.people import load_places
from myproject.views.rendering import DOMAIN, Item
from myproject.views.taking import take

ngettext = PluralStringFactory("myproject")

_ = TranslationStringFactory(DOMAIN)

#: Nodes that one operation may be about, not counting what lies below them.
MOST = 1000

#: Nodes that a plan names one by one.
NAMED = 8

QUESTIONS: Mapping[str, Any] = {
    Kind.MOVE: _("Move ${what} to ${target}?"),
    Kind.COPY: _("Copy ${what} to ${target}?"),
    Kind.TRASH: _("Move ${what} to the trash?"),
    UNPUBLISH: _("Take ${what} back from readers?"),
    PUBLISH: _("Publish ${what}?"),
    Kind.RESTORE: _("Restore ${what}?"),
    Kind.PURGE: _("Delete ${what} for good?"),
}
BUTTONS: Mapping[str, Any] = {
    Kind.MOVE: _("Move"),
    Kind.COPY: _("Copy"),
    Kind.TRASH: _("Move to the trash"),
    UNPUBLISH: _("Unpublish"),
    PUBLISH: _("Publish"),
    Kind.RESTORE: _("Restore"),
    Kind.PURGE: _("Delete for good"),
}
#: Operations whose button is a warning, too.
GRAVE = frozenset({Kind.TRASH, Kind.PURGE})


@dataclass(frozen=True)
class Task:
    """What somebody wants to do.

    :ivar nodes: with what; their lineage is loaded.
    :ivar gone: how many others were chosen that are not there any more.
    :ivar target: where to, for those kinds that have it; None for "back to where it was".
    :ivar names: node id -> the name that somebody has typed for it.
    :ivar ways: node id -> what :meth:`myproject.content.workflow.Transitions.find` says, for
        :attr:`Kind.STATE`.
    :ivar state, transition: what was asked for: a state, or the name of a transition.
    :ivar comment: why, for :attr:`Kind.STATE`.
    :ivar back: where to go on afterwards; empty for the page that it is about.
    """

    kind: Kind
    nodes: Sequence[Node]
    gone: int = 0
    target: Node | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    ways: Mapping[int, Transition | NoWay | None] = field(default_factory=dict)
    state: str = ""
    transition: str = ""
    comment: str = ""
    back: str = ""

    @property
    def transitions(self) -> list[Transition]:
        """The transitions that the nodes are taken through."""
        return [way for way in self.ways.values() if isinstance(way, Transition)]

    @property
    def variant(self) -> str:
        """What it does, as :data:`QUESTIONS` and :data:`BUTTONS` have it, or empty."""
        if self.kind != Kind.STATE:
            return self.kind
        names = {way.name for way in self.transitions}
        if self.state == PUBLISHED or names == {"publish"}:
            return PUBLISH
        return UNPUBLISH if self.state == DRAFT or names == {"unpublish"} else ""

    @property
    def commented(self) -> Comment:
        """Whether whoever does it says why."""
        rules = {way.comment for way in self.transitions}
        return next((each for each in reversed(Comment) if each in rules), Comment.NO)


class Line(NamedTuple):
    """A sentence of a plan.

    :ivar tone: ``gain``, ``loss``, or empty where it is neither.
    """

    tone: str
    text: str


class Clash(NamedTuple):
    """A page that needs another name."""

    node_id: int
    title: str
    name: str
    reason: str
    free: str


class Impossible(NamedTuple):
    """A page that something keeps from being dealt with; without a title it is all of them."""

    title: str
    reason: str


# -- what is asked for ----------------------------------------------------------------------------


def chosen(request: Any, context: Node | None = None) -> tuple[list[Node], int]:
    """Return the nodes that a form has chosen, else the context, and how many are not there.

    What may not be seen is not there.
    """
    ids = list(dict.fromkeys(numbers_in(request.params, "ids")))[: MOST + 1]
    if not ids and context is not None:
        return [context], 0
    check_count(request, ids)
    found = [
        node
        for node in load_with_lineage(request.dbsession, ids).values()
        if request.has_permission(Permission.VIEW, node)
    ]
    return found, len(ids) - len(found)


def check_count(request: Any, ids: Sequence[int]) -> None:
    """Refuse to deal with more pages than can be told one by one.

    :raises InvalidValue:
    """
    if len(ids) > MOST:
        text = _("At most ${most} pages can be chosen at once.", mapping={"most": f"{MOST:,}"})
        raise InvalidValue("ids", text)


def names_typed(request: Any, nodes: Iterable[Node]) -> dict[int, str]:
    """Return node id -> name, of the names that were typed into a plan's form."""
    typed = {node.id: text_in(request.params, f"name-{node.id}", 300) for node in nodes}
    return {number: name for number, name in typed.items() if name}


def back_of(request: Any) -> str:
    """Return where the form says to go on afterwards; empty where it does not."""
    back = text_in(request.params, "back", 2000)
    return safe_next(request, back) if back else ""


def url_of(request: Any, node: Node) -> str:
    """Return a node's URL path; that of the start page for one that has no address here."""
    return request.path_url_of(names_of(node)) or f"{request.mount}/"


# -- plans ----------------------------------------------------------------------------------------


def plan_of(request: Any, task: Task) -> Plan:
    """Return what *task* would do."""
    planner, nodes, target = request.planner, task.nodes, task.target
    match task.kind:
        case Kind.MOVE if target is not None:
            return planner.move(nodes, target, task.names)
        case Kind.COPY if target is not None:
            return planner.copy(nodes, target, task.names)
        case Kind.TRASH:
            return planner.trash(nodes)
        case Kind.STATE:
            return planner.take(nodes, task.ways)
        case Kind.RESTORE:
            return planner.restore(nodes, target, task.names)
        case Kind.PURGE:
            return planner.purge(nodes)
    raise InvalidValue("kind", _("There is no such operation."))


def digest_of(task: Task, plan: Plan) -> str:
    """Return a plan's digest; of another one where something else was asked for."""
    return f"{task.state or plan.kind}-{plan.digest}"


def seen_digest(request: Any, node: Node) -> str:
    """Return the digest that a form for any transition of what readers do not see carries.

    For screens that offer several of them at once, and post to ``@@arrange``.
    """
    task = Task(Kind.STATE, [node], ways={node.id: None})
    return digest_of(task, plan_of(request, task))


def carry_out(request: Any, task: Task) -> Operation | None:
    """Do what *task* says.

    :raises TreeError, InvalidValue: and what was done before has to be taken back.
    """
    journal, nodes, target = request.journal, task.nodes, task.target
    match task.kind:
        case Kind.MOVE if target is not None:
            return journal.move(nodes, target, names=task.names)
        case Kind.COPY if target is not None:
            as_drafts = _makes_drafts(request, task)
            return journal.copy(nodes, target, names=task.names, as_drafts=as_drafts)
        case Kind.TRASH:
            return journal.trash(nodes)
        case Kind.STATE:
            return take(request, nodes, task.ways, comment=task.comment)
        case Kind.RESTORE:
            return journal.restore(nodes, target, names=task.names)
        case Kind.PURGE:
            return journal.purge(nodes)
    raise InvalidValue("kind", _("There is no such operation."))


def settle(request: Any) -> None:
    """Keep access as it is until this transaction ends, and go by how it is now."""
    session = request.dbsession
    share_boundaries(session)
    # As a column: a row in memory may have been loaded before the lock was had.
    query = select(Site.access_revision).where(Site.id == SITE_ID)
    revision = session.execute(query).scalar_one()
    if revision != getattr(request, "access_revision", None):
        request.access_revision = revision
        for name in ("policies", "access", "planner"):
            request.__dict__.pop(name, None)


def try_to(request: Any, task: Task, plan: Plan) -> Operation | Refusal | None:
    """Carry a task out, unless its plan says something else than its form did.

    :returns: the operation, or why nothing was done; then nothing will be written any more.
    """
    if not plan.is_possible:
        request.tm.doom()
        return Refusal()
    if text_in(request.POST, "digest", 60) != digest_of(task, plan):
        request.tm.doom()
        return Refusal(changed=True)
    return attempt(request, task)


def attempt(request: Any, task: Task) -> Operation | Refusal | None:
    """Carry a task out; return why not where somebody else was quicker."""
    try:
        # What was refused half-way must not leave a session in which nothing can be read.
        with request.dbsession.begin_nested():
            return carry_out(request, task)
    except (TreeError, InvalidValue) as error:
        request.tm.doom()
        if isinstance(error, InvalidValue) and error.field == "comment":
            return Refusal(comment=translated(request.localizer, error.reason))
        return Refusal(error=translated(request.localizer, error.message))


class Refusal(NamedTuple):
    """Why a task was not carried out: its plan has problems, says something else by now, somebody
    else was quicker, or the comment is missing."""

    changed: bool = False
    error: str = ""
    comment: str = ""


def finished(
    request: Any, task: Task, operation: Operation | None, fallback: str, nothing: Any = ""
) -> Any:
    """Return the redirect after a task was carried out, with a message that can undo it.

    :param fallback: where to go on unless the form has said so.
    :param nothing: what to say where there is no operation, but for the usual.
    """
    tell_done(request, operation, nothing)
    return see_other(request, task.back or fallback)


# -- plans in words -------------------------------------------------------------------------------


def plan_values(
    request: Any, task: Task, plan: Plan, refusal: Refusal | None = None
) -> dict[str, Any]:
    """Return what the template of a plan says."""
    clashes, impossible, stuck = _problems(request, task, plan)
    left = [node.id for node in task.nodes if node.id not in stuck]
    if refusal is not None:
        request.response.status_int = 422
    return {
        "kind": task.kind.value,
        "title": question(request, task),
        "lines": [*_lines(request, task, plan), *_effects(request, plan)] if left else [],
        "linking": _linking(request, plan) if left else ([], 0),
        "named": [node.title for node in task.nodes[:NAMED]] if len(task.nodes) > 1 else [],
        "more_named": max(0, len(task.nodes) - NAMED),
        "clashes": clashes,
        "impossible": impossible,
        "without": left if stuck and left else [],
        "changed": refusal is not None and refusal.changed,
        "error": refusal.error if refusal is not None else "",
        "gone": _gone(request, task),
        "fields": _fields(task, plan),
        "ids": [node.id for node in task.nodes],
        "target_id": None if task.target is None else task.target.id,
        "keys": _keys(task),
        "button": _button(request, task),
        "is_grave": task.kind in GRAVE,
        "wants_place": task.kind in (Kind.MOVE, Kind.COPY, Kind.RESTORE),
        "confirmation": None,
        "commented": task.commented.value,
        "comment": task.comment,
        "comment_error": refusal.comment if refusal is not None else "",
    }


def question(request: Any, task: Task) -> str:
    """Return what is about to be done, as the title of a screen."""
    target = "" if task.target is None else f"“{task.target.title}”"
    mapping = {"what": what(request, task.nodes), "target": target}
    translate = request.localizer.translate
    if task.variant:
        return translate(QUESTIONS[task.variant], mapping=mapping)
    return translate(_("${step}: ${what}?", mapping={**mapping, "step": _button(request, task)}))


def _button(request: Any, task: Task) -> str:
    """Return what the button that carries a task out says."""
    if task.variant:
        return request.localizer.translate(BUTTONS[task.variant])
    titles = dict.fromkeys(request.localizer.translate(way.title) for way in task.transitions)
    return " / ".join(titles) or request.localizer.translate(_("Take it on"))


def what(request: Any, nodes: Sequence[Node]) -> str:
    """Return the title of one node, or how many there are."""
    return f"“{nodes[0].title}”" if len(nodes) == 1 else pages(request, len(nodes))


def _fields(task: Task, plan: Plan) -> list[tuple[str, Any]]:
    """Return what the form of a plan carries."""
    fields: list[tuple[str, Any]] = [("ids", node.id) for node in task.nodes]
    fields += [("kind", task.kind.value), ("digest", digest_of(task, plan))]
    if task.target is not None:
        fields.append(("target", task.target.id))
    return [*fields, *_keys(task)]


def _keys(task: Task) -> list[tuple[str, Any]]:
    """Return what goes along with whatever pages and place are chosen."""
    names = ("state", "transition", "back")
    return [(name, value) for name in names if (value := getattr(task, name))]


def _gone(request: Any, task: Task) -> str:
    if not task.gone:
        return ""
    text = ngettext(
        "${n} of the pages that were chosen is not there any more.",
        "${n} of the pages that were chosen are not there any more.",
        task.gone,
    )
    return translated(request.localizer, text)


def _problems(
    request: Any, task: Task, plan: Plan
) -> tuple[list[Clash], list[Impossible], Collection[int]]:
    """Return names to be chosen, all else that is in the way, and the nodes that this is about."""
    clashes: dict[int, Clash] = {}
    impossible: list[Impossible] = []
    stuck: set[int] = set()
    for problem in plan.problems:
        reason = translated(request.localizer, problem.reason)
        if problem.name and problem.node_id is not None:
            typed = task.names.get(problem.node_id)
            clashes[problem.node_id] = Clash(
                problem.node_id,
                problem.title,
                typed or problem.suggestion,
                reason,
                problem.suggestion,
            )
            continue
        impossible.append(Impossible(problem.title, reason))
        stuck |= {problem.node_id} - {None}  # type: ignore[arg-type]
    for node in task.nodes:
        # One that is good by now can still be changed.
        if node.id in task.names and node.id not in clashes:
            clashes[node.id] = Clash(node.id, node.title, task.names[node.id], "", "")
    order = [node.id for node in task.nodes]
    return sorted(clashes.values(), key=lambda one: order.index(one.node_id)), impossible, stuck


def _lines(request: Any, task: Task, plan: Plan) -> list[Line]:
    """Return what a plan says besides who gains or loses what."""
    match task.kind:
        case Kind.MOVE:
            return _moved(request, plan)
        case Kind.COPY:
            return _copied(request, task, plan)
        case Kind.TRASH:
            return _trashed(request, plan)
        case Kind.STATE:
            return _taken(request, task, plan)
        case Kind.RESTORE:
            return _restored(request, task, plan)
    return _purged(request, task, plan)


def _copied(request: Any, task: Task, plan: Plan) -> list[Line]:
    lines = [
        _said(request, ngettext("${n} page is copied.", "${n} pages are copied.", plan.pages)),
        _said(request, _("Links among what is copied lead to the copies.")),
    ]
    if plan.published and _makes_drafts(request, task):
        lines.append(_said(request, _("Readers will not see them until somebody publishes them.")))
    return lines


def _makes_drafts(request: Any, task: Task) -> bool:
    """Whether copies are drafts, as what whoever asks adds there would have to be."""
    target, find = task.target, request.transitions.find_for_new
    return target is not None and any(
        isinstance(find(node.type, target.boundary_id), NoWay) for node in task.nodes
    )


def _moved(request: Any, plan: Plan) -> list[Line]:
    lines = [_said(request, ngettext("${n} page moves.", "${n} pages move.", plan.pages))]
    if plan.links_in:
        lines.append(
            _said(
                request,
                ngettext(
                    "${n} link from another page leads there, and goes on working.",
                    "${n} links from other pages lead there, and go on working.",
                    plan.links_in,
                ),
                "gain",
            )
        )
    lines.append(_said(request, _("Old addresses lead on to the new ones."), "gain"))
    if not plan.effects:
        lines.append(_said(request, _("Nobody gains or loses access.")))
    return lines


def _trashed(request: Any, plan: Plan) -> list[Line]:
    lines = [
        _said(
            request,
            ngettext("${n} page goes to the trash.", "${n} pages go to the trash.", plan.pages),
        )
    ]
    if drafts := plan.pages - plan.published:
        lines.append(
            _said(request, ngettext("${n} of them is a draft.", "${n} of them are drafts.", drafts))
        )
    if plan.published:
        lines.append(_said(request, _("Readers will not find them any more."), "loss"))
    lines += _broken(request, plan)
    days = request.registry.settings["myproject.trash_days"]
    if days:
        lines.append(
            _said(
                request,
                ngettext(
                    "They can be restored for ${n} day. Then they are deleted for good.",
                    "They can be restored for ${n} days. Then they are deleted for good.",
                    days,
                ),
            )
        )
    else:
        lines.append(_said(request, _("They can be restored until somebody empties the trash.")))
    return lines


def _taken(request: Any, task: Task, plan: Plan) -> list[Line]:
    if any(PUBLISHED in way.sources for way in task.transitions):
        return _unpublished(request, plan)
    if any(way.target == PUBLISHED for way in task.transitions):
        return [_said(request, _("Readers see the newest version at once."), "gain")]
    workflows, translate = request.registry.workflows, request.localizer.translate
    states = {
        translate(workflows.of(node.type).state(way.target).title)
        for node in task.nodes
        if isinstance(way := task.ways.get(node.id), Transition)
    }
    text = _("New state: ${state}. What readers see stays as it is.")
    return [_said(request, text % {"state": ", ".join(sorted(states))})] if states else []


def _unpublished(request: Any, plan: Plan) -> list[Line]:
    return [
        _said(
            request,
            ngettext(
                "${n} page will be hidden from readers, until it is published again.",
                "${n} pages will be hidden from readers: a draft hides what lies below it, too.",
                plan.published,
            ),
            "loss",
        ),
        *_broken(request, plan),
    ]


def _restored(request: Any, task: Task, plan: Plan) -> list[Line]:
    lines = [
        _said(request, ngettext("${n} page comes back.", "${n} pages come back.", plan.pages)),
    ]
    places = {node.parent.title for node in task.nodes if node.parent is not None}
    if task.target is not None:
        places = {task.target.title}
    if len(places) == 1:
        mapping = {"place": f"“{places.pop()}”"}
        lines.append(_said(request, _("It goes to ${place}.", mapping=mapping)))
    else:
        lines.append(_said(request, _("They go back to where they were.")))
    lines.append(_said(request, _("Links that led to them work again."), "gain"))
    return lines


def _purged(request: Any, task: Task, plan: Plan) -> list[Line]:
    below = descend(*(node.id for node in task.nodes))
    query = select(func.count()).where(Revision.node_id.in_(select(below.c.id)))
    revisions = request.dbsession.scalar(query) or 0
    return [
        _said(
            request,
            ngettext(
                "${n} page is deleted for good.", "${n} pages are deleted for good.", plan.pages
            ),
            "loss",
        ),
        _said(
            request,
            ngettext(
                "${n} revision of what was written there is lost.",
                "${n} revisions of what was written there are lost.",
                revisions,
            ),
            "loss",
        ),
        *_broken(request, plan),
        _said(request, _("Nobody can undo this."), "loss"),
    ]


def _broken(request: Any, plan: Plan) -> list[Line]:
    if not plan.links_in:
        return [_said(request, _("No other page links there."))]
    return [
        _said(
            request,
            ngettext(
                "${n} link on another page will lead nowhere.",
                "${n} links on other pages will lead nowhere.",
                plan.links_in,
            ),
            "loss",
        )
    ]


def _said(request: Any, text: Any, tone: str = "") -> Line:
    return Line(tone, translated(request.localizer, text))


def _effects(request: Any, plan: Plan) -> list[Line]:
    roles = request.registry.getUtility(IRoles)
    return [
        Line("gain" if effect.gained else "loss", sentence)
        for effect in plan.effects
        for sentence in sentences(request.localizer, roles, effect)
    ]


def _linking(request: Any, plan: Plan) -> tuple[list[Item], bool]:
    """Return pages that link there, of those that may be seen, and whether there are others."""
    if plan.kind in (Kind.MOVE, Kind.COPY):
        # Their links go on working.
        return [], False
    places = load_places(request, plan.linking)
    found = (places[number] for number in plan.linking if number in places)
    shown = [Item(title, url) for title, url in found if url]
    return shown, len(shown) < plan.links_in
