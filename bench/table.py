"""The table that a run prints: what was measured, what was asked for, and whether it was met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class CannotMeasure(Exception):
    """Something that a measurement needs is not there; the text says what."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    :ivar what: what was measured, in a few words.
    :ivar measured: the value as it is to be read.
    :ivar unit: what the value counts, or what it is a ratio of.
    :ivar asked: the demand as it is to be read; empty for a mere fact.
    :ivar met: whether the value fulfils it; None for a mere fact.
    """

    TITLES: ClassVar = ("what", "asked", "measured", "unit or ratio", "verdict")

    what: str
    measured: str
    unit: str
    asked: str = ""
    met: bool | None = None

    @classmethod
    def at_least(cls, what: str, value: float, bound: float, unit: str) -> Line:
        """Return a line for a value that must not be smaller than *bound*."""
        return cls(what, number(value), unit, f">= {number(bound)}", value >= bound)

    @classmethod
    def at_most(cls, what: str, value: float, bound: float, unit: str) -> Line:
        """Return a line for a value that must not be greater than *bound*."""
        return cls(what, number(value), unit, f"<= {number(bound)}", value <= bound)

    @classmethod
    def fact(cls, what: str, value: float, unit: str) -> Line:
        """Return a line for a value of which nothing is demanded."""
        return cls(what, number(value), unit)

    @classmethod
    def missing(cls, what: str, reason: object) -> Line:
        """Return a line that says why there is no value."""
        return cls(what, "-", f"not measured: {reason}")

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts of all columns."""
        verdict = {True: "met", False: "NOT MET", None: ""}[self.met]
        return self.what, self.asked, self.measured, self.unit, verdict


def number(value: float) -> str:
    """Return *value* with as many digits as can be trusted."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def render(lines: Iterable[Line]) -> str:
    """Return the table as aligned plain text."""
    rows = [Line.TITLES, *(line.cells for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(Line.TITLES))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in (1, 2) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
