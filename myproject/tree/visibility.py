"""What somebody may see, as lists need it: boundaries and states, as conditions in SQL.

Two sets of boundaries decide: those within which published pages may be seen, and those within
which drafts may be seen, too. Each is given by its members or by those that are not members,
whichever are fewer; a list that everything may be seen of is filtered by nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, String, bindparam, false, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from myproject.tree.node import PUBLISHED


class ids_in(FunctionElement[int]):
    """The numbers in a text, with commas between them, as a subquery of one column."""

    type = BigInteger()
    inherit_cache = True


@compiles(ids_in)
def _ids_in(element: Any, compiler: Any, **kw: Any) -> str:
    (numbers,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(SELECT value FROM json_each('[' || {numbers} || ']'))"  # noqa: S608 - compiled, not quoted


@compiles(ids_in, "postgresql")
def _ids_in_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    (numbers,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(SELECT unnest(CAST('{{' || {numbers} || '}}' AS bigint[])))"


@dataclass(frozen=True)
class BoundarySet:
    """A set of boundaries.

    :ivar ids: its members, or those that are not.
    :ivar are_members: which of the two.
    """

    ids: frozenset[int] = frozenset()
    are_members: bool = True

    @classmethod
    def of(cls, members: Iterable[int], everything: Iterable[int]) -> BoundarySet:
        """Return the set of *members* in its shorter spelling."""
        inside = frozenset(members)
        outside = frozenset(everything) - inside
        # What nobody has heard of is not a member, unless there is nothing that is not.
        if not outside:
            return ALL
        return cls(inside) if len(inside) <= len(outside) else cls(outside, are_members=False)

    def __contains__(self, boundary_id: int) -> bool:
        return (boundary_id in self.ids) is self.are_members

    @cached_property
    def parameter(self) -> str:
        """The ids as statements want them."""
        return ",".join(map(str, sorted(self.ids)))

    @property
    def kind(self) -> str:
        """What statements depend on: ``none``, ``all``, ``in`` or ``not in``."""
        if not self.ids:
            return "none" if self.are_members else "all"
        return "in" if self.are_members else "not in"


ALL = BoundarySet(are_members=False)
NONE = BoundarySet()


@dataclass(frozen=True)
class Visibility:
    """What somebody may see.

    :ivar pages: where published pages may be seen.
    :ivar drafts: where drafts may be seen as well; a part of *pages*.
    """

    pages: BoundarySet
    drafts: BoundarySet

    def shows(self, boundary_id: int, state: str) -> bool:
        """Whether a page may be seen, for all that is known of it alone."""
        return boundary_id in (self.pages if state == PUBLISHED else self.drafts)

    def leads_through(self, boundary_id: int, state: str) -> bool:
        """Whether what lies below a page may be seen: a draft hides it from those who cannot see
        the draft; a private page does not hide what somebody was granted below."""
        return state == PUBLISHED or boundary_id in self.drafts

    @cached_property
    def kind(self) -> tuple[str, str]:
        """What the text of statements depends on."""
        return self.pages.kind, self.drafts.kind

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """The parameters of :func:`visible`."""
        sets = {"visible_pages": self.pages, "visible_drafts": self.drafts}
        return {name: boundaries.parameter for name, boundaries in sets.items() if boundaries.ids}


def visible(columns: Any, kind: tuple[str, str]) -> ColumnElement[bool]:
    """Return "this row may be seen", for the columns of the node table or of an alias of it.

    :param kind: ``Visibility.kind``; its ``parameters`` go with the statement.
    """
    pages, drafts = kind
    where = _is_member(columns.boundary_id, pages, "visible_pages")
    if drafts == "all":
        return where
    published = columns.state == PUBLISHED
    if drafts == "none":
        return where & published
    return where & or_(published, _is_member(columns.boundary_id, drafts, "visible_drafts"))


def _is_member(column: ColumnElement[int], kind: str, parameter: str) -> ColumnElement[bool]:
    if kind in ("all", "none"):
        return true() if kind == "all" else false()
    operator = "IN" if kind == "in" else "NOT IN"
    listed = ids_in(bindparam(parameter, type_=String))
    # "IS TRUE" keeps PostgreSQL from turning it into a join: not knowing how many numbers there
    # are, it would look each of them up and sort what it finds, instead of reading a list in its
    # order until there is enough.
    return column.op(operator, is_comparison=True)(listed).op("IS", is_comparison=True)(true())


#: For whoever sees everything: exports and the like.
EVERYTHING = Visibility(ALL, ALL)
#: Everything that is published, whoever may see it.
PUBLISHED_ONLY = Visibility(ALL, NONE)
