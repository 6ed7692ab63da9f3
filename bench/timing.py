"""Time per request of whole WSGI applications in this process, compared in turns.

Two things are never measured one after the other but in turns, and compared by medians: what else
the machine does then happens to both.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import unquote

from table import CannotMeasure
from webob import Request


@dataclass(frozen=True, slots=True)
class Page:
    """Addresses of one application that are alike, asked for in turn."""

    application: Any
    paths: Sequence[str]
    cookie: str = ""

    def get(self, turn: int) -> None:
        """Make one request.

        :raises CannotMeasure: when the answer is not 200.
        """
        path, _, query = self.paths[turn % len(self.paths)].partition("?")
        environ = Request.blank(unquote(path), query_string=query).environ
        if self.cookie:
            environ["HTTP_COOKIE"] = self.cookie
        environ["REQUEST_URI"] = f"{path}?{query}" if query else path
        statuses: list[str] = []

        def start_response(status: str, headers: Any, error: Any = None) -> None:
            statuses.append(status)

        answer = self.application(environ, start_response)
        for _ in answer:
            pass
        if hasattr(answer, "close"):
            answer.close()
        if not statuses[0].startswith("200"):
            raise CannotMeasure(f"{path} answers {statuses[0]}")


def medians(
    actions: Sequence[Callable[[int], object]], seconds: float, warm_up: int = 50
) -> list[float]:
    """Return the median time of each action in milliseconds, all run in turns.

    :param actions: called with the number of the turn.
    :param seconds: how long to go on, all actions together.
    """
    for turn in range(warm_up):
        for action in actions:
            action(turn)
    times: list[list[float]] = [[] for _ in actions]
    gc.collect()
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end or turn < 3:
        for action, taken in zip(actions, times, strict=True):
            started = time.perf_counter()
            action(turn)
            taken.append(time.perf_counter() - started)
        turn += 1
    return [median(taken) * 1000 for taken in times]
