"""A feed as Atom (RFC 4287), with its further pages as in RFC 5005."""

from __future__ import annotations

import datetime as dt
import re
from xml.etree.ElementTree import Element, SubElement, tostring

from myproject.addons.feeds.entries import Entry, Feed

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"

#: What XML 1.0 cannot hold, however it is written.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_atom(feed: Feed) -> bytes:
    """Return the document."""
    root = Element("feed", {"xmlns": NAMESPACE, "xml:lang": feed.language})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    if feed.description:
        _text(root, "subtitle", feed.description)
    _text(root, "updated", _time(feed.updated))
    _author(root, feed.author)
    _link(root, "self", feed.url, MEDIA_TYPE)
    _link(root, "alternate", feed.home, "text/html")
    _link(root, "first", feed.first, MEDIA_TYPE)
    if feed.next:
        _link(root, "next", feed.next, MEDIA_TYPE)
    for entry in feed.entries:
        _entry(SubElement(root, "entry"), entry)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _entry(element: Element, entry: Entry) -> None:
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _link(element, "alternate", entry.url, "text/html")
    _text(element, "published", _time(entry.published))
    _text(element, "updated", _time(entry.updated))
    for name in entry.authors:
        _author(element, name)
    for category in entry.categories:
        values = {"term": category.term, "label": category.label}
        SubElement(element, "category", {key: _clean(value) for key, value in values.items()})
    if entry.summary:
        _text(element, "summary", entry.summary)
    if entry.html is not None:
        _text(element, "content", entry.html).set("type", "html")


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = _clean(text)
    return element


def _author(parent: Element, name: str) -> None:
    _text(SubElement(parent, "author"), "name", name)


def _link(parent: Element, rel: str, url: str, media_type: str) -> None:
    SubElement(parent, "link", {"rel": rel, "type": media_type, "href": url})


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _clean(text: str) -> str:
    return _IMPOSSIBLE.sub("", text)
