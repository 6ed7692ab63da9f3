"""Excerpts of what was found, with what was looked for marked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from myproject.addons.search.query import Query, Term
from myproject.addons.search.words import spans_of

#: Letters of an excerpt, and of what precedes its first hit.
LENGTH = 240
BEFORE = 60
#: Letters of a text that are looked at, and at once; what is found only behind them has no excerpt.
LOOKED_AT = 60_000
AT_ONCE = 10_000
#: Letters at the end of a word in which words of a language may differ.
ENDING = 3

Span = tuple[int, int]


def marked(text: str, query: Query, *, stemmed: bool = False) -> Markup:
    """Return all of *text*, escaped, with what was looked for in ``<mark>``."""
    return _mark(text, 0, len(text), _hits(text, query, stemmed))


def excerpt(texts: Sequence[str], query: Query, *, stemmed: bool = False) -> Markup:
    """Return the part of a text that has most of what was looked for.

    :param texts: of which the first one that has something is taken; if none has, the beginning
        of the first that is not empty.
    :param stemmed: whether words with other endings were found, too.
    """
    for text in texts:
        for begin in range(0, min(len(text), LOOKED_AT), AT_ONCE):
            part = text[begin : begin + AT_ONCE + LENGTH]
            if hits := _hits(part, query, stemmed):
                return _part(text, [(first + begin, last + begin) for first, last in hits])
    return _part(next(filter(None, texts), ""), [])


def _part(text: str, hits: Sequence[Span]) -> Markup:
    start = _best_start(hits)
    start, end = _whole_words(text, start, start + LENGTH)
    dots = ("… " if start else "", " …" if end < len(text) else "")
    return Markup("{}{}{}").format(dots[0], _mark(text, start, end, hits), dots[1])


def _best_start(hits: Sequence[Span]) -> int:
    """Return where the stretch with the most hits begins, the first of several."""
    best, most = 0, 0
    ends = [end for _, end in hits]
    for number, (begin, _) in enumerate(hits):
        start = max(0, begin - BEFORE)
        inside = bisect_left(ends, start + LENGTH) - number
        if inside > most:
            best, most = start, inside
    return best


def _whole_words(text: str, start: int, end: int) -> Span:
    if start > 0:
        space = text.find(" ", start, start + BEFORE)
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", max(start, end - BEFORE), end)
        end = space if space > start else end
    return start, min(end, len(text))


def _mark(text: str, start: int, end: int, hits: Iterable[Span]) -> Markup:
    parts, here = [], start
    for begin, stop in hits:
        if begin < here or stop > end:
            continue
        parts += [escape(text[here:begin]), Markup("<mark>{}</mark>").format(text[begin:stop])]
        here = stop
    return Markup("").join([*parts, escape(text[here:end])])


def _hits(text: str, query: Query, stemmed: bool) -> list[Span]:
    """Return where the terms of a query are in a text, in order and without overlaps."""
    spans, words = spans_of(text)
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        places.setdefault(word, []).append(place)
    found = set()
    for term in query.wanted:
        for place in _places(term, words, places, stemmed):
            last = place + len(term.words) - 1
            found.add((spans[place][0], spans[last][1]))
    hits: list[Span] = []
    for begin, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not hits or begin >= hits[-1][1]:
            hits.append((begin, end))
    return hits


def _places(
    term: Term, words: Sequence[str], places: dict[str, list[int]], stemmed: bool
) -> Iterable[int]:
    """Yield where a term begins."""
    first, count = term.words[0], len(term.words)
    if count == 1 and (term.prefix or stemmed):
        beginning = first if term.prefix else first[: max(ENDING, len(first) - ENDING)]
        longest = len(first) + (10_000 if term.prefix else ENDING)
        for word in places:
            if word.startswith(beginning) and len(word) <= longest:
                yield from places[word]
        return
    for place in places.get(first, ()):
        following = words[place : place + count]
        *exact, last = term.words
        if len(following) == count and following[:-1] == exact and _fits(term, following[-1], last):
            yield place


def _fits(term: Term, word: str, wanted: str) -> bool:
    return word.startswith(wanted) if term.prefix else word == wanted
