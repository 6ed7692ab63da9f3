"""``addons``: which add-ons there are, and why each is on or off. ``addon``: one of them."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions, version

import click
from sqlalchemy import Connection

from myproject.cli.context import Context, counted
from myproject.cli.looking import Kept, Untouched, core_settings, kept_types, switched_on
from myproject.db.migrations import CORE, branch_of, heads_in
from myproject.exceptions import ConfigurationProblem
from myproject.extend.switching import Addon, Description, available, describe, find
from myproject.extend.telling import KEY
from myproject.settings import Settings

WIDTH = 100


@dataclass(slots=True)
class _Stored:
    """What the database has of add-ons.

    :ivar types: add-on -> its content types.
    :ivar branches: whose tables there are.
    """

    types: Mapping[str, list[Kept]] = field(default_factory=dict)
    branches: frozenset[str] = frozenset()

    def of(self, addon: str) -> str:
        """Return what is kept of an add-on, in words; empty if nothing is."""
        types = self.types.get(addon, ())
        pages = sum(kept.pages for kept in types)
        if pages:
            return f"{counted(pages, 'page')} of its types {'is' if pages == 1 else 'are'} kept"
        return "its tables are kept" if addon.replace("-", "_") in self.branches else ""


@click.command()
@click.pass_obj
def addons(context: Context) -> None:
    """List the add-ons that there are, which are on, and why.

    One is switched on by naming it in myproject.addons.
    """
    settings = core_settings(context)
    on = dict.fromkeys(switched_on(settings))
    known = available()
    stored = _stored(settings)
    every = known | {name: find(name, known) for name in on}
    gone = {name: Addon(name, "") for name in stored.types if name and name not in every}
    described = {name: describe(addon) for name, addon in every.items()}
    needed_by: defaultdict[str, list[str]] = defaultdict(list)
    for name in on:
        for other in described[name].requires:
            needed_by[find(other, known).name].append(name)
    sources = {name: _source(addon) for name, addon in every.items()}
    sources |= dict.fromkeys(gone, "not installed")
    widths = max(map(len, sources), default=0), max(map(len, sources.values()), default=0)
    for name in sorted(sources):
        state = "on" if name in on else "off"
        click.echo(f"{name:<{widths[0]}}  {state:<3}  {sources[name]:<{widths[1]}}".rstrip())
        description = described.get(name, Description())
        said = [description.summary, *_why(name, settings, description, needed_by, stored)]
        for text in filter(None, said):
            click.echo(textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    "))
    if not sources:
        click.echo("There are no add-ons.")
    try:
        assert context.configurator
    except ConfigurationProblem as problem:
        click.echo(f"\nThe site cannot start as configured:\n{problem}", err=True)


def _why(
    name: str,
    settings: Settings,
    description: Description,
    needed_by: Mapping[str, list[str]],
    stored: _Stored,
) -> Iterator[str]:
    needing = ", ".join(needed_by.get(name, ()))
    if name in switched_on(settings):
        source = next(each.source for each in settings.explain() if each.key == KEY)
        yield f"On: named in {source.replace('environment', 'the environment as')}" + (
            f", and required by {needing}." if needing else "."
        )
    else:
        kept = stored.of(name)
        yield "; ".join(filter(None, ["Off", needing and f"but {needing} requires it", kept])) + "."
    if description.requires:
        yield f"Requires {', '.join(description.requires)}."
    if description.problem:
        yield f"Cannot be read: {description.problem}."


def _source(addon: Addon) -> str:
    if addon.source == "bundled":
        return f"bundled {version('myproject')}"
    if addon.source:
        return addon.source
    names = packages_distributions().get(addon.module.partition(".")[0], ())
    return f"{names[0]} {version(names[0])}" if names else "dotted name"


def _stored(settings: Settings) -> _Stored:
    """Return what the database has; nothing where it cannot be asked."""
    if "sqlalchemy.url" not in settings:
        return _Stored()
    database = Untouched(settings["sqlalchemy.url"])
    try:
        with database.looking() as connection:
            return _ask(connection)
    except ConfigurationProblem as problem:
        click.echo(f"What is kept of add-ons is not known. {problem}\n", err=True)
        return _Stored()
    finally:
        database.dispose()


def _ask(connection: Connection) -> _Stored:
    types: defaultdict[str, list[Kept]] = defaultdict(list)
    for kept in kept_types(connection):
        if kept.addon:
            types[kept.addon].append(kept)
    return _Stored(types, frozenset(map(branch_of, heads_in(connection))) - {CORE})


@click.group()
def addon() -> None:
    """One add-on."""
