"""Times as spreadsheets of several countries write them: read if there is one reading."""

import pytest

from bioinstruct_dagster.review.handed_in.judged_times import TimeFaultError, judged_time

TIME = "2026-11-30T14:05:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T14:05:00.000Z",
        "2026-11-30T15:05:00+01:00",
        "2026-11-30 14:05",
        "2026/11/30 14:05:00",
        "2026/11/30  2:05 PM",
        "11/30/2026 14:05",
        "11/30/26 2:05 p.m.",
        "30/11/2026 14:05",
        "30.11.2026 14:05",
        "30.11.26, 14:05",
        "30-11-2026 14:05",
        "30-Nov-26 14:05",
        "30 November 2026 14:05",
        "46356.586805555555",
        "46356,58680556",
    ],
)
def test_a_time_with_one_reading_is_read(text):
    assert judged_time(text).astimezone().timestamp() == pytest.approx(
        judged_time(TIME).timestamp()
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("05.11.2026", "2026-11-05"),  # no country writes the month first with points
        ("11/11/2026", "2026-11-11"),
        ("46356", "2026-11-30"),
        ("12/25/2026 12:30 AM", "2026-12-25"),
    ],
)
def test_a_day_with_one_reading_is_read(text, day):
    assert judged_time(text).date().isoformat() == day


def test_noon_and_midnight_of_the_twelve_hour_clock():
    assert judged_time("12/25/2026 12:30 AM").hour == 0
    assert judged_time("12/25/2026 12:30 PM").hour == 12


@pytest.mark.parametrize("text", ["05/11/2026 14:05", "5-11-2026", "05/11/26"])
def test_a_day_that_depends_on_the_country_is_refused_with_both_readings(text):
    with pytest.raises(TimeFaultError, match="write the day as 2026-05-11 or 2026-11-05"):
        judged_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13-01",
        "30/30/2026",
        "2026-11-30 25:00",
        "11/30/2026 13:00 PM",
        "1.5",
        "####",
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(TimeFaultError, match="write it as 2026-11-30 14:05"):
        judged_time(text)


def test_an_empty_field_has_no_time():
    assert judged_time("  ") is None
