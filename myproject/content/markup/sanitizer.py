"""What survives in a rendered page: tags, attributes, classes and URL schemes, for nh3.

nh3 alone decides what is safe; whatever plugins, raw HTML or our own rules emit goes through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import nh3
from pygments.token import STANDARD_TYPES

URL_SCHEMES = frozenset({"http", "https", "mailto", "tel", "node"})
ADMONITIONS = frozenset({"note", "tip", "important", "warning", "caution"})

VOID = frozenset({"br", "col", "hr", "img", "wbr"})
SWALLOWED = frozenset({"script", "style"})
# fmt: off
RAW_TAGS = VOID | SWALLOWED | {
    "a", "abbr", "b", "bdi", "bdo", "blockquote", "caption", "cite", "code", "colgroup", "dd",
    "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3",
    "h4", "h5", "h6", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby",
    "s", "samp", "section", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var",
}
# fmt: on
_ATTRIBUTES = {
    "*": {"id", "title", "lang", "dir", "align"},
    "a": {"href", "rel", "aria-label"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "details": {"open"},
    "div": {"aria-label"},
    "img": {"src", "alt", "width", "height"},
    "input": {"checked", "aria-label"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "q": {"cite"},
    "section": {"aria-label"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_ATTRIBUTE_VALUES = {
    "div": {"role": {"note", "region"}, "tabindex": {"0"}},
    "pre": {"tabindex": {"0"}},
}
# The only input in a page is the checkbox of a task list, whatever a plugin may emit.
_FORCED_VALUES = {"img": {"loading": "lazy"}, "input": {"type": "checkbox", "disabled": ""}}
_CLASSES = {
    "a": {"anchor", "footnote-backref"},
    "div": {"admonition", "table-wrap", *ADMONITIONS},
    "figure": {"code"},
    "input": {"task-list-item-checkbox"},
    "li": {"footnote-item", "task-list-item"},
    "ol": {"contains-task-list"},
    "p": {"admonition-title"},
    "section": {"footnotes"},
    "span": {name for name in STANDARD_TYPES.values() if name},
    "sup": {"footnote-ref"},
    "td": {"text-start", "text-center", "text-end"},
    "th": {"text-start", "text-center", "text-end"},
    "ul": {"contains-task-list"},
}


def make_cleaner(
    code_classes: Iterable[str],
    attributes: Mapping[str, Iterable[str]],
    classes: Mapping[str, Iterable[str]],
) -> nh3.Cleaner:
    """Return the sanitiser.

    :param code_classes: class names that may stand on ``<code>``.
    :param attributes, classes: tag -> what may stand on it besides; the tags may be new ones.
    """
    tags = (RAW_TAGS - SWALLOWED) | {"input", *attributes, *classes}
    allowed_classes = {tag: _CLASSES.get(tag, set()) | set(classes.get(tag, ())) for tag in tags}
    allowed_classes["code"] |= set(code_classes)
    more = {tag: _ATTRIBUTES.get(tag, set()) | set(names) for tag, names in attributes.items()}
    return nh3.Cleaner(
        tags=tags,
        clean_content_tags=SWALLOWED,
        attributes=_ATTRIBUTES | more,
        tag_attribute_values=_ATTRIBUTE_VALUES,
        set_tag_attribute_values=_FORCED_VALUES,
        allowed_classes=allowed_classes,
        url_schemes=URL_SCHEMES,
        link_rel=None,  # set by us where a link leaves the site, not on every fragment link
    )
