"""``tree``: looking after the tree as a whole."""

from __future__ import annotations

from collections import Counter

import click

from myproject.cli.context import Context, counted, progress
from myproject.content.check import absent_types, broken_links, check_content
from myproject.content.rendering import render_all
from myproject.interfaces import IContentTypes
from myproject.security.access import ANONYMOUS, load_policies
from myproject.tree.boundaries import repair as repair_boundaries
from myproject.tree.check import check_tree
from myproject.tree.history import repair as repair_places


@click.group()
def tree() -> None:
    """The tree as a whole."""


@tree.command()
@click.option("--links", is_flag=True, help="Also look for links that readers cannot follow.")
@click.option("--repair", is_flag=True, help="Mend what follows from where pages stand.")
@click.pass_obj
def check(context: Context, links: bool, repair: bool) -> None:
    """Verify the tree's invariants. Status 1 if something is wrong."""
    if repair:
        with context.writing() as tree:
            repaired = repair_boundaries(tree.session)
            placed = repair_places(tree.session)
        click.echo(f"Repaired the permissions of {counted(repaired, 'page')}.")
        click.echo(f"Repaired the history of {counted(placed, 'page')}.")
    types = context.registry.getUtility(IContentTypes)
    with context.reading() as session:
        public = load_policies(session, context.roles).access(ANONYMOUS).visibility
        notes = list(absent_types(session, types))
        problems = [*check_tree(session), *check_content(session, types)]
        broken = Counter(
            broken_links(session, types, public, context.registry.reserved_names) if links else ()
        )
    for sentence in (*notes, *problems):
        click.echo(sentence)
    click.echo(f"{counted(len(problems), 'problem')}." if problems else "The tree is sound.")
    for link, times in broken.items():
        often = f" ({times} times)" if times > 1 else ""
        click.echo(f"{link.page}: {link.destination or 'a link'}: {link.reason}{often}")
    if links:
        count = counted(broken.total(), "broken link")
        click.echo(f"{count}." if broken else "All links within the site can be followed.")
    raise SystemExit(1 if problems or broken else 0)


@tree.command()
@click.pass_obj
def render(context: Context) -> None:
    """Render all Markdown anew, after an add-on has changed what it can say."""
    with context.scopes.writing() as scope:
        different = render_all(
            scope.tree, scope.content_types, scope.renderer, progress("Rendering")
        )
    click.echo(f"{counted(different, 'page')} came out different.")
