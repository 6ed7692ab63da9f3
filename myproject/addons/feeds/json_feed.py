"""A feed as JSON Feed, version 1.1 (jsonfeed.org)."""

from __future__ import annotations

import json
from typing import Any

from myproject.addons.feeds.entries import Entry, Feed

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def write_json_feed(feed: Feed) -> bytes:
    """Return the document."""
    document = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.url,
        "description": feed.description,
        "next_url": feed.next,
        "language": feed.language,
        "authors": [{"name": feed.author}],
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps(_given(document), ensure_ascii=False).encode()


def _item(entry: Entry) -> dict[str, Any]:
    # One of the two there must be.
    text = entry.summary or entry.title if entry.html is None else None
    item = {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "content_html": entry.html,
        "content_text": text,
        "summary": entry.summary,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "authors": [{"name": name} for name in entry.authors],
        "tags": [category.label for category in entry.categories],
    }
    return _given(item) | ({"content_html": ""} if entry.html == "" else {})


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what there is nothing of, except the list of items."""
    return {key: value for key, value in values.items() if value or key == "items"}
