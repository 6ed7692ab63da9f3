"""``trash``: what was deleted, to be brought back or to be deleted for good."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import click

from myproject.cli.context import Context, SitePath, counted
from myproject.content.plans import Planner
from myproject.db.base import utcnow
from myproject.exceptions import CannotUndo
from myproject.scope import Scope
from myproject.security.access import load_policies
from myproject.translation import in_english
from myproject.tree.lineages import load_with_lineage
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.trash import expired, in_trash, load_trash, old_places, sizes

#: Pages that one operation deletes for good.
BATCH = 100


@click.group()
def trash() -> None:
    """What was deleted, and is kept for a while."""


@trash.command("list")
@click.option("--search", default="", help="Only what has these words in its title or name.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.pass_obj
def list_trash(context: Context, search: str, limit: int) -> None:
    """List what is in the trash, the newest first, with the numbers to name it by."""
    with context.reading() as session:
        found, more = load_trash(session, search=search, limit=limit)
        places = old_places(session, {each.place_id for each in found})
        below = sizes(session, [each.id for each in found])
        for each in found:
            place = places[each.place_id]
            path = "/" + "/".join((*place.names, each.name))
            size = f", with {counted(below[each.id], 'page')} below" if below[each.id] else ""
            gone = ", in a place that is in the trash itself" if place.in_trash else ""
            click.echo(f"{each.id:>8}  {each.at:%Y-%m-%d %H:%M}  {path}  {each.title}{size}{gone}")
    if not found:
        click.echo("The trash is empty." if not search else "Nothing of this kind is there.")
    if more:
        click.echo(f"There is more; show it with --limit {limit * 10}.")


@trash.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--to", "place", type=SitePath(), help="Another place than the one from before.")
@click.option("--name", help="Another name than the one from before, for a single page.")
@click.pass_obj
def restore(
    context: Context, numbers: Sequence[int], place: tuple[str, ...] | None, name: str | None
) -> None:
    """Bring pages back from the trash, with all that lies below them."""
    if name is not None and len(numbers) > 1:
        raise click.UsageError("--name is for a single page.")
    with context.scopes.writing() as scope:
        nodes = _load(scope, numbers)
        target = None if place is None else _at(scope, place)
        names = {numbers[0]: name} if name is not None else None
        problems = _planner(scope).restore(nodes, target, names).problems
        if problems:
            lines = [f"{each.title}: {in_english(each.reason)}" for each in problems]
            raise CannotUndo("\n".join(lines))
        scope.journal.restore(nodes, target, names=names)
    click.echo(f"Restored {counted(len(nodes), 'page')}.")


@trash.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def purge(context: Context, numbers: Sequence[int], yes: bool) -> None:
    """Delete pages in the trash for good, with all that lies below them."""
    with context.scopes.writing() as scope:
        nodes = _load(scope, numbers)
        plan = _planner(scope).purge(nodes)
        links = f", to which {counted(plan.links_in, 'link')} lead" if plan.links_in else ""
        if not yes:
            click.confirm(f"Delete {counted(plan.pages, 'page')}{links} for good?", abort=True)
        scope.journal.purge(nodes)
    click.echo(f"Deleted {counted(plan.pages, 'page')} for good.")


@trash.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0),
    default=0,
    help="Only what has been there for so many days.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def empty(context: Context, days: int, yes: bool) -> None:
    """Delete for good whatever is in the trash."""
    since, count = utcnow() - dt.timedelta(days=days), 0
    if not yes:
        click.confirm("Delete what is in the trash for good?", abort=True)
    while True:
        # A transaction for each batch, so that nobody waits for long.
        with context.scopes.writing() as scope:
            nodes = load_with_lineage(scope.dbsession, expired(scope.dbsession, since, BATCH))
            operation = scope.journal.purge(nodes.values())
            count += 0 if operation is None else operation.count
        if operation is None:
            break
    click.echo(f"Deleted {counted(count, 'page')}, with all that was below, for good.")


def _load(scope: Scope, numbers: Sequence[int]) -> list[Node]:
    there = in_trash(scope.dbsession, numbers)
    missing = [str(number) for number in numbers if number not in there]
    if missing:
        raise click.BadParameter(f"Not in the trash: {', '.join(missing)}.", param_hint="NUMBERS")
    return list(load_with_lineage(scope.dbsession, there).values())


def _at(scope: Scope, names: Sequence[str]) -> Node:
    node = scope.dbsession.get_one(Node, ROOT_ID)
    for name in names:
        try:
            node = node[name]
        except KeyError:
            message = f"There is no page /{'/'.join(names)}."
            raise click.BadParameter(message, param_hint="--to") from None
    return node


def _planner(scope: Scope) -> Planner:
    policies = load_policies(scope.dbsession, scope.registry.policies.roles)
    reserved = scope.registry.reserved_names
    return Planner(scope.dbsession, scope.content_types, policies, None, reserved)
