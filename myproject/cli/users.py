"""``user``: people with an account."""

from __future__ import annotations

import click

from myproject.cli.accounts import (
    accounts,
    confirm,
    expiry,
    group_named,
    make_administrator,
    new_link,
    read_password,
    user_named,
)
from myproject.cli.context import Context, counted
from myproject.security.accounts import Accounts, list_users
from myproject.security.audit import Event, record
from myproject.security.logins import load_logins, revoke_logins
from myproject.security.models import User
from myproject.tree.actor import COMMAND_LINE


@click.group()
def user() -> None:
    """People with an account."""


@user.command()
@click.argument("name")
@click.option("--title", default="", help="The full name.")
@click.option("--email", default="", metavar="ADDRESS", help="The mail address.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="A group to belong to.")
@click.option("--admin", is_flag=True, help="Give the role that may do everything.")
@click.option("--password-stdin", is_flag=True, help="Read a password, and make no link.")
@click.pass_obj
def add(
    context: Context,
    name: str,
    title: str,
    email: str,
    groups: tuple[str, ...],
    admin: bool,
    password_stdin: bool,
) -> None:
    """Make an account, and a one-time link to choose a password with."""
    password = read_password("Password") if password_stdin else None
    link = ""
    with accounts(context) as doing:
        made = doing.create_user(name, title, email, password)
        for group in groups:
            doing.join(made, group_named(doing.session, group))
        if admin:
            make_administrator(context, doing.session, made)
        if password is None:
            link = new_link(context, doing.session, made)
        added = made.name
    click.echo(f"Added the user {added}.")
    _show(context, link)


@user.command()
@click.argument("name")
@click.option("--link", "by_link", is_flag=True, help="Make a one-time link to choose one with.")
@click.option("--stdin", "by_stdin", is_flag=True, help="Read the password.")
@click.pass_obj
def password(context: Context, name: str, by_link: bool, by_stdin: bool) -> None:
    """Set a password, or let its person choose one. --link is what is done unless told."""
    if by_link and by_stdin:
        raise click.UsageError("Say either --link or --stdin.")
    chosen = read_password("New password") if by_stdin else None
    link = ""
    with accounts(context) as doing:
        found = user_named(doing.session, name)
        if chosen is None:
            link = new_link(context, doing.session, found)
        else:
            doing.set_password(found, chosen)
    if chosen is not None:
        click.echo("The password is set, and all logins have ended.")
    _show(context, link)


def _show(context: Context, link: str) -> None:
    if link:
        click.echo(f"To choose a password, open this link. It works once, until {expiry(context)}:")
        click.echo(link)


@user.command()
@click.argument("name")
@click.pass_obj
def disable(context: Context, name: str) -> None:
    """Sign somebody out everywhere, and let them in no more."""
    with accounts(context) as doing:
        doing.disable_user(user_named(doing.session, name))
    click.echo("The account is disabled.")


@user.command()
@click.argument("name")
@click.pass_obj
def enable(context: Context, name: str) -> None:
    """Let somebody in again."""
    with accounts(context) as doing:
        doing.enable_user(user_named(doing.session, name))
    click.echo("The account is enabled.")


@user.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(context: Context, name: str, yes: bool) -> None:
    """Delete an account with its memberships, roles and logins."""
    with context.reading() as session:
        user_named(session, name)
    confirm(f"Delete the user {name}?", yes=yes)
    with accounts(context) as doing:
        doing.delete_user(user_named(doing.session, name))
    click.echo("The account is deleted.")


@user.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only who is called like this.")
@click.option("--all", "everybody", is_flag=True, help="Disabled accounts, too.")
@click.pass_obj
def list_command(context: Context, search: str, everybody: bool) -> None:
    """List accounts: name, title, mail address, groups, last sign-in."""
    after, more = "", True
    with context.reading() as session:
        while more:
            active = None if everybody else True
            rows, more = list_users(session, search=search, active=active, after=after, limit=500)
            for row in rows:
                click.echo(_line(row.user, row.groups))
                after = row.user.name


def _line(shown: User, groups: list[str]) -> str:
    seen = f"{shown.last_login_at:%Y-%m-%d}" if shown.last_login_at else "never"
    cells = [shown.name, shown.title, shown.email or "-", ", ".join(groups) or "-", seen]
    return "\t".join([*cells, *([] if shown.active else ["disabled"])])


@user.command()
@click.argument("name")
@click.option("--revoke", is_flag=True, help="End them all.")
@click.pass_obj
def logins(context: Context, name: str, revoke: bool) -> None:
    """Show where somebody is signed in."""
    if revoke:
        with accounts(context) as doing:
            ended = _revoke(doing, user_named(doing.session, name))
        click.echo(f"Ended {counted(ended, 'login')}.")
        return
    with context.reading() as session:
        for login in load_logins(session, user_named(session, name).id):
            cells = f"{login.created_at:%Y-%m-%d %H:%M}", login.address or "-", login.agent or "-"
            click.echo("\t".join(cells))


def _revoke(doing: Accounts, found: User) -> int:
    ended = revoke_logins(doing.session, found.id)
    if ended:
        record(doing.session, Event.LOGINS_REVOKED, COMMAND_LINE, subject=found, number=ended)
    return ended
