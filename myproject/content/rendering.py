"""Rendering anew what is stored rendered: after an add-on has changed what Markdown can say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from myproject.content.operations import finish
from myproject.content.registry import ContentTypes
from myproject.content.types import Page
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.operations import Tree

_BATCH = 200

Progress = Callable[[Iterable[Any], int], Iterable[Any]]


def render_all(
    tree: Tree,
    types: ContentTypes,
    renderer: IMarkdownRenderer,
    progress: Progress = lambda items, total: items,
) -> int:
    """Render every page of a type that is switched on, and return how many came out different.

    Nobody has changed these pages, so they keep the date of their last change.

    :param progress: wraps the loop: ``(items, total) -> items``.
    """
    session, different = tree.session, 0
    names = [kind.name for kind in types if issubclass(kind.cls, Page)]
    ids = session.scalars(select(Page.id).where(Page.type.in_(names)).order_by(Page.id)).all()
    for start in progress(range(0, len(ids), _BATCH), -(-len(ids) // _BATCH)):
        batch = select(Page).where(Page.id.in_(ids[start : start + _BATCH]))
        for page in session.scalars(batch.options(undefer(Page.body))):
            before = page.body_html, page.toc
            page.derive(renderer)
            if (page.body_html, page.toc) != before:
                finish(tree, page, renderer, changed={"body_html", "toc"}, incomplete=True)
                different += 1
        session.flush()
        session.expunge_all()
    return different
