"""``check``: what is wrong with a site before it is deployed, all of it at once.

Looks only: nothing is written, and no database is made.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

import click
from jinja2 import Environment

from myproject.cli.compiling import compile_templates, template_specs
from myproject.cli.context import Context, counted
from myproject.cli.looking import (
    Kept,
    Untouched,
    core_settings,
    kept_types,
    switched_on,
    with_addons,
)
from myproject.cli.omissions import omissions
from myproject.db.migrations import CORE as CORE_BRANCH
from myproject.db.migrations import Pending, branch_of, heads_in, pending
from myproject.exceptions import ConfigurationProblem
from myproject.extend.configurator import SiteConfigurator
from myproject.interfaces import IContentTypes
from myproject.registry import registry_of
from myproject.settings import CORE


@dataclass
class Report:
    """What has been found, printed as it is found.

    :ivar problems: what keeps the site from working.
    :ivar notes: what is worth knowing.
    """

    problems: int = 0
    notes: int = 0
    section: str = field(default="", repr=False)

    def begin(self, section: str) -> None:
        """Print the title of a section."""
        if self.section:
            click.echo()
        self.section = section
        click.echo(section)

    def say(self, text: str) -> None:
        """Print what is as it should be."""
        click.echo(textwrap.indent(text, "  "))

    def problem(self, text: str) -> None:
        """Print and count something that keeps the site from working."""
        self.problems += 1
        self.say(f"problem: {text}")

    def note(self, text: str) -> None:
        """Print and count something that is worth knowing."""
        self.notes += 1
        self.say(f"note: {text}")

    def result(self) -> str:
        """Return how much has been found."""
        found = [
            counted(number, noun)
            for number, noun in ((self.problems, "problem"), (self.notes, "note"))
            if number
        ]
        return f"{', '.join(found)}." if found else "Nothing is wrong."


@click.command()
@click.option("--strict", is_flag=True, help="Let notes count as problems do.")
@click.pass_obj
def check(context: Context, strict: bool) -> None:
    """Report everything that is wrong: configuration, database, content, templates, permissions.

    Nothing is changed. Status 1 if there are problems; notes are for your information.
    """
    report = Report()
    report.begin("Configuration")
    configurator = _check_configuration(context, report)
    report.begin("Database")
    _check_database(context, report, configurator)
    if configurator is not None:
        report.begin("Templates")
        _check_templates(report, configurator)
        report.begin("Add-ons and permissions")
        _check_addons(report, configurator)
    click.echo(f"\n{report.result()}")
    raise SystemExit(1 if report.problems or (strict and report.notes) else 0)


def _check_configuration(context: Context, report: Report) -> SiteConfigurator | None:
    """Return the configuration; that of the core alone where the whole fails, or None."""
    settings = core_settings(context)
    try:
        configurator = context.configurator
    except ConfigurationProblem as problem:
        for told in _single(str(problem)):
            report.problem(told)
    else:
        on = ", ".join(addon.name for addon in registry_of(configurator).addons) or "none"
        report.say(f"All settings can be used. Add-ons: {on}.")
        return configurator
    foreign = _unknown_to_the_core(context)
    try:
        configurator = with_addons(context, (), without=foreign)
    except ConfigurationProblem:
        report.say("Templates and permissions cannot be checked before this is mended.")
        return None
    if switched_on(settings):
        report.say("What follows is of the core alone: add-ons were left out.")
    return configurator


def _single(told: str) -> Iterator[str]:
    """Split what a configuration problem says into problems: lines that are indented go on."""
    lines: list[str] = []
    for line in told.splitlines():
        if lines and not line.startswith(" "):
            yield "\n".join(lines)
            lines = []
        lines.append(line)
    if lines:
        yield "\n".join(lines)


def _unknown_to_the_core(context: Context) -> set[str]:
    known = {key for setting in CORE for key in setting.all_keys}
    ini = context.ini_settings[1]
    return {key for key in ini if key.startswith(("myproject.", "sqlalchemy."))} - known


# -- database -------------------------------------------------------------------------------------


def _check_database(
    context: Context, report: Report, configurator: SiteConfigurator | None
) -> None:
    settings = core_settings(context)
    if "sqlalchemy.url" not in settings:
        report.problem("sqlalchemy.url cannot be used, so no database was looked at.")
        return
    branches = () if configurator is None else registry_of(configurator).extensions.migrations()
    # What the site will do by itself when it starts keeps it from nothing.
    tell = report.note if settings.get("myproject.auto_migrate") else report.problem
    database = Untouched(settings["sqlalchemy.url"])
    named = f"sqlalchemy.url = {database.shown_url}"
    try:
        if database.file_is_missing:
            tell(f"{named}: the database does not exist yet. {_run(context, 'init')}")
            return
        with database.looking() as connection:
            heads = heads_in(connection)
            kept = kept_types(connection)
        if not heads:
            tell(f"{named}: the database is empty. {_run(context, 'init')}")
        elif CORE_BRANCH not in map(branch_of, heads):
            report.problem(
                f"{named}: the database holds something else ({', '.join(sorted(heads))}). "
                "Name another one."
            )
        elif steps := pending(database, branches):
            number = counted(len(steps), "migration")
            tell(f"{named}: {number} to run. {_run(context, 'db upgrade')}")
            for step in steps:
                report.say(_told(step))
        else:
            report.say(f"{named}: up to date.")
    except ConfigurationProblem as problem:
        report.problem(str(problem))
        return
    finally:
        database.dispose()
    if "configurator" in context.__dict__:
        report.begin("Content")
        _check_content(context, report, kept)


def _run(context: Context, command: str) -> str:
    return f"Run: myproject -c {context.ini} {command}"


def _told(step: Pending) -> str:
    whose = f"of the add-on {step.addon}" if step.addon else "of the core"
    head = f"  {step.revision} {whose}: {step.title}"
    sql = step.sql or "-- What it executes depends on what is stored."
    return f"{head}\n{textwrap.indent(sql, '      ')}"


# -- content --------------------------------------------------------------------------------------


def _check_content(context: Context, report: Report, kept: list[Kept]) -> None:
    types = context.registry.getUtility(IContentTypes)
    off = [each for each in kept if each.pages and types.get(each.type) is None]
    for each in off:
        is_ = "is" if each.pages == 1 else "are"
        what = f"{counted(each.pages, 'page')} of the type {each.type!r} {is_} kept and not shown"
        if each.addon:
            report.note(
                f"{what}: the add-on {each.addon} is off. Add it to myproject.addons, or remove "
                f"what is kept: myproject -c {context.ini} addon remove {each.addon}"
            )
        else:
            report.note(f"{what}: no add-on that is on has this type.")
    if not off:
        report.say("The types of all pages are switched on.")


# -- templates ------------------------------------------------------------------------------------


def _check_templates(report: Report, configurator: SiteConfigurator) -> None:
    environment: Environment = configurator.get_jinja2_environment(".jinja2")  # type: ignore[attr-defined]
    registry = registry_of(configurator)
    specs = template_specs(registry.extensions, [addon.module for addon in registry.addons])
    problems = compile_templates(environment, specs)
    for told in problems:
        report.problem(told)
    if not problems:
        report.say(f"{counted(len(specs), 'template')}, all of them compile.")


# -- add-ons --------------------------------------------------------------------------------------


def _check_addons(report: Report, configurator: SiteConfigurator) -> None:
    told = list(omissions(configurator))
    for text in told:
        report.note(text)
    if not told:
        report.say("Every permission is given to a role, and add-ons say what they bring.")
