"""What a change of who may do what is, and what it does, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.i18n import Localizer, TranslationStringFactory

from myproject.security.audit import Event
from myproject.security.permissions import Permission, Roles
from myproject.security.sharing import Change, Effect
from myproject.views.rendering import DOMAIN

_ = TranslationStringFactory(DOMAIN)

#: Permissions that are about pages, as verbs before "3 pages"; others are about the site.
VERBS: Mapping[str, Any] = {
    Permission.VIEW: _("view"),
    Permission.VIEW_DRAFTS: _("see drafts of"),
    Permission.ADD: _("add to"),
    Permission.EDIT: _("edit"),
    Permission.MOVE: _("move"),
    Permission.DELETE: _("delete"),
    Permission.PUBLISH: _("publish"),
    Permission.SHARE: _("share"),
}

#: ``(gained, visitors, about pages)`` -> the sentence.
SENTENCES: Mapping[tuple[bool, bool, bool], Any] = {
    (True, False, True): _("${people} will be able to ${verbs} ${pages}."),
    (False, False, True): _("${people} will no longer be able to ${verbs} ${pages}."),
    (True, False, False): _("${people} will be able to ${verbs}."),
    (False, False, False): _("${people} will no longer be able to ${verbs}."),
    (True, True, True): _("Visitors who are not signed in will be able to ${verbs} ${pages}."),
    (False, True, True): _(
        "Visitors who are not signed in will no longer be able to ${verbs} ${pages}."
    ),
    (True, True, False): _("Visitors who are not signed in will be able to ${verbs}."),
    (False, True, False): _("Visitors who are not signed in will no longer be able to ${verbs}."),
}


def question(change: Change, names: dict[str, str]) -> Any:
    """Return what is about to be done, as a title.

    :param names: ``role`` and ``who``, as people call them.
    """
    match change.event:
        case Event.INHERITING_STOPPED:
            return _("Stop inheriting here?")
        case Event.INHERITING_RESUMED:
            return _("Inherit from above again?")
        case Event.ROLE_GRANTED:
            return _("Give the role ${role} to ${who}?", mapping=names)
    return _("Take the role ${role} from ${who}?", mapping=names)


def report(change: Change, names: dict[str, str]) -> Any:
    """Return what was done.

    :param names: ``role`` and ``who``, as people call them.
    """
    match change.event:
        case Event.INHERITING_STOPPED:
            return _("What is granted above no longer holds here.")
        case Event.INHERITING_RESUMED:
            return _("What is granted above holds here again.")
        case Event.ROLE_GRANTED:
            return _("${who} has the role ${role} here.", mapping=names)
    return _("${who} no longer has the role ${role} by a grant of this page.", mapping=names)


def sentences(localizer: Localizer, roles: Roles, effect: Effect) -> list[str]:
    """Return what *effect* says: a sentence about pages, one about the site, or both."""
    counted = {
        "people": _people(localizer, effect.people),
        "pages": _pages(localizer, effect.pages),
    }
    about_pages = [VERBS[name] for name in effect.permissions if name in VERBS]
    others = [roles.title_of(name) for name in effect.permissions if name not in VERBS]
    found = []
    for verbs, pages in ((about_pages, True), (others, False)):
        if verbs:
            text = SENTENCES[effect.gained, effect.visitors, pages]
            listed = _listed(localizer, [localizer.translate(verb) for verb in verbs])
            found.append(localizer.translate(text, mapping={**counted, "verbs": listed}))
    return found


def _listed(localizer: Localizer, words: Sequence[str]) -> str:
    """Return ``view, edit and move``."""
    if len(words) == 1:
        return words[0]
    mapping = {"some": ", ".join(words[:-1]), "last": words[-1]}
    return localizer.translate(_("${some} and ${last}", mapping=mapping))


def _people(localizer: Localizer, count: int) -> str:
    # Under the name by which the strings of calls are collected.
    ngettext = localizer.pluralize
    return localizer.translate(ngettext("${n} person", "${n} people", count, DOMAIN, {"n": count}))


def _pages(localizer: Localizer, count: int) -> str:
    ngettext = localizer.pluralize
    return localizer.translate(ngettext("${n} page", "${n} pages", count, DOMAIN, {"n": count}))
