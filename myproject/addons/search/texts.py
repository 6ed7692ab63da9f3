"""What a node says, as plain text to be searched."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Enum, String, inspect

from myproject.addons.search.words import words_of
from myproject.tree.node import Node

#: Raised when texts come to be made differently, so that older documents are known as stale.
VERSION = 1

#: At most as many bytes of folded words, of summaries and of texts. PostgreSQL takes a megabyte of
#: both, and needs up to two bytes for each.
LONGEST_SUMMARY = 20_000
LONGEST_TEXT = 400_000

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>""")
#: What stands beside headings and notes for those who look, and says nothing.
_SIGN = re.compile(
    r'<a (?:[^>"]|"[^"]*")*class="(?:anchor|footnote-backref)"(?:[^>"]|"[^"]*")*>[^<]*</a>'
)
_LABEL = re.compile(r"""\balt="([^"]*)\"""")
#: Within a word as well as around it; all other tags end one.
_INLINE = frozenset(
    {
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd"),
        *("mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "u", "var", "wbr"),
    }
)


class Texts(NamedTuple):
    """A document of the index.

    :ivar title, summary, text: folded words.
    :ivar shown: the text as it is written.
    """

    title: str
    summary: str
    text: str
    shown: str


def texts_of(node: Node) -> Texts:
    """Return what is searched of *node*.

    A type that knows better than its columns says it with a method ``search_text()``.
    """
    own: Callable[[], str] | None = getattr(node, "search_text", None)
    written = own() if callable(own) else "\n".join(_columns_of(node))
    # Twice the limit, because folding may shorten.
    shown = " ".join(written[: 2 * LONGEST_TEXT].replace("\0", "").split())
    return Texts(
        title=" ".join(words_of(f"{node.title}\n{node.nav_title}")),
        summary=_limited(node.summary, LONGEST_SUMMARY),
        text=_limited(shown, LONGEST_TEXT),
        shown=shown,
    )


def plain(markup: str) -> str:
    """Return sanitised HTML as text, with what describes pictures."""

    def replace(match: re.Match[str]) -> str:
        name = match[2].lower()
        if name == "img" and (label := _LABEL.search(match[3])):
            return f" {label[1]} "
        return "" if name in _INLINE else "\n"

    return html.unescape(_TAG.sub(replace, _SIGN.sub("", _COMMENT.sub("", markup))))


def _limited(text: str, most: int) -> str:
    joined = " ".join(words_of(text[: 2 * most]))
    return joined.encode()[:most].decode(errors="ignore")


def _columns_of(node: Node) -> Iterator[str]:
    """Yield the texts in the columns that a type adds to those of all nodes."""
    common = Node.__table__.c
    for attribute in inspect(type(node)).column_attrs:
        column: Any = attribute.columns[0]
        is_text = isinstance(column.type, String) and not isinstance(column.type, Enum)
        # The source of what is rendered says the same once more, in signs.
        if not is_text or attribute.key in common or f"{attribute.key}_html" in node.__mapper__.c:
            continue
        value = getattr(node, attribute.key) or ""
        yield plain(value) if attribute.key.endswith("_html") else value
