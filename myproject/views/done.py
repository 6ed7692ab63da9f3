"""What was done to the tree, in words, and the message with a button that undoes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.content.obstacles import Obstacles
from myproject.content.operations_log import (
    Audience,
    Kind,
    Operation,
    state_stored,
    undo_depths,
)
from myproject.content.workflow import Transition
from myproject.interfaces import IRoles
from myproject.security.access import ANONYMOUS, Access, load_policies
from myproject.security.permissions import Permission
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID
from myproject.views.forms import Action, tell
from myproject.views.rendering import DOMAIN

_ = TranslationStringFactory(DOMAIN)

#: Pseudo-kinds of :attr:`Kind.STATE`, whose row does not say which way it went.
PUBLISH, UNPUBLISH, STAGE = "publish", "unpublish", "stage"

#: Kind -> what was done, and what undoing it does.
REPORTS: Mapping[str, tuple[Any, Any]] = {
    Kind.ADD: (_("Added ${what}."), _("Moved ${what} to the trash.")),
    Kind.RENAME: (_("Gave ${what} a new name."), _("Gave ${what} its old name back.")),
    Kind.MOVE: (_("Moved ${what} to ${target}."), _("Moved ${what} back to ${target}.")),
    Kind.COPY: (_("Copied ${what} to ${target}."), _("Moved ${what} to the trash.")),
    Kind.REORDER: (
        _("Moved ${what} to another position."),
        _("Moved ${what} back to its old position."),
    ),
    PUBLISH: (_("Published ${what}."), _("Published ${what} again.")),
    UNPUBLISH: (_("Took ${what} back from readers."), _("Took ${what} back from readers again.")),
    Kind.SCHEDULE: (
        _("Planned when readers see ${what}."),
        _("Took back what was planned for ${what}."),
    ),
    Kind.DISCARD: (
        _("Discarded the changes to ${what}."),
        _("Brought the changes to ${what} back."),
    ),
    Kind.REVERT: (
        _("Restored an older version of ${what} in place of its changes."),
        _("Brought the changes to ${what} back. Readers see what they saw before."),
    ),
    Kind.TRASH: (_("Moved ${what} to the trash."), _("Restored ${what}.")),
    Kind.RESTORE: (_("Restored ${what}."), _("Moved ${what} back to the trash.")),
    Kind.PURGE: (_("Deleted ${what} for good."), ""),
}

#: Kind -> what it is called where kinds are chosen, and the sentences of a list: of what somebody
#: has done, and of what somebody has undone.
SENTENCES: Mapping[str, tuple[Any, Any, Any]] = {
    Kind.ADD: (_("Added"), _("${actor} added ${what}"), _("${actor} undid adding ${what}")),
    Kind.RENAME: (
        _("Renamed"),
        _("${actor} renamed ${what}"),
        _("${actor} undid renaming ${what}"),
    ),
    Kind.MOVE: (
        _("Moved"),
        _("${actor} moved ${what} to ${target}"),
        _("${actor} moved ${what} back to ${target}"),
    ),
    Kind.COPY: (
        _("Copied"),
        _("${actor} copied ${what} to ${target}"),
        _("${actor} undid copying ${what}"),
    ),
    Kind.REORDER: (
        _("Reordered"),
        _("${actor} moved ${what} to another position"),
        _("${actor} moved ${what} back to its old position"),
    ),
    PUBLISH: (
        _("Published"),
        _("${actor} published ${what}"),
        _("${actor} published ${what} again"),
    ),
    UNPUBLISH: (
        _("Taken back from readers"),
        _("${actor} took ${what} back from readers"),
        _("${actor} took ${what} back from readers again"),
    ),
    Kind.SCHEDULE: (
        _("Scheduled"),
        _("${actor} planned when readers see ${what}"),
        _("${actor} took back what was planned for ${what}"),
    ),
    Kind.DISCARD: (
        _("Changes discarded"),
        _("${actor} discarded the changes to ${what}"),
        _("${actor} brought the changes to ${what} back"),
    ),
    Kind.REVERT: (
        _("Older version restored"),
        _("${actor} restored an older version of ${what} in place of its changes"),
        _("${actor} brought the changes to ${what} back"),
    ),
    Kind.TRASH: (
        _("Deleted"),
        _("${actor} moved ${what} to the trash"),
        _("${actor} undid deleting ${what}"),
    ),
    Kind.RESTORE: (
        _("Restored"),
        _("${actor} restored ${what}"),
        _("${actor} undid restoring ${what}"),
    ),
    Kind.PURGE: (_("Deleted for good"), _("${actor} deleted ${what} for good"), ""),
}


def variant_of(operation: Operation, obstacles: Obstacles) -> str:
    """Return an operation's kind as the tables above have it."""
    if operation.kind != Kind.STATE:
        return operation.kind
    if operation.transition not in ("", PUBLISH, UNPUBLISH):
        return STAGE
    steps = obstacles.steps[operation.id]
    before, after = (steps[0].came_from, steps[0].went_to) if steps else (None, None)
    if after is None:
        # Too many to be looked at.
        return operation.transition or UNPUBLISH
    if before is not None and before.state == after.state:
        return STAGE
    return PUBLISH if after.state == PUBLISHED else UNPUBLISH


