"""``init`` and ``db``: the database from nothing to current."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myproject import record_types
from myproject.cli.accounts import accounts_in, expiry, make_administrator, new_link
from myproject.cli.context import Context, counted, progress
from myproject.content.transfer.importer import import_directory
from myproject.db.migrations import needed_heads, pending, present_heads, upgrade
from myproject.exceptions import DatabaseUnavailable
from myproject.interfaces import IContentTypes, IMarkdownRenderer
from myproject.security.accounts import administrators
from myproject.security.models import Grant, User
from myproject.security.permissions import ADMINISTRATOR
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.site import SITE_ID, Site

DEMO = Path(__file__).parent.parent / "demo"

#: Name of the user whom a new site begins with.
FIRST = "admin"


@click.command()
@click.option("--demo", is_flag=True, help="Fill an empty site with pages that explain it.")
@click.pass_obj
def init(context: Context, demo: bool) -> None:
    """Create the database, bring it up to date, and make the first administrator.

    Harmless when that has been done.
    """
    _upgrade(context)
    click.echo(f"The database is up to date: {context.database.shown_url}")
    if demo:
        _load_demo(context)
    _make_first_administrator(context)


def _make_first_administrator(context: Context) -> None:
    """Make the user ``admin``, and show a way in until it was used."""
    with context.writing() as tree:
        session = tree.session
        # Two that start at the same time must not each make one.
        session.execute(select(Site.id).where(Site.id == SITE_ID).with_for_update())
        admin = session.scalars(select(User).where(User.name == FIRST)).one_or_none()
        present = administrators(session)
        if not present:
            if admin is not None or _somebody_was_granted(session):
                command = f"{_command(context)} user add NAME --admin"
                click.echo(f"Nobody can administer the site. Run: {command}", err=True)
                return
            admin = accounts_in(context, session).create_user(FIRST, "Administrator")
            make_administrator(context, session, admin)
        elif admin is None or list(present) != [admin.id] or _has_been_used(admin):
            return
        link = new_link(context, session, admin)
    line = "-" * max(72, len(link))
    click.echo(
        f"\n{line}\nSign in as the administrator, {FIRST!r}, by this link, and choose a password:\n"
        f"\n{link}\n\n"
        f"It works once, until {expiry(context)}. Another one: "
        f"{_command(context)} user password {FIRST} --link\n{line}"
    )


def _command(context: Context) -> str:
    name = Path(context.ini).name
    return "myproject" if name == "development.ini" else f"myproject -c {name}"


def _somebody_was_granted(session: Session) -> bool:
    query = select(Grant.principal_id).where(Grant.node_id == ROOT_ID, Grant.role == ADMINISTRATOR)
    return session.scalars(query.limit(1)).one_or_none() is not None


def _has_been_used(user: User) -> bool:
    return user.password_hash is not None or user.last_login_at is not None


def _load_demo(context: Context) -> None:
    registry = context.registry
    with context.writing() as tree:
        if tree.session.scalar(select(func.count()).where(Node.parent_id == ROOT_ID)):
            click.echo("The site has pages already; the demo was left out.")
            return
        report = import_directory(
            tree,
            DEMO,
            types=registry.getUtility(IContentTypes),
            renderer=registry.getUtility(IMarkdownRenderer),
            progress=progress("Loading the demo"),
        )
    pages = counted(len(report.created) + len(report.updated), "page")
    click.echo(f"Loaded the demo: {pages}.")


def _create_folder(context: Context) -> None:
    try:
        context.database.create_folder()
    except OSError as error:
        raise DatabaseUnavailable(
            f"sqlalchemy.url = {context.database.shown_url}: "
            f"its folder cannot be made: {error.strerror}"
        ) from error


def _upgrade(context: Context) -> None:
    _create_folder(context)
    upgrade(context.database, context.branches)
    record_types(context.registry)


@click.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
@click.pass_obj
def upgrade_command(context: Context) -> None:
    """Run the migrations that are missing, the core's and those of the add-ons that are on.

    All in one transaction: if one of them fails, nothing has changed.
    """
    _create_folder(context)
    context.database.check_reachable()
    steps = pending(context.database, context.branches, with_sql=False)
    _upgrade(context)
    for step in steps:
        click.echo(
            f"{step.revision}: {step.title} {f'({step.addon})' if step.addon else ''}".rstrip()
        )
    verb = "is now up to date" if steps else "was up to date"
    after = present_heads(context.database)
    click.echo(f"The database {verb}: {', '.join(sorted(after))}")


@db.command()
@click.pass_obj
def current(context: Context) -> None:
    """Show the schema's version. Status 1 if migrations are missing."""
    context.database.check_reachable()
    present, needed = present_heads(context.database), needed_heads(context.branches)
    click.echo(f"present: {', '.join(sorted(present)) or 'nothing'}")
    click.echo(f"needed:  {', '.join(sorted(needed))}")
    if not needed <= present:
        raise SystemExit(1)
