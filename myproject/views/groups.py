"""The list of groups, the screen that makes one, and the screen of one with its members."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import AccountError, InvalidValue, PrincipalGone
from myproject.interfaces import IRoles
from myproject.security.accounts import Accounts, list_groups, list_users
from myproject.security.models import Group
from myproject.security.permissions import Permission
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.forms import Form, numbers_of, see_other, tell, text_of
from myproject.views.people import (
    PAGE,
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

#: People that a search for new members shows.
FOUND = 20


def groups(request: Any) -> dict[str, Any]:
    """Show groups by name, a page at a time; at most three statements."""
    search = request.GET.get("q", "")[:200].strip()
    after = request.GET.get("after", "")[:200]
    rows, more = list_groups(request.dbsession, search=search, after=after, limit=PAGE)
    path = "/@@groups"
    return screen(
        request,
        _("Groups"),
        "groups",
        rows=rows,
        search=search,
        url=f"{request.mount}{path}",
        first=with_query(request, path, q=search) if after else None,
        following=with_query(request, path, q=search, after=rows[-1][0].name) if more else None,
    )


def new_group(request: Any) -> dict[str, Any]:
    """Ask what the new group is called."""
    return _form(request, Form())


def _form(request: Any, form: Form) -> dict[str, Any]:
    url = f"{request.mount}/@@groups"
    return screen(request, _("New group"), "groups", form=form, groups_url=url)


def create_group(request: Any) -> Any:
    """Make a group."""
    typed, session = _typed(request), request.dbsession
    leave_revision(session)
    try:
        made = accounts_of(request).create_group(**typed)
    except InvalidValue as error:
        form = Form(typed)
        refused(request, error, form)
        return _form(request, form)
    tell(request, _("The group is made. Now add its members."))
    return see_other(request, f"{request.mount}/@@groups/{made.id}")


def _typed(request: Any) -> dict[str, str]:
    return {name: text_of(request, name, 1000) for name in ("name", "title", "description")}


# -- one group ------------------------------------------------------------------------------------


def group(request: Any) -> dict[str, Any]:
    """Show a group."""
    return _screen(request, Form())


def _screen(request: Any, form: Form) -> dict[str, Any]:
    """Show a group; *form* holds what was typed instead of what is stored."""
    session, number = request.dbsession, _number(request)
    try:
        shown = accounts_of(request).group(number)
    except PrincipalGone as gone:
        raise HTTPNotFound(gone.message) from gone
    stored = {name: getattr(shown, name) for name in ("name", "title", "description")}
    form.values = {**stored, **form.values}
    after = request.GET.get("after", "")[:200]
    search = request.GET.get("q", "")[:200].strip()
    members, more = list_users(session, member_of=number, after=after, limit=PAGE)
    found, found_more = [], False
    if search:
        found, found_more = list_users(
            session, search=search, active=True, outside=number, limit=FOUND
        )
    path = f"/@@groups/{number}"
    return screen(
        request,
        shown.title,
        "groups",
        form=form,
        group=shown,
        group_url=f"{request.mount}{path}",
        groups_url=f"{request.mount}/@@groups",
        users_url=f"{request.mount}/@@users",
        members=members,
        first=with_query(request, path, q=search) if after else None,
        following=(
            with_query(request, path, q=search, after=members[-1].user.name) if more else None
        ),
        search=search,
        found=found,
        found_more=found_more,
        holdings=holdings(request, request.registry.getUtility(IRoles), [number], number),
        audit_url=with_query(request, "/@@audit", person=shown.name),
    )


def _number(request: Any) -> int:
    return int(request.matchdict["id"])


Operation = Callable[[Accounts, Group], Any]


def _act(
    request: Any,
    operation: Operation,
    typed: Mapping[str, Any] | None = None,
    *,
    done: Any,
    after: str = "",
) -> Any:
    """Do something to the group and go back to its screen, or show it with what went wrong.

    :param typed: what the form shall show again.
    :param done: the message when it went well.
    :param after: the path to go to instead.
    """
    accounts, number = accounts_of(request), _number(request)
    try:
        changed = accounts.group(number)
        title = changed.title
        check_reach(request, changed, frozenset({number}))
        operation(accounts, changed)
        request.dbsession.flush()
    except (AccountError, InvalidValue) as error:
        form = Form(dict(typed or {}))
        refused(request, error, form)
        return _screen(request, form)
    tell(request, done % {"name": title})
    return see_other(request, request.mount + (after or f"/@@groups/{number}"))


def save(request: Any) -> Any:
    """Change name, title and description."""
    typed = _typed(request)
    leave_revision(request.dbsession)
    return _act(
        request,
        lambda accounts, changed: accounts.change_group(changed, **typed),
        typed,
        done=_("Saved."),
    )


def delete(request: Any) -> Any:
    """Delete the group, if its name was typed."""

    def operation(accounts: Accounts, doomed: Group) -> None:
        check_confirmed(request, doomed)
        accounts.delete_group(doomed)

    return _act(request, operation, done=_("${name} is deleted."), after="/@@groups")


def add(request: Any) -> Any:
    """Add members."""

    def operation(accounts: Accounts, to: Group) -> None:
        for number in numbers_of(request, "user"):
            accounts.join(accounts.user(number), to)

    return _act(request, operation, done=_("Added to ${name}."))


def remove(request: Any) -> Any:
    """Remove members."""

    def operation(accounts: Accounts, from_: Group) -> None:
        for number in numbers_of(request, "user"):
            accounts.leave(accounts.user(number), from_)

    return _act(request, operation, done=_("Removed from ${name}."))


def includeme(config: Configurator) -> None:
    """Register the screens and the actions."""
    config.add_route("groups", "/@@groups", factory=no_root)
    config.add_tab(
        "groups",
        _("Groups"),
        group="site",
        view="groups",
        permission=Permission.MANAGE_USERS,
        order=200,
    )
    config.add_route("new_group", "/@@groups/new", factory=no_root)
    config.add_route("group", "/@@groups/{id:[0-9]{1,18}}", factory=no_root)
    config.add_route("group_action", "/@@groups/{id:[0-9]{1,18}}/{action}", factory=no_root)
    for route, method, view, template in (
        ("groups", "GET", groups, "groups"),
        ("new_group", "GET", new_group, "new_group"),
        ("new_group", "POST", create_group, "new_group"),
        ("group", "GET", group, "group"),
        ("group", "POST", save, "group"),
    ):
        config.add_view(
            view,
            route_name=route,
            request_method=method,
            permission=Permission.MANAGE_USERS,
            renderer=f"{TEMPLATES}{template}.jinja2",
        )
    for view in (delete, add, remove):
        config.add_view(
            view,
            route_name="group_action",
            match_param=f"action={view.__name__}",
            request_method="POST",
            permission=Permission.MANAGE_USERS,
            renderer=f"{TEMPLATES}group.jinja2",
        )
