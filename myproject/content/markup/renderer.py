"""The parser put together, and the renderer that everything a page shows goes through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from zope.interface import implementer

from myproject.content.markup.blocks import Heading, admonitions, headings
from myproject.content.markup.inline import bare_links, bare_url, bounded_footnote_ref, parse_inline
from myproject.content.markup.output import RENDER_RULES, Highlighter
from myproject.content.markup.rawhtml import MAX_NESTING, balance_raw_html
from myproject.content.markup.rules import MarkupRules
from myproject.content.markup.sanitizer import RAW_TAGS, make_cleaner
from myproject.exceptions import ConfigurationProblem, in_words
from myproject.interfaces import IMarkdownRenderer


@dataclass(frozen=True, slots=True)
class Rendered:
    """Sanitised HTML and the headings in it, in order of appearance."""

    html: str
    toc: tuple[Heading, ...]


@implementer(IMarkdownRenderer)
class MarkdownRenderer:
    """Renders CommonMark 0.31.2 with GFM tables, strikethrough, task lists and autolinks.

    Further: footnotes, definition lists, GitHub's admonitions, heading anchors, highlighted code.
    One instance may be used by many threads at once, as all state of a rendering is in its `env`.

    `rules` are what add-ons add: plugins of the parser, whose output is sanitised like the rest,
    and what the sanitiser lets pass besides its own. `reserved_ids` are ids of the surrounding
    page which no heading may take.
    """

    def __init__(
        self, rules: MarkupRules | None = None, *, reserved_ids: Iterable[str] = ()
    ) -> None:
        highlighter, rules = Highlighter(), rules or MarkupRules()
        self._reserved_ids = frozenset(reserved_ids)
        self._md = _parser(highlighter, rules)
        self._tags = RAW_TAGS | set(rules.attributes) | set(rules.classes)
        self._cleaner = make_cleaner(highlighter.classes, rules.attributes, rules.classes)

    def render(self, source: str, title: str | None = None) -> Rendered:
        """Render Markdown to HTML that is safe to show. Any text renders, none raises.

        `title` is the title the page shows itself: when the document opens with a heading of
        level 1 that says exactly this, that heading is left out of the HTML and the contents.
        """
        ids = set(self._reserved_ids)
        env: dict[str, Any] = {"title": title, "ids": ids, "toc": [], "tags": self._tags}
        dirty = self._md.render(source, env)
        return Rendered(self._cleaner.clean(dirty), tuple(env["toc"]))


def markup(html: str) -> Markup:
    """Declare sanitised HTML safe for templates.

    Only for `Rendered.html`, fresh or as stored beside its source, possibly after `node:`
    destinations in it were replaced by escaped URLs. Never for text a request brought along.
    """
    return Markup(html)  # noqa: S704  (the one place where this is right)


def base_parser() -> MarkdownIt:
    """The parser for our syntax without any of our output: what is code, a link or HTML.

    Shared with `destinations`, so that both agree on it.
    """
    options = {
        "maxNesting": MAX_NESTING,
        "html": True,
        "tasklists": True,
        "strikethrough_single_tilde": True,
    }
    md = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    md.use(footnote_plugin, inline=False).use(deflist_plugin)
    md.inline.ruler.at("footnote_ref", bounded_footnote_ref)
    md.core.ruler.at("inline", parse_inline)
    return md


def compile_rules(md: MarkdownIt) -> None:
    """Compile the parser's rule chains, which it else does on first use and not thread-safely."""
    for ruler in (md.core.ruler, md.block.ruler, md.inline.ruler, md.inline.ruler2):
        ruler.getRules("")


def _parser(highlighter: Highlighter, rules: MarkupRules) -> MarkdownIt:
    md = base_parser()
    md.core.ruler.before("inline", "admonitions", admonitions)
    md.inline.ruler.before("newline", "bare_url", bare_url)
    for name, rule in RENDER_RULES.items():
        md.add_render_rule(name, rule)
    md.add_render_rule("fence", lambda _renderer, *args: highlighter.fence(*args))
    for name, plugin in rules.plugins.items():
        try:
            md.use(plugin)
        except Exception as error:
            raise ConfigurationProblem(
                f"The Markdown plugin {name!r} cannot be used: {in_words(error)}"
            ) from error
    # Last, so that what plugins make of the tokens is linked, balanced and anchored as well.
    md.core.ruler.push("bare_links", bare_links)
    md.core.ruler.push("raw_html", balance_raw_html)
    md.core.ruler.push("headings", headings)
    compile_rules(md)
    return md
