"""The list of users, and the screen that makes one."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import AccountError, InvalidValue
from myproject.security.accounts import list_users
from myproject.security.permissions import Permission
from myproject.tree.site import leave_revision
from myproject.tree.traversal import no_root
from myproject.views.forms import Form, numbers_of, see_other, tell, text_of, typed_password
from myproject.views.links import can_mail_links, link_hours
from myproject.views.people import PAGE, accounts_of, check_reach, refused, screen, with_query
from myproject.views.rendering import TEMPLATES
from myproject.views.user import all_groups, hand_over

_ = TranslationStringFactory("myproject")

#: What the list can be narrowed to.
STATES = {"": None, "active": True, "disabled": False}


def users(request: Any) -> dict[str, Any]:
    """Show users by name, a page at a time; at most four statements."""
    search = request.GET.get("q", "")[:200].strip()
    state = request.GET.get("state", "")
    after = request.GET.get("after", "")[:200]
    rows, more = list_users(
        request.dbsession, search=search, active=STATES.get(state), after=after, limit=PAGE
    )
    path, filters = "/@@users", {"q": search, "state": state if state in STATES else ""}
    return screen(
        request,
        _("Users"),
        "users",
        rows=rows,
        search=search,
        state=filters["state"],
        url=f"{request.mount}{path}",
        first=with_query(request, path, **filters) if after else None,
        following=with_query(request, path, **filters, after=rows[-1].user.name) if more else None,
    )


def new_user(request: Any) -> dict[str, Any]:
    """Ask who the new user is."""
    return _form(request, Form({"way": "link", "groups": frozenset()}))


def _form(request: Any, form: Form) -> dict[str, Any]:
    settings = request.registry.settings
    return screen(
        request,
        _("New user"),
        "users",
        form=form,
        groups=all_groups(request),
        can_mail=can_mail_links(request),
        link_hours=link_hours(request),
        password_length=settings["myproject.password_length"],
        users_url=f"{request.mount}/@@users",
    )


def create_user(request: Any) -> Any:
    """Make a user, and the way in that was chosen."""
    session = request.dbsession
    typed = {name: text_of(request, name, 300) for name in ("name", "title", "email")}
    way, chosen = text_of(request, "way", 10), numbers_of(request, "groups")
    password = typed_password(request, "password") if way == "password" else None
    try:
        accounts = accounts_of(request)
        person = accounts.create_user(**typed, password=password)
        for number in sorted(set(chosen)):
            group = accounts.group(number)
            check_reach(request, group, frozenset({number}))
            accounts.join(person, group)
        if way != "password":
            hand_over(request, person, way)
        session.flush()
    except (AccountError, InvalidValue) as error:
        form = Form({**typed, "way": way, "groups": frozenset(chosen)})
        refused(request, error, form)
        return _form(request, form)
    if not chosen:
        leave_revision(session)
    tell(request, _("${name} has an account now.", mapping={"name": person.title}))
    return see_other(request, f"{request.mount}/@@users/{person.id}")


def includeme(config: Configurator) -> None:
    """Register the screens."""
    config.add_route("users", "/@@users", factory=no_root)
    config.add_tab(
        "users",
        _("Users"),
        group="site",
        view="users",
        permission=Permission.MANAGE_USERS,
        order=100,
    )
    config.add_route("new_user", "/@@users/new", factory=no_root)
    for route, method, view, template in (
        ("users", "GET", users, "users"),
        ("new_user", "GET", new_user, "new_user"),
        ("new_user", "POST", create_user, "new_user"),
    ):
        config.add_view(
            view,
            route_name=route,
            request_method=method,
            permission=Permission.MANAGE_USERS,
            renderer=f"{TEMPLATES}{template}.jinja2",
        )
