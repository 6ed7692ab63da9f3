"""What Pyramid sorts again and again is sorted once, and comes out the same."""

from __future__ import annotations

from typing import Any

from pyramid.interfaces import IPredicateList, IViewDerivers
from pyramid.util import TopologicalSorter
from pyramid.viewderivers import INGRESS, VIEW

from myproject.extend.ordering import SortedOnce
from myproject.testing import sqlite_only


def filled(sorter: TopologicalSorter) -> list[list[Any]]:
    """Return the orders after each of a few steps."""
    orders = []
    for name, relations in (("a", {}), ("b", {"before": "a"}), ("c", {"after": "a"})):
        sorter.add(name, name.upper(), **relations)
        orders += [sorter.sorted(), sorter.sorted()]
    # What is added once more takes another place.
    sorter.add("b", "B2", after="a")
    orders.append(sorter.sorted())
    sorter.remove("c")
    orders.append(sorter.sorted())
    return orders


def test_the_order_is_pyramid_s():
    orders = filled(SortedOnce())
    assert orders == filled(TopologicalSorter())
    assert [name for name, _ in orders[5]] == ["b", "a", "c"]


def test_nobody_can_change_the_order_that_is_remembered():
    sorter = SortedOnce()
    sorter.add("a", "A")
    sorter.sorted().clear()
    assert sorter.sorted() == [("a", "A")]


@sqlite_only
def test_all_that_pyramid_sorts_is_sorted_once_and_as_pyramid_does(site):
    registry = site.registry
    derivers = registry.getUtility(IViewDerivers)
    lists = dict(registry.getUtilitiesFor(IPredicateList))
    # Another version of Pyramid that has more of them would show here.
    assert set(lists) == {"view", "route", "subscriber"}
    sorters = [derivers, *(predicates.sorter for predicates in lists.values())]
    assert {type(sorter) for sorter in sorters} == {SortedOnce}
    for sorter in sorters:
        assert sorter.sorted() == TopologicalSorter.sorted(sorter)
    assert (derivers.first, derivers.last) == (INGRESS, VIEW)
