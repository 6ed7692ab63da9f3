"""People in tests: somebody with an account and a role, signed in without a password."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pyramid.interfaces import ISessionFactory
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from webtest import TestApp

from myproject.security.accounts import Accounts
from myproject.security.logins import find_user, start_login
from myproject.security.models import Principal, User
from myproject.security.policy import LOGIN
from myproject.security.sharing import INHERITING_STOPPED, Sharing, granted
from myproject.testing.pages import client_of
from myproject.tree.actor import COMMAND_LINE, Actor
from myproject.tree.operations import Tree

if TYPE_CHECKING:
    from myproject.testing.sites import Site


def add_user(site: Site, session: Session, name: str) -> User:
    """Return the user of this name, who is made if there is none."""
    accounts = Accounts(session, site.registry.passwords, COMMAND_LINE, minimum=8)
    return find_user(session, name) or accounts.create_user(name, name.capitalize())


def give(site: Site, who: str, role: str, path: str) -> None:
    """Give a role to a principal, written as the command line does.

    :param who: a user's name, ``group:NAME``, ``everyone`` or ``authenticated``.
    """
    with site.tree() as tree:
        _give(site, tree, who, role, path)


def _give(site: Site, tree: Tree, who: str, role: str, path: str) -> None:
    kind, _, name = who.rpartition(":")
    name_is_kind = who in ("everyone", "authenticated")
    if kind or name_is_kind:
        query = select(Principal.id).where(Principal.kind == (kind or who))
        found = query if name_is_kind else query.where(Principal.name == name)
        principal_id = tree.session.execute(found).scalar_one()
    else:
        principal_id = add_user(site, tree.session, who).id
    sharing = Sharing(tree.session, site.roles, COMMAND_LINE, None)
    sharing.make(site.node(tree, path), granted(principal_id, role))


def cut_off(site: Site, path: str) -> None:
    """Have the node at *path* inherit no permissions: administrators alone may see it."""
    with site.tree() as tree:
        sharing = Sharing(tree.session, site.roles, COMMAND_LINE, None)
        sharing.make(site.node(tree, path), INHERITING_STOPPED)


def sign_in(site: Site, name: str, role: str | None = None, path: str = "/") -> TestApp:
    """A client that somebody is signed in with, who is made if there is nobody of this name.

    :param role: what they are given at the node of *path*.
    """
    with site.tree() as tree:
        if role is not None:
            _give(site, tree, name, role, path)
        user = add_user(site, tree.session, name)
        actor = Actor(user.id, user.name, "192.0.2.1")
        token = start_login(tree.session, user, actor, "A browser", dt.timedelta(days=1))
    request = Request.blank("/")
    request.registry = site.registry
    request.session = site.registry.getUtility(ISessionFactory)(request)
    request.session[LOGIN] = token
    response = Response()
    for callback in request.response_callbacks:
        callback(request, response)
    cookie, _, value = response.headers["Set-Cookie"].partition(";")[0].partition("=")
    client = client_of(site.app)
    client.set_cookie(cookie, value)
    return client
