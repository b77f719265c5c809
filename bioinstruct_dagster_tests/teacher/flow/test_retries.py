"""When a failed request is sent again: as the SDK does it, except where no request can succeed."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    StatusError,
    TeacherError,
    UnreachedServerError,
)
from bioinstruct_dagster.teacher.flow import retries
from bioinstruct_dagster.teacher.flow.retries import (
    MAX_RATE_LIMIT_RETRIES,
    MAX_RETRIES,
    Attempts,
    backoff,
)
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

SOON = {"retry-after-ms": "1"}
IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
TOO_LARGE = "Request too large for gpt-4.1 in organization org-x on tokens per min (TPM): Limit 10."


@pytest.fixture
def send(serve, store, requests_of):
    """Ask one request of a server whose answers are given in order, the last one for ever: how
    often it came, and whether it was answered.
    """

    def run(*answers):
        async def answer(_):
            return answers[min(len(served.bodies), len(answers)) - 1]()

        served = serve(answer)
        try:
            tally = ask(
                session_of(
                    Endpoint(served.url, "k", rehearsal=False),
                    store,
                    terms=Terms(concurrency=1),
                ),
                requests_of(1),
            )
        except TeacherError:
            return len(served.bodies), False
        return len(served.bodies), bool(tally.asked)

    return run


@pytest.fixture
def no_waits(monkeypatch):
    """The same delays, a thousandth as long."""
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.0005)
    monkeypatch.setattr(retries, "LONGEST_SECONDS", 0.008)


def failing(status, message="No.", **headers):
    """An answer that is an error; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"error": {"message": message, "code": None}}
    return lambda: web.json_response(error, status=status, headers={**SOON, **named})


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_a_failure_that_may_pass_is_tried_again(send, reply, status):
    assert send(failing(status), failing(status), lambda: reply("at last")) == (3, True)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 413, 422])
def test_a_failure_that_will_not_pass_is_not_tried_again(send, status):
    assert send(failing(status)) == (1, False)


def test_after_so_many_tries_the_last_failure_is_the_answer(send):
    assert send(failing(500)) == (MAX_RETRIES + 1, False)


def test_a_rate_limit_is_retried_longer_than_a_server_fault(send, reply):
    limits = MAX_RETRIES + 3
    assert send(*[failing(429)] * limits, reply) == (limits + 1, True)


@pytest.mark.parametrize(
    ("status", "wish", "tries"), [(503, "false", 1), (400, "true", 2), (503, "perhaps", 2)]
)
def test_the_servers_wish_about_trying_again_is_respected(send, reply, status, wish, tries):
    answers = (failing(status, x_should_retry=wish), lambda: reply("at last"))
    assert send(*answers)[0] == tries


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "asked", [{"retry-after-ms": "3600000"}, {"retry-after": "3600"}, {"retry-after": IN_AN_HOUR}]
)
def test_a_server_that_asks_for_a_long_wait_is_not_pestered(send, reply, status, asked):
    def refused():
        error = {"error": {"message": "Later.", "code": "rate_limit_exceeded"}}
        return web.json_response(error, status=status, headers=asked)

    assert send(refused, lambda: reply("too soon")) == (1, False)


def test_a_request_larger_than_the_limit_is_not_retried(send, reply):
    assert send(failing(429, TOO_LARGE), reply) == (1, False)


def test_an_answer_without_a_body_is_tried_again(send, reply, no_waits):
    def broken():
        return web.Response(body=b"", content_type="application/json")

    assert send(broken, broken, reply) == (3, True)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"choices": "none"}', b"<html>"])
def test_an_answer_with_a_body_is_a_reply_whatever_its_form(send, reply, body):
    def odd():
        return web.Response(body=body, content_type="application/json")

    assert send(odd, reply) == (1, True)


@pytest.mark.parametrize(
    "garbage", ["", "soon", "Mon, 99 Foo 2026 25:61:61 GMT", "Mon, 01 Jan 0001 00:00:00", "9" * 99]
)
def test_a_wait_that_makes_no_sense_is_no_reason_to_fail(garbage):
    error = StatusError(503, "Later.", headers={"retry-after": garbage})
    assert error.retry_after is None or error.retry_after >= 0
    delay = Attempts().delay_after(error)
    assert delay is None or 0 < delay <= 8


def test_the_wait_that_is_asked_for_is_kept_and_never_cut_short():
    for asked in ("0.05", "2", "90"):
        error = StatusError(429, "Later.", headers={"retry-after": asked})
        delays = [Attempts().delay_after(error) for _ in range(50)]
        assert all(float(asked) <= delay <= 1.25 * float(asked) for delay in delays)
        assert len(set(delays)) > 1  # those who wait don't return together


def test_every_kind_of_failure_comes_to_an_end():
    for error, most in (
        (LostReplyError("gone"), MAX_RETRIES),
        (UnreachedServerError("no route"), MAX_RETRIES),
        (StatusError(500, "No."), MAX_RETRIES),
        (StatusError(429, "Later."), MAX_RATE_LIMIT_RETRIES),
        (ValueError("a fault of ours"), MAX_RETRIES),
    ):
        attempts = Attempts()
        delays = [attempts.delay_after(error) for _ in range(most + 1)]
        assert delays[-1] is None
        assert all(delay is not None for delay in delays[:-1])


@pytest.mark.parametrize(
    ("error", "fatal"),
    [
        (StatusError(401, "m"), True),
        (StatusError(402, "m"), True),
        (StatusError(403, "m"), True),
        (StatusError(404, "m"), True),
        (StatusError(429, "m", "insufficient_quota"), True),
        (StatusError(429, "m", "billing_hard_limit_reached"), True),
        (StatusError(429, "m", "rate_limit_exceeded"), False),
        (StatusError(400, "m"), False),
        (StatusError(503, "m"), False),
    ],
)
def test_a_fatal_error_is_never_retried(error, fatal):
    assert error.fatal is fatal
    if fatal:
        error.headers = {"x-should-retry": "true"}
        assert Attempts().delay_after(error) is None
        assert not error.rate_limited


@given(st.integers(0, MAX_RETRIES), st.integers(0, MAX_RETRIES))
def test_each_wait_is_longer_than_the_one_before_up_to_a_limit(one, other):
    earlier, later = sorted((one, other))
    assert 0 < backoff(earlier) <= 8
    if later > earlier and 0.5 * 2**later <= 8:
        assert backoff(earlier) < backoff(later)
