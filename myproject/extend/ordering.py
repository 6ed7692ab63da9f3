"""Orders that are worked out once, and not for each view.

Pyramid sorts all view derivers for every view that is registered, and all predicates for every
view, route and subscriber: a fifth of the time that configuring takes.
"""

from __future__ import annotations

from typing import Any

from pyramid.config.predicates import PredicateList
from pyramid.interfaces import IPredicateList, IViewDerivers
from pyramid.util import TopologicalSorter
from pyramid.viewderivers import INGRESS, VIEW
from zope.interface.registry import Components


class SortedOnce(TopologicalSorter):
    """Pyramid's sorter, which remembers the order until it may have changed."""

    _order: list[Any] | None = None

    def add(self, *args: Any, **kw: Any) -> None:
        self._order = None
        super().add(*args, **kw)

    def remove(self, name: str) -> None:
        self._order = None
        super().remove(name)

    def sorted(self) -> list[Any]:
        if self._order is None:
            self._order = super().sorted()
        return list(self._order)


def sort_once(registry: Components) -> None:
    """Give a registry what Pyramid would make where it is missing, with sorters of ours."""
    options: dict[str, Any] = {"first": INGRESS, "last": VIEW, "default_before": None}
    registry.registerUtility(SortedOnce(default_after=INGRESS, **options), IViewDerivers)
    for kind in ("view", "route", "subscriber"):
        predicates = PredicateList()
        predicates.sorter = SortedOnce()
        registry.registerUtility(predicates, IPredicateList, name=kind)
