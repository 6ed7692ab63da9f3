"""A node as a Markdown document, and the fields of a node out of one.

Keys that columns know are mapped to them; all others are kept as they are in ``node.extra`` and
written out again. What the site knows of a node and a document cannot say is not much: its number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from markdown_it import MarkdownIt

from myproject.content.columns import DOCUMENT_KEYS
from myproject.content.markup.renderer import base_parser
from myproject.content.references import LOST
from myproject.content.transfer.frontmatter import FrontMatterError, line_of
from myproject.content.transfer.links import is_internal
from myproject.content.transfer.own import Own, own_of, read_own, references_of
from myproject.content.types import Folder, Link, Page, can_lead_to
from myproject.db.base import utcnow
from myproject.tree.names import title_from_name
from myproject.tree.node import DRAFT, PUBLISHED, Node

#: The key that names a content type other than Page. (``type`` is taken by many generators.)
TYPE_KEY = "contentType"

#: Keys that give a page's place among its siblings; the first one with a number counts.
ORDER_KEYS = ("weight", "order")

#: Keys of the times from which, and until which, readers see a page.
PUBLISH_KEY, EXPIRE_KEY = "publishDate", "expiryDate"

#: Keys that columns own, so that they never stand in ``node.extra``.
_OWN_KEYS = DOCUMENT_KEYS - {*ORDER_KEYS, PUBLISH_KEY, EXPIRE_KEY, "summary", "url", "aliases"}

#: The types that every site has, whose files can be read without asking it.
_BUILT_IN: Mapping[str, type[Node]] = {"page": Page, "folder": Folder, "link": Link}

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MAX_TITLE: int = Node.__table__.c.title.type.length  # type: ignore[attr-defined]
_MAX_URL: int = Link.__table__.c.url.type.length  # type: ignore[attr-defined]


@dataclass(slots=True)
class Document:
    """What a file says about a node.

    :ivar type: name of the content type.
    :ivar fields: column -> value, only those that the file gives.
    :ivar extra: front matter that no column claims.
    :ivar body: Markdown, None where the type has none.
    :ivar aliases: other addresses of the page, as written.
    :ivar implied: no file says so, only a directory; gives way to whatever is there already.
    :ivar own: field -> value of the columns that the type adds; see :func:`claim`.
    :ivar references: the same for those that hold other pages: field -> key and link.
    :ivar head: the text of the front matter, of a type that may add some.
    :ivar body_line: the line on which the text begins.
    :ivar publish_at, expire_at: when readers begin to see it, and when they no longer do; None
        where the file says nothing of it, or that time has passed.
    """

    type: str
    fields: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)
    body: str | None = None
    aliases: tuple[str, ...] = ()
    implied: bool = False
    own: dict[str, Any] = field(default_factory=dict)
    references: dict[str, tuple[str, str]] = field(default_factory=dict)
    head: str = ""
    body_line: int = 1
    publish_at: dt.datetime | None = None
    expire_at: dt.datetime | None = None

    @property
    def may_be_incomplete(self) -> bool:
        """Whether nobody is going to see it as it is."""
        return self.fields.get("state", PUBLISHED) != PUBLISHED and self.publish_at is None

    @property
    def weight(self) -> float | None:
        """The number by which siblings are sorted; None where there is none (or 0)."""
        return weight_of(self.extra)


def weight_of(extra: Mapping[str, Any]) -> float | None:
    """Return the weight that front matter gives; none and 0 mean the same: after all others."""
    for key in ORDER_KEYS:
        value = extra.get(key)
        if _is_number(value):
            return None if value == 0 else value
    return None


def sort_key(weight: float | None, label: str, name: str) -> tuple[Any, ...]:
    """Return how siblings of a Markdown tree are sorted: weighted ones first, then by label."""
    return (weight is None, weight or 0, label.casefold(), name)


def aliases_of(extra: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the other addresses of a page that front matter gives, as written."""
    aliases = extra.get("aliases")
    listed = aliases if isinstance(aliases, list) else [aliases]
    return tuple(alias for alias in listed if isinstance(alias, str))


