"""Choosing a password without knowing the old one: asking for a one-time link, and using it."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from pyramid.security import NO_PERMISSION_REQUIRED

from myproject.exceptions import InvalidValue, LinkExpired
from myproject.security.audit import Event, record
from myproject.security.logins import find_user, make_link, open_link, use_link
from myproject.security.models import User
from myproject.security.names import normalize_account
from myproject.tree.actor import Actor
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.forms import Form, see_other, tell, text_of, typed_password
from myproject.views.links import can_mail_links, mail_link
from myproject.views.people import accounts_of
from myproject.views.rendering import TEMPLATES
from myproject.views.sign_in import begin, small_screen

_ = TranslationStringFactory("myproject")


def reset_form(request: Any) -> dict[str, Any]:
    """Ask whose password was forgotten."""
    return _reset_screen(request, Form({"name": request.GET.get("name", "")[:300]}))


def reset(request: Any) -> Any:
    """Mail a one-time link, if there is somebody to mail it to; the answer does not tell."""
    account = text_of(request, "name", 300)
    if not account:
        form = Form(errors={"name": request.localizer.translate(_("Give a name or an address."))})
        return _reset_screen(request, form, status=422)
    leave_revision(request.dbsession)
    address = request.actor.address
    # Counted apart from attempts to sign in, or asking for a link could lock somebody out.
    asked_for = f"link for {normalize_account(account)}"
    wait = request.registry.sign_in_limits.allow(asked_for, address)
    if not wait and can_mail_links(request):
        user = find_user(request.dbsession, account)
        # Written whether or not there is such an account: one takes about as long as the other.
        asked = Actor(None, normalize_account(account), address)
        record(request.dbsession, Event.LINK_REQUESTED, asked, subject=user)
        if user is not None and user.active and user.email:
            _mail_link(request, user)
    return _reset_screen(request, Form({"name": account}), sent=True)


def _mail_link(request: Any, user: User) -> None:
    lifetime = request.registry.settings["myproject.link_lifetime"]
    token = make_link(request.dbsession, user, request.actor, lifetime)
    subject = _("Choose a new password for ${site}")
    text = _(
        "Hello ${name},\n\n"
        "somebody, probably you, asked for a new password at ${site}.\n"
        "To choose one, open this address. It works once, for ${hours} hours:\n\n"
        "${url}\n\n"
        "If it was not you, ignore this message: your password stays as it is.\n"
    )
    mail_link(request, user, token, subject, text)


def _reset_screen(
    request: Any, form: Form, *, sent: bool = False, status: int = 200
) -> dict[str, Any]:
    return small_screen(request, _("Forgotten password"), status, form=form, sent=sent)


def one_time_form(request: Any) -> dict[str, Any]:
    """Ask for a new password. The link stays good: programs that look at mail open links, too."""
    token = request.GET.get("token", "")[:200]
    try:
        user = open_link(request.dbsession, token)
    except LinkExpired:
        return _one_time_screen(request, None, Form(), status=410)
    return _one_time_screen(request, user, Form({"token": token}))


def one_time(request: Any) -> Any:
    """Set the password, use the link up, and sign its person in."""
    session, token = request.dbsession, text_of(request, "token", 200)
    leave_revision(session)
    form = Form({"token": token})
    try:
        user = open_link(session, token)
        _set_password(request, user, token, form)
    except LinkExpired:
        return _one_time_screen(request, None, form, status=410)
    if form.errors:
        # The link must go on working.
        request.tm.doom()
        return _one_time_screen(request, user, form, status=422)
    begin(request, user)
    tell(request, _("Your password is set, and you are signed in."))
    return see_other(request, request.mount + "/@@account")


def _set_password(request: Any, user: User, token: str, form: Form) -> None:
    password = typed_password(request, "password")
    if password != typed_password(request, "repeated"):
        form.errors["repeated"] = request.localizer.translate(_("It is not the same as above."))
        return
    use_link(request.dbsession, token)
    actor = Actor(user.id, user.name, request.actor.address)
    try:
        accounts_of(request, actor).set_password(user, password)
    except InvalidValue as error:
        form.refuse(request, error)


def _one_time_screen(
    request: Any, user: User | None, form: Form, status: int = 200
) -> dict[str, Any]:
    # The address is a secret until it was used. With "no-referrer" browsers would not say either
    # that the form comes from this site.
    request.response.headers["Referrer-Policy"] = "same-origin"
    title = _("Choose a password") if user is not None else _("This link does not work any more")
    length = request.registry.settings["myproject.password_length"]
    return small_screen(request, title, status, form=form, user=user, password_length=length)


def includeme(config: Configurator) -> None:
    """Register the screens."""
    config.add_route("reset_password", "/@@reset-password", factory=no_root)
    config.add_route("one_time", "/@@one-time", factory=no_root)
    for route, method, view in (
        ("reset_password", "GET", reset_form),
        ("reset_password", "POST", reset),
        ("one_time", "GET", one_time_form),
        ("one_time", "POST", one_time),
    ):
        config.add_view(
            view,
            route_name=route,
            request_method=method,
            permission=NO_PERMISSION_REQUIRED,
            renderer=f"{TEMPLATES}{route}.jinja2",
        )
