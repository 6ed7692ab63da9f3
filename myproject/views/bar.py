"""The bar: on a page and on all of its screens, what somebody who works on it may do with it.

It is shown to people who are signed in and may do something there, so that nobody else's page has
a byte of it. It takes no statement: what somebody may do is in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.content.workflow import Comment, mark_of
from myproject.db.base import utcnow
from myproject.security.access import ANONYMOUS
from myproject.security.permissions import Permission
from myproject.tree.node import DRAFT, PUBLISHED, Node, is_ahead
from myproject.views.adding_types import addable_types
from myproject.views.menus import actions, has_view, translated
from myproject.views.times import to_local

_ = TranslationStringFactory("myproject")

#: What the bar offers of the core's, for those who may: name (and view), title, permission,
#: order, whether it stands in the bar itself, and its key. A name without a view is left out.
CORE = (
    ("edit", _("Edit"), Permission.EDIT, 100, True, "e"),
    ("contents", _("Contents"), Permission.EDIT, 200, True, "c"),
    ("history", _("History"), Permission.EDIT, 300, True, "h"),
    ("rename", _("Rename"), Permission.MOVE, 310, False, "r"),
    ("move", _("Move"), Permission.MOVE, 320, False, "m"),
    ("copy", _("Copy"), Permission.VIEW_DRAFTS, 330, False, ""),
    ("schedule", _("Schedule"), Permission.PUBLISH, 420, False, ""),
    ("preview-links", _("Preview links"), Permission.EDIT, 430, False, ""),
    ("backlinks", _("Pages that link here"), Permission.EDIT, 550, False, "b"),
    ("operations", _("What was done here"), Permission.EDIT, 700, False, ""),
    ("changes", _("What changed below here"), Permission.EDIT, 710, False, ""),
    ("delete", _("Delete"), Permission.DELETE, 900, False, ""),
)


class State(NamedTuple):
    """Who can see a page.

    :ivar kind: ``draft``, ``private`` or ``public``, for style sheets.
    :ivar notes: what is to become of it.
    :ivar is_ahead: whether there is a draft that readers do not see.
    """

    kind: str
    title: str
    notes: Sequence[str] = ()
    is_ahead: bool = False

    @property
    def marks(self) -> str:
        """Classes for style sheets."""
        return f"{self.kind} ahead" if self.is_ahead else self.kind


class BarLink(NamedTuple):
    """A link of the bar."""

    name: str
    title: str
    url: str
    current: bool
    shortcut: str


class Step(NamedTuple):
    """A transition that is offered.

    :ivar url: the screen that asks first; empty where it is taken at once.
    :ivar is_of_draft: whether it is about what readers do not see.
    """

    name: str
    title: str
    url: str
    is_of_draft: bool


class Addable(NamedTuple):
    """A type that may be added."""

    title: str
    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one page.

    :ivar page_url: the page itself.
    :ivar current: name of the screen that is shown; empty on the page itself.
    :ivar links, more: what stands in the bar, and what in its menu.
    :ivar adding: what may be added below the page.
    :ivar steps: the transitions of its workflow that the page may be taken through.
    :ivar draft_url: the draft of what comes next; empty where there is none.
    :ivar discard_url: the screen that discards it, for those who may.
    :ivar mark: what forms say of the version that they are about.
    """

    node_id: int
    page_url: str
    base: str
    current: str
    state: State
    links: Sequence[BarLink]
    more: Sequence[BarLink]
    adding: Sequence[Addable]
    steps: Sequence[Step]
    draft_url: str
    discard_url: str
    mark: str

    @property
    def in_more(self) -> bool:
        """Whether the current screen is one of those in the menu."""
        return any(link.current for link in self.more)


