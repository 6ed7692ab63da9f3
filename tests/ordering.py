"""What takes longest is begun first, so that no process is left alone with it in the end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

#: The beginnings of the names of tests that take many seconds each, the longest first.
LONG: Sequence[str] = (
    "tests/docs/test_tutorial.py",
    "tests/tree/test_model.py",
    "tests/cli/test_scaffold.py::test_the_tests_that_are_made_pass",
    "tests/cli/test_scaffold.py::test_two_of_them_work_beside_each_other",
    "tests/security/test_model.py",
    "tests/testing/test_example.py",
    "tests/addons/search/test_real_content.py",
    "tests/content/transfer/test_real_content.py",
    "tests/browser/",
    "tests/cli/",
)


def _rank(item: pytest.Item) -> int:
    places = (place for place, start in enumerate(LONG) if item.nodeid.startswith(start))
    return next(places, len(LONG))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests in front; all others stay in their order."""
    items.sort(key=_rank)
