"""What somebody may see, as lists need it: boundaries and states, as conditions in SQL.

Two sets of boundaries decide: those within which published pages may be seen, and those within
which drafts may be seen, too. Each is given by its members or by those that are not members,
whichever are fewer; a list that everything may be seen of is filtered by nothing. Most lists lie
within one boundary, and are filtered by one comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Label,
    String,
    bindparam,
    case,
    false,
    or_,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from myproject.db.base import Id
from myproject.tree.node import PUBLISHED, TRASHED
from myproject.tree.timing import seen_state

#: Of pages and of drafts, see :attr:`BoundarySet.kind`.
Kind = tuple[str, str]


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


#: As many boundaries can be named in a statement at hardly any cost.
SHORT = 20


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
        """Return the set of *members* in its shorter spelling.

        A short one names its members: what somebody draws at this very moment is not one of them,
        so it is not seen by accident.
        """
        inside = frozenset(members)
        outside = frozenset(everything) - inside
        if len(inside) <= max(SHORT, len(outside)):
            return cls(inside)
        return cls(outside, are_members=False)

    def __contains__(self, boundary_id: int) -> bool:
        return (boundary_id in self.ids) is self.are_members

    @cached_property
    def parameter(self) -> str | int:
        """The ids as statements want them."""
        return min(self.ids) if self.kind == "one" else ",".join(map(str, sorted(self.ids)))

    @cached_property
    def kind(self) -> str:
        """What statements depend on: ``none``, ``all``, ``one``, ``in`` or ``not in``."""
        if not self.ids:
            return "none" if self.are_members else "all"
        if not self.are_members:
            return "not in"
        return "one" if len(self.ids) == 1 else "in"


def parameters_of(sets: Mapping[str, BoundarySet]) -> dict[str, str | int]:
    """Return the parameters that go with :func:`is_member` of each set, under their names."""
    return {name: boundaries.parameter for name, boundaries in sets.items() if boundaries.ids}


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
        """Whether a page may be seen, for all that is known of it alone.

        :param state: the one that holds for readers, see :mod:`myproject.tree.timing`.
        """
        if state == TRASHED:
            return False
        return boundary_id in (self.pages if state == PUBLISHED else self.drafts)

    def leads_through(self, boundary_id: int, state: str) -> bool:
        """Whether what lies below a page may be seen: a draft hides it from those who cannot see
        the draft; a private page does not hide what somebody was granted below."""
        return state == PUBLISHED or (state != TRASHED and boundary_id in self.drafts)

    @cached_property
    def kind(self) -> Kind:
        """What the text of statements depends on."""
        # Who may see drafts wherever pages are seen need not be asked about each page's state.
        drafts = "all" if self.drafts == self.pages else self.drafts.kind
        return self.pages.kind, drafts

    def parameters(self, where: str = "visible") -> Mapping[str, str | int]:
        """Return the parameters of :func:`visible`."""
        return parameters_of({f"{where}_pages": self.pages, f"{where}_drafts": self.drafts})


def visible(columns: Any, kind: Kind, where: str = "visible") -> ColumnElement[bool]:
    """Return "this row may be seen", for the columns of the node table or of an alias of it.

    :param kind: ``Visibility.kind``; its ``parameters`` go with the statement.
    :param where: what the names of the parameters begin with, for statements with several.
    """
    pages, drafts = kind
    seen = is_member(columns.boundary_id, pages, f"{where}_pages")
    kept = columns.state != TRASHED
    if drafts == "all":
        return seen & kept
    published = _opaque(seen_state(columns) == PUBLISHED)
    if drafts == "none":
        return seen & published
    return seen & or_(published, is_member(columns.boundary_id, drafts, f"{where}_drafts") & kept)


def leads(columns: Any, drafts: str) -> Label[bool]:
    """Return the column ``leads``: whether what lies below this row may be seen, as
    ``Visibility.leads_through`` has it.

    :param drafts: ``Visibility.kind`` of the drafts alone; the parameters are those of
        :func:`visible`.
    """
    return type_coerce(visible(columns, ("all", drafts)), Boolean).label("leads")


def _opaque(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition of which databases cannot tell how many rows fulfil it, and so expect
    that half of them do."""
    return type_coerce(case((condition, true()), else_=false()), Boolean)


def is_member(column: ColumnElement[int], kind: str, parameter: str) -> ColumnElement[bool]:
    """Return "this boundary is one of the set".

    :param kind: ``BoundarySet.kind``; its ``parameter`` goes with the statement under this name,
        but for the kinds ``all`` and ``none``, which have none.
    """
    if kind in ("all", "none"):
        return true() if kind == "all" else false()
    if kind == "one":
        # A plain comparison tempts databases: to use the index on boundaries, which has lists in no
        # order, or to expect so few rows that sorting them all seems cheaper than reading a list in
        # its order until there is enough.
        return _opaque(column == bindparam(parameter, type_=Id))
    operator = "IN" if kind == "in" else "NOT IN"
    listed = ids_in(bindparam(parameter, type_=String))
    # "IS TRUE" keeps PostgreSQL from turning it into a join: not knowing how many numbers there
    # are, it would look each of them up and sort what it finds, instead of reading a list in its
    # order until there is enough.
    return column.op(operator, is_comparison=True)(listed).op("IS", is_comparison=True)(true())


#: For whoever sees everything that is not in the trash: exports and the like.
EVERYTHING = Visibility(ALL, ALL)
#: Everything that is published, whoever may see it.
PUBLISHED_ONLY = Visibility(ALL, NONE)
