"""An old version of a page, made to fit what the page's type is today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from myproject.content.columns import editable_fields, reference_fields
from myproject.content.revisions import Revision, revised_fields
from myproject.content.stand_in import stand_in
from myproject.content.types import Content
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.node import Node
from myproject.tree.urls import paths_of
from myproject.tree.visibility import EVERYTHING


class Fitted(NamedTuple):
    """The values of an old version as a type can hold them.

    :ivar values: field -> value.
    :ivar dropped: names of fields that the version has and the type has not any more.
    :ivar missing: names of fields that the type has got since; they have their defaults.
    :ivar gone: names of fields that held a page which is not there any more, and hold none now.
    """

    values: Mapping[str, Any]
    dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def fit(fields: Mapping[str, Any], cls: type[Node]) -> Fitted:
    """Return the values of a version as the fields of a type; no statement."""
    names = revised_fields(cls)
    values = {name: fields[name] for name in names if name in fields}
    dropped = tuple(name for name in fields if name not in names and fields[name] not in (None, ""))
    missing = []
    for field in editable_fields(cls):
        if field.name not in values:
            missing.append(field.name)
            if field.default is not None or field.nullable:
                values[field.name] = field.new_default()
            elif field.kind == "text":
                values[field.name] = ""
    return Fitted(values, dropped, tuple(missing))


def without_gone(session: Session, fitted: Fitted, cls: type[Node]) -> Fitted:
    """Return *fitted* without pages that have been deleted since; one statement at most."""
    held = {
        field.name: fitted.values[field.name]
        for field in reference_fields(cls)
        if isinstance(fitted.values.get(field.name), int)
    }
    if not held:
        return fitted
    there = paths_of(session, set(held.values()), EVERYTHING)
    gone = tuple(name for name, number in held.items() if number not in there)
    return fitted._replace(values={**fitted.values, **dict.fromkeys(gone)}, gone=gone)


def as_it_was(node: Node, revision: Revision, cls: type[Node], renderer: IMarkdownRenderer) -> Node:
    """Return a node that says what a revision did and stands where *node* does.

    :param cls: the class of the revision's type.
    :raises InvalidValue: when its text cannot be rendered any more.
    """
    shown = stand_in(node, cls, fit(revision.fields, cls).values)
    shown.type, shown.modified_at = revision.type, revision.at
    if isinstance(shown, Content):
        shown.derive(renderer)
    return shown
