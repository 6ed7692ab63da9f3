"""``redirects``: addresses that lead elsewhere."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy.orm import Session

from myproject.cli.context import Context, SitePath
from myproject.content.aliases import remove
from myproject.content.types import can_lead_to
from myproject.exceptions import MyprojectError
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.redirects import (
    Cursor,
    Origin,
    Redirect,
    add,
    address_of,
    addresses_of,
    at_address,
    load_redirects,
    walk,
)
from myproject.tree.urls import join_path, paths_of
from myproject.tree.visibility import ALL, EVERYTHING

Names = tuple[str, ...]

_BATCH = 500


class NoRedirect(MyprojectError):
    """Nothing leads away from an address."""


@click.group("redirects")
def redirects() -> None:
    """Addresses without a page that lead to one all the same."""


@redirects.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only those that have this in them.")
@click.option("--origin", type=click.Choice([str(kind) for kind in Origin]), help="Of one kind.")
@click.pass_obj
def list_command(context: Context, search: str, origin: str | None) -> None:
    """List redirects, the newest first: old address, where it leads, origin, hits."""
    with context.reading() as session:
        before, more = None, True
        while more:
            lines, more = load_redirects(
                session, ALL, search=search, origin=origin or "", before=before, limit=_BATCH
            )
            found = [line.redirect for line in lines]
            _print(session, found)
            if more:
                before = Cursor(found[-1].created_at, found[-1].id)


def _print(session: Session, found: list[Redirect]) -> None:
    addresses = addresses_of(session, found, EVERYTHING)
    targets = {each.target_id for each in found if each.target_id is not None}
    paths = paths_of(session, targets, EVERYTHING)
    for each in found:
        names, path = addresses[each.id], paths.get(each.target_id or 0)
        old = "(in the trash)" if names is None else join_path(names)
        new = each.url or ("(in the trash)" if path is None else join_path(path))
        click.echo("\t".join([old, new, each.origin, str(each.hits)]))


@redirects.command("add")
@click.argument("address", type=SitePath(), metavar="/OLD/ADDRESS")
@click.argument("target", metavar="/PAGE or URL")
@click.pass_obj
def add_command(context: Context, address: Names, target: str) -> None:
    """Have an address lead to a page, wherever that is moved, or to a URL."""
    reserved = context.registry.reserved_names
    with context.writing() as tree:
        session = tree.session
        old = address_of(session, address, reserved)
        add(session, old, **_target(session, target), actor=COMMAND_LINE.name)
    click.echo(f"{join_path(address)} leads to {target} now.")
    if old.is_taken:
        click.echo("A page has this address, so the redirect rests until that is gone.", err=True)


def _target(session: Session, text: str) -> dict[str, Any]:
    if not text.startswith("/"):
        if not can_lead_to(text):
            raise click.BadParameter(
                "name a page by its path, or a URL that begins with https://, http:// or mailto:"
            )
        return {"url": text}
    names = SitePath().convert(text, None, None)
    ids = walk(session, names)
    if len(ids) <= len(names):
        raise NoRedirect(f"There is no page at {join_path(names)}.")
    return {"target_id": ids[-1]}


@redirects.command("remove")
@click.argument("address", type=SitePath(), metavar="/OLD/ADDRESS")
@click.pass_obj
def remove_command(context: Context, address: Names) -> None:
    """Have an address lead nowhere."""
    with context.writing() as tree:
        found = at_address(tree.session, address_of(tree.session, address))
        if found is None:
            raise NoRedirect(f"Nothing leads away from {join_path(address)}.")
        remove(tree.session, tree.session.get_one(Redirect, found.id))
    click.echo(f"{join_path(address)} no longer leads anywhere.")
