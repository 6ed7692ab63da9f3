"""Texts compared and sorted whatever their letters' case, in a way that an index can serve."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class caseless(FunctionElement[str]):
    """A text that is like another one but for the case of its letters is equal to it.

    SQLite knows capital letters of ASCII only; PostgreSQL those that its database was made for.
    """

    type = String()
    inherit_cache = True


@compiles(caseless)
def _caseless(element: Any, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(next(iter(element.clauses)), **kw)} COLLATE NOCASE"


@compiles(caseless, "postgresql")
def _caseless_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"lower({compiler.process(next(iter(element.clauses)), **kw)})"
