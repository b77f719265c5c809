"""Refusals in a row: when they show that the server refuses all requests."""

import pytest

from bioinstruct_dagster.teacher.errors import StatusError
from bioinstruct_dagster.teacher.flow.refusal_streak import (
    ACCESS_LIMIT,
    ALIKE_LIMIT,
    ANY_LIMIT,
    LOST_KEY_LIMIT,
    RefusalStreak,
)

TOO_LONG = StatusError(400, "The maximum context length is 10.")
KEY = StatusError(401, "No.")
FORBIDDEN = StatusError(403, "Forbidden")
NO_MODEL = StatusError(404, "The model does not exist.")


def refusals_until_the_end(streak: RefusalStreak, *errors: StatusError) -> int:
    for number in range(1_000):
        if streak.ended:
            return number
        streak.refused(str(number), errors[number % len(errors)])
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "at_first", "once_it_worked"),
    [
        (TOO_LONG, ALIKE_LIMIT, ALIKE_LIMIT),
        (KEY, ACCESS_LIMIT, LOST_KEY_LIMIT),
        (FORBIDDEN, ACCESS_LIMIT, ALIKE_LIMIT),
        (NO_MODEL, ACCESS_LIMIT, ALIKE_LIMIT),
    ],
)
def test_so_many_refused_alike_end_the_round(error, at_first, once_it_worked):
    assert refusals_until_the_end(RefusalStreak(), error) == at_first
    assert refusals_until_the_end(RefusalStreak(works=True), error) == once_it_worked


def test_a_reply_in_between_begins_the_count_again():
    streak = RefusalStreak()
    for _ in range(10):
        for number in range(ALIKE_LIMIT - 1):
            streak.refused(str(number), TOO_LONG)
        assert not streak.ended
        streak.accepted()
    assert streak.in_a_row == 0
    assert streak.works


def test_refusals_for_many_reasons_end_the_round_too():
    texts = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    errors = [StatusError(400, text) for text in texts]
    assert refusals_until_the_end(RefusalStreak(), *errors) == ANY_LIMIT


def test_requests_that_earlier_rounds_asked_do_not_count():
    streak = RefusalStreak(known={"a"})
    for _ in range(100):
        streak.refused("a", FORBIDDEN)
    assert not streak.ended
    assert streak.last is None


@pytest.mark.parametrize("most_in_flight", [1, 7, 300])
def test_the_limit_holds_with_hundreds_in_flight(most_in_flight):
    """No request leaves beyond the limit, if those in flight are refused too."""
    streak = RefusalStreak()
    streak.accepted()
    sent = in_flight = 0
    while not streak.ended or in_flight:
        while in_flight < most_in_flight and streak.has_room(in_flight) and not streak.ended:
            sent += 1
            in_flight += 1
        in_flight -= 1
        streak.refused(str(sent), TOO_LONG)
    assert sent == max(ALIKE_LIMIT, most_in_flight)


def test_the_access_is_refused_only_while_nothing_was_accepted():
    streak = RefusalStreak()
    streak.refused("a", FORBIDDEN)
    assert streak.is_access_refused
    streak.refused("b", TOO_LONG)
    assert not streak.is_access_refused
    streak.accepted()
    streak.refused("c", FORBIDDEN)
    assert not streak.is_access_refused
    streak.accepted()
    streak.refused("d", KEY)
    assert streak.is_access_refused
