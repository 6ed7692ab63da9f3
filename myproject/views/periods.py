"""From one day until another: the fields with which lists are narrowed to a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.views.forms import Form
from myproject.views.times import day_start

_ = TranslationStringFactory("myproject")

#: Nothing has happened before, and there is a day after the last.
_FIRST, _LAST = dt.date(1970, 1, 1), dt.date(9990, 1, 1)


def period_of(request: Any, form: Form) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the first moment that counts and the first one that does not any more, each None
    where it is not said.

    :param form: with the days ``since`` and ``until`` as they were typed; what is wrong with them
        is refused in it. They are days where whoever asks lives.
    """
    since, until = _day(request, form, "since"), _day(request, form, "until")
    return (
        since and day_start(request, since),
        until and day_start(request, until + dt.timedelta(days=1)),
    )


def _day(request: Any, form: Form, name: str) -> dt.date | None:
    text = form.values[name]
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        message = _("Write a day as in 2026-05-31.")
        form.errors[name] = request.localizer.translate(message)
        return None
    return min(max(day, _FIRST), _LAST)
