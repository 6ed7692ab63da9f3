"""``addon remove``: taking an add-on's tables and pages out of the database, exported before."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Session, aliased

from myproject import prepare_database
from myproject.cli.context import Context, counted, progress
from myproject.cli.looking import core_settings, declared, switched_on, with_addons
from myproject.cli.losses import Loss, losses, write_loss
from myproject.content.known import stored_types
from myproject.content.operations import change_type
from myproject.content.registry import ContentTypes
from myproject.content.transfer.exporter import export_directory
from myproject.db.migrations import branch_of, downgrade, heads_in, needed_heads
from myproject.db.transaction import mark_changed
from myproject.exceptions import MyprojectError
from myproject.extend.configurator import SiteConfigurator
from myproject.extend.points import Branch
from myproject.extend.switching import describe, find
from myproject.extend.telling import KEY
from myproject.interfaces import IContentTypes
from myproject.registry import SiteRegistry, registry_of
from myproject.scope import Scope, Scopes
from myproject.tree.known import KnownType, known_types
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.urls import join_path, paths_of
from myproject.tree.visibility import EVERYTHING

#: Pages that the plan names before it only counts.
NAMED = 20

_FOLDER = "folder"

#: Where the pages of an export are.
PAGES = "pages"


class CannotRemove(MyprojectError):
    """An add-on cannot be removed; nothing has been changed."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of an add-on's types.

    :ivar number: of all of them.
    :ivar sections: those below which there are pages of other types, the topmost first.
    :ivar tops: the others, as far as they are not below each other.
    """

    number: int
    sections: tuple[int, ...]
    tops: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """An add-on that is to be removed.

    :ivar site: the site as it is configured, without it.
    :ivar types: all content types, those of the add-on among them.
    :ivar own: names of its content types.
    :ivar branches: all branches of migrations, its own among them.
    """

    name: str
    site: SiteRegistry
    types: ContentTypes
    own: frozenset[str]
    branches: tuple[Branch, ...]

    def take_back(self, connection: Connection) -> None:
        """Take the migrations of the add-on back."""
        present = set(map(branch_of, heads_in(connection)))
        for branch in reversed(self.branches):
            if branch.addon == self.name and branch.name in present:
                downgrade(connection, self.branches, f"{branch.name}@base")

    def carry_out(self, scope: Scope, pages: Pages) -> None:
        """Remove pages, tables and what is known of the types, in the scope's transaction."""
        session = scope.dbsession
        if pages_of(session, self.own) != pages:
            raise CannotRemove("Its pages were moved or deleted meanwhile. Run the command again.")
        for node_id in pages.sections:
            change_type(scope.tree, session.get_one(Node, node_id), _FOLDER, self.types)
        for node_id in pages.tops:
            scope.tree.purge(session.get_one(Node, node_id))
        session.flush()
        self.take_back(session.connection())
        known = KnownType.__table__
        session.connection().execute(delete(known).where(known.c.name.in_(self.own)))  # type: ignore[arg-type]
        mark_changed(session)


