"""What somebody chooses for themselves: language, time zone, keys, and how they edit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.db.base import utcnow
from myproject.exceptions import InvalidValue
from myproject.security.permissions import SIGNED_IN
from myproject.security.preferences import EDITORS, Preferences, store_preferences
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.account import account_tabs
from myproject.views.forms import Form, see_other, tell, text_of
from myproject.views.languages import language_name, language_tag
from myproject.views.rendering import TEMPLATES, layout, speak
from myproject.views.times import to_local
from myproject.zones import nearest_zone, zone_name, zone_names

_ = TranslationStringFactory("myproject")

#: Letters of what is typed that are shown again.
LONGEST = 100


class Language(NamedTuple):
    """A language that can be chosen.

    :ivar name: of the locale.
    :ivar title: what it calls itself.
    :ivar tag: as HTML names it.
    """

    name: str
    title: str
    tag: str


def preferences_screen(request: Any, form: Form | None = None) -> dict[str, Any]:
    """Show what is chosen; no statement but the one that says who asks."""
    request.response.cache_control = "no-store"
    registry, chosen = request.registry, request.preferences
    if form is None:
        form = Form({name: getattr(chosen, name) for name in Preferences.__slots__})
    return {
        **layout(request, _("Your account")),
        "tabs": account_tabs(request, "preferences"),
        "form": form,
        "languages": [
            Language(name, title, language_tag(name)) for name, title in registry.languages.items()
        ],
        "site_language": language_name(registry.settings["myproject.locale"]),
        "zones": zone_names(),
        "site_zone": registry.settings["myproject.time_zone"],
        "now": to_local(request, utcnow()),
        "url": f"{request.mount}/@@account/preferences",
    }


def save_preferences(request: Any) -> Any:
    """Store what was chosen; it holds from the next page on."""
    leave_revision(request.dbsession)
    form = Form(
        {
            "language": text_of(request, "language", LONGEST),
            "time_zone": text_of(request, "time_zone", LONGEST),
            "shortcuts": bool(request.POST.get("shortcuts")),
            "editor": text_of(request, "editor", LONGEST),
            "preview": bool(request.POST.get("preview")),
        }
    )
    values = {**form.values}
    for name, check in (("language", _language), ("time_zone", _zone), ("editor", _editor)):
        try:
            values[name] = check(request, values[name])
        except InvalidValue as error:
            form.refuse(request, error)
    if form.errors:
        request.response.status_int = 422
        return preferences_screen(request, form)
    preferences = Preferences(**values)
    identity = request.signed_in
    store_preferences(request.dbsession, identity.user_id, preferences)
    # The message is in the new language, as is the page that shows it.
    speak(request, replace(identity, preferences=preferences))
    tell(request, _("Your preferences are saved."))
    return see_other(request, f"{request.mount}/@@account/preferences")


def _language(request: Any, text: str) -> str:
    if text and text not in request.registry.languages:
        raise InvalidValue("language", _("There is no such language here. Choose one of the list."))
    return text


def _zone(request: Any, text: str) -> str:
    """Return the name of the zone that was typed.

    :raises InvalidValue: with what was probably meant.
    """
    if not text:
        return ""
    if (name := zone_name(text)) is not None:
        return name
    meant = nearest_zone(text)
    if meant is None:
        message = _(
            "There is no time zone “${text}”. Write a place of the list, such as Europe/Berlin.",
            mapping={"text": text},
        )
    else:
        message = _(
            "There is no time zone “${text}”. Did you mean ${meant}?",
            mapping={"text": text, "meant": meant},
        )
    raise InvalidValue("time_zone", message)


def _editor(request: Any, text: str) -> str:
    if text not in EDITORS:
        raise InvalidValue("editor", _("Choose one of the two editors."))
    return text


def includeme(config: Configurator) -> None:
    """Register the screen."""
    config.add_route("preferences", "/@@account/preferences", factory=no_root)
    for method, view in (("GET", preferences_screen), ("POST", save_preferences)):
        config.add_view(
            view,
            route_name="preferences",
            request_method=method,
            permission=SIGNED_IN,
            renderer=f"{TEMPLATES}preferences.jinja2",
        )
