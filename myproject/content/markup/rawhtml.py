"""Raw HTML in Markdown: kept, but well-nested within the Markdown around it."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable

from markdown_it.common.html_re import attribute, close_tag, open_tag
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from myproject.content.markup.inline import EXTERNAL
from myproject.content.markup.sanitizer import VOID

# Blocks deeper than this are dropped by markdown-it. Each level costs a few interpreter frames,
# so the number must also leave room below the recursion limit for whoever calls us.
MAX_NESTING = 30

# Ids of the page around the content start with this, so content may not use it.
RESERVED_ID_PREFIX = "site-"
_RESERVED_IDS = (RESERVED_ID_PREFIX, "fn:", "fnref:")

_HTML = re.compile(rf"<!--.*?(?:-->|\Z)|<[?!][^>]*(?:>|\Z)|{open_tag}|{close_tag}|<", re.DOTALL)
_TAG_NAME = re.compile(r"</?([a-z][a-z0-9-]*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(attribute)
_ID = re.compile(r"[^\s\"'<>`]{1,200}")


def balance_raw_html(state: StateCore) -> None:
    tokens = state.tokens
    if any(
        token.type == "html_block"
        or any(child.type == "html_inline" for child in token.children or ())
        for token in tokens
    ):
        state.tokens = _RawHtml(state.env["ids"], state.env["tags"]).balance(tokens)


class _RawHtml:
    """Makes raw HTML well-nested within the Markdown around it, and drops unknown tags.

    A formatting element left open is reopened by the HTML parser in every following block, so a
    page of `<b>`s and blank lines would grow to a thousand times its size. Closing each tag where
    its container ends prevents that, and keeps a stray `</div>` from doing harm.
    """

    def __init__(self, ids: set[str], tags: Collection[str]) -> None:
        self._ids = ids
        self._tags = tags
        self._open: list[str | None] = []  # names of raw tags; None starts a Markdown container
        self._depth = 0

    def balance(self, tokens: Iterable[Token]) -> list[Token]:
        """The tokens with the content of HTML tokens replaced and missing end tags added."""
        result: list[Token] = []
        for token in tokens:
            if token.nesting < 0:
                self._leave(result)
            if token.type in ("html_inline", "html_block"):
                token.content = _HTML.sub(self._piece, token.content)
            elif token.children and token.type == "inline":
                self._open.append(None)
                token.children = self.balance(token.children)
                self._leave(token.children)
            result.append(token)
            if token.nesting > 0:
                self._open.append(None)
        return result

    def _leave(self, result: list[Token]) -> None:
        end_tags = []
        while self._open and (name := self._open.pop()) is not None:
            end_tags.append(self._end(name))
        if end_tags:
            result.append(Token("html_inline", "", 0, content="".join(end_tags)))

    def _end(self, name: str) -> str:
        self._depth -= 1
        # Its end tag is optional, and one too many would be shown as an empty paragraph.
        return "" if name == "p" else f"</{name}>"

    def _piece(self, match: re.Match[str]) -> str:
        text = match[0]
        if text == "<":
            return "&lt;"
        tag = _TAG_NAME.match(text)
        name = tag[1].lower() if tag else ""
        if tag is None or name not in self._tags:
            return ""
        if text.startswith("</"):
            return self._close(name)
        if name not in VOID:
            if self._depth >= MAX_NESTING:
                return ""
            self._depth += 1
            self._open.append(name)
        return tag[0] + _ATTRIBUTE.sub(lambda m: self._attribute(name, m[0]), text[tag.end() :])

    def _close(self, name: str) -> str:
        """End tags up to the given one, or nothing when it was not opened in this container."""
        for opened in reversed(self._open):
            if opened == name:
                break
            if opened is None:
                return ""
        else:
            return ""
        end_tags = []
        while (opened := self._open.pop()) != name:
            end_tags.append(self._end(str(opened)))
        self._end(name)
        return "".join([*end_tags, f"</{name}>"])

    def _attribute(self, tag: str, text: str) -> str:
        key, _, value = text.strip().partition("=")
        key, value = key.strip().lower(), html.unescape(value.strip().strip("\"'"))
        if key == "id":
            free = _ID.fullmatch(value) and value not in self._ids
            if not free or value.startswith(_RESERVED_IDS):
                return ""
            self._ids.add(value)
        elif tag == "a" and key == "rel":
            return ""
        elif tag == "a" and key == "href" and EXTERNAL.match(value.strip()):
            return f'{text} rel="noopener noreferrer"'
        return text
