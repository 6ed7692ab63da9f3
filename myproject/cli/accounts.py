"""What the commands on users, on groups and ``init`` share: who is meant, and one-time links."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.cli.context import Context, loader_of
from myproject.db.base import utcnow
from myproject.exceptions import AccountError
from myproject.security.accounts import Accounts
from myproject.security.links import one_time_url
from myproject.security.logins import make_link
from myproject.security.models import Group, User
from myproject.security.names import normalize_account
from myproject.security.permissions import ADMINISTRATOR
from myproject.security.sharing import Sharing, granted
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import ROOT_ID, Node

#: Where ``pserve`` listens if the ini file does not say.
PORT = "6543"


@contextmanager
def accounts(context: Context) -> Iterator[Accounts]:
    """The operations on accounts, in a transaction that is committed at the end of the block."""
    with context.writing() as tree:
        yield accounts_in(context, tree.session)


def accounts_in(context: Context, session: Session) -> Accounts:
    """Return the operations on accounts within a session's transaction."""
    registry = context.registry
    minimum = registry.settings["myproject.password_length"]
    return Accounts(session, registry.passwords, COMMAND_LINE, minimum=minimum)


def user_named(session: Session, name: str) -> User:
    """Return the user with this name.

    :raises AccountError: when there is none.
    """
    user = session.scalars(select(User).where(User.name == normalize_account(name))).one_or_none()
    if user is None:
        raise AccountError(f"There is no user {name!r}.")
    return user


def group_named(session: Session, name: str) -> Group:
    """Return the group with this name.

    :raises AccountError: when there is none.
    """
    query = select(Group).where(Group.name == normalize_account(name))
    group = session.scalars(query).one_or_none()
    if group is None:
        raise AccountError(f"There is no group {name!r}.")
    return group


def make_administrator(context: Context, session: Session, user: User) -> None:
    """Give a user the role at the root that may do everything."""
    root = session.get_one(Node, ROOT_ID)
    sharing = Sharing(session, context.roles, COMMAND_LINE, None)
    sharing.make(root, granted(user.id, ADMINISTRATOR))


# -- one-time links -------------------------------------------------------------------------------


def new_link(context: Context, session: Session, user: User) -> str:
    """Return the address of a new one-time link for *user*.

    :raises AccountError: when the account is disabled, so that it would lead nowhere.
    """
    if not user.active:
        raise AccountError(
            f"The account of {user.name!r} is disabled. Run: myproject user enable {user.name}"
        )
    lifetime = context.registry.settings["myproject.link_lifetime"]
    return one_time_url(base_url(context), make_link(session, user, COMMAND_LINE, lifetime))


def expiry(context: Context) -> str:
    """Return until when a link works that is made now."""
    lifetime: dt.timedelta = context.registry.settings["myproject.link_lifetime"]
    return f"{(utcnow() + lifetime).astimezone():%Y-%m-%d %H:%M %Z}"


def base_url(context: Context) -> str:
    """Return where the site is, as far as it is known: its canonical host, else this machine."""
    canonical = context.registry.settings["myproject.canonical_host"]
    return canonical.rstrip("/") or f"http://localhost:{server_port(context.ini)}"


def server_port(ini: str) -> str:
    """Return the port that the ini file has ``pserve`` listen on."""
    server = loader_of(ini).get_settings("server:main")
    listen = (server.get("listen") or "").split()
    if listen and (found := re.search(r":(\d+)$", listen[0])):
        return found[1]
    return server.get("port") or PORT


# -- asking ---------------------------------------------------------------------------------------


def read_password(what: str) -> str:
    """Return a password: typed twice and unseen on a terminal, else the first line of the input."""
    if sys.stdin.isatty():
        return click.prompt(what, hide_input=True, confirmation_prompt=True, err=True)
    return sys.stdin.readline().rstrip("\r\n")


def confirm(question: str, *, yes: bool) -> None:
    """Ask whether to go on; where there is no terminal nobody can be asked.

    :param yes: it was said already.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise AccountError("Nobody can be asked here. Say --yes to go on.")
    click.confirm(question, abort=True, err=True)
