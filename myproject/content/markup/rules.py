"""What add-ons add to Markdown and to what survives of it; the renderer is made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from markdown_it import MarkdownIt

from myproject.content.markup.sanitizer import SWALLOWED
from myproject.exceptions import ConfigurationProblem

#: Elements that run, load or frame something, or talk to somebody.
HARMFUL_TAGS = SWALLOWED | {
    *("applet", "base", "embed", "form", "frame", "frameset", "iframe", "link", "math", "meta"),
    *("noscript", "object", "svg", "template", "textarea", "title", "xmp"),
}
#: Attributes that run or load something, besides all that begin with "on".
HARMFUL_ATTRIBUTES = frozenset(
    {"style", "src", "srcset", "href", "action", "formaction", "background", "poster", "ping"}
    | {"srcdoc", "data", "xlink:href", "class"}
)


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

        :raises ConfigurationProblem: for what could run a script or load something.
        """
        if tag.lower() in HARMFUL_TAGS:
            raise ConfigurationProblem(f"The sanitiser must not let <{tag}> pass.")
        for name in attributes:
            if name.lower().startswith("on") or name.lower() in HARMFUL_ATTRIBUTES:
                raise ConfigurationProblem(
                    f"The sanitiser must not let the attribute {name!r} of <{tag}> pass."
                )
        self.attributes.setdefault(tag, set()).update(attributes)
        self.classes.setdefault(tag, set()).update(classes)
