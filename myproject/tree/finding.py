"""Finding pages by what they are called: for palettes, pickers and completion while typing.

Full text is the business of an add-on. This looks at titles and names only, needs no index and is
always there; a hundred thousand titles take some hundredths of a second.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, case, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from myproject.tree.node import Node
from myproject.tree.urls import climb, path_columns, paths_from_rows
from myproject.tree.visibility import Kind, Visibility, visible

_NODE = Node.__table__

#: What is read of a text: this many characters, and of those so many words.
LONGEST = 200
MOST_WORDS = 8

#: Candidates that are looked at first, and once more where too few of those may be seen.
CONSIDERED = (60, 3000)


class Found(NamedTuple):
    """A page that was found.

    :ivar names: of the places from the root (left out) down to it.
    """

    id: int
    title: str
    type: str
    state: str
    names: tuple[str, ...]


class in_any_case(FunctionElement[str]):
    """A text as LIKE is to compare it with small letters.

    SQLite's LIKE does not tell capital letters from small ones by itself; PostgreSQL's does.
    """

    type = String()
    inherit_cache = True


@compiles(in_any_case)
def _in_any_case(element: Any, compiler: Any, **kw: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


@compiles(in_any_case, "postgresql")
def _in_any_case_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    # Only the letters of ASCII, byte by byte: what a language knows of others takes twice as long,
    # and those are spelled out anyway.
    return f'lower({compiler.process(next(iter(element.clauses)), **kw)} COLLATE "C")'


def find_pages(
    session: Session,
    text: str,
    visibility: Visibility,
    *,
    types: Collection[str] | None = None,
    below: tuple[str, ...] = (),
    limit: int = 8,
) -> list[Found]:
    """Return the pages whose titles or names have every word of *text*, the likeliest first.

    First the title that is the text, then those that begin with it, those in which a word begins
    with it, and the others; the shorter before the longer. One statement; a second one where much
    was found that may not be seen because of what lies above it.

    :param text: whatever somebody typed; nothing in it is an error. Nothing is found for none.
    :param types: names of the content types that may be found; all when left out.
    :param below: names of the place, itself included, that limits what is found: that of a virtual
        root.
    :param limit: of what is returned.
    """
    words = words_in(text)
    if not words or limit < 1:
        return []
    found: list[Found] = []
    for considered in CONSIDERED:
        rows = _ask(session, words, visibility, types, max(considered, limit))
        origins = [row for row in rows if row.height == 0]
        paths = paths_from_rows((row[:6] for row in rows), visibility)
        origins.sort(key=lambda row: (row.rank, row.length, row.origin))
        found = [
            Found(row.origin, row.title, row.type, row.state, paths[row.origin])
            for row in origins
            if row.origin in paths and paths[row.origin][: len(below)] == below
        ]
        if len(found) >= limit or len(origins) < considered:
            break
    return found[:limit]


def words_in(text: str) -> list[str]:
    """Return the words that are looked for, in small letters, of whatever somebody typed."""
    # PostgreSQL takes no NUL in a text.
    return re.sub(r"[\s\0]+", " ", text[:LONGEST]).lower().split()[:MOST_WORDS]


def _ask(
    session: Session,
    words: Sequence[str],
    visibility: Visibility,
    types: Collection[str] | None,
    considered: int,
) -> Sequence[Any]:
    whole = " ".join(words)
    parameters: dict[str, Any] = {
        "considered": considered,
        **visibility.parameters(),
    }
    if types is not None:
        parameters["types"] = sorted(types)
    for form, spelling in enumerate(spellings := _spellings(whole)):
        parameters[f"whole_{form}"] = spelling
        parameters[f"begins_{form}"] = f"{spelling}%"
        parameters[f"within_{form}"] = f"% {spelling}%"
    counts, more = word_parameters(words)
    parameters.update(more)
    query = _query(visibility.kind, (len(spellings), *counts), types is not None)
    return session.connection().execute(query, parameters).all()


def _spellings(text: str) -> list[str]:
    """Return patterns for a text in small letters.

    What databases take for the same letter depends on how they were made; of ASCII all know.
    """
    forms = {text: 0} if text.isascii() else {text: 0, text.capitalize(): 0, text.upper(): 0}
    return [_escaped(form) for form in forms]


def word_parameters(words: Sequence[str]) -> tuple[tuple[int, ...], dict[str, str]]:
    """Return how many spellings each word has, and the parameters of :func:`has_words`."""
    counts, parameters = [], {}
    for number, word in enumerate(words):
        counts.append(len(spellings := _spellings(word)))
        for form, spelling in enumerate(spellings):
            parameters[f"word_{number}_{form}"] = f"%{spelling}%"
    return tuple(counts), parameters


def has_words(spellings: Sequence[int], *texts: ColumnElement[str]) -> ColumnElement[bool]:
    """Return "each word is in one of these texts".

    :param spellings: how many there are of each word.
    """
    return and_(*(_like(f"word_{number}", n, *texts) for number, n in enumerate(spellings)))


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _like(parameter: str, forms: int, *texts: ColumnElement[str]) -> ColumnElement[bool]:
    """Return "one of these texts is like one of the spellings"."""
    pairs = [
        (text, form)
        for form in range(forms)
        # The second and the third are of letters that databases may not know to be the same.
        for text in ([in_any_case(text) for text in texts] if form == 0 else texts[:1])
    ]
    return or_(
        *(
            text.like(bindparam(f"{parameter}_{form}", type_=String), escape="\\")
            for text, form in pairs
        )
    )


@cache
def _query(kind: Kind, spellings: tuple[int, ...], typed: bool) -> Select[*tuple[Any, ...]]:
    """Return the statement.

    :param spellings: how many there are of the whole text, and of each word.
    :param typed: whether the types are limited.
    """
    whole, *words = spellings
    title, name = _NODE.c.title, _NODE.c.name
    ranks = enumerate(_like(kind_of, whole, title) for kind_of in ("whole", "begins", "within"))
    rank = case(*((matches, number) for number, matches in ranks), else_=3).label("rank")
    length = func.length(_NODE.c.title).label("length")
    candidates = (
        select(_NODE.c.id, _NODE.c.title, _NODE.c.type, rank, length)
        .where(has_words(words, title, name), visible(_NODE.c, kind))
        .order_by(rank, length, _NODE.c.id)
        .limit(bindparam("considered"))
    )
    if typed:
        candidates = candidates.where(_NODE.c.type.in_(bindparam("types", expanding=True)))
    chosen = candidates.cte("chosen")
    up = climb(chosen)
    columns = (chosen.c.title, chosen.c.type, chosen.c.rank, chosen.c.length)
    return (
        select(*path_columns(up), *columns)
        .join_from(up, chosen, chosen.c.id == up.c.origin)
        .order_by(up.c.origin, up.c.height.desc())
    )
