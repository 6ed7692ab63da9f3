"""Time zones by the names that the IANA gives them, as Python finds them on this machine."""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

UTC = "UTC"

#: What the names begin with that people choose from: a part of the world. The others are
#: abbreviations and offsets, which are accepted and not offered.
_REGIONS = (
    *("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/"),
    *("Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"),
)
#: In the database, and no zone of anybody's.
_NO_ZONES = frozenset({"Factory", "localtime"})


@cache
def _known() -> dict[str, str]:
    """Return every name by what it is without case; UTC is there on any machine."""
    names = (available_timezones() - _NO_ZONES) | {UTC}
    return {name.casefold(): name for name in names}


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names to choose from, in order: UTC, and places by region."""
    return (UTC, *sorted(name for name in _known().values() if name.startswith(_REGIONS)))


def zone_name(text: str) -> str | None:
    """Return the zone's name that *text* spells, whatever its case and with spaces if need be.

    The last part alone will do where it is that of one zone only: ``berlin``.
    """
    wanted = "_".join(text.split()).casefold()
    if wanted in _known():
        return _known()[wanted]
    cities = [name for name in zone_names() if _city(name) == wanted]
    return cities[0] if len(cities) == 1 else None


def nearest_zone(text: str) -> str | None:
    """Return the name that somebody probably meant who wrote *text*, if there is one like it."""
    wanted = "_".join(text[:100].split()).casefold()
    for spelled in (_known(), {_city(name): name for name in zone_names()}):
        key = wanted if spelled is _known() else _city(wanted)
        # Any two abbreviations are like one another.
        matches = get_close_matches(key, spelled, n=1, cutoff=0.7) if len(key) > 4 else ()
        if matches:
            return spelled[matches[0]]
    return None


def _city(name: str) -> str:
    return name.rpartition("/")[2].casefold()


@cache
def load_zone(name: str) -> dt.tzinfo:
    """Return the zone of a name that :func:`zone_name` has returned.

    UTC where the machine does not know it any more: a time an hour off is better than no page.
    """
    if name == UTC or name not in _known().values():
        return dt.UTC
    return ZoneInfo(name)


def time_zone_problem(value: str) -> str | None:
    """Say why this is no time zone that a setting can name."""
    if value in _known().values():
        return None
    meant = nearest_zone(value)
    hint = f"; did you mean {meant}?" if meant else ", such as Europe/Berlin or UTC"
    return f"must be the name of a time zone of the IANA's database{hint}"
