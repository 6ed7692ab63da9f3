"""Finding the newest pages of a place, whatever is tried first."""

import datetime as dt
import random

import pytest

from myproject.addons.feeds import newest as module
from myproject.addons.feeds.newest import NOW, SCAN, WALK, key_of, moment_of, newest
from myproject.exceptions import InvalidValue
from myproject.tree.node import ROOT_ID
from myproject.tree.visibility import EVERYTHING, NONE, BoundarySet, Visibility

TYPES = ["page", "folder"]
PUBLIC = Visibility(BoundarySet(frozenset({ROOT_ID})), NONE)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def sections(make_shared_site):
    """Three sections with pages two levels deep, changed in no order; some are drafts."""
    site, chance = make_shared_site(addons="feeds"), random.Random(5)
    for section in range(3):
        site.add(f"/s{section}")
        for number in range(6):
            path = f"/s{section}/p{number}"
            for place in (path, f"{path}/a"):
                state = "draft" if number and chance.random() < 0.25 else "published"
                at = START + dt.timedelta(hours=chance.randrange(200))
                site.add(place, state=state, modified_at=at)
    return site


def expected(tree, node, visibility, top=True):
    """Return id and time of what may be seen, found by walking through it."""
    found = []
    if visibility.shows(node.boundary_id, node.state):
        found.append((node.modified_at, node.id))
    if top or visibility.leads_through(node.boundary_id, node.state):
        for child in tree.session.query(type(node)).filter_by(parent_id=node.id):
            found += expected(tree, child, visibility, top=False)
    return sorted(found, reverse=True)


@pytest.mark.parametrize("visibility", [PUBLIC, EVERYTHING], ids=["public", "everything"])
@pytest.mark.parametrize("path", ["/", "/s1", "/s1/p0/a"])
@pytest.mark.parametrize(
    "attempts",
    [
        module.ATTEMPTS,
        ((SCAN, 1000),),
        ((WALK, 1000),),
        ((SCAN, 1), (WALK, 2), (SCAN, 3), (WALK, 5), (SCAN, 8), (WALK, 100)),
    ],
    ids=["as it is", "scan", "walk", "in turns"],
)
def test_pages_of_a_feed_are_those_that_may_be_seen_in_order(
    sections, monkeypatch, visibility, path, attempts
):
    monkeypatch.setattr(module, "ATTEMPTS", attempts)
    with sections.tree() as tree:
        node = sections.node(tree, path)
        found, after = [], NOW
        while after is not None:
            page = newest(tree.session, node.id, visibility, TYPES, 4, after)
            found += [(item.modified_at, item.id) for item in page.found]
            after = page.after
        assert found == expected(tree, node, visibility)


def test_what_is_not_found_in_time_follows_on_the_next_page(sections, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", ((SCAN, 5), (WALK, 2)))
    with sections.tree() as tree:
        node = sections.node(tree, "/s2")
        found, after, pages = [], NOW, 0
        while after is not None:
            page = newest(tree.session, node.id, PUBLIC, TYPES, 4, after)
            found += [(item.modified_at, item.id) for item in page.found]
            after, pages = page.after, pages + 1
        assert found == expected(tree, node, PUBLIC)
        assert pages > len(found) / 4


def test_a_way_leads_from_the_root_to_the_page(sections):
    with sections.tree() as tree:
        node = sections.node(tree, "/s1/p0/a")
        (item,) = newest(tree.session, node.id, EVERYTHING, TYPES, 4).found
        assert item.names == ("s1", "p0", "a")


def test_a_moment_can_be_written_and_read():
    moment = (dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC), 12)
    assert moment_of(str(key_of(moment))) == moment
    for wrong in ("", "x", "1", "999999999999999999.1", "1.2.3"):
        with pytest.raises(InvalidValue):
            moment_of(wrong)
