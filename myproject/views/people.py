"""What the screens of users, groups and the audit share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.exceptions import AccountError, InvalidValue, OutOfReach
from myproject.security.access import ANONYMOUS
from myproject.security.accounts import Accounts
from myproject.security.models import Grant, Group, User
from myproject.security.names import normalize_account
from myproject.security.permissions import Roles
from myproject.tree.actor import Actor
from myproject.tree.node import Node
from myproject.tree.urls import climb, path_columns, paths_from_rows
from myproject.views.forms import Form, start_over, tell, text_of
from myproject.views.menus import site_tabs
from myproject.views.rendering import layout

_ = TranslationStringFactory("myproject")

#: Rows on one page of a list.
PAGE = 50


class Holding(NamedTuple):
    """A place where somebody has a role.

    :ivar url: None outside of the virtual root, and where whoever asks may not look.
    :ivar through: the title of the group that has the role; empty for one's own.
    """

    role: str
    title: str
    url: str | None
    through: str = ""


def screen(request: Any, title: Any, current: str, **values: Any) -> dict[str, Any]:
    """Return the variables of a screen below the tab *current*."""
    request.response.cache_control = "no-store"
    return {**layout(request, title), "tabs": site_tabs(request, current), **values}


def refused(request: Any, error: AccountError | InvalidValue, form: Form) -> None:
    """Take back what was done, and show *error*: at its field of *form*, or above everything."""
    start_over(request)
    request.response.status_int = 422
    if isinstance(error, InvalidValue):
        form.refuse(request, error)
    else:
        tell(request, error.message, "danger")


def accounts_of(request: Any, actor: Actor | None = None) -> Accounts:
    """Return the operations on accounts, for whoever asks or for another *actor*."""
    registry = request.registry
    minimum = registry.settings["myproject.password_length"]
    return Accounts(request.dbsession, registry.passwords, actor or request.actor, minimum=minimum)


def check_confirmed(request: Any, principal: User | Group) -> None:
    """Refuse what cannot be undone unless the name was typed of whom it is about.

    :raises InvalidValue:
    """
    if normalize_account(text_of(request, "confirm", 300)) != principal.name:
        message = _("Type ${name} to confirm.", mapping={"name": principal.name})
        raise InvalidValue("confirm", message)


def check_reach(request: Any, principal: User | Group, principals: frozenset[int]) -> None:
    """Keep those who manage users from becoming somebody who may do more than they may.

    :param principals: what *principal* is, and with what it would be able to do.
    :raises OutOfReach: when these may do anything, anywhere, that whoever asks may not.
    """
    mine, theirs = request.access, request.policies.access(principals | ANONYMOUS)
    for boundary_id, permissions in theirs.permissions.items():
        if not permissions <= mine.at(boundary_id):
            raise OutOfReach(principal.title)


def holdings(request: Any, roles: Roles, principals: Iterable[int], own: int) -> list[Holding]:
    """Return the places where these principals have roles, by address; two statements.

    :param own: the principal whose roles are its own; the others' come through them.
    """
    session = request.dbsession
    query = (
        select(Grant.node_id, Grant.role, Grant.principal_id, Group.title)
        .outerjoin(Group, Group.id == Grant.principal_id)
        .where(Grant.principal_id.in_(list(principals)))
    )
    grants = session.execute(query).all()
    places = load_places(request, {grant.node_id for grant in grants})
    found = []
    for node_id, name, principal_id, through in grants:
        title, url = places.get(node_id, ("", None))
        role = roles.get(name)
        shown = request.localizer.translate(role.title) if role else name
        found.append(Holding(shown, title, url, "" if principal_id == own else through))
    return sorted(found, key=lambda holding: (holding.url or "", holding.role, holding.through))


def load_places(request: Any, ids: Iterable[int]) -> dict[int, tuple[str, str | None]]:
    """Return node id -> what to call the place and its URL; one statement, none for no ids.

    Places that whoever asks may not see are left out.
    """
    wanted = list(ids)
    if not wanted:
        return {}
    up = climb(select(Node.id).where(Node.id.in_(wanted)))
    query = (
        select(*path_columns(up), Node.title)
        .join_from(up, Node, Node.id == up.c.origin)
        .order_by(up.c.origin, up.c.height.desc())
    )
    rows = request.dbsession.connection().execute(query).all()
    paths = paths_from_rows((row[:6] for row in rows), request.visibility)
    titles = {row.origin: row.title for row in rows}
    return {
        node_id: (titles[node_id], request.path_url_of(names)) for node_id, names in paths.items()
    }


def with_query(request: Any, path: str, **parameters: Any) -> str:
    """Return a URL path below the site's with those of *parameters* that say something."""
    query = urlencode({key: value for key, value in parameters.items() if value})
    return f"{request.mount}{path}" + (f"?{query}" if query else "")
