"""``import`` and ``export``: Markdown in and out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from myproject.cli.context import Context, SitePath, counted, progress
from myproject.content.aliases import Aliases
from myproject.content.transfer.exporter import export_directory
from myproject.content.transfer.importer import ImportFailed, Report, import_directory
from myproject.interfaces import IContentTypes, IMarkdownRenderer
from myproject.tree.operations import Tree
from myproject.tree.urls import join_path

#: Broken links that the report of an import names before it only counts.
NAMED = 20

_IGNORED = {"image": "image", "link": "linked folder", "other": "other file"}


class Planned(Exception):
    """Not an error: throws a plan's transaction away, and carries its report out of it."""

    def __init__(self, report: Report) -> None:
        self.report = report


@click.command("import")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--at", type=SitePath(), default="/", metavar="/PATH", help="Where in the tree; made if needed."
)
@click.option("--plan", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--skip-errors", is_flag=True, help="Leave out the files that cannot be imported.")
@click.pass_obj
def import_command(
    context: Context, directory: Path, at: tuple[str, ...], plan: bool, skip_errors: bool
) -> None:
    """Import a directory of Markdown, all of it or nothing.

    a/_index.md, a/index.md or a/README.md is the page /a, and a/b.md is /a/b. A second import
    updates what has changed.
    """
    try:
        with context.writing() as tree:
            report = _import(context, tree, directory, at, skip_errors, plan)
    except Planned as planned:
        report = planned.report
    except ImportFailed as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        click.echo(
            "Nothing was imported. Mend the files, or leave them out with --skip-errors.", err=True
        )
        raise SystemExit(1) from None
    _print(report, plan)


def _import(
    context: Context,
    tree: Tree,
    directory: Path,
    at: tuple[str, ...],
    skip_errors: bool,
    plan: bool,
) -> Report:
    registry = context.registry
    report = import_directory(
        tree,
        directory,
        types=registry.getUtility(IContentTypes),
        renderer=registry.getUtility(IMarkdownRenderer),
        at=at,
        skip_errors=skip_errors,
        progress=progress("Planning" if plan else "Importing"),
    )
    if plan:
        raise Planned(report)
    return report


def _print(report: Report, plan: bool) -> None:
    if plan:
        _print_plan(report)
    click.echo("Nothing was changed; an import would make of it:" if plan else "Imported:")
    counts = {
        "created": len(report.created),
        "updated": len(report.updated),
        "unchanged": report.unchanged,
        "reordered": report.reordered,
    }
    for verb, count in counts.items():
        click.echo(f"  {verb:<11}{counted(count, 'page')}")
    if report.drafted:
        click.echo(f"  {'drafted':<11}{counted(len(report.drafted), 'page')}")
    _print_redirects(report.aliases)
    for kind, count in sorted(report.ignored.items()):
        click.echo(f"  {'ignored':<11}{counted(count, _IGNORED[kind])}")
    _print_aliases(report.aliases, plan)
    if report.broken_links:
        _print_broken_links(report, plan)
    if report.problems:
        click.echo(f"{counted(len(report.problems), 'file')} skipped:", err=True)
        for problem in report.problems:
            click.echo(f"  {problem}", err=True)


def _print_plan(report: Report) -> None:
    lists = {"create": report.created, "update": report.updated, "draft": report.drafted}
    for verb, places in lists.items():
        for names in places:
            click.echo(f"{verb:<6}  {join_path(names)}")


def _print_redirects(aliases: Aliases) -> None:
    for verb, count in (("redirected", aliases.made), ("forgotten", aliases.removed)):
        if count:
            noun = "old address" if count == 1 else "old addresses"
            click.echo(f"  {verb:<11}{count} {noun}")


def _print_aliases(aliases: Aliases, plan: bool) -> None:
    shadowed = [f"{file}: {alias}" for file, alias in aliases.shadowed]
    refused = [f"{file}: {alias}: {reason}" for file, alias, reason in aliases.refused]
    for lines, what in (
        (shadowed, "of a page that is there, which keeps it"),
        (refused, "that cannot be used"),
    ):
        if lines:
            noun = "alias is" if len(lines) == 1 else "aliases are"
            click.echo(f"{len(lines)} {noun} an address {what}:")
            for line in lines[: None if plan else NAMED]:
                click.echo(f"  {line}")
            if len(lines) > NAMED and not plan:
                click.echo("  ... all of them: import once more with --plan")


def _print_broken_links(report: Report, plan: bool) -> None:
    found = Counter(report.broken_links)
    click.echo(f"{counted(found.total(), 'link')} to no page:")
    for (file, destination), times in list(found.items())[: None if plan else NAMED]:
        click.echo(f"  {file}: {destination}" + (f" ({times} times)" if times > 1 else ""))
    if len(found) > NAMED and not plan:
        click.echo("  ... all of them: myproject tree check --links")


@click.command("export")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--at", type=SitePath(), default="/", metavar="/PATH", help="The part of the tree to export."
)
@click.pass_obj
def export_command(context: Context, directory: Path, at: tuple[str, ...]) -> None:
    """Export pages as a directory of Markdown, which must be new or empty."""
    with context.reading() as session:
        types = context.registry.getUtility(IContentTypes)
        count = export_directory(
            session, directory, types=types, at=at, progress=progress("Exporting")
        )
    click.echo(f"Wrote {counted(count, 'file')} to {directory}.")
