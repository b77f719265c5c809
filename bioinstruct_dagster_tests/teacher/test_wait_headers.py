"""The times in the headers of a reply: every form that servers write, and what makes no sense."""

import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.teacher.wait_headers import duration, reset_of, retry_after

SERVER_TIME = datetime(2031, 5, 17, 12, 0, 0, tzinfo=UTC)  # a clock that is years ahead of ours
DATE = {"date": format_datetime(SERVER_TIME, usegmt=True)}
IN_A_MINUTE = SERVER_TIME + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012), ("8.64s", 8.64), ("6m0s", 360), ("1h2m5s", 3_725), ("1d", 86_400),
        ("0s", 0), (" 1s ", 1), ("20m", 1_200), ("1m30.5s", 90.5),
        ("", None), (None, None), ("soon", None), ("1.2.3s", None), ("-1s", None), (".s", None),
        ("10", None), ("999999999d", None), ("9" * 400 + "s", None),
    ],
)  # fmt: skip
def test_durations_are_read_as_openai_writes_them(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "60",
        "60.0",
        "1m",
        format_datetime(IN_A_MINUTE, usegmt=True),
        IN_A_MINUTE.isoformat(),
        IN_A_MINUTE.isoformat().replace("+00:00", "Z"),
        str(int(IN_A_MINUTE.timestamp())),
        str(int(IN_A_MINUTE.timestamp() * 1_000)),
    ],
)
def test_a_time_is_read_in_any_form_and_by_the_servers_clock(text):
    assert retry_after({"retry-after": text, **DATE}) == 60
    assert reset_of({"x-ratelimit-reset-tokens": text, **DATE}, "tokens") == 60
    assert reset_of({"x-ratelimit-reset": text, **DATE}) == 60


def test_without_the_servers_clock_ours_is_used():
    asked = retry_after({"retry-after": str(time.time() + 60)})
    assert asked is not None
    assert 0 < asked <= 60


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": "nan"},
        {"retry-after": "inf"},
        {"retry-after": "-inf"},
        {"retry-after": "1e308"},
        {"retry-after": "9" * 99},
        {"retry-after": "soon"},
        {"retry-after": "2099-01-01T00:00:00Z"},
        {"retry-after": "Mon, 99 Foo 2026 25:61:61 GMT"},
        {"retry-after-ms": "nan"},
    ],
)
def test_a_time_that_makes_no_sense_is_left_out(headers):
    assert retry_after(headers) is None


@pytest.mark.parametrize("text", ["-3", "0", "-0.5", "Mon, 01 Jan 2001 00:00:00 GMT"])
def test_a_past_time_is_no_wait(text):
    assert retry_after({"retry-after": text}) == 0


def test_milliseconds_go_before_seconds():
    assert retry_after({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    assert retry_after({"retry-after-ms": "soon", "retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "inf", "retry-after": "7"}) == 7


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_the_reader(text, date):
    asked = retry_after({"retry-after": text, "date": date})
    assert asked is None or (asked >= 0 and math.isfinite(asked))
