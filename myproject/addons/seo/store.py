"""Reading and writing what editors say about pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, ColumnElement, String, bindparam, false, insert, select
from sqlalchemy.orm import Session, object_session
from zope.interface import implementer

from myproject.addons.seo.models import PAGE, SECTION, PageSettings
from myproject.content.fields import fields_of
from myproject.db.transaction import mark_changed
from myproject.exceptions import NodeGone
from myproject.interfaces import ISitemapFilter
from myproject.scope import Scope
from myproject.tree.copying import descend
from myproject.tree.events import NodeCopied
from myproject.tree.node import Node
from myproject.tree.visibility import ids_in

SEO = PageSettings.__table__
FIELDS = fields_of(PageSettings)
#: One parameter however deep a page lies, so that the statement is compiled once.
_TOLD = select(SEO).where(
    SEO.c.node_id.op("IN", is_comparison=True)(ids_in(bindparam("ids", type_=String)))
)

#: As many rows are written with one statement.
CHUNK = 500


class Told:
    """What is said of a page, by itself and by the places above it; one statement.

    :ivar own: the page's own.
    :ivar hidden_by: the place that keeps search engines from the page: itself, or one above it
        that hides everything below; None where they may show it.
    """

    def __init__(self, session: Session, lineage: Sequence[Node]) -> None:
        ids = ",".join([str(node.id) for node in lineage])
        rows = {row.node_id: row for row in session.connection().execute(_TOLD, {"ids": ids})}
        page = lineage[-1]
        own = rows.get(page.id)
        self.own = {field.name: getattr(own, field.name) if own else "" for field in FIELDS}
        self.hidden_by: Node | None = None
        for node in lineage:
            row = rows.get(node.id)
            if row and (row.noindex == SECTION or (node is page and row.noindex == PAGE)):
                self.hidden_by = node
                break


def write(session: Session, node: Node, values: Mapping[str, str]) -> None:
    """Have *values* said of a page.

    :raises NodeGone:
    """
    # Whoever writes about this page at the same moment waits.
    here = select(Node.id).where(Node.id == node.id).with_for_update(key_share=True)
    if session.scalar(here) is None:
        raise NodeGone(node.title)
    row = session.get(PageSettings, node.id)
    if not any(values.values()):
        if row is not None:
            session.delete(row)
        return
    if row is None:
        row = PageSettings(node_id=node.id)
        session.add(row)
    for name, value in values.items():
        setattr(row, name, value)


def copy_settings(event: NodeCopied) -> None:
    """Subscriber: what is said of pages is said of their copies, too."""
    session = object_session(event.node)
    if session is None:
        return
    section = descend(event.source_id)
    query = select(SEO).join_from(section, SEO, SEO.c.node_id == section.c.id)
    rows = [
        {**row, "node_id": event.copies[row["node_id"]]}
        for row in session.connection().execute(query).mappings()
        # The copy may lie inside its original, whose section is then larger than what was copied.
        if row["node_id"] in event.copies
    ]
    for start in range(0, len(rows), CHUNK):
        session.connection().execute(insert(SEO), rows[start : start + CHUNK])
    if rows:
        mark_changed(session)


@implementer(ISitemapFilter)
class SearchEngineFilter:
    """Leaves out of sitemaps what search engines are not to show."""

    def __init__(self, scope: Scope) -> None:
        self.settings: Mapping[str, Any] = scope.registry.settings

    def condition(self, node_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Return "search engines may show this page"."""
        if not self.settings["myproject.seo.index"]:
            return false()
        return node_id.not_in(select(_hidden().c.id))


def _hidden() -> CTE:
    """Return a recursive query with the ids of all pages that are hidden from search engines."""
    node = Node.__table__.alias("hidden_node")
    down = (
        select(SEO.c.node_id.label("id"), SEO.c.noindex.label("noindex"))
        .where(SEO.c.noindex != "")
        .cte("hidden", recursive=True)
    )
    below = select(node.c.id, down.c.noindex).join_from(down, node, node.c.parent_id == down.c.id)
    # Without ALL: a hidden section within another one is walked once.
    return down.union(below.where(down.c.noindex == SECTION))
