"""Link destinations in Markdown source: finding them, and rewriting them without touching else.

Pure: text in, text out. What a destination means (a path, `node:12`) is the caller's affair, and
rendering lives in `markup`, whose parser is used here so that both agree on what is a link.

The parser itself reports where it found each destination; the place is then looked up in the
source. No step is trusted: the rewritten source is parsed again, and only what provably changed
nothing but the intended destinations is kept.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkDestination, parseLinkLabel
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline, link
from markdown_it.token import Token

from myproject.content.markup.inline import MAX_INLINE
from myproject.content.markup.renderer import base_parser, compile_rules

# How often a failed proof may be tried again on a part of the edits.
MAX_PROOFS = 64

_NEWLINE = re.compile(r"\r\n?|\n")
_BLANK = re.compile(r"[ \t\n]*")
_LABEL = re.compile(r"\[(?:\\.|[^\]\\])*\]:[ \t\n]*", re.DOTALL)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>`]")

Replace = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _Span:
    """A destination as found: where it is in the parsed text, and what it decodes to."""

    start: int
    end: int
    destination: str


@dataclass(slots=True)
class _Site:
    """A destination of an inline link, or of a definition (`token` None), and its future."""

    span: _Span  # in the content of the token, or in the page's text
    token: int | None
    line_start: int  # of the block's first line, in the source
    offset: int | None  # in the source; None when it cannot be told for certain
    raw: str  # as it stands in the source
    new: str | None = None
    encoded: str | None = None


@dataclass(slots=True)
class _Page:
    """A parsed source; the inline content is parsed on demand, as most paragraphs have no link."""

    text: str
    tokens: list[Token]
    env: dict[str, Any] = field(default_factory=dict)

    @property
    def definitions(self) -> list[_Span]:
        return self.env.get("definitions", [])


def rewrite_destinations(source: str, replace: Replace) -> str:
    """Replace the destinations of links in Markdown (CommonMark 0.31.2 and our extensions).

    `replace` is called once for each destination of an inline link and of a link reference
    definition, in order, with entities and backslash escapes resolved and percent-encoding as
    written. What it returns becomes the destination, escaped or bracketed as needed; None keeps
    the old one. Images, autolinks, code, HTML and all other characters stay as they are.

    A replacement that cannot be written without changing something else is left out, for instance
    one with a scheme that Markdown refuses to link (`javascript:`).
    """
    page = _parse(source)
    sites = [site for site in _sites(page, source) if site.offset is not None]
    for site in sites:
        new = replace(site.span.destination)
        if new is not None and new != site.span.destination:
            site.new, site.encoded = new, _encode(new, site.raw)
    edits = [site for site in sites if site.encoded is not None]
    if not edits:
        return source
    units = _provable_units(page, edits)
    kept = _settle(units, lambda chosen: _proves_page(page, source, chosen))
    return _rewritten(source, kept)


def link_destinations(source: str) -> list[str]:
    """The destinations `rewrite_destinations` would offer, decoded like there, in order."""
    return [site.span.destination for site in _sites(_parse(source), source)]


# -- parsing --------------------------------------------------------------------------------------


@functools.cache
def _parser() -> MarkdownIt:
    # Without settings and unchanged once built, so one serves every caller.
    md = base_parser()
    md.options["store_labels"] = True
    md.inline.ruler.at("link", _link)
    md.block.ruler.at("reference", _reference)
    compile_rules(md)
    return md


def _parse(source: str) -> _Page:
    md = _parser()
    page = _Page(_NEWLINE.sub("\n", source).replace("\0", "\ufffd"), [])
    md.block.parse(page.text, md, page.env, page.tokens)
    return page


def _inline(page: _Page, content: str) -> list[Token]:
    """The inline tokens of a text; none when it is too long to be more than text."""
    if "[" not in content or len(content) > MAX_INLINE:
        return []
    footnotes = dict.fromkeys(page.env.get("footnotes", {}).get("refs", ()), -1)
    # Numbers of footnotes are handed out while parsing: each text gets its own count.
    env = {
        "references": page.env.get("references", {}),
        "footnotes": {"refs": footnotes, "list": {}},
    }
    md, tokens = _parser(), []
    return md.inline.parse(content, md, env, tokens)


def _link(state: StateInline, silent: bool) -> bool:
    """The parser's rule, which also notes where an inline link's destination is."""
    start, count = state.pos, len(state.tokens)
    if not link(state, silent):
        return False
    # A reference ends with the bracket of its label.
    if not silent and state.src[state.pos - 1] == ")":
        begin = parseLinkLabel(state, start, True) + 2
        span = _destination_at(state.src, begin, state.pos - 1)
        opening = next(token for token in state.tokens[count:] if token.type == "link_open")
        opening.meta["span"] = span
    return True


def _reference(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """The parser's rule, which also notes where the definition's destination is."""
    if not reference(state, start_line, end_line, silent):
        return False
    if not silent:
        lines, starts, position = [], [], 0
        for line in range(start_line, state.line):
            begin = state.bMarks[line] + state.tShift[line]
            lines.append(state.src[begin : state.eMarks[line] + 1])
            starts.append((position, begin))
            position += len(lines[-1])
        text = "".join(lines)
        label = _LABEL.match(text)
        found = _destination_at(text, label.end() if label else 0, len(text))
        base, begin = starts[bisect_right(starts, (found.start, len(state.src))) - 1]
        span = _Span(found.start - base + begin, found.end - base + begin, found.destination)
        state.env.setdefault("definitions", []).append(span)
    return True


def _destination_at(text: str, start: int, end: int) -> _Span:
    blank = _BLANK.match(text, start, end)
    start = blank.end() if blank else start
    found = parseLinkDestination(text, start, end)
    return _Span(start, found.pos, found.str) if found.ok else _Span(start, start, "")


# -- places ---------------------------------------------------------------------------------------


def _sites(page: _Page, source: str) -> list[_Site]:
    """All destinations in order of appearance."""
    places = _Places(page.text, source)
    sites = [places.definition(span) for span in page.definitions]
    for index, token in enumerate(page.tokens):
        if token.type != "inline" or not token.map:
            continue
        cell = _is_cell(page, index)
        where = places.cell(token) if cell else places.text(token)
        for child in _inline(page, token.content):
            if span := child.meta.get("span"):
                raw = token.content[span.start : span.end]
                raw = _escape_pipes(raw) if cell else raw
                offset = places.check(where(span.start), raw)
                sites.append(_Site(span, index, places.starts[token.map[0]], offset, raw))
    return sorted(sites, key=lambda site: site.line_start if site.offset is None else site.offset)


def _is_cell(page: _Page, index: int) -> bool:
    return page.tokens[index - 1].type in ("th_open", "td_open")


class _Places:
    """Finds the characters of parsed content in the source.

    Content is the lines of a block without indentation and markers, so that each of its lines is
    the end of a source line; only a heading may have hashes behind it, and a table's cell is
    somewhere in its row.
    """

    def __init__(self, text: str, source: str) -> None:
        self._source = source
        self._lines = text.split("\n")
        self._text_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.starts = [0, *(match.end() for match in _NEWLINE.finditer(source))]
        self._row, self._cursor = -1, 0

    def definition(self, span: _Span) -> _Site:
        """The site of a definition, which was found in the text of the page itself."""
        line = bisect_right(self._text_starts, span.start) - 1
        start = self._text_starts[line]
        raw = self._lines[line][span.start - start : span.end - start]
        offset = self.check(self.starts[line] + span.start - start, raw)
        return _Site(span, None, self.starts[line], offset, raw)

    def check(self, offset: int | None, raw: str) -> int | None:
        """The offset if what was parsed is what the source has there."""
        return offset if offset is not None and self._source.startswith(raw, offset) else None

    def text(self, token: Token) -> Callable[[int], int | None]:
        """From positions in the content of a paragraph, heading or term to those in the source."""
        first = token.map[0] if token.map else 0
        starts, shifts, position = [], [], 0
        for number, line in enumerate(token.content.split("\n"), first):
            column = self._column(number, line.strip())
            indent = len(line) - len(line.lstrip())
            starts.append(position)
            shifts.append(
                None if column is None else self.starts[number] + column - indent - position
            )
            position += len(line) + 1

        def where(position: int) -> int | None:
            shift = shifts[bisect_right(starts, position) - 1]
            return None if shift is None else position + shift

        return where

    def _column(self, number: int, words: str) -> int | None:
        if number >= len(self._lines):
            return None
        line = self._lines[number].rstrip()
        if line.endswith(words):
            return len(line) - len(words)
        return line.find(words) if line.count(words) == 1 else None

    def cell(self, token: Token) -> Callable[[int], int | None]:
        """The same for a table's cell, in which the table rule has unescaped the pipes."""
        row = token.map[0] if token.map else 0
        if row != self._row:
            self._row, self._cursor = row, 0
        words = _escape_pipes(token.content)
        column = self._lines[row].find(words, self._cursor)
        if column < 0:
            return lambda _position: None
        self._cursor = column + len(words)
        start = self.starts[row] + column
        return lambda position: start + position + token.content.count("|", 0, position)


