"""``group``: people who are given roles together."""

from __future__ import annotations

import click

from myproject.cli.accounts import accounts, confirm, group_named, user_named
from myproject.cli.context import Context, counted
from myproject.security.accounts import list_groups


@click.group()
def group() -> None:
    """People who are given roles together."""


@group.command()
@click.argument("name")
@click.option("--title", default="", help="What people read.")
@click.option("--description", default="", help="What it is for.")
@click.pass_obj
def add(context: Context, name: str, title: str, description: str) -> None:
    """Make a group."""
    with accounts(context) as doing:
        made = doing.create_group(name, title, description).name
    click.echo(f"Added the group {made}.")


@group.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only what is called like this.")
@click.pass_obj
def list_command(context: Context, search: str) -> None:
    """List groups: name, title, number of members."""
    after, more = "", True
    with context.reading() as session:
        while more:
            rows, more = list_groups(session, search=search, after=after, limit=500)
            for shown, members in rows:
                click.echo("\t".join([shown.name, shown.title, counted(members, "member")]))
                after = shown.name


@group.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(context: Context, name: str, yes: bool) -> None:
    """Delete a group with its roles; its members stay."""
    with context.reading() as session:
        group_named(session, name)
    confirm(f"Delete the group {name}?", yes=yes)
    with accounts(context) as doing:
        doing.delete_group(group_named(doing.session, name))
    click.echo("The group is deleted.")


@group.command()
@click.argument("group")
@click.argument("users", nargs=-1, required=True)
@click.pass_obj
def join(context: Context, group: str, users: tuple[str, ...]) -> None:
    """Have users belong to a group."""
    with accounts(context) as doing:
        found = group_named(doing.session, group)
        for name in users:
            doing.join(user_named(doing.session, name), found)
    click.echo(f"{found.name}: {', '.join(users)} joined.")


@group.command()
@click.argument("group")
@click.argument("users", nargs=-1, required=True)
@click.pass_obj
def leave(context: Context, group: str, users: tuple[str, ...]) -> None:
    """Have users belong to a group no longer."""
    with accounts(context) as doing:
        found = group_named(doing.session, group)
        for name in users:
            doing.leave(user_named(doing.session, name), found)
    click.echo(f"{found.name}: {', '.join(users)} left.")