def document_from(
    text: str, meta: Mapping[str, Any], body: str, name: str, *, is_ahead: bool = False
) -> Document:
    """Read front matter and body of a file as a document.

    :param text: the whole file, for line numbers.
    :param name: the page's name, for a title if the file has none.
    :param is_ahead: whether this is a draft of a page that has a file of its own.
    :raises FrontMatterError: for a key whose value makes no sense.
    """
    extra = dict(meta)
    type_name = extra.pop(TYPE_KEY, "page")
    # Where both are given the description is the shorter one, and the summary is kept.
    summary_key = "summary" if extra.get("description") is None else "description"
    fields: dict[str, Any] = {
        "title": _text(text, extra, "title", _MAX_TITLE)
        or _heading(body)[:_MAX_TITLE]
        or title_from_name(name),
        "nav_title": _text(text, extra, "linkTitle", _MAX_TITLE),
        "summary": _text(text, extra, summary_key),
    }
    is_draft = _flag(text, extra, "draft") and not is_ahead
    publish_at, expire_at, has_expired = _times(text, extra, is_draft=is_draft)
    is_hidden = is_draft or is_ahead or has_expired or publish_at is not None
    fields["state"] = DRAFT if is_hidden else PUBLISHED
    extra = {key: value for key, value in extra.items() if key != "description"}
    for key, column in (("date", "created_at"), ("lastmod", "modified_at")):
        moment = _moment(text, key, extra.pop(key, None))
        if moment is not None:
            fields[column] = moment
    document = Document(
        type=type_name if isinstance(type_name, str) else repr(type_name),
        fields=fields,
        extra=extra,
        body=body,
        aliases=aliases_of(extra),
        body_line=text.count("\n") - body.lstrip("\n").count("\n") + 1,
        publish_at=publish_at,
        expire_at=expire_at,
    )
    if document.type in _BUILT_IN:
        for line, reason in claim(document, _BUILT_IN[document.type], text):
            raise FrontMatterError(line, reason)
    else:
        # Who knows the types of this site goes on from here.
        document.head = text[: len(text) - len(body)]
    return document


def claim(
    document: Document, cls: type[Node], head: str, *, incomplete: bool = False
) -> list[tuple[int, str]]:
    """Give a document what a content type has of its own: fields, and perhaps text.

    :param head: the text of the front matter.
    :param incomplete: whether a draft may lack required fields.
    :returns: line and reason of each value that cannot be.
    """
    incomplete = incomplete and document.may_be_incomplete
    document.own, problems = read_own(cls, document.extra, head, TYPE_KEY, incomplete=incomplete)
    document.references = references_of(cls, document.own)
    if not issubclass(cls, Page):
        if document.body and document.body.strip():
            reason = f"a page with {TYPE_KEY}: {document.type} can have no text"
            problems.append((document.body_line, reason))
        document.body = None
    if issubclass(cls, Link) and (reason := _problem_with_url(document.extra)):
        problems.append((line_of(head, "url"), reason))
    return problems


def front_matter_of(
    node: Any,
    *,
    own: Own | None = None,
    weight: int | None = None,
    url: str | None = None,
    times: Mapping[str, dt.datetime] | None = None,
    is_ahead: bool = False,
) -> dict[str, Any]:
    """Return the front matter that describes *node*, known keys first.

    :param node: a node; where *own* is given a row of its table will do.
    :param own: what its type adds; asked of the node when left out.
    :param weight: the place among its siblings, where that must be said.
    :param url: what a Link that points to a node is to say.
    :param times: key -> time, of those to come that are to be said.
    :param is_ahead: whether this is the draft of a page that readers see, which goes into a file
        beside that of the page.
    """
    times = times or {}
    own = own_of(node) if own is None else own
    meta: dict[str, Any] = {"title": node.title}
    if node.nav_title:
        meta["linkTitle"] = node.nav_title
    if node.summary or "summary" in node.extra:
        # An empty one, too: it keeps the summary beside it from being taken for the description.
        meta["description"] = node.summary
    if node.type != "page":
        meta[TYPE_KEY] = node.type
    if not is_ahead:
        meta["date"] = node.created_at
        meta["lastmod"] = node.modified_at
    # One to come on time is no draft to others; but what is ahead of a page is no page of theirs.
    if is_ahead or (node.state == DRAFT and PUBLISH_KEY not in times):
        meta["draft"] = True
    meta |= times
    meta |= own.meta
    claimed = _OWN_KEYS | own.keys | times.keys()
    extra = {key: value for key, value in node.extra.items() if key not in claimed}
    if node.state == PUBLISHED or is_ahead:
        extra = _without_times(extra, is_ahead=is_ahead)
    if own.link is not None:
        kept = extra.pop("url", "")
        meta["url"] = url or own.link[0] or kept
    if weight is not None:
        key = _order_key(extra)
        # In its place where it has one; the order of keys is part of the file.
        extra = extra | {key: weight} if key in extra else {key: weight} | extra
    return meta | extra


def _order_key(extra: Mapping[str, Any]) -> str:
    """Return the key that says a page's place, or else one that nothing is lost by setting."""
    numbers = (key for key in ORDER_KEYS if _is_number(extra.get(key)))
    unused = (key for key in ORDER_KEYS if key not in extra)
    return next(numbers, None) or next(unused, ORDER_KEYS[0])