def _escape_pipes(content: str) -> str:
    return content.replace("|", "\\|")


# -- rewriting ------------------------------------------------------------------------------------


def _encode(destination: str, raw: str) -> str | None:
    """How to write a destination in Markdown; None when there is no way.

    What could end the link, start HTML or pair with a backtick before it becomes an entity, as
    backslashes do not help there. An escaped pipe is right inside tables and outside.
    """
    md = _parser()
    if not md.validateLink(md.normalizeLink(destination)):
        return None  # the proof would say so too, but slowly
    for ampersand in ("&", "&amp;"):
        text = destination.replace("\\", "\\\\").replace("&", ampersand)
        text = _UNSAFE.sub(lambda match: f"&#{ord(match[0])};", text)
        text = _escape_pipes(text)
        if raw.startswith("<") or " " in text or not text:
            text = f"<{text}>"
        elif not _is_balanced(text):
            text = text.replace("(", "\\(").replace(")", "\\)")
        found = parseLinkDestination(text, 0, len(text))
        if found.ok and found.pos == len(text) and found.str == destination:
            return text
    return None


def _is_balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if not 0 <= depth <= 32:
            return False
    return depth == 0


def _rewritten(text: str, sites: Iterable[_Site]) -> str:
    """The source with the sites' new destinations in it."""
    edits = ((site.offset or 0, len(site.raw), site.encoded or "") for site in sites)
    return _spliced(text, sorted(edits))


