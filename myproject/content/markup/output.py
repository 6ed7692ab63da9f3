"""How tokens are written: highlighted code, labelled tables and tasks, footnotes; no style, no
script, so that the page around can forbid both."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it.common.utils import escapeHtml, unescapeAll
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import find_lexer_class, get_all_lexers

from myproject.content.markup.blocks import plain_text

# Pygments' lexers are regular expressions of varying quality: longer code stays plain.
MAX_HIGHLIGHT = 50_000

_FENCE_FILE = re.compile(r"""\{[^}]*?\bfile\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s}"']+))""")

# Pygments prepares lexer classes on first use, in class attributes and without a lock, and
# lexers make other lexers while they run. Highlighting is pure CPU, so one at a time costs little.
_PYGMENTS = threading.Lock()


class Highlighter:
    """The rule for fenced code; unknown languages and very long code are escaped, no more."""

    def __init__(self) -> None:
        self._lexers = {
            alias: name for name, aliases, *_ in get_all_lexers(plugins=False) for alias in aliases
        }
        self._formatter = HtmlFormatter(nowrap=True)
        self.classes = {"highlight", *(f"language-{alias}" for alias in self._lexers)}

    def fence(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        """A fenced block; in ```` ```md {file="a.md"} ```` the file becomes the caption."""
        token = tokens[index]
        info = unescapeAll(token.info).strip()
        code = self._code(token.content, info.split("{")[0].split(maxsplit=1)[:1])
        block = f'<pre tabindex="0">{code}</pre>\n'
        file = _FENCE_FILE.search(info)
        if not file:
            return block
        caption = escapeHtml(file[1] or file[2] or file[3] or "")
        return f'<figure class="code"><figcaption>{caption}</figcaption>{block}</figure>\n'

    def _code(self, source: str, language: Sequence[str]) -> str:
        alias = language[0].lower() if language else ""
        lexer = find_lexer_class(self._lexers[alias]) if alias in self._lexers else None
        if lexer is None or len(source) > MAX_HIGHLIGHT:
            return f"<code>{escapeHtml(source)}</code>"
        with _PYGMENTS:
            body = highlight(source, lexer(stripnl=False), self._formatter)
        return f'<code class="highlight language-{alias}">{body}</code>'


def _code_block(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return f'<pre tabindex="0"><code>{escapeHtml(tokens[index].content)}</code></pre>\n'


def _list_item(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    result = self.renderToken(tokens, index, options, env)
    if "checked" in token.meta:
        done = token.meta["checked"]
        # Named like GitHub's, as no label element may hold the blocks of a list item.
        label = "Completed task" if done else "Incomplete task"
        result += '<input class="task-list-item-checkbox" type="checkbox" disabled=""'
        result += f' aria-label="{label}"{" checked" if done else ""}> '
    return result


def _table_open(_self: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    number = env["tables"] = env.get("tables", 0) + 1
    columns = []
    for token in tokens[index:]:
        if token.type == "thead_close":
            break
        if token.type == "inline":
            columns.append(plain_text(token.children or ()))
    names = ", ".join(filter(None, columns))[:100]
    label = f"Table {number}: {names}" if names else f"Table {number}"
    return (
        f'<div class="table-wrap" tabindex="0" role="region" aria-label="{escapeHtml(label)}">'
        "<table>\n"
    )


def _table_close(*_args: Any) -> str:
    return "</table></div>\n"


def _cell(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A table cell, aligned by a class: there is no style attribute here."""
    token = tokens[index]
    sides = {"left": "start", "center": "center", "right": "end"}
    align = str(token.attrs.pop("style", "")).removeprefix("text-align:")
    if align in sides:
        token.attrSet("class", f"text-{sides[align]}")
    if token.tag == "th":
        token.attrSet("scope", "col")
    return self.renderToken(tokens, index, options, env)


def _footnote_mark(
    _self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    number, ident = _footnote_ids(tokens[index])
    link = f'<a href="#fn:{number}" id="fnref:{ident}" aria-label="Footnote {number}">{number}</a>'
    return f'<sup class="footnote-ref">{link}</sup>'


def _footnote_back(
    _self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    _, ident = _footnote_ids(tokens[index])
    label = f"Back to reference {ident.replace(':', ', occurrence ')}"
    # The selector keeps the arrow from becoming an emoji.
    return f' <a href="#fnref:{ident}" class="footnote-backref" aria-label="{label}">↩\ufe0e</a>'


def _footnote_ids(token: Token) -> tuple[int, str]:
    number, again = token.meta["id"] + 1, token.meta.get("subId", 0)
    return number, f"{number}:{again + 1}" if again > 0 else str(number)


def _footnote_open(
    _self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    number, _ = _footnote_ids(tokens[index])
    return f'<li id="fn:{number}" class="footnote-item">'


def _fixed(text: str) -> Callable[..., str]:
    return lambda *_args: text


RENDER_RULES: dict[str, Callable[..., str]] = {
    "code_block": _code_block,
    "list_item_open": _list_item,
    "table_open": _table_open,
    "table_close": _table_close,
    "th_open": _cell,
    "td_open": _cell,
    "footnote_ref": _footnote_mark,
    "footnote_anchor": _footnote_back,
    "footnote_open": _footnote_open,
    "footnote_block_open": _fixed('<section class="footnotes" aria-label="Footnotes">\n<ol>\n'),
    "footnote_block_close": _fixed("</ol>\n</section>\n"),
}
