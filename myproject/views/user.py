"""The screen of one user: who it is, how they get in, where they are signed in, what they may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.exceptions import AccountError, InvalidValue, PrincipalGone
from myproject.interfaces import IRoles
from myproject.security.accounts import Accounts, groups_of
from myproject.security.audit import Event, load_entries, record
from myproject.security.identity import principals_of
from myproject.security.logins import load_logins, make_link, revoke_logins
from myproject.security.models import Group, User
from myproject.security.permissions import Permission
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.agents import shown_agent
from myproject.views.audit import lines_of
from myproject.views.forms import Form, numbers_of, see_other, tell, text_of, typed_password
from myproject.views.links import can_mail_links, link_hours, mail_link, one_time_url
from myproject.views.people import (
    accounts_of,
    check_confirmed,
    check_reach,
    holdings,
    refused,
    screen,
    with_query,
)
from myproject.views.rendering import TEMPLATES

_ = TranslationStringFactory("myproject")

#: Queue of the session for links that wait to be shown, once.
LINKS = "one-time-links"
#: Entries of the record that are shown.
RECENT = 10

SUBJECT = _("Your account at ${site}")
TEXT = _(
    "Hello ${name},\n\n"
    "you can sign in at ${site}. To choose a password, open this address.\n"
    "It works once, for ${hours} hours:\n\n"
    "${url}\n"
)


def user(request: Any) -> dict[str, Any]:
    """Show a user."""
    return _screen(request, Form())


def _screen(request: Any, form: Form) -> dict[str, Any]:
    """Show a user; *form* holds what was typed instead of what is stored."""
    session, settings = request.dbsession, request.registry.settings
    try:
        person = accounts_of(request).user(_number(request))
    except PrincipalGone as gone:
        raise HTTPNotFound(gone.message) from gone
    groups = groups_of(session, person.id)
    stored = {"name": person.name, "title": person.title, "email": person.email or ""}
    form.values = {**stored, "groups": groups, **form.values}
    entries, _more = load_entries(session, principal_id=person.id, limit=RECENT)
    identity = request.signed_in
    return screen(
        request,
        person.title,
        "users",
        form=form,
        user=person,
        user_url=f"{request.mount}/@@users/{person.id}",
        users_url=f"{request.mount}/@@users",
        is_self=identity is not None and identity.user_id == person.id,
        login_id=None if identity is None else identity.login_id,
        member_of=groups,
        groups=all_groups(request),
        logins=load_logins(session, person.id),
        shown_agent=shown_agent,
        holdings=holdings(
            request, request.registry.getUtility(IRoles), {person.id, *groups}, person.id
        ),
        lines=lines_of(request, entries),
        audit_url=with_query(request, "/@@audit", person=person.name),
        link=_waiting_link(request, person.id),
        link_hours=link_hours(request),
        can_mail=can_mail_links(request),
        password_length=settings["myproject.password_length"],
    )


def all_groups(request: Any) -> list[Any]:
    """Return ``(id, title, name)`` of every group, by title."""
    query = select(Group.id, Group.title, Group.name).order_by(Group.title, Group.id)
    return list(request.dbsession.execute(query))


def _number(request: Any) -> int:
    return int(request.matchdict["id"])


# -- one-time links -------------------------------------------------------------------------------


def hand_over(request: Any, person: User, way: str) -> None:
    """Make a one-time link for *person*; *way* is ``mail`` to send it, else it is shown once.

    :raises InvalidValue: when there is no address to send it to.
    :raises CannotMailLinks: when it is not known where links in mail lead.
    """
    lifetime = request.registry.settings["myproject.link_lifetime"]
    token = make_link(request.dbsession, person, request.actor, lifetime)
    if way != "mail":
        request.session.flash([person.id, one_time_url(request, token)], LINKS)
        return
    if not person.email:
        message = _("Without a mail address there is nowhere to send a link to.")
        raise InvalidValue("email", message)
    mail_link(request, person, token, SUBJECT, TEXT)
    tell(request, _("The link is on its way to ${address}.", mapping={"address": person.email}))


def _waiting_link(request: Any, user_id: int) -> str | None:
    if not request.session.peek_flash(LINKS):
        return None
    waiting = dict(request.session.pop_flash(LINKS))
    link = waiting.pop(user_id, None)
    for other in waiting.items():
        request.session.flash(list(other), LINKS)
    return link


# -- actions --------------------------------------------------------------------------------------

Operation = Callable[[Accounts, User], Any]


def _act(
    request: Any,
    operation: Operation,
    typed: Mapping[str, Any] | None = None,
    *,
    done: Any = "",
    after: str = "",
) -> Any:
    """Do something to the user and go back to their screen, or show it with what went wrong.

    :param typed: what the form shall show again.
    :param done: the message when it went well.
    :param after: the path to go to instead.
    """
    accounts, number = accounts_of(request), _number(request)
    try:
        person = accounts.user(number)
        title = person.title
        check_reach(request, person, principals_of(number, groups_of(request.dbsession, number)))
        operation(accounts, person)
        request.dbsession.flush()
    except (AccountError, InvalidValue) as error:
        form = Form(dict(typed or {}))
        refused(request, error, form)
        return _screen(request, form)
    if done:
        tell(request, done % {"name": title})
    return see_other(request, request.mount + (after or f"/@@users/{number}"))


def save(request: Any) -> Any:
    """Change name, title, mail address and groups."""
    typed = {name: text_of(request, name, 300) for name in ("name", "title", "email")}
    chosen, had = set(numbers_of(request, "groups")), set(numbers_of(request, "had"))

    def operation(accounts: Accounts, person: User) -> None:
        accounts.change_user(person, **typed)
        present = groups_of(request.dbsession, person.id)
        # Only what was changed in this form: somebody else may have changed the rest meanwhile.
        wanted = (present | (chosen - had)) - (had - chosen)
        if wanted == present:
            leave_revision(request.dbsession)
            return
        for number in wanted - present:
            group = accounts.group(number)
            check_reach(request, group, frozenset({number}))
        accounts.set_groups(person, wanted)

    return _act(request, operation, {**typed, "groups": chosen}, done=_("Saved."))


def disable(request: Any) -> Any:
    """Switch the account off."""
    return _act(
        request,
        lambda accounts, person: accounts.disable_user(person),
        done=_("${name} is signed out everywhere and cannot sign in any more."),
    )


def enable(request: Any) -> Any:
    """Switch the account on again."""
    return _act(
        request,
        lambda accounts, person: accounts.enable_user(person),
        done=_("${name} can sign in again."),
    )


def delete(request: Any) -> Any:
    """Delete the account, if its name was typed."""

    def operation(accounts: Accounts, person: User) -> None:
        check_confirmed(request, person)
        accounts.delete_user(person)

    return _act(request, operation, done=_("${name} is deleted."), after="/@@users")


def link(request: Any) -> Any:
    """Make a one-time link."""
    leave_revision(request.dbsession)

    def operation(accounts: Accounts, person: User) -> None:
        if not person.active:
            message = _("An account that is disabled cannot be signed in to. Enable it first.")
            raise AccountError(message)
        hand_over(request, person, text_of(request, "way", 10))

    return _act(request, operation)


def password(request: Any) -> Any:
    """Set the password."""
    leave_revision(request.dbsession)
    chosen = typed_password(request, "password")
    identity = request.signed_in

    def operation(accounts: Accounts, person: User) -> None:
        keep = identity.login_id if identity and identity.user_id == person.id else None
        accounts.set_password(person, chosen, keep_login=keep)

    return _act(
        request, operation, done=_("The password of ${name} is set, and their logins have ended.")
    )


def logins(request: Any) -> Any:
    """End one login, or all."""
    leave_revision(request.dbsession)
    session, identity, chosen = request.dbsession, request.signed_in, numbers_of(request, "login")

    def operation(accounts: Accounts, person: User) -> None:
        keep = identity.login_id if identity and identity.user_id == person.id else None
        ended = sum(
            revoke_logins(session, person.id, login_id=login_id, keep=keep)
            for login_id in (chosen or [None])
        )
        if ended:
            event = Event.LOGINS_REVOKED
            record(session, event, request.actor, subject=person, number=ended)

    return _act(request, operation, done=_("${name} is signed out there."))


def includeme(config: Configurator) -> None:
    """Register the screen and its actions."""
    config.add_route("user", "/@@users/{id:[0-9]{1,18}}", factory=no_root)
    config.add_route("user_action", "/@@users/{id:[0-9]{1,18}}/{action}", factory=no_root)
    options: dict[str, Any] = {
        "permission": Permission.MANAGE_USERS,
        "renderer": f"{TEMPLATES}user.jinja2",
    }
    config.add_view(user, route_name="user", request_method="GET", **options)
    config.add_view(save, route_name="user", request_method="POST", **options)
    for view in (disable, enable, delete, link, password, logins):
        config.add_view(
            view,
            route_name="user_action",
            match_param=f"action={view.__name__}",
            request_method="POST",
            **options,
        )
