"""Times in the zone of whoever asks, there and back."""

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myproject.exceptions import InvalidValue
from myproject.security.preferences import Preferences
from myproject.translation import in_english
from myproject.views.times import day_start, from_local, to_local, zone_name_of
from myproject.zones import zone_names

BERLIN = "Europe/Berlin"


def request(zone="", site_zone="UTC"):
    return SimpleNamespace(
        preferences=Preferences(time_zone=zone),
        registry=SimpleNamespace(settings={"myproject.time_zone": site_zone}),
    )


def utc(*numbers):
    return dt.datetime(*numbers, tzinfo=dt.UTC)


def test_a_person_s_zone_counts_more_than_the_site_s():
    moment = utc(2026, 7, 1, 12)
    assert to_local(request(), moment).hour == 12
    assert to_local(request(site_zone=BERLIN), moment).hour == 14
    assert to_local(request("Asia/Kolkata", BERLIN), moment).strftime("%H:%M") == "17:30"
    assert zone_name_of(request("", BERLIN)) == BERLIN


def test_what_is_typed_is_meant_in_one_s_own_zone():
    assert from_local(request(BERLIN), dt.datetime(2026, 7, 1, 14)) == utc(2026, 7, 1, 12)
    assert from_local(request(BERLIN), dt.datetime(2026, 1, 1, 14)) == utc(2026, 1, 1, 13)
    assert from_local(request(), dt.datetime(2026, 1, 1, 14)).utcoffset() == dt.timedelta(0)


@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_that_clocks_skip_is_refused_with_those_around_it(fold):
    skipped = dt.datetime(2026, 3, 29, 2, 30, fold=fold)
    with pytest.raises(InvalidValue) as refusal:
        from_local(request(BERLIN), skipped, field="publish_at")
    assert refusal.value.field == "publish_at"
    assert in_english(refusal.value.reason) == (
        "There is no 02:30 on 2026-03-29 in Europe/Berlin: clocks are put forward. "
        "Did you mean 01:30 or 03:30?"
    )


def test_the_hour_before_and_after_the_gap_are_there():
    assert from_local(request(BERLIN), dt.datetime(2026, 3, 29, 1, 59)) == utc(2026, 3, 29, 0, 59)
    assert from_local(request(BERLIN), dt.datetime(2026, 3, 29, 3, 0)) == utc(2026, 3, 29, 1, 0)


def test_of_a_time_that_is_there_twice_the_first_is_meant():
    twice = dt.datetime(2026, 10, 25, 2, 30)
    assert from_local(request(BERLIN), twice) == utc(2026, 10, 25, 0, 30)
    assert from_local(request(BERLIN), twice.replace(fold=1)) == utc(2026, 10, 25, 1, 30)


def test_a_form_that_is_saved_unchanged_changes_nothing():
    second = utc(2026, 10, 25, 1, 30, 17)
    shown = dt.datetime(2026, 10, 25, 2, 30)
    assert from_local(request(BERLIN), shown, was=second) == second
    other = dt.datetime(2026, 10, 25, 2, 31)
    assert from_local(request(BERLIN), other, was=second) == utc(2026, 10, 25, 0, 31)


@pytest.mark.parametrize("naive", [dt.datetime.min, dt.datetime.max])
def test_the_ends_of_time_are_refused_and_shown_as_they_are(naive):
    west, east = request("America/New_York"), request("Asia/Tokyo")
    for asks in (west, east):
        assert to_local(asks, naive.replace(tzinfo=dt.UTC)).year in (1, 9999)
    with pytest.raises(InvalidValue):
        from_local(east if naive == dt.datetime.min else west, naive)


def test_a_day_begins_when_it_does_there():
    assert day_start(request(BERLIN), dt.date(2026, 7, 1)) == utc(2026, 6, 30, 22)
    # Clocks were put forward at midnight.
    assert day_start(request("America/Sao_Paulo"), dt.date(2018, 11, 4)) == utc(2018, 11, 4, 3)
    assert day_start(request("Asia/Tokyo"), dt.date.min) == utc(1, 1, 1)


@given(
    st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)),
    st.sampled_from(zone_names()),
)
def test_whatever_is_shown_and_sent_back_is_the_same_moment(moment, zone):
    asks = request(zone)
    shown = to_local(asks, moment).replace(tzinfo=None)
    assert from_local(asks, shown, was=moment) == moment
    # Also without knowing what it was, where the clock's own note of the second hour is kept.
    assert from_local(asks, shown) == moment
