"""``myproject search``: the index for operators."""

from __future__ import annotations

from collections.abc import Iterator

import click

from myproject.addons.search.index import Index
from myproject.cli.context import Context, counted, progress


@click.group()
def search() -> None:
    """The index that is searched."""


@search.command()
@click.option("--all", "everything", is_flag=True, help="Also what is up to date, in order.")
@click.pass_obj
def reindex(context: Context, everything: bool) -> None:
    """Index pages whose texts are missing in the index, or stale.

    Works in small transactions beside a site that is in use. After an interruption run it again:
    it goes on with what is left.
    """
    language = context.registry.settings["myproject.search.language"]
    with context.scopes.reading() as scope:
        index = Index(scope.dbsession, language)
        total = index.total(scope.content_types, everything=everything)
    if total:
        done = progress("Indexing")(_indexed(context, language, everything, total), total)
        written = sum(1 for _ in done)
        click.echo(f"Indexed {counted(written, 'page')}.")
    else:
        click.echo("The index is up to date.")


def _indexed(context: Context, language: str, everything: bool, total: int) -> Iterator[int]:
    """Write documents, a transaction for each batch, and yield the id of each node."""
    after = left = 0
    left = total
    while left > 0:
        with context.scopes.writing() as scope:
            index = Index(scope.dbsession, language)
            nodes = index.batch(scope.content_types, after=after, everything=everything)
            index.put(nodes)
            ids = [node.id for node in nodes]
        if not ids:
            return
        yield from ids[:left]
        after, left = ids[-1], left - len(ids)


@search.command()
@click.pass_obj
def check(context: Context) -> None:
    """Say how many pages are missing in the index, or stale. Status 1 if there are any."""
    with context.scopes.reading() as scope:
        index = Index(scope.dbsession, context.registry.settings["myproject.search.language"])
        missing, stale = index.count(scope.content_types)
    if not missing and not stale:
        click.echo("The index is up to date.")
        return
    click.echo(f"{counted(missing, 'page')} missing in the index, {stale} stale.")
    click.echo(f"Run: myproject -c {context.ini} search reindex")
    raise SystemExit(1)