def _new_content(token: Token, sites: Iterable[_Site], cell: bool) -> str:
    """The content the token should have afterwards, as the table rule would hand it on."""
    edits = []
    for site in sites:
        encoded = site.encoded or ""
        encoded = encoded.replace("\\|", "|") if cell else encoded
        edits.append((site.span.start, site.span.end - site.span.start, encoded))
    return _spliced(token.content, edits)


def _spliced(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    parts, last = [], 0
    for start, length, new in edits:
        parts += [text[last:start], new]
        last = start + length
    return "".join([*parts, text[last:]])


# -- proofs ---------------------------------------------------------------------------------------


def _settle(units: list[list[_Site]], proves: Callable[[list[_Site]], bool]) -> list[_Site]:
    """As many units, in order, as together prove out; halving what does not."""
    kept: list[_Site] = []
    pending = [units]
    for _ in range(MAX_PROOFS):
        if not pending:
            break
        chunk = pending.pop()
        chosen = [*kept, *(site for unit in chunk for site in unit)]
        if proves(chosen):
            kept = chosen
        elif len(chunk) > 1:
            half = len(chunk) // 2
            pending += [chunk[half:], chunk[:half]]
    return kept


def _provable_units(page: _Page, edits: Sequence[_Site]) -> list[list[_Site]]:
    """What can be done within each paragraph, found without parsing the page again."""
    groups: dict[int, list[list[_Site]]] = {}
    units = []
    for site in edits:
        if site.token is None:
            units.append([site])
        else:
            groups.setdefault(site.token, []).append([site])
    for index, singles in groups.items():
        kept = _settle(singles, functools.partial(_proves_inline, page, index))
        units += [kept] if kept else []
    return units


def _proves_inline(page: _Page, index: int, chosen: Sequence[_Site]) -> bool:
    token = page.tokens[index]
    content = _new_content(token, chosen, _is_cell(page, index))
    new = {site.span.start: site.new or "" for site in chosen}
    before = _inline(page, token.content)
    return _signatures(before, new) == _signatures(_inline(page, content), {})


def _proves_page(page: _Page, source: str, chosen: Sequence[_Site]) -> bool:
    """Whether the rewritten source has the same blocks, with the contents proven before."""
    after = _parse(_rewritten(source, chosen))
    groups: dict[int | None, list[_Site]] = {}
    for site in chosen:
        groups.setdefault(site.token, []).append(site)
    new = {site.span.start: site.new for site in groups.pop(None, ())}
    expected = [new.get(span.start, span.destination) for span in page.definitions]
    if [span.destination for span in after.definitions] != expected:
        return False
    blocks = [_block(token) for token in page.tokens]
    for index, sites in groups.items():
        if index is not None:
            content = _new_content(page.tokens[index], sites, _is_cell(page, index))
            blocks[index] = (content, *blocks[index][1:])
    return blocks == [_block(token) for token in after.tokens] and _labels(page) == _labels(after)


def _signatures(children: Iterable[Token], new: Mapping[int, str]) -> list[tuple[Any, ...]]:
    """What the tokens mean, with new destinations for the links at these positions."""
    result: list[tuple[Any, ...]] = []
    for child in children:
        if span := child.meta.get("span"):
            destination = new.get(span.start, span.destination)
            result.append((child.type, child.level, destination, child.attrs.get("title")))
        else:
            nested = _signatures(child.children or (), {})
            result.append((*_block(child), nested))
    return result


def _block(token: Token) -> tuple[Any, ...]:
    kind = (token.type, token.tag, token.nesting, token.level, token.hidden)
    return (token.content, *kind, token.markup, token.info, token.attrs, token.meta, token.map)


def _labels(page: _Page) -> tuple[Any, ...]:
    references = page.env.get("references", {})
    duplicates = page.env.get("duplicate_refs", ())
    return (
        {label: entry["title"] for label, entry in references.items()},
        [(entry["label"], entry["title"]) for entry in duplicates],
        list(page.env.get("footnotes", {}).get("refs", ())),
    )
