"""Names of time zones, as people write them."""

import datetime as dt

import pytest

from myproject.zones import load_zone, nearest_zone, time_zone_problem, zone_name, zone_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("  berlin ", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("america/argentina/ushuaia", "America/Argentina/Ushuaia"),
        ("utc", "UTC"),
        ("Etc/GMT+3", "Etc/GMT+3"),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ],
)
def test_a_zone_is_found_by_its_name_in_any_spelling(text, name):
    assert zone_name(text) == name


@pytest.mark.parametrize(
    "text", ["", " ", "Berln", "../etc/passwd", "/etc/localtime", "\0", "Factory", "x" * 10_000]
)
def test_what_is_no_zone_is_none(text):
    assert zone_name(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("Berln", "Europe/Berlin"),
        ("Europa/Berlin", "Europe/Berlin"),
        ("new yrok", "America/New_York"),
        ("CEST", None),
        ("", None),
        ("nothing like any", None),
    ],
)
def test_what_was_meant_is_guessed_where_it_is_near(text, name):
    assert nearest_zone(text) == name


def test_places_are_offered_and_not_abbreviations():
    offered = zone_names()
    assert offered[0] == "UTC"
    assert {"Europe/Berlin", "America/New_York"} < set(offered)
    assert not {"EST", "Etc/GMT+3", "US/Eastern", "posixrules"} & set(offered)


def test_a_zone_that_the_machine_does_not_know_is_utc():
    assert load_zone("Europe/Atlantis") is dt.UTC
    summer = dt.datetime(2026, 7, 1, tzinfo=load_zone("Europe/Berlin"))
    assert summer.utcoffset() == dt.timedelta(hours=2)


def test_settings_are_told_what_is_wrong():
    assert time_zone_problem("Europe/Berlin") is None
    assert "did you mean Europe/Berlin?" in time_zone_problem("europe/berlin")
