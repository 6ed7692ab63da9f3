"""What somebody typed, as something that a database can be asked; whatever it was.

Words are all wanted, ``"several words"`` as they stand, ``-word`` is not wanted, and ``word*`` is
the beginning of a word. Whatever else it contains only separates words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from myproject.addons.search.words import words_of

#: Letters of a query, and words in it, that count.
LONGEST = 200
MOST_TERMS = 12
#: Letters that the beginning of a word needs, or too many words would begin so.
SHORTEST_PREFIX = 3

_PART = re.compile(
    r"""(?P<no>(?<!\S)-)?(?:["“”„](?P<phrase>[^"“”„]*)["“”„]?|(?P<word>[^\s"“”„]+))"""
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or several that have to follow one another.

    :ivar prefix: whether the last one is only the beginning of a word.
    """

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted, and what is not.

    :ivar text: as it was typed, for the form.
    :ivar either: whether any of what is wanted will do.
    """

    text: str
    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()
    either: bool = False

    def __bool__(self) -> bool:
        return bool(self.wanted)

    @property
    def for_sqlite(self) -> str:
        """The query in the language of FTS5; every word in quotes."""
        wanted = (" OR " if self.either else " AND ").join(map(_for_sqlite, self.wanted))
        if not self.unwanted:
            return wanted
        return f"({wanted}) NOT ({' OR '.join(map(_for_sqlite, self.unwanted))})"

    @property
    def for_postgresql(self) -> str:
        """The query in the language of ``to_tsquery``; every word in quotes."""
        unwanted = (f"!{_for_postgresql(term)}" for term in self.unwanted)
        operator = " | " if self.either else " & "
        return operator.join([*map(_for_postgresql, self.wanted), *unwanted])


def parse(text: str, *, typing: bool = False) -> Query:
    """Return what *text* asks for.

    :param typing: whether its last word is perhaps not complete.
    """
    text = text[:LONGEST]
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for part in _PART.finditer(text):
        written = part["word"] or part["phrase"] or ""
        words = tuple(words_of(written))
        if not words:
            continue
        starred = part["word"] is not None and written.endswith("*")
        unfinished = typing and part["word"] is not None and part.end() == len(text)
        enough = len(words[-1]) >= SHORTEST_PREFIX or typing
        term = Term(words, prefix=(starred or unfinished) and enough)
        (unwanted if part["no"] else wanted).append(term)
    return Query(text, _distinct(wanted), _distinct(unwanted))


def any_of(text: str) -> Query:
    """Return a query for what begins with half of any word of *text*, where nothing was found."""
    beginnings = [
        Term((word[: max(SHORTEST_PREFIX, (len(word) + 1) // 2)],), prefix=True)
        for term in parse(text).wanted
        for word in term.words
        if len(word) >= SHORTEST_PREFIX
    ]
    return Query(text, _distinct(beginnings), either=True)


def _distinct(terms: list[Term]) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(terms))[:MOST_TERMS]


def _for_sqlite(term: Term) -> str:
    return f'"{" ".join(term.words)}"{"*" if term.prefix else ""}'


def _for_postgresql(term: Term) -> str:
    words = [f"'{word}'" for word in term.words]
    if term.prefix:
        words[-1] += ":*"
    return f"({' <-> '.join(words)})"