def in_words(
    request: Any, operation: Operation, obstacles: Obstacles, *, undone: bool
) -> tuple[Any, Any]:
    """Return what an operation is reported with, and its sentence in lists.

    :param undone: whether it has undone another one.
    """
    variant = variant_of(operation, obstacles)
    if variant == STAGE:
        return _step_in_words(request, operation, obstacles, undone=undone)
    return REPORTS[variant][undone], SENTENCES[variant][1 + undone]


def _step_in_words(
    request: Any, operation: Operation, obstacles: Obstacles, *, undone: bool
) -> tuple[Any, Any]:
    """Return the same of a step in a workflow.

    :param undone: whether the operation has undone one.
    """
    workflows = request.registry.workflows
    if not undone:
        known = (each.get(operation.transition) for each in workflows)
        transition: Transition | None = next((each for each in known if each is not None), None)
        if transition is not None and transition.done and transition.log:
            return transition.done, transition.log
    steps = obstacles.steps[operation.id]
    after = steps[0].went_to if steps else None
    name = DRAFT if after is None else state_stored(after)
    mapping = {"state": request.localizer.translate(workflows.title_of(name))}
    return (
        _("New state of ${what}: ${state}.", mapping=mapping),
        _("${actor} took ${what} to the state “${state}”", mapping=mapping),
    )


def what_of(request: Any, operation: Operation) -> str:
    """Return what an operation was about: the title of one page, or how many there were."""
    if operation.count == 1:
        return f"“{operation.title}”"
    return pages(request, operation.count)


def pages(request: Any, count: int) -> str:
    """Return ``1 page`` or ``3 pages``."""
    # Under the name by which the strings of calls are collected.
    ngettext = request.localizer.pluralize
    text = ngettext("${n} page", "${n} pages", count, DOMAIN, {"n": count})
    return request.localizer.translate(text)


def report(request: Any, operation: Operation, obstacles: Obstacles, *, undone: bool) -> str:
    """Return what was just done, as a sentence."""
    mapping = {"what": what_of(request, operation), "target": operation.target_title}
    sentence, _log = in_words(request, operation, obstacles, undone=undone)
    return request.localizer.translate(sentence, mapping=mapping)


def tell_done(
    request: Any, operation: Operation | None, nothing: Any = "", *, text: Any = ""
) -> None:
    """Show on the next screen what was done, with a button that undoes it.

    The button is left out for somebody who may not do what undoing takes.

    :param operation: what :class:`myproject.content.journal.Journal` has returned.
    :param nothing: what to say where that is None: nothing had to be changed.
    :param text: what to say instead of the usual sentence.
    """
    if operation is None:
        tell(request, nothing or _("Nothing had to be changed."))
        return
    obstacles = Obstacles(request.dbsession, [operation])
    depth = undo_depths(request.dbsession, [operation.id]).get(operation.id, 0)
    action = None
    if operation.kind != Kind.PURGE and not missing(request, obstacles.needed(operation)):
        label = _("Redo") if depth % 2 else _("Undo")
        action = Action(label, undo_url(request, operation))
    tell(
        request,
        text or report(request, operation, obstacles, undone=bool(depth % 2)),
        action=action,
    )


def undo_url(request: Any, operation: Operation) -> str:
    """Return the path that undoing an operation is posted to."""
    return f"{request.mount}/@@operations/{operation.id}/undo"


def missing(request: Any, needed: Iterable[tuple[int, str]]) -> list[str]:
    """Return what somebody lacks of the permissions that undoing takes, in words, each once.

    What took a permission of an add-on that is switched off now is undone by those who may publish:
    to them every state is open without it.
    """
    roles = request.registry.getUtility(IRoles)
    needs = [
        (place, name if name in roles.permissions else Permission.PUBLISH) for place, name in needed
    ]
    access: Access = request.access
    if any(boundary_id not in access.permissions for boundary_id, _permission in needs):
        # Within this very transaction a copy has become a boundary.
        access = _access_now(request)
    lacking = [name for place, name in needs if name not in access.at(place)]
    translate = request.localizer.translate
    return [translate(roles.title_of(name)) for name in dict.fromkeys(lacking)]


def _access_now(request: Any) -> Access:
    policies = load_policies(request.dbsession, request.registry.getUtility(IRoles))
    identity = request.signed_in
    return policies.access(ANONYMOUS if identity is None else identity.principals)


def audience_of(request: Any) -> Audience:
    """Return which operations whoever asks is shown."""
    identity, access = request.signed_in, request.access
    return Audience(
        None if identity is None else identity.user_id,
        access.where(Permission.EDIT),
        gone=Permission.MANAGE_SITE in access.at(ROOT_ID),
    )
