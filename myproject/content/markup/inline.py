"""Our rules for running text: bare links (GFM 6.9), and bounds for what could grow without one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt
from markdown_it.common.utils import isLinkClose, isLinkOpen
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote.index import footnote_ref

# No one writes a paragraph this long; beyond it inline markup is plain text, which bounds every
# rule whose work grows faster than the paragraph.
MAX_INLINE = 50_000

_NOT_URL = r"\s<>\"`\[\]{}|\\\u3000-\u303f\uff01-\uff0f\uff1a-\uff20"
_SCHEME = re.compile(r"(?:^|[^a-z0-9+.-])(https?)$", re.IGNORECASE)
_URL_TAIL = re.compile(rf"://(?=[^\W_])[^{_NOT_URL}]{{1,2000}}")
_URL_END = re.compile(r"(?:[?!.,:;*_~']|&[a-z0-9]{1,31};)$", re.IGNORECASE)
_BARE_LINK = re.compile(
    r"(?<![\w.+\-/:@&=%])(?:"
    rf"(?P<www>www\.[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}}(?:[:/?#][^{_NOT_URL}]{{0,2000}})?)|"
    r"(?P<scheme>mailto:)?(?P<mail>[a-z0-9._+-]{1,64}@(?:[a-z0-9][a-z0-9-]{0,62}\.){1,8}[a-z]{2,63})"
    r"(?![\w@/-]|:\S))",
    re.IGNORECASE,
)
EXTERNAL = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,200}\]")


def parse_inline(state: StateCore) -> None:
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        if len(token.content) > MAX_INLINE:
            token.children.append(Token("text", "", 0, content=token.content))
        else:
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def bounded_footnote_ref(state: StateInline, silent: bool) -> bool:
    # The plugin looks for the closing bracket up to the paragraph's end, from every `[^`.
    if not _FOOTNOTE.match(state.src, state.pos, state.posMax):
        return False
    return footnote_ref(state, silent)


def bare_url(state: StateInline, silent: bool) -> bool:
    """`https://…` in running text (GFM 6.9).

    Not linkify-it, which takes `notes.md` for a host in Moldova and needs quadratic time for a
    run of `a://`. Never matches in silent mode: the look-ahead for the end of a link's text would
    skip its closing bracket.
    """
    pos = state.pos
    if silent or state.linkLevel or not state.src.startswith("://", pos):
        return False
    scheme = _SCHEME.search(state.src[max(0, pos - 6) : pos])
    tail = _URL_TAIL.match(state.src, pos, state.posMax)
    if not scheme or not tail or not state.pending.endswith(scheme[1]):
        return False
    url = _trim_url(scheme[1] + tail[0])
    state.pending = state.pending[: -len(scheme[1])]
    opening = state.push("link_open", "a", 1)
    opening.attrs = {"href": state.md.normalizeLink(url)}
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1)
    state.pos += len(url) - len(scheme[1])
    return True


def _trim_url(url: str) -> str:
    """Without the punctuation that ends the sentence rather than the URL (GFM 6.9)."""
    while True:
        if end := _URL_END.search(url[-40:]):
            url = url[: -len(end[0])]
        elif url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1]
        else:
            return url


def bare_links(state: StateCore) -> None:
    """`www.…` and e-mail addresses in running text, and `rel` for links that leave the site."""
    for token in state.tokens:
        if token.type != "inline" or not token.children:
            continue
        if "@" in token.content or "www." in token.content.lower():
            token.children = _link_children(state.md, token.children)
        for child in token.children:
            if child.type == "link_open" and EXTERNAL.match(str(child.attrGet("href"))):
                child.attrSet("rel", "noopener noreferrer")


def _link_children(md: MarkdownIt, children: Sequence[Token]) -> list[Token]:
    result: list[Token] = []
    inside = 0
    for token in children:
        if token.type in ("link_open", "link_close"):
            inside += token.nesting
        elif token.type == "html_inline":
            inside += isLinkOpen(token.content) - isLinkClose(token.content)
        if token.type == "text" and inside <= 0:
            result.extend(_link_text(md, token))
        else:
            result.append(token)
    return result


def _link_text(md: MarkdownIt, token: Token) -> Iterable[Token]:
    text, last = token.content, 0
    for match in _BARE_LINK.finditer(text):
        label = _trim_url(match[0])
        prefix = "http://" if match["www"] else "" if match["scheme"] else "mailto:"
        yield Token("text", "", 0, content=text[last : match.start()])
        yield Token("link_open", "a", 1, attrs={"href": md.normalizeLink(prefix + label)})
        yield Token("text", "", 0, content=label)
        yield Token("link_close", "a", -1)
        last = match.start() + len(label)
    yield token if not last else Token("text", "", 0, content=text[last:])
