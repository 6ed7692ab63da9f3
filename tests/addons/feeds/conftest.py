"""Reading feeds as a feed reader does."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

ATOM = "{http://www.w3.org/2005/Atom}"


class AtomFeed:
    """A parsed document, checked against what RFC 4287 asks for."""

    def __init__(self, response):
        assert response.content_type == "application/atom+xml"
        self.root = ElementTree.fromstring(response.body)
        assert self.root.tag == f"{ATOM}feed"
        for name in ("id", "title", "updated"):
            assert len(self.root.findall(ATOM + name)) == 1, name
        self.entries = self.root.findall(f"{ATOM}entry")
        # An author for each entry, its own or the feed's.
        assert self.root.find(f"{ATOM}author/{ATOM}name") is not None
        self.links = {link.get("rel"): link.get("href") for link in self.root.iter(f"{ATOM}link")}
        self._check_entries()

    def _check_entries(self):
        ids = [entry.findtext(f"{ATOM}id") for entry in self.entries]
        assert len(ids) == len(set(ids))
        for entry in self.entries:
            for name in ("id", "title", "updated", "published"):
                assert len(entry.findall(ATOM + name)) == 1, name
            for name in ("updated", "published"):
                assert entry.findtext(ATOM + name).endswith("Z")
            assert [link.get("rel") for link in entry.findall(f"{ATOM}link")] == ["alternate"]
            assert len(entry.findall(f"{ATOM}content")) <= 1
            assert len(entry.findall(f"{ATOM}summary")) <= 1

    @property
    def titles(self):
        return [entry.findtext(f"{ATOM}title") for entry in self.entries]

    def entry(self, title):
        return self.entries[self.titles.index(title)]

    def link(self, rel):
        found = [link for link in self.root.findall(f"{ATOM}link") if link.get("rel") == rel]
        assert len(found) <= 1
        return found[0].get("href") if found else None


@pytest.fixture(scope="session")
def atom() -> Callable[..., AtomFeed]:
    """``atom(response)``: the feed in it."""
    return AtomFeed
