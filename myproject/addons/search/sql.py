"""The statements of a search, for each kind of database.

However many pages have a word, only so many are ranked: first those that have it in their titles,
then others. Counting and ranking a hundred thousand takes either database a tenth of a second and
more, a few hundred take milliseconds.

What may be seen is decided in here. The state and the boundary of each candidate are looked up
before candidates are counted; what a draft above hides, or what lies outside of a section, is
found out by climbing from the candidates. Where there are more of them than were taken, those that
are left may be too few. Then what is open is found by walking down the section, which takes longer
the larger it is.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Select,
    String,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import REGCONFIG

from myproject.addons.search.models import DOCUMENT
from myproject.db.base import Id
from myproject.tree.node import Node
from myproject.tree.visibility import Kind, Visibility, leads, visible

NODE = Node.__table__

#: Candidates of a tier that are ranked.
RANKED = 500
#: The same for suggestions.
SUGGESTED = 60

#: What is asked: titles first and then anything, anything, or titles.
BOTH, ANYTHING, TITLES = "both", "anything", "titles"
#: How it is found out what is open: all is; by climbing from the hits; by walking down to them.
ALL, CLIMB, WALK = "all", "climb", "walk"

_START = bindparam("start", type_=Id)


class Form(NamedTuple):
    """What the text of a statement depends on.

    :ivar kind, drafts: of what may be seen, and of the drafts alone.
    :ivar within: whether a section limits the search.
    """

    is_sqlite: bool
    tiers: str
    mode: str
    kind: Kind
    drafts: str
    within: bool


def form_of(
    is_sqlite: bool, tiers: str, visibility: Visibility, within: bool, *, walk: bool = False
) -> Form:
    """Return the form of the statement that is needed; *walk* for the second attempt."""
    drafts = visibility.drafts.kind
    mode = CLIMB if within or drafts != "all" else ALL
    return Form(is_sqlite, tiers, WALK if walk else mode, visibility.kind, drafts, within)


@cache
def hits_query(form: Form) -> Select[*tuple[Any, ...]]:
    """Return the statement for the candidates: ``id``, ``tier``, ``score`` and whether ``open``.

    Parameters: ``question``, ``language`` (PostgreSQL), ``types``, those of the visibility, and
    ``start``, the section's id, where that is asked.
    """
    below = _below(form.drafts) if form.mode == WALK else None
    make = _sqlite_tier if form.is_sqlite else _postgresql_tier
    numbers = {BOTH: (0, 1), ANYTHING: (1,), TITLES: (0,)}[form.tiers]
    tiers = [make(number, form, below).cte(f"tier{number}") for number in numbers]
    parts = [select(tiers[0])]
    if len(tiers) > 1:
        # The words are looked for once more among what has them in the title.
        parts.append(select(tiers[1]).where(tiers[1].c.id.not_in(select(tiers[0].c.id))))
    hits = union_all(*parts).cte("hits")
    is_open = _open(hits, form) if form.mode == CLIMB else true()
    return select(hits.c.id, hits.c.tier, hits.c.score, type_coerce(is_open, Boolean).label("open"))


def _limit(form: Form) -> Any:
    # In the statement's text, where PostgreSQL's planner can see it.
    number = SUGGESTED if form.tiers == TITLES else RANKED
    return bindparam(None, number, literal_execute=True)


def _may_be_seen(form: Form) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return NODE.c.type.in_(bindparam("types", expanding=True)), visible(NODE.c, form.kind)


# -- candidates -----------------------------------------------------------------------------------

_FULL_TEXT = [
    table(name, column("rowid", Id), column(name, String))
    for name in ("search_titles", "search_index")
]
#: What a hit in the title, in the summary and in the text counts.
_SCORES = (
    func.bm25(literal_column("search_titles")),
    func.bm25(literal_column("search_index"), 8.0, 3.0, 1.0),
)


def _sqlite_tier(number: int, form: Form, below: CTE | None) -> Select[*tuple[Any, ...]]:
    """Return the newest hits; FTS5 yields them in this order and stops when there are enough."""
    found = _FULL_TEXT[number]
    query = (
        select(
            found.c.rowid.label("id"),
            NODE.c.parent_id,
            literal(number).label("tier"),
            (-_SCORES[number]).label("score"),
        )
        .select_from(found.join(NODE, NODE.c.id == found.c.rowid))
        .where(found.c[found.name].op("MATCH")(bindparam("question", type_=String)))
        .where(*_may_be_seen(form))
        .order_by(found.c.rowid.desc())
        .limit(_limit(form))
    )
    if below is not None:
        # An expression, or SQLite would ask the full-text table for each of them alone.
        query = query.where((found.c.rowid + 0).in_(select(below.c.id)))
    return query


def _postgresql_tier(number: int, form: Form, below: CTE | None) -> Select[*tuple[Any, ...]]:
    """Return some hits, whichever come first: in an order all of them would have to be read."""
    # A cast that the planner does not see through. Knowing that a word is common it would read the
    # table until there are enough hits, which takes seconds where they are all at its end; the
    # index gives a hundred thousand within ten milliseconds, wherever they are.
    language = cast(bindparam("language", type_=String), REGCONFIG)
    question = func.to_tsquery(language, bindparam("question", type_=String))
    vector = (DOCUMENT.c.titles, DOCUMENT.c.words)[number]
    # Titles: the shorter the better. Anything: long texts count a little less.
    score = func.ts_rank_cd(vector, question, (2, 1)[number])
    # With a limit of its own, it stays a look-up by key. As a join it would be planned by what is
    # known of the word, which is often nothing, and then all nodes are read.
    place = (
        select(NODE.c.parent_id)
        .where(NODE.c.id == DOCUMENT.c.node_id, *_may_be_seen(form))
        .limit(bindparam(None, 1, literal_execute=True))
        .lateral("place")
    )
    query = (
        select(
            DOCUMENT.c.node_id.label("id"),
            place.c.parent_id,
            literal(number).label("tier"),
            score.label("score"),
        )
        .select_from(DOCUMENT.join(place, true()))
        .where(vector.op("@@")(question))
        .limit(_limit(form))
    )
    if below is not None:
        # An expression, or each of them would be looked up and its words read.
        query = query.where((DOCUMENT.c.node_id + 0).in_(select(below.c.id)))
    return query


# -- what is open ---------------------------------------------------------------------------------


def _open(hits: CTE, form: Form) -> ColumnElement[bool]:
    """Return whether a hit lies within the section and below nothing that hides it."""
    parents = select(hits.c.parent_id).distinct()
    is_parent = (
        NODE.c.id.in_(parents)
        if form.is_sqlite
        # As an array it counts as a few for the planner; as a table as so many that it would
        # compile the statement to machine code, for longer than the statement takes.
        else NODE.c.id == func.any(func.array(parents.scalar_subquery()))
    )
    up = (
        select(NODE.c.id.label("origin"), *_step(NODE, form.drafts))
        .where(is_parent)
        .cte("up", recursive=True)
    )
    above = NODE.alias("above")
    up = up.union_all(
        select(up.c.origin, *_step(above, form.drafts)).join_from(
            up, above, above.c.id == up.c.parent_id
        )
    )
    is_root = hits.c.parent_id.is_(None)
    hidden = select(up.c.origin).where(not_(up.c.leads))
    is_open: ColumnElement[bool] = or_(is_root, hits.c.parent_id.not_in(hidden))
    if form.within:
        inside = select(up.c.origin).where(up.c.id == _START)
        is_open &= or_(hits.c.id == _START, hits.c.parent_id.in_(inside))
    return func.coalesce(is_open, literal(False, Boolean))


def _step(columns_of: Any, drafts: str) -> tuple[ColumnElement[Any], ...]:
    columns = columns_of.c
    return columns.id, columns.parent_id, leads(columns, drafts)


def _below(drafts: str) -> CTE:
    """Return the nodes of a section, down to drafts that may not be seen."""
    below = (
        select(NODE.c.id, leads(NODE.c, drafts))
        .where(NODE.c.id == _START)
        .cte("below", recursive=True)
    )
    child = NODE.alias("child")
    return below.union_all(
        select(child.c.id, leads(child.c, drafts))
        .join_from(below, child, child.c.parent_id == below.c.id)
        .where(below.c.leads)
    )