def bar_of(request: Any, node: Node, current: str = "") -> Bar | None:
    """Return the bar of *node*, to which *request* leads; None for those who have none.

    :param current: name of the screen of the node that is shown; none on the page itself.
    """
    registry, cls = request.registry, type(node)
    if request.signed_in is None or request.content_types.get(node.type) is None:
        return None
    allowed: dict[str, bool] = {}

    def may(permission: str) -> bool:
        if permission not in allowed:
            allowed[permission] = bool(request.has_permission(permission, node))
        return allowed[permission]

    page_url = request.canonical_base
    base = page_url.removesuffix("/")
    found = [
        (
            item.prominent,
            BarLink(
                item.name,
                translated(request, item),
                f"{base}/@@{item.view}",
                current in (item.name, item.view),
                item.shortcut,
            ),
        )
        for item in actions(request, cls, may)
    ]
    adding = _adding(request, node, base) if has_view(registry, cls, "add") else []
    if not found and not adding:
        return None
    ahead = is_ahead(node)
    steps = steps_of(request, node, base) if has_view(registry, cls, "state") else []
    return Bar(
        node.id,
        page_url,
        base,
        current,
        state_of(request, node),
        [link for prominent, link in found if prominent],
        [link for prominent, link in found if not prominent],
        adding,
        steps,
        f"{page_url}?version=draft" if ahead and may(Permission.VIEW_DRAFTS) else "",
        f"{base}/@@discard-draft" if ahead and may(Permission.EDIT) else "",
        mark_of(node),
    )


def steps_of(request: Any, node: Node, base: str) -> list[Step]:
    """Return the transitions that whoever asks may take a node through; no statement.

    :param base: the node's URL path, without a slash at the end.
    """
    steps = []
    for each in request.transitions.offered(node):
        title = each.title
        if each.name == "publish" and is_ahead(node):
            title = _("Publish changes")
        asks = each.comment is not Comment.NO or PUBLISHED in each.sources
        url = step_url(base, each.name) if asks else ""
        of_draft = PUBLISHED not in each.sources
        steps.append(Step(each.name, request.localizer.translate(title), url, of_draft))
    return steps


def step_url(base: str, name: str) -> str:
    """Return the address of the screen that asks before a transition is taken.

    :param base: the node's URL path, without a slash at the end.
    """
    return f"{base}/@@state?transition={quote(name)}"


def notes_of(request: Any, node: Any) -> list[str]:
    """Return what is to become of a page, for those who see its drafts.

    :param node: a node, or a row with its columns.
    """
    notes: list[Any] = [ahead_note(request, node)] if is_ahead(node) else []
    for moment, text in (
        (node.publish_at, _("Scheduled for ${time}")),
        (node.expire_at, _("Expires ${time}")),
    ):
        if moment is not None and moment > utcnow():
            time = f"{to_local(request, moment):%Y-%m-%d %H:%M}"
            notes.append(text % {"time": time})
    return [request.localizer.translate(note) for note in notes]


def ahead_note(request: Any, node: Any) -> Any:
    """Return what to say of a page with changes that readers do not see.

    :param node: a node, or a row with its columns.
    """
    state = request.registry.workflows.of(node.type).newest(node)
    if state.name == DRAFT:
        return _("Changed since publication")
    return _("Changes: ${state}", mapping={"state": request.localizer.translate(state.title)})


def _adding(request: Any, node: Node, base: str) -> list[Addable]:
    translate = request.localizer.translate
    return [
        Addable(
            translate(content_type.title),
            translate(content_type.description) if content_type.description else "",
            f"{base}/@@add?type={content_type.name}",
        )
        for content_type in addable_types(request, node)
    ]


def state_of(request: Any, node: Node) -> State:
    """Return who can see *node*, to which *request* leads."""
    translate = request.localizer.translate
    notes: Sequence[str] = ()
    ahead = is_ahead(node)
    if request.has_permission(Permission.VIEW_DRAFTS, node):
        notes = notes_of(request, node)
    if node.seen_state != PUBLISHED:
        return State("draft", hidden_title(request, node), notes)
    if is_public(request, node):
        return State("public", translate(_("Published")), notes, ahead and bool(notes))
    return State("private", translate(_("Not public")), notes, ahead and bool(notes))


def hidden_title(request: Any, node: Any) -> str:
    """Return the state of something that readers do not see, in words.

    :param node: a node, or a row with its columns.
    """
    state = request.registry.workflows.of(node.type).newest(node)
    return request.localizer.translate(state.title)


def is_public(request: Any, node: Node) -> bool:
    """Whether visitors who are not signed in see *node*, to which *request* leads."""
    public = request.policies.access(ANONYMOUS).visibility.pages
    published = all(place.seen_state == PUBLISHED for place in request.lineage)
    return published and node.boundary_id in public


def includeme(config: Configurator) -> None:
    """Register what the core offers."""
    for name, title, permission, order, prominent, shortcut in CORE:
        config.add_toolbar_action(
            name,
            title,
            view=name,
            permission=permission,
            order=order,
            prominent=prominent,
            shortcut=shortcut,
        )
