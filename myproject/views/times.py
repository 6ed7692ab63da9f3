"""Times as people read and type them: in the zone they have chosen, else in the site's.

Everything is stored in UTC. Templates show a moment with the macro ``moment`` of
``templates/times.jinja2``, or have it in the person's zone by ``local(moment)``; a form that reads
a date and a time hands it to :func:`from_local`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import InvalidValue
from myproject.zones import load_zone

_ = TranslationStringFactory("myproject")


def zone_name_of(request: Any) -> str:
    """Return the IANA name of the zone of whoever asks."""
    chosen = request.preferences.time_zone
    return chosen or request.registry.settings["myproject.time_zone"]


def zone_of(request: Any) -> dt.tzinfo:
    """Return the zone of whoever asks."""
    return load_zone(zone_name_of(request))


def to_local(request: Any, moment: dt.datetime) -> dt.datetime:
    """Return *moment* in the zone of whoever asks.

    :param moment: with a zone, as everything that the database holds.
    """
    zone = zone_of(request)
    try:
        return moment.astimezone(zone)
    except OverflowError:
        # The first and the last day that there is.
        return moment


def by_day(request: Any, lines: Iterable[Any]) -> list[tuple[dt.date, list[Any]]]:
    """Return the lines of a list by the days on which they are, in the zone of whoever asks.

    :param lines: in the order of time, each with its moment ``at``.
    """
    days = groupby(lines, lambda line: to_local(request, line.at).date())
    return [(day, list(of_day)) for day, of_day in days]


def from_local(
    request: Any, naive: dt.datetime, *, field: str = "", was: dt.datetime | None = None
) -> dt.datetime:
    """Return the moment, in UTC, that somebody means who typed *naive* in their own zone.

    Where clocks are put forward, an hour of that day does not exist: it is refused, with the times
    before and after it. Where they are put back, an hour is there twice: the first one is meant,
    unless ``naive.fold`` is 1, or *was* is in the second and looks the same, so that a form that
    is saved unchanged changes nothing.

    :param naive: a date and a time without a zone.
    :param field: the form's field, for the error.
    :param was: the moment that the form was filled with, if it was.
    :raises InvalidValue: for a time that does not exist there; its reason is a translation string.
    """
    if was is not None and _without_seconds(to_local(request, was)) == _without_seconds(naive):
        return was.astimezone(dt.UTC)
    zone = zone_of(request)
    try:
        moment = naive.replace(tzinfo=zone).astimezone(dt.UTC)
        back = moment.astimezone(zone)
    except OverflowError:
        message = _("This is too early or too late a time.")
        raise InvalidValue(field, message) from None
    if back.replace(tzinfo=None) == naive:
        return moment
    # With the offset of before the change a time within the gap comes out after it.
    other = naive.replace(tzinfo=zone, fold=1 - naive.fold).astimezone(dt.UTC).astimezone(zone)
    earlier, later = sorted((back.replace(tzinfo=None), other.replace(tzinfo=None)))
    message = _(
        "There is no ${time} on ${day} in ${zone}: clocks are put forward. "
        "Did you mean ${earlier} or ${later}?",
        mapping={
            "time": f"{naive:%H:%M}",
            "day": naive.date().isoformat(),
            "zone": zone_name_of(request),
            "earlier": f"{earlier:%H:%M}",
            "later": f"{later:%H:%M}",
        },
    )
    raise InvalidValue(field, message)


def _without_seconds(moment: dt.datetime) -> dt.datetime:
    """Return what a form shows of a moment."""
    return moment.replace(second=0, microsecond=0, tzinfo=None, fold=0)


def day_start(request: Any, day: dt.date) -> dt.datetime:
    """Return the moment, in UTC, at which a day begins where whoever asks lives.

    Where clocks are put forward at midnight it begins then, and where they are put back with the
    first midnight. At the ends of time it begins with the day in UTC.
    """
    midnight = dt.datetime.combine(day, dt.time())
    try:
        return midnight.replace(tzinfo=zone_of(request)).astimezone(dt.UTC)
    except OverflowError:
        return midnight.replace(tzinfo=dt.UTC)
