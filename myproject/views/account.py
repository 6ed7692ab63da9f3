"""One's own account: the password, and where one is signed in."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import InvalidValue, TooManyAttempts
from myproject.security.audit import Event, record
from myproject.security.logins import load_logins, revoke_logins
from myproject.security.models import User
from myproject.security.permissions import SIGNED_IN
from myproject.translation import translated
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.agents import shown_agent
from myproject.views.forms import Form, numbers_of, see_other, tell, typed_password
from myproject.views.menus import Tab
from myproject.views.people import accounts_of
from myproject.views.rendering import TEMPLATES, layout
from myproject.views.sign_in import try_password

_ = TranslationStringFactory("myproject")


def account_tabs(request: Any, current: str) -> list[Tab]:
    """Return the screens about one's own account, as tabs."""
    translate, url = request.localizer.translate, f"{request.mount}/@@account"
    return [
        Tab(translate(_("Account")), url, current == "account"),
        Tab(translate(_("Preferences")), f"{url}/preferences", current == "preferences"),
    ]


def account_screen(request: Any, form: Form | None = None, status: int = 200) -> dict[str, Any]:
    """Show the account of whoever is signed in."""
    request.response.status_int = status
    request.response.cache_control = "no-store"
    session, identity = request.dbsession, request.signed_in
    return {
        **layout(request, _("Your account")),
        "tabs": account_tabs(request, "account"),
        "form": form or Form(),
        "user": session.get_one(User, identity.user_id),
        "logins": load_logins(session, identity.user_id),
        "login_id": identity.login_id,
        "shown_agent": shown_agent,
        "password_length": request.registry.settings["myproject.password_length"],
    }


def change_password(request: Any) -> Any:
    """Change the password of somebody who knows the old one; other logins end."""
    leave_revision(request.dbsession)
    form, identity = Form(), request.signed_in
    old, new, repeated = (typed_password(request, name) for name in ("old", "password", "repeated"))
    try:
        tried = try_password(request, identity.name, old)
    except TooManyAttempts as error:
        form.errors["old"] = translated(request.localizer, error.message)
        return account_screen(request, form, 429)
    translate = request.localizer.translate
    if not tried.succeeded:
        form.errors["old"] = translate(_("This is not your password."))
    if new != repeated:
        form.errors["repeated"] = translate(_("It is not the same as above."))
    if not form.errors:
        accounts = accounts_of(request)
        try:
            user = accounts.user(identity.user_id)
            accounts.set_password(user, new, keep_login=identity.login_id)
        except InvalidValue as error:
            form.refuse(request, error)
    if form.errors:
        return account_screen(request, form, 422)
    tell(request, _("Your password is changed, and you are signed out wherever else you were."))
    return see_other(request, request.mount + "/@@account")


def end_logins(request: Any) -> Any:
    """Sign out somewhere else, or everywhere else."""
    identity, session = request.signed_in, request.dbsession
    leave_revision(session)
    chosen = numbers_of(request, "login")
    if chosen:
        ended = sum(
            revoke_logins(session, identity.user_id, login_id=login_id, keep=identity.login_id)
            for login_id in chosen
        )
    else:
        ended = revoke_logins(session, identity.user_id, keep=identity.login_id)
    user = session.get_one(User, identity.user_id)
    record(session, Event.LOGINS_REVOKED, request.actor, subject=user, number=ended)
    tell(request, _("You are signed out there."))
    return see_other(request, request.mount + "/@@account")


def includeme(config: Configurator) -> None:
    """Register the screens."""
    config.add_route("account", "/@@account", factory=no_root)
    config.add_route("account_logins", "/@@account/logins", factory=no_root)
    for route, method, view in (
        ("account", "GET", account_screen),
        ("account", "POST", change_password),
        ("account_logins", "POST", end_logins),
    ):
        config.add_view(
            view,
            route_name=route,
            request_method=method,
            permission=SIGNED_IN,
            renderer=f"{TEMPLATES}account.jinja2",
        )
