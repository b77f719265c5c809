"""The errors of a request: the wait that a server asks for, and messages that end a round."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bioinstruct_dagster.teacher.errors import (
    StatusError,
    fatal_advice,
    long_wait_message,
    unsendable_key_error,
    unwritable_error,
)

NOW = datetime.now(UTC)
IN_A_MINUTE = format_datetime(NOW + timedelta(minutes=1), usegmt=True)
AN_HOUR_AGO = format_datetime(NOW - timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after-ms": "250"}, 0.25, 0.25),
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after-ms": "40", "retry-after": "7"}, 0.04, 0.04),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7, 7),
        ({"retry-after": IN_A_MINUTE}, 0, 60),
        ({"retry-after": AN_HOUR_AGO}, 0, 0),
        ({"retry-after": "-3"}, 0, 0),
    ],
)
def test_every_form_of_retry_after_is_read(headers, least, most):
    asked = StatusError(429, "Later.", headers=headers).retry_after
    assert asked is not None
    assert least <= asked <= most


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (401, None, "OPENAI_API_KEY"),
        (403, None, "OPENAI_API_KEY"),
        (404, None, "BIOINSTRUCT_TEACHER_MODEL"),
        (402, None, "Add credit"),
        (429, "insufficient_quota", "Add credit"),
    ],
)
def test_a_fatal_error_says_what_to_do_without_the_message(status, code, advice):
    message = fatal_advice(StatusError(status, "sk-part-of-a-key", code), "gpt-4.1")
    assert advice in message
    assert "sk-part" not in message


@pytest.mark.parametrize(
    "said",
    ["Wrong key sk-abcd**1234.", "Wrong key ab**34.", "Wrong key a1b2c3d4e5f6g7h8i9j0k1l2."],
)
def test_what_is_shown_of_an_error_about_a_key_holds_no_part_of_it(said):
    assert StatusError(401, said).shown.startswith("HTTP 401: Wrong key [key]")


def test_two_stars_in_other_words_are_shown():
    assert StatusError(400, "Set **seed** to 1.").shown == "HTTP 400: Set **seed** to 1."


def test_the_message_of_a_long_wait_names_the_seconds():
    error = StatusError(429, "Later.", headers={"retry-after": "3600"})
    assert error.asks_for_long_wait
    assert "3,600 seconds" in long_wait_message(error)


def test_errors_of_disk_and_key_say_what_to_change():
    assert "Free some space" in str(unwritable_error(OSError(28, "No space left on device")))
    assert "OPENAI_API_KEY" in str(unsendable_key_error())
