"""Our rules for blocks: admonitions, and headings with their ids, permalinks and contents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from myproject.content.markup.sanitizer import ADMONITIONS

MAX_SLUG = 200

_ADMONITION = re.compile(
    rf"\[!({'|'.join(sorted(ADMONITIONS))})\](?:[ \t]+([^\n]*))?[ \t]*(?:\n\s*|$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the table of contents: level 1 to 4, anchor id, text without markup."""

    level: int
    id: str
    text: str


def admonitions(state: StateCore) -> None:
    """`> [!NOTE]` as GitHub writes it, with Obsidian's and Hugo's custom title after the marker."""
    result: list[Token] = []
    quotes: list[bool] = []
    tokens = iter(enumerate(state.tokens))
    for index, token in tokens:
        result.append(token)
        if token.type == "blockquote_open":
            title = _admonition_title(token, state.tokens[index + 1 : index + 5])
            quotes.append(title is not None)
            if title is not None:
                result.extend(title)
                for _ in range(3):  # the paragraph that held the marker
                    next(tokens)
        elif token.type == "blockquote_close" and quotes.pop():
            token.tag = "div"
    state.tokens = result


def _admonition_title(quote: Token, following: Sequence[Token]) -> list[Token] | None:
    """The tokens in place of the first paragraph; None when the quote is just a quote."""
    if len(following) < 4 or following[0].type != "paragraph_open":
        return None
    paragraph, inline, end, after = following
    match = _ADMONITION.match(inline.content)
    if match is None:
        return None
    kind, title = match[1].lower(), (match[2] or "").strip()
    rest = inline.content[match.end() :]
    if not (title or rest) and after.type == "blockquote_close":
        return None
    quote.tag = "div"
    quote.attrs = {"class": f"admonition {kind}", "role": "note"}
    heading = paragraph.copy(attrs={"class": "admonition-title"}, hidden=False)
    result = [heading, inline.copy(content=title or kind.capitalize()), end.copy(hidden=False)]
    return [*result, paragraph, inline.copy(content=rest), end] if rest else result


def headings(state: StateCore) -> None:
    """Ids and permalinks, GitHub's way, and the table of contents in `env`."""
    env = state.env
    counts: dict[str, int] = {}
    for index, token in enumerate(state.tokens):
        if token.type != "heading_open":
            continue
        inline, level = state.tokens[index + 1], int(token.tag[1])
        children = inline.children or []
        text = plain_text(children)
        token.attrSet("id", slug := _unique(_slug(text), counts, env["ids"]))
        # A dropped title keeps its slug, so that retitling a page moves no other anchor.
        if index == 0 and level == 1 and env.get("title") and text == _squeeze(env["title"]):
            env["drop_title"] = True
            continue
        if level <= 4 and text:
            env["toc"].append(Heading(level, slug, text))
        inline.children = [*children, Token("text", "", 0, content=" "), *_permalink(slug, text)]
    if env.get("drop_title"):
        del state.tokens[:3]


def _permalink(slug: str, text: str) -> list[Token]:
    # It says where it leads instead of hiding from screen readers: what takes the focus must have
    # a name, and a list of links in which each is called "#" helps nobody.
    label = f"Link to this section: {text}" if text else "Link to this section"
    attrs: dict[str, str | int | float] = {"class": "anchor", "href": f"#{slug}"}
    return [
        Token("link_open", "a", 1, attrs={**attrs, "aria-label": label}),
        Token("text", "", 0, content="#"),
        Token("link_close", "a", -1),
    ]


def plain_text(children: Iterable[Token]) -> str:
    parts = {"softbreak": " ", "hardbreak": " "}
    shown = ("text", "text_special", "code_inline")
    return _squeeze(
        "".join(
            child.content if child.type in shown else parts.get(child.type, "")
            for child in children
        )
    )


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _slug(text: str) -> str:
    """GitHub's: lower case, blanks to hyphens, of the rest only letters, digits, marks and `_`.

    Marks count (regular expressions' word characters lack them), since Indic vowels and Thai tones
    are marks; variation selectors, which emoji leave behind, do not.
    """
    text = unicodedata.normalize("NFC", text[:MAX_SLUG].lower())
    kept = (
        char
        for char in text
        if char in "- _" or (unicodedata.category(char)[0] in "LMN" and not _is_selector(char))
    )
    return "".join(kept).replace(" ", "-") or "section"


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or char == "\u20e3"


def _unique(slug: str, counts: dict[str, int], used: set[str]) -> str:
    candidate = slug
    while candidate in used:
        counts[slug] = counts.get(slug, 0) + 1
        candidate = f"{slug}-{counts[slug]}"
    used.add(candidate)
    return candidate
