"""Writing the index: in the transaction of whatever changes what is searched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Select, String, bindparam, cast, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, object_session, selectin_polymorphic

from myproject.addons.search.models import COLUMNS, DOCUMENT
from myproject.addons.search.texts import VERSION, texts_of
from myproject.content.events import ContentSaved
from myproject.content.registry import ContentTypes
from myproject.db.base import Id
from myproject.db.transaction import mark_changed
from myproject.tree.events import NodeCopied
from myproject.tree.node import ROOT_ID, Node

NODE = Node.__table__

#: Nodes whose documents are written together.
BATCH = 100
#: Copies whose documents are written by one statement.
COPIED_AT_ONCE = 5_000
#: How many of the oldest and of the newest nodes are looked at to see whether all is indexed.
SAMPLE = 50


class Index:
    """The documents of one session's database.

    :param language: PostgreSQL's configuration; SQLite knows no languages.
    """

    def __init__(self, session: Session, language: str) -> None:
        self.session = session
        self.is_sqlite = session.get_bind().dialect.name == "sqlite"
        self.language = "simple" if self.is_sqlite else language

    def put(self, nodes: Sequence[Node]) -> None:
        """Write the documents of *nodes*, new ones or in the place of those there are."""
        if not nodes:
            return
        dialect: Any = sqlite if self.is_sqlite else postgresql
        new = dialect.insert(DOCUMENT)
        columns = {column.name: new.excluded[column.name] for column in COLUMNS}
        key = columns.pop("node_id")
        statement = new.on_conflict_do_update(index_elements=[key.name], set_=columns)
        self.session.connection().execute(statement, [self._values(node) for node in nodes])
        mark_changed(self.session)

    def _values(self, node: Node) -> dict[str, Any]:
        return {
            "node_id": node.id,
            **texts_of(node)._asdict(),
            "language": self.language,
            "version": VERSION,
            "modified_at": node.modified_at,
        }

    def copy(self, copies: dict[int, int]) -> None:
        """Give copies the documents of their originals: a statement for thousands of them."""
        pairs = list(copies.items())
        connection = self.session.connection()
        for start in range(0, len(pairs), COPIED_AT_ONCE):
            old, new = (list(ids) for ids in zip(*pairs[start:][:COPIED_AT_ONCE], strict=True))
            values = {"old": old, "new": new}
            if self.is_sqlite:
                values = {name: json.dumps(ids) for name, ids in values.items()}
            connection.execute(_copy(self.is_sqlite), values)
        mark_changed(self.session)

    # -- what is missing --------------------------------------------------------------------------

    def outdated(self, types: ContentTypes, *, missing_only: bool = False) -> Select[tuple[int]]:
        """Return the query for the ids of nodes whose document is missing or stale.

        :param types: those that are switched on; others have no documents to be missed.
        """
        stale = or_(
            DOCUMENT.c.version != VERSION,
            # As text: PostgreSQL's own type for it knows no comparison with one.
            cast(DOCUMENT.c.language, String) != self.language,
            DOCUMENT.c.modified_at != NODE.c.modified_at,
        )
        missing = DOCUMENT.c.node_id.is_(None)
        return (
            select(NODE.c.id)
            .outerjoin_from(NODE, DOCUMENT, DOCUMENT.c.node_id == NODE.c.id)
            .where(_known(types), missing if missing_only else or_(missing, stale))
        )

    def count(self, types: ContentTypes) -> tuple[int, int]:
        """Return how many documents are missing, and how many are stale."""
        counted = [
            self.session.scalar(select(func.count()).select_from(query.subquery())) or 0
            for query in (self.outdated(types, missing_only=True), self.outdated(types))
        ]
        return counted[0], counted[1] - counted[0]

    def seems_incomplete(self, types: ContentTypes) -> bool:
        """Whether documents are missing among those of the oldest and the newest nodes.

        That is where they are when the add-on was switched on later than the site; to look at all
        nodes would take longer than the search.
        """
        ids = [
            select(select(NODE.c.id).where(_known(types)).order_by(order).limit(SAMPLE).subquery())
            for order in (NODE.c.id, NODE.c.id.desc())
        ]
        missing = or_(*(NODE.c.id.in_(sample) for sample in ids))
        query = self.outdated(types, missing_only=True).where(missing, NODE.c.id != ROOT_ID)
        return self.session.connection().scalar(query.limit(1)) is not None

    def total(self, types: ContentTypes, *, everything: bool) -> int:
        """Return how many nodes :meth:`batch` has to give."""
        ids = self._wanted(types, everything=everything).subquery()
        return self.session.scalar(select(func.count()).select_from(ids)) or 0

    def batch(self, types: ContentTypes, *, after: int, everything: bool) -> list[Node]:
        """Return the next nodes whose documents are to be written, in the order of their ids.

        :param after: the last id of the batch before.
        :param everything: whether those with a current document as well.
        """
        ids = self._wanted(types, everything=everything)
        some = ids.where(NODE.c.id > after).order_by(NODE.c.id).limit(BATCH)
        found = list(self.session.scalars(some))
        classes = [content_type.cls for content_type in types]
        query = (
            select(Node)
            .where(Node.id.in_(found))
            .order_by(Node.id)
            .options(selectin_polymorphic(Node, classes))
        )
        return list(self.session.scalars(query)) if found else []

    def _wanted(self, types: ContentTypes, *, everything: bool) -> Select[tuple[int]]:
        return select(NODE.c.id).where(_known(types)) if everything else self.outdated(types)


class Subscribers:
    """Keeps the index while the tree and its content change.

    Deleted nodes take their documents with them, by foreign key. Moving, renaming and sharing
    write nothing: where a node stands and who may see it is asked of the node.
    """

    def __init__(self, language: str) -> None:
        self.language = language

    def saved(self, event: ContentSaved) -> None:
        """Write the document of a node that says something else."""
        if (session := object_session(event.node)) is not None:
            Index(session, self.language).put([event.node])

    def copied(self, event: NodeCopied) -> None:
        """Give the copies of a section the documents of the originals."""
        if (session := object_session(event.node)) is not None:
            Index(session, self.language).copy(event.copies)


def _known(types: ContentTypes) -> Any:
    return NODE.c.type.in_([content_type.name for content_type in types])


def _copy(is_sqlite: bool) -> Any:
    """Return the statement that copies documents, for two texts with as many ids in each."""
    if is_sqlite:
        old = func.json_each(bindparam("old", type_=String)).table_valued(
            "value", "key", name="old"
        )
        new = func.json_each(bindparam("new", type_=String)).table_valued(
            "value", "key", name="new"
        )
        pairs, beside = [old, new], [old.c.key == new.c.key]
        original, copy = old.c.value, new.c.value
    else:
        arrays = (cast(bindparam(name, type_=ARRAY(Id)), ARRAY(Id)) for name in ("old", "new"))
        pair = func.unnest(*arrays).table_valued("old", "new", name="pair").render_derived()
        pairs, beside = [pair], []
        original, copy = pair.c.old, pair.c.new
    copied = {"node_id": NODE.c.id, "modified_at": NODE.c.modified_at}
    columns = [copied.get(column.name, column) for column in COLUMNS]
    rows = (
        select(*columns)
        .select_from(*pairs, DOCUMENT, NODE)
        .where(*beside, DOCUMENT.c.node_id == original, NODE.c.id == copy)
    )
    return insert(DOCUMENT).from_select([column.name for column in COLUMNS], rows)
