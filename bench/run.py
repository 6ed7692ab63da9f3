"""Measure, and print one table: ``python bench/run.py --help``.

Everything is made in a temporary directory and in databases of its own, and removed again.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sqlite3
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from crawling import Crawling
from editing_lists import Contents
from growing import Growing
from past import Past
from reading import Reading
from searching import Searching
from sqlalchemy.exc import SQLAlchemyError
from switching import Switching
from table import CannotMeasure, Line, render
from workspace import POSTGRESQL, SQLITE, Workspace

Measurement = Callable[[], Iterator[Line]]


def measurements(
    work: Workspace, content: Path | None, seconds: float
) -> list[tuple[str, str, Measurement]]:
    """Return name, description and function of every measurement, in the table's order."""
    reading = Reading(work, content, seconds)
    searching = [Searching(work, kind, seconds) for kind in (SQLITE, POSTGRESQL)]
    growing = [Growing(work, kind, seconds) for kind in (SQLITE, POSTGRESQL)]
    return [
        ("page", "a page against bare Waitress and the ordinary way", reading.page),
        *(("depth", f"depth, {tree.kind}", tree.depth) for tree in growing),
        *(("size", f"a million nodes, {tree.kind}", tree.size) for tree in growing),
        *(("moving", f"renaming and moving, {tree.kind}", tree.moving) for tree in growing),
        *(("sharing", f"sharing a section, {tree.kind}", tree.sharing) for tree in growing),
        ("import", "import of Markdown", reading.importing),
        ("memory", "memory of a server", reading.memory),
        *(("listing", f"long listings, {tree.kind}", tree.listing) for tree in growing),
        *(("filtered", f"filtered listings, {tree.kind}", tree.filtered) for tree in growing),
        *(
            ("contents", f"contents for editors, {tree.kind}", Contents(tree, seconds).contents)
            for tree in growing
        ),
        *(("past", f"history, {tree.kind}", Past(tree, seconds).past) for tree in growing),
        *(
            ("crawling", f"sitemap and feeds, {tree.kind}", Crawling(tree, seconds).crawling)
            for tree in growing
        ),
        ("addons", "none and all add-ons", Switching(work, seconds).switching),
        *(("search", f"searching, {site.kind}", site.searching) for site in searching),
        ("statements", "statements of each screen", reading.statements),
    ]


NAMES = (
    "page",
    "depth",
    "size",
    "moving",
    "sharing",
    "import",
    "memory",
    "listing",
    "filtered",
    "contents",
    "past",
    "crawling",
    "addons",
    "search",
    "statements",
)


def arguments() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--content", type=Path, help="a directory of Markdown to import")
    parser.add_argument(
        "--postgres",
        default=os.environ.get("MYPROJECT_TEST_POSTGRES"),
        metavar="URL",
        help="a PostgreSQL server on which databases may be created (also from the environment "
        "as MYPROJECT_TEST_POSTGRES)",
    )
    parser.add_argument("--seconds", type=float, default=2, help="length of each run (default 2)")
    parser.add_argument("--only", choices=NAMES, help="a single measurement")
    return parser.parse_args()


def run(options: argparse.Namespace) -> list[Line]:
    """Measure, telling the progress on standard error, and return the table's lines."""
    lines: list[Line] = []
    with Workspace(options.postgres) as work:
        for name, description, measure in measurements(work, options.content, options.seconds):
            if options.only not in (None, name):
                continue
            print(f"measuring {description} ...", file=sys.stderr)
            try:
                lines += measure()
            except (CannotMeasure, SQLAlchemyError) as reason:
                lines.append(Line.missing(description, str(reason).splitlines()[0]))
    return lines


def machine() -> str:
    """Return what the numbers were measured on."""
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    )


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    # A site that the shell is set up for must not be measured, let alone written to.
    for name in [name for name in os.environ if name.startswith("MYPROJECT__")]:
        del os.environ[name]
    # Ended from outside as by Ctrl-C: whatever was started is ended, whatever was made removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    try:
        lines = run(arguments())
    except KeyboardInterrupt:
        sys.exit("\nStopped; servers, databases and files are removed.")
    print(render(lines))
    print(f"\n{machine()}; {time.monotonic() - started:.0f} seconds.")


if __name__ == "__main__":
    main()
