"""What add-ons add to Markdown and to what survives of it; the renderer is made from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from markdown_it import MarkdownIt

from myproject.content.markup.sanitizer import SWALLOWED
from myproject.exceptions import ConfigurationProblem

#: Elements that run, load or frame something, talk to somebody, or swallow what follows.
HARMFUL_TAGS = SWALLOWED | {
    *(
        "applet",
        "base",
        "button",
        "embed",
        "form",
        "frame",
        "frameset",
        "iframe",
        "link",
        "listing",
    ),
    *("math", "meta", "noembed", "noframes", "noscript", "object", "option", "plaintext", "portal"),
    *("select", "slot", "svg", "template", "textarea", "title", "xmp"),
}
#: Attributes that neither run nor load anything, nor lead anywhere, besides all of ``data-`` (but
#: for those that scripts of every page act upon) and ``aria-``.
HARMLESS_ATTRIBUTES = frozenset(
    {
        *("abbr", "align", "alt", "colspan", "controls", "datetime", "dir", "headers", "height"),
        *("high", "hidden", "itemprop", "itemscope", "itemtype", "kind", "label", "lang", "loop"),
        *("low", "max", "min", "muted", "open", "optimum", "reversed", "rowspan", "scope", "span"),
        *("start", "title", "translate", "valign", "value", "width"),
    }
)
_FREE = re.compile(r"(?:aria|data)-[a-z0-9-]+")
_ACTED_UPON = ("data-hx-", "data-bs-", "data-copy", "data-copied")


@dataclass
class MarkupRules:
    """Plugins of the parser, and what the sanitiser lets pass besides its own.

    :ivar plugins: name -> plugin.
    :ivar attributes, classes: tag -> names.
    """

    plugins: dict[str, Callable[[MarkdownIt], None]] = field(default_factory=dict)
    attributes: dict[str, set[str]] = field(default_factory=dict)
    classes: dict[str, set[str]] = field(default_factory=dict)

    def allow(self, tag: str, attributes: Iterable[str], classes: Iterable[str]) -> None:
        """Let *tag* pass, with these attributes and classes.

        :raises ConfigurationProblem: for what could run, load or send something.
        """
        tag = tag.lower()
        names = {name.lower() for name in attributes}
        if tag in HARMFUL_TAGS:
            raise ConfigurationProblem(f"The sanitiser must not let <{tag}> pass.")
        for name in sorted(names):
            if not is_harmless(name):
                raise ConfigurationProblem(
                    f"The sanitiser must not let the attribute {name!r} of <{tag}> pass."
                )
        self.attributes.setdefault(tag, set()).update(names)
        self.classes.setdefault(tag, set()).update(classes)


def is_harmless(attribute: str) -> bool:
    """Whether an attribute can do nothing but describe its element."""
    if attribute in HARMLESS_ATTRIBUTES:
        return True
    return bool(_FREE.fullmatch(attribute)) and not attribute.startswith(_ACTED_UPON)