@click.command()
@click.argument("name")
@click.option(
    "--export",
    "directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where what is removed is kept; removed-NAME-DATE unless told.",
)
@click.option("--plan", is_flag=True, help="Show what would be lost, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(context: Context, name: str, directory: Path | None, plan: bool, yes: bool) -> None:
    """Remove what an add-on that is off has in the database: its tables, and pages of its types.

    Everything is exported before: pages as Markdown, tables as JSON Lines.
    """
    with _prepared(context, name) as removal:
        database = removal.site.database
        with database.writer.connect() as connection:
            lost = losses(connection, removal.take_back)
        with database.read_session() as session:
            pages = pages_of(session, removal.own)
            _refuse_what_others_keep_there(session, removal, lost)
            _show(session, removal, pages, lost)
        if plan or not (pages.number or lost or _is_known(removal)):
            return
        if not yes and not sys.stdin.isatty():
            raise CannotRemove("Nobody can be asked here. Say --yes to go on.")
        _ask(removal.name, yes=yes)
        exported = _export(removal, directory or _default(removal.name), pages, lost)
        kept = f"The export is in {exported}." if exported else "There was nothing to export."
        try:
            with Scopes(removal.site).writing() as scope:
                removal.carry_out(scope, pages)
        except BaseException:
            click.echo(f"Nothing was changed. {kept}", err=True)
            raise
        click.echo(f"Removed {removal.name}: {_done(pages, lost)}. {kept}")
        if exported and pages.number:
            click.echo(
                f"With it on again its pages come back by: myproject import {exported / PAGES}"
            )


# -- what is to be removed ------------------------------------------------------------------------


@contextmanager
def _prepared(context: Context, name: str) -> Iterator[Removal]:
    on = switched_on(core_settings(context))
    name = find(name).name
    _refuse_what_is_needed(name, on)
    names = [*on, *(each for each in _with_requirements(name) if each not in on)]
    with_it = with_addons(context, names)
    # Settings of what is off may still be in the ini file, or must be for this.
    foreign = _settings_of(set(names) - set(on), with_it)
    site = registry_of(with_addons(context, on, without=foreign))
    try:
        prepare_database(site, Path(context.ini).name)
        types = registry_of(with_it).getUtility(IContentTypes)
        # An add-on may give a type of somebody else another title: that is not its own.
        others = {each.name for each in site.getUtility(IContentTypes)}
        own = {each.name for each in types if each.addon == name}
        with site.database.read_session() as session:
            own |= {known.name for known in known_types(session).values() if known.addon == name}
        branches = registry_of(with_it).extensions.migrations()
        removal = Removal(name, site, types, frozenset(own - others), branches)
        _refuse_what_is_outdated(removal)
        yield removal
    finally:
        site.database.dispose()
        registry_of(with_it).database.dispose()


def _refuse_what_is_needed(name: str, on: Collection[str]) -> None:
    if name in on:
        raise CannotRemove(
            f"{name} is on. Take it out of {KEY} first: its content is kept until you remove it."
        )
    needing = [other for other in on if name in _with_requirements(other)]
    if needing:
        raise CannotRemove(f"{name} is required by {', '.join(needing)}. Remove that first.")


def _refuse_what_others_keep_there(
    session: Session, removal: Removal, lost: Collection[Loss]
) -> None:
    """A type may be below another add-on's, and have a part of its columns in that one's table."""
    tables = {loss.table for loss in lost}
    for stored in stored_types(session, removal.types).values():
        shared = tables.intersection(stored.tables)
        if stored.name not in removal.own and shared:
            raise CannotRemove(
                f"Pages of the type {stored.name!r} ({stored.addon or 'the core'}) have a part of "
                f"what they say in {', '.join(sorted(shared))}. Remove {stored.addon} first."
            )


def _with_requirements(name: str) -> list[str]:
    """Return the add-ons that one requires, directly or not, and then itself."""
    found: dict[str, None] = {}

    def add(each: str) -> None:
        addon = find(each)
        if addon.name not in found:
            found[addon.name] = None
            for other in describe(addon).requires:
                add(other)

    add(name)
    return list(reversed(found))


def _settings_of(addons: Collection[str], configurator: SiteConfigurator) -> set[str]:
    """Return the keys of the settings that add-ons have declared."""
    return {
        key
        for _, setting, addon in declared(configurator, "settings")
        if addon in addons
        for key in setting.all_keys
    }


def _refuse_what_is_outdated(removal: Removal) -> None:
    with removal.site.database.reader.connect() as connection:
        present = heads_in(connection)
    needed = needed_heads(removal.branches)
    for branch in removal.branches:
        has = {each for each in present if branch_of(each) == branch.name}
        if branch.addon == removal.name and has and not has <= needed:
            raise CannotRemove(
                f"The database has an older version of {removal.name}: {', '.join(sorted(has))}. "
                f"Add it to {KEY}, run db upgrade, take it out again, and come back."
            )


def pages_of(session: Session, types: Collection[str]) -> Pages:
    """Return the pages of types, apart by whether there are pages of other types below."""
    node = Node.__table__
    child = aliased(node, name="child")
    connection = session.connection()
    own = {
        row.id: row.parent_id
        for row in connection.execute(
            select(node.c.id, node.c.parent_id).where(node.c.type.in_(types)).order_by(node.c.id)
        )
    }
    above_others = set(
        connection.scalars(
            select(node.c.id)
            .join_from(node, child, child.c.parent_id == node.c.id)
            .where(node.c.type.in_(types), child.c.type.not_in(types))
            .distinct()
        )
    )
    # The root stays, whatever it is.
    sections = {ROOT_ID} & own.keys()
    for node_id in above_others:
        while node_id in own and node_id not in sections:
            sections.add(node_id)
            node_id = own[node_id]
    tops = [
        node_id
        for node_id, parent_id in own.items()
        if node_id not in sections and (parent_id not in own or parent_id in sections)
    ]
    return Pages(len(own), tuple(sorted(sections)), tuple(tops))


def _is_known(removal: Removal) -> bool:
    """Whether the database knows of its types, or has come to one of its migrations."""
    own = {branch.name for branch in removal.branches if branch.addon == removal.name}
    with removal.site.database.read_session() as session:
        present = set(map(branch_of, heads_in(session.connection())))
        return bool(present & own or known_types(session).keys() & removal.own)


# -- showing, exporting, asking -------------------------------------------------------------------


def _show(session: Session, removal: Removal, pages: Pages, lost: list[Loss]) -> None:
    if not (pages.number or lost):
        what = "No pages and no rows, but its migrations," if _is_known(removal) else "Nothing"
        click.echo(f"{what} of {removal.name} {'are' if 'rows' in what else 'is'} in the database.")
        return
    click.echo(f"Removing {removal.name} takes out of the database:")
    if pages.number:
        types = ", ".join(sorted(removal.own))
        click.echo(f"  {counted(pages.number, 'page')} of its types ({types})")
    for loss in lost:
        click.echo(f"  {loss}")
    if pages.sections:
        click.echo(
            f"{counted(len(pages.sections), 'page')} of its types with pages of other types below "
            f"{'becomes a folder' if len(pages.sections) == 1 else 'become folders'}:"
        )
        paths = paths_of(session, list(pages.sections[:NAMED]), EVERYTHING)
        for names in paths.values():
            click.echo(f"  {join_path(names)}")
        if len(pages.sections) > NAMED:
            click.echo(f"  ... and {len(pages.sections) - NAMED} more")


def _done(pages: Pages, lost: list[Loss]) -> str:
    tables = sum(not loss.columns for loss in lost)
    columns = sum(len(loss.columns) for loss in lost)
    done = {
        "page": (pages.number - len(pages.sections), "deleted"),
        "section": (len(pages.sections), "kept as a folder"),
        "table": (tables, "dropped"),
        "column": (columns, "dropped"),
    }
    told = [f"{counted(number, noun)} {verb}" for noun, (number, verb) in done.items() if number]
    return ", ".join(told) or "its migrations are taken back"


def _default(name: str) -> Path:
    """Return a directory that does not exist yet."""
    named = f"removed-{name}-{dt.date.today().isoformat()}"
    path, number = Path(named), 1
    while path.exists():
        number += 1
        path = Path(f"{named}-{number}")
    return path


def _export(removal: Removal, directory: Path, pages: Pages, lost: list[Loss]) -> Path | None:
    """Write what is going to be lost; return where, or None where that is nothing."""
    with_rows = [loss for loss in lost if loss.rows]
    if not (pages.number or with_rows):
        return None
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise CannotRemove(f"{directory} is not empty. Name a new or an empty directory.")
    database = removal.site.database
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if pages.number:
            with database.read_session() as session:
                export_directory(
                    session,
                    directory / PAGES,
                    types=removal.types,
                    only=removal.own,
                    progress=progress("Exporting"),
                )
        # In a transaction, which reading bit by bit takes.
        with database.writer.connect() as connection:
            for loss in with_rows:
                write_loss(connection, loss, directory / "tables" / f"{loss.table}.jsonl")
    except OSError as error:
        raise CannotRemove(f"{directory} cannot be written: {error.strerror}") from error
    return directory


def _ask(name: str, *, yes: bool) -> None:
    if yes:
        return
    typed = click.prompt("Type the name of the add-on to remove it", err=True)
    if typed.strip() != name:
        raise CannotRemove(f"{typed!r} is not {name!r}. Nothing was changed.")
