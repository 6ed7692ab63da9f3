"""Signing in and out."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from pyramid.interfaces import ISecurityPolicy
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from myproject.exceptions import SignInRefused, TooManyAttempts
from myproject.security.audit import Event, record
from myproject.security.logins import (
    Attempt,
    attempt,
    record_failure,
    revoke_logins,
    start_login,
    user_of,
)
from myproject.security.models import User
from myproject.translation import translated
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.addresses import safe_next
from myproject.views.forms import Form, see_other, text_of, typed_password
from myproject.views.links import can_mail_links
from myproject.views.rendering import TEMPLATES, layout

_ = TranslationStringFactory("myproject")


def sign_in_form(request: Any) -> Any:
    """Show the form; who is signed in already goes on."""
    wanted = safe_next(request, request.GET.get("next", ""))
    if request.signed_in is not None:
        return see_other(request, wanted)
    return _form(request, Form({"next": wanted}))


def sign_in(request: Any) -> Any:
    """Sign somebody in whose name and password fit, and go on where they wanted to."""
    account, wanted = text_of(request, "name", 300), safe_next(request, text_of(request, "next"))
    password = typed_password(request, "password")
    leave_revision(request.dbsession)
    form = Form({"name": account, "next": wanted})
    try:
        tried = try_password(request, account, password)
        user = user_of(request.dbsession, tried)
    except TooManyAttempts as error:
        request.response.headers["Retry-After"] = str(error.seconds)
        return _form(request, form, 429, error.message)
    except SignInRefused as error:
        return _form(request, form, 422, error.message)
    begin(request, user)
    return see_other(request, wanted)


def try_password(request: Any, account: str, password: str) -> Attempt:
    """Compare a name and a password with what is stored, and record it if they do not fit.

    :raises TooManyAttempts: before anything is compared.
    """
    registry, address = request.registry, request.actor.address
    # On a session of its own: hashing takes long on purpose, and on SQLite everybody who writes
    # would wait for it.
    with registry.database.read_session() as session:
        tried = attempt(
            session, registry.passwords, registry.sign_in_limits, account, password, address
        )
    if not tried.succeeded:
        record_failure(request.dbsession, account, tried, address)
    return tried


def begin(request: Any, user: User) -> None:
    """Sign *user* in on this client, in a session that starts anew."""
    # Whoever was signed in here before no longer is.
    end(request)
    token = start_login(
        request.dbsession,
        user,
        request.actor,
        request.headers.get("User-Agent", ""),
        request.registry.settings["myproject.login_lifetime"],
    )
    request.registry.getUtility(ISecurityPolicy).remember(request, token)


def end(request: Any) -> None:
    """Sign out whoever is signed in on this client."""
    identity = request.signed_in
    if identity is not None:
        revoke_logins(request.dbsession, identity.user_id, login_id=identity.login_id)
    request.registry.getUtility(ISecurityPolicy).forget(request)


def sign_out(request: Any) -> Response:
    """Sign out: the login ends in the database, so a copy of the cookie is worth nothing."""
    leave_revision(request.dbsession)
    if request.signed_in is not None:
        user = request.dbsession.get(User, request.signed_in.user_id)
        record(request.dbsession, Event.SIGNED_OUT, request.actor, subject=user)
    end(request)
    return see_other(request, safe_next(request, text_of(request, "next")))


def _form(request: Any, form: Form, status: int = 200, message: Any = "") -> dict[str, Any]:
    shown = translated(request.localizer, message)
    return small_screen(request, _("Sign in"), status, form=form, message=shown)


def small_screen(request: Any, title: Any, status: int, **values: Any) -> dict[str, Any]:
    """Return the variables of a screen on the way in: one small form, kept by nobody."""
    request.response.status_int = status
    request.response.cache_control = "no-store"
    return {
        **layout(request, title, account=False),
        "alone": True,
        "can_reset": can_mail_links(request),
        **values,
    }


def includeme(config: Configurator) -> None:
    """Register the screens."""
    config.add_route("sign_in", "/@@sign-in", factory=no_root)
    config.add_route("sign_out", "/@@sign-out", factory=no_root)
    for method, view in (("GET", sign_in_form), ("POST", sign_in)):
        config.add_view(
            view,
            route_name="sign_in",
            request_method=method,
            permission=NO_PERMISSION_REQUIRED,
            renderer=f"{TEMPLATES}sign_in.jinja2",
        )
    config.add_view(
        sign_out, route_name="sign_out", request_method="POST", permission=NO_PERMISSION_REQUIRED
    )
