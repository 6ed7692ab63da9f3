"""What is planned, in the order of time, for those who may know of it."""

from __future__ import annotations

import datetime as dt

import pytest

from myproject.db.base import utcnow
from myproject.tree.boundaries import draw
from myproject.tree.node import DRAFT
from myproject.tree.planned import Key, load_planned
from myproject.tree.visibility import ALL, NONE, BoundarySet

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def section(tree, root, plant):
    return plant(tree, {"docs": {"a": {}, "b": {}}, "news": {"c": {}}})


@pytest.fixture
def plan(tree):
    def plan(node, begin=None, end=None):
        now = utcnow()
        node.publish_at = None if begin is None else now + begin * HOUR
        node.expire_at = None if end is None else now + end * HOUR
        tree.session.flush()

    return plan


def titles(tree, places=ALL, drafts=ALL, **options):
    return [
        (each.title, "end" if each.key.is_end else "draft" if each.is_draft else "begin")
        for each in load_planned(tree.session, places, drafts, **options)
    ]


def test_times_to_come_are_listed_in_their_order(tree, section, plan):
    section["docs/a"].state = DRAFT
    plan(section["docs/a"], 2, 9)
    section["docs/b"].draft_id = 1
    plan(section["docs/b"], 3)
    plan(section["news/c"], -2, 1)
    plan(section["news"], end=-1)
    section["news"].expire_at = None
    assert titles(tree) == [("c", "end"), ("a", "begin"), ("b", "draft"), ("a", "end")]


def test_what_is_due_is_not_to_come(tree, section, plan):
    plan(section["docs/a"], -2, -1)
    assert titles(tree) == []


def test_the_trash_has_no_plans(tree, section, plan):
    for name in ("docs/a", "news/c"):
        plan(section[name], end=1)
    tree.trash(section["docs/a"])
    tree.trash(section["news"])
    assert titles(tree) == []


def test_a_draft_above_hides_what_is_planned_below(tree, section, plan):
    plan(section["docs/a"], end=1)
    section["docs"].state = DRAFT
    tree.session.flush()
    assert titles(tree) == [("a", "end")]
    assert titles(tree, drafts=NONE) == []


def test_only_what_lies_in_the_given_places_is_listed(tree, section, plan):
    for number, name in enumerate(("docs/a", "news/c"), 1):
        plan(section[name], end=number)
    draw(tree.session, section["docs"])
    inside = BoundarySet(frozenset({section["docs"].id}))
    assert titles(tree, inside) == [("a", "end")]
    assert titles(tree, BoundarySet(inside.ids, are_members=False)) == [("c", "end")]
    assert titles(tree, NONE) == []


def test_the_list_goes_on_after_any_of_its_entries(tree, section, plan):
    for name in section:
        plan(section[name], 1, 2)
    # Several at one moment.
    moment = utcnow() + HOUR
    section["docs/a"].publish_at = section["docs/b"].publish_at = moment
    tree.session.flush()
    every = load_planned(tree.session, ALL, ALL)
    assert len(every) == 10
    found, after = [], None
    while part := load_planned(tree.session, ALL, ALL, after=after, limit=1):
        found += part
        after = Key.parse(str(part[-1].key))
    assert found == every


@pytest.mark.parametrize("text", ["", "x", "1.2", "1.2.3", "9" * 18 + ".1.0", "\u0661.1.0"])
def test_what_is_no_key_is_none(text):
    assert Key.parse(text) is None
