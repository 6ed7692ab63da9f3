"""The columns that a content type adds, as front matter and back.

An export reads them as they are stored, without the class that declares them, so that a type whose
add-on is switched off is written in the same way. An import needs the class.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from myproject.content.columns import REFERENCE, Field, fields_of
from myproject.content.fields import validate
from myproject.content.known import StoredType
from myproject.content.transfer.frontmatter import line_of
from myproject.content.types import Link, Page
from myproject.db.base import Id
from myproject.exceptions import InvalidValue
from myproject.translation import in_english
from myproject.tree.copying import columns_in_database
from myproject.tree.node import Node

#: Columns of the core's own tables that files hold in other ways than under a key. Revisions know
#: them by the same names.
_CORE_COLUMNS: Mapping[str, Collection[str]] = {
    Page.__tablename__: ["body"],
    Link.__tablename__: ["url", "target_id"],
}

_ABSENT: Any = object()


@dataclass(slots=True)
class Own:
    """What a file says of a node besides what it says of every one.

    :ivar meta: front matter.
    :ivar references: key -> id of the node that a reference holds, None for none. What front matter
        says of it is up to who knows where that node is, see :meth:`refer`.
    :ivar keys: all that the type claims; none of them is kept in ``node.extra``.
    :ivar body: Markdown, the empty string for a type without.
    :ivar link: URL and id of the target of a type that is a link, else None.
    """

    meta: dict[str, Any] = field(default_factory=dict)
    references: dict[str, int | None] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    body: str = ""
    link: tuple[str, int | None] | None = None

    def refer(self, link_to: Callable[[int], str | None], kept: Mapping[str, Any]) -> None:
        """Say in front matter where references lead.

        :param link_to: id of a node -> link to it, None to say nothing of it.
        :param kept: front matter that the node came with; what led nowhere is still in there.
        """
        for key, node_id in self.references.items():
            link = kept.get(key) if node_id is None else link_to(node_id)
            if isinstance(link, str) and link:
                self.meta[key] = link
            else:
                self.meta.pop(key, None)


def own_of(node: Node) -> Own:
    """Return what a file says of a node besides the rest, from the node itself."""
    fields = fields_of(type(node))
    values = {each.key: (each, getattr(node, each.name)) for each in fields}
    is_reference = {key for key, (each, _) in values.items() if each.kind == REFERENCE}
    return Own(
        meta={
            key: _written(each.kind, each.digits[1] or 0, value)
            for key, (each, value) in values.items()
            if key in is_reference or value is not None or (each.nullable and each.has_default)
        },
        references={key: values[key][1] for key in values if key in is_reference},
        keys=frozenset(values),
        body=node.body if isinstance(node, Page) else "",
        link=(node.url, node.target_id) if isinstance(node, Link) else None,
    )


class OwnReader:
    """Reads what files say of nodes besides the rest, from the tables where it is stored.

    :param stored: the types that are known, by name.
    """

    def __init__(self, session: Session, stored: Mapping[str, StoredType]) -> None:
        self._connection, self._session, self._stored = session.connection(), session, stored
        self._tables: dict[str, Any] = {}

    def read(
        self, types: Mapping[int, str], drafts: Mapping[int, Mapping[str, Any]] | None = None
    ) -> dict[int, Own]:
        """Return it for several nodes: a statement for each table that has something of them.

        :param types: id -> name of the type.
        :param drafts: id -> field -> value, of those that say something else than their tables do.
        """
        ids: dict[str, list[int]] = {}
        for node_id, name in types.items():
            for own_table in self._stored[name].tables if name in self._stored else ():
                ids.setdefault(own_table, []).append(node_id)
        values: dict[int, dict[tuple[str, str], Any]] = {node_id: {} for node_id in types}
        for name, node_ids in ids.items():
            own = self._table(name)
            if "id" not in own.c:
                continue
            for row in self._connection.execute(select(own).where(own.c.id.in_(node_ids))):
                found = values[row.id]
                found |= {(name, key): value for key, value in row._mapping.items()}
        for node_id, fields in (drafts or {}).items():
            values[node_id] |= self._drafted(types[node_id], fields)
        return {node_id: self._own(types[node_id], values[node_id]) for node_id in types}

    def _drafted(
        self, type_name: str, fields: Mapping[str, Any]
    ) -> Iterator[tuple[tuple[str, str], Any]]:
        """Yield table and column of what a draft says, with the value."""
        stored = self._stored.get(type_name)
        if stored is None:
            return
        for table_name in stored.tables:
            for name in _CORE_COLUMNS.get(table_name, ()):
                if name in fields:
                    yield (table_name, name), fields[name]
        for each in stored.fields:
            if each.name in fields:
                yield (each.table, each.column), fields[each.name]

    def _table(self, name: str) -> Any:
        """Return a table with those columns that files hold, as far as they are there."""
        if name not in self._tables:
            wanted: dict[str, Any] = {"id": Id, **dict.fromkeys(_CORE_COLUMNS.get(name, ()))}
            for stored in self._stored.values():
                wanted |= {each.column: each.read_as() for each in stored.fields_in(name)}
            present = wanted.keys()
            if name not in _CORE_COLUMNS:
                present = set(columns_in_database(self._session, name))
            columns = [column(key, kind) for key, kind in wanted.items() if key in present]
            self._tables[name] = table(name, *columns)
        return self._tables[name]

    def _own(self, type_name: str, values: Mapping[tuple[str, str], Any]) -> Own:
        stored = self._stored.get(type_name)
        if stored is None:
            return Own()
        meta, references = {}, {}
        for each in stored.fields:
            place = (each.table, each.column)
            if place in values and each.kind == REFERENCE:
                # In its place among the others, for whoever says where it leads.
                meta[each.key] = references[each.key] = values[place]
            elif place in values and (values[place] is not None or each.write_none):
                meta[each.key] = _written(each.kind, each.scale, values[place])
        is_link = Link.__tablename__ in stored.tables
        link = (values.get(("link", "url")) or "", values.get(("link", "target_id")))
        return Own(
            meta=meta,
            references=references,
            keys=frozenset(each.key for each in stored.fields),
            body=values.get(("page", "body")) or "",
            link=link if is_link else None,
        )


def _written(kind: str, scale: int, value: Any) -> Any:
    """Return a value as front matter holds it: YAML has no exact numbers and no times of day."""
    match kind:
        case "decimal" if value is not None:
            return f"{value:.{scale}f}"
        case "time" if value is not None:
            return value.isoformat()
    return value


def read_own(
    cls: type[Node],
    extra: dict[str, Any],
    head: str,
    type_key: str,
    *,
    incomplete: bool = False,
) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    """Take the keys of a type's fields out of front matter.

    :param extra: front matter that nobody has claimed; what is taken is no longer in it.
    :param head: the text that it comes from, for the numbers of lines.
    :param type_key: the key to blame for what is missing.
    :param incomplete: whether required fields may be empty.
    :returns: field -> value, and line and reason of each value that cannot be. References are
        field -> link: :func:`references_of` takes them out.
    """
    values: dict[str, Any] = {}
    problems = []
    for each in fields_of(cls):
        to_blame = each.key if each.key in extra else type_key
        try:
            values |= _read(cls, each, extra.pop(each.key, _ABSENT), incomplete)
        except InvalidValue as error:
            problems.append((line_of(head, to_blame), f"{each.key}: {in_english(error.reason)}"))
    return values, problems


def _read(cls: type[Node], each: Field, value: Any, incomplete: bool) -> dict[str, Any]:
    is_absent = value is _ABSENT
    if is_absent or (value is None and not each.nullable):
        if each.generated:
            # The default is never the same, so what is there stays.
            return {}
        if not each.required:
            return {each.name: each.new_default()}
    if each.kind == REFERENCE:
        return {each.name: _link(each, None if is_absent else value, incomplete)}
    if each.kind == "datetime":
        value = _moment(value)
    return validate(cls, {each.name: None if is_absent else value}, incomplete=incomplete)


def _link(each: Field, value: Any, incomplete: bool) -> str:
    """Return the link to a page as a file says it; whether it leads to one is found out later."""
    if value is not None and not isinstance(value, str):
        raise InvalidValue(each.name, "It must be a link to a page, such as ../install.md.")
    if not value and each.required and not incomplete:
        raise InvalidValue(each.name, "It needs a link to a page, such as ../install.md.")
    return value or ""


def references_of(cls: type[Node], own: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Take the references out of what :func:`read_own` returned: field -> key and link."""
    fields = [each for each in fields_of(cls) if each.kind == REFERENCE]
    return {each.name: (each.key, own.pop(each.name)) for each in fields if each.name in own}


def _moment(value: Any) -> Any:
    """Return a date as the moment at which it begins, and one without a time zone as in UTC."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        return value.replace(tzinfo=dt.UTC)
    return value