def _is_number(value: Any) -> bool:
    # Not a number (NaN) is the one that differs from itself; nothing can be sorted by it.
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def body_of(node: Node) -> str:
    """Return the Markdown of a node, the empty string for one without."""
    return node.body if isinstance(node, Page) else ""


def is_bare_folder(node: Any) -> bool:
    """Whether a directory alone says all there is about *node*, a node or a row of one."""
    return (
        node.type == "folder"
        and node.title == title_from_name(node.name)
        and not (node.nav_title or node.summary or node.extra)
        and node.state == PUBLISHED
        and node.expire_at is None
    )


@cache
def _parser() -> MarkdownIt:
    return base_parser()


def _heading(body: str) -> str:
    """Return the text, without its markup, of the level 1 heading that *body* opens with."""
    opening = body.lstrip("\n").partition("\n\n")[0][:2000]
    tokens = _parser().parse(opening)
    if not tokens or tokens[0].tag != "h1":
        return ""
    parts = tokens[1].children or ()
    return "".join(part.content for part in parts if part.type in {"text", "code_inline"}).strip()


def _problem_with_url(extra: Mapping[str, Any]) -> str | None:
    url = extra.get("url") or ""
    if not isinstance(url, str) or len(url) > _MAX_URL:
        return f"url must be a text of at most {_MAX_URL} characters"
    if url and not is_internal(url) and not can_lead_to(url) and not url.startswith(LOST):
        return "url must be a path, or begin with https://, http:// or mailto:"
    return None


def _text(text: str, extra: dict[str, Any], key: str, limit: int | None = None) -> str:
    value = extra.pop(key, None)
    if isinstance(value, dict | list):
        raise FrontMatterError(line_of(text, key), f"{key} must be a text")
    value = "" if value is None else str(value).strip()
    if limit and len(value) > limit:
        raise FrontMatterError(line_of(text, key), f"{key} is longer than {limit} characters")
    return value


def _flag(text: str, extra: dict[str, Any], key: str) -> bool:
    value = extra.pop(key, None)
    if value is None:
        return False
    if isinstance(value, str):
        value = _FLAGS.get(value.lower(), value)
    if not isinstance(value, bool):
        raise FrontMatterError(line_of(text, key), f"{key} must be true or false")
    return value


def _times(
    text: str, extra: dict[str, Any], *, is_draft: bool
) -> tuple[dt.datetime | None, dt.datetime | None, bool]:
    """Take the times to come out of front matter; those that have passed stay where they are.

    :param is_draft: whether it stays one until somebody says otherwise, whatever the time.
    :returns: when readers see it, when they no longer do, and whether that has passed.
    """
    now = utcnow()
    publish_at = _moment(text, PUBLISH_KEY, extra.get(PUBLISH_KEY))
    expire_at = _moment(text, EXPIRE_KEY, extra.get(EXPIRE_KEY))
    if publish_at is not None and expire_at is not None and now < expire_at <= publish_at:
        reason = f"{EXPIRE_KEY} must come after {PUBLISH_KEY}"
        raise FrontMatterError(line_of(text, EXPIRE_KEY), reason)
    has_expired = expire_at is not None and expire_at <= now
    if expire_at is not None and not has_expired:
        del extra[EXPIRE_KEY]
    if publish_at is not None and publish_at > now and not is_draft:
        del extra[PUBLISH_KEY]
    else:
        publish_at = None
    return publish_at, None if has_expired else expire_at, has_expired


def _without_times(extra: dict[str, Any], *, is_ahead: bool) -> dict[str, Any]:
    """Return front matter without times by which readers would see something else than they do.

    They stayed when it was imported as a draft, and have been overtaken.

    :param is_ahead: whether it is that of a draft, which one that has passed does not hide.
    """
    overtaken = set() if is_ahead else {EXPIRE_KEY}
    for key in extra.keys() & {PUBLISH_KEY, EXPIRE_KEY}:
        with suppress(FrontMatterError):
            time = _moment("", key, extra[key])
            if time is not None and time > utcnow():
                overtaken.add(key)
    return {key: value for key, value in extra.items() if key not in overtaken}


def _moment(text: str, key: str, value: Any) -> dt.datetime | None:
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value)
        elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            value = dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
        if value.tzinfo is None:
            value = value.replace(tzinfo=dt.UTC)
        return value.astimezone(dt.UTC)
    except (ValueError, AttributeError, OverflowError):
        reason = f"{key} must be a date such as 2026-05-01 or 2026-05-01T12:00:00Z"
        raise FrontMatterError(line_of(text, key), reason) from None
