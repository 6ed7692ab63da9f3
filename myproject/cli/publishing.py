"""``publish-due``: publish what is due, and take back from readers what has expired."""

from __future__ import annotations

import click

from myproject.cli.context import Context, counted
from myproject.content.publishing import publish_due
from myproject.tree.site import leave_revision

#: Pages that one transaction deals with: SQLite has one writer, who must not keep others waiting.
BATCH = 100


@click.command("publish-due")
@click.pass_obj
def publish_due_command(context: Context) -> None:
    """Publish the pages that are due, and take back those that have expired.

    Readers see both on time even if this is never run; it makes the state of pages say so, and
    tells those that follow changes, such as the search. For cron, as often as once a minute; the
    job of the same name does the same. Status 1 if something that is due cannot be done.
    """
    done, failed, after = 0, 0, 0
    while True:
        with context.scopes.writing() as scope:
            work = publish_due(scope.tree, scope.renderer, BATCH, after=after)
            if not work.done:
                leave_revision(scope.dbsession)
        for each in work.done:
            verb = "Published" if each.is_published else "Took back from readers"
            click.echo(f"{verb}: {each.title} ({each.node_id})")
        for problem in work.problems:
            click.echo(f"Cannot be done: {problem.title} ({problem.node_id}): {problem.reason}")
        done, failed = done + len(work.done), failed + len(work.problems)
        if work.last_id is None:
            break
        after = work.last_id
    if not done and not failed:
        click.echo("Nothing is due.")
    elif failed:
        click.echo(f"{counted(failed, 'page')} could not be dealt with.")
    raise SystemExit(bool(failed))
