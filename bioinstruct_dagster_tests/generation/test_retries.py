"""When a failed request is sent again: as the SDK does it, except where no request can succeed."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from openai import APIStatusError, AsyncOpenAI

from bioinstruct_dagster.generation.retries import MAX_RETRIES, _backoff, send_with_retries

SOON = {"retry-after-ms": "1"}
IN_AN_HOUR = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.fixture
def send(serve):
    """Send one request to a server whose answers are given in order, the last one for ever."""

    def run(*answers):
        async def answer(_):
            return answers[min(len(served.bodies), len(answers)) - 1]()

        async def call():
            async with AsyncOpenAI(api_key="k", base_url=served.url, max_retries=0) as client:
                message = [{"role": "user", "content": "u"}]
                create = client.chat.completions.create
                return await send_with_retries(lambda: create(model="m", messages=message))

        served = serve(answer)
        try:
            reply = asyncio.run(call())
        except APIStatusError as error:
            return len(served.bodies), error.status_code
        return len(served.bodies), reply.choices[0].message.content

    return run


def failing(status, **headers):
    """An answer that is an error; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"error": {"message": "No.", "code": None}}
    return lambda: web.json_response(error, status=status, headers={**SOON, **named})


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_a_failure_that_may_pass_is_tried_again(send, reply, status):
    assert send(failing(status), failing(status), lambda: reply("at last")) == (3, "at last")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_failure_that_will_not_pass_is_not_tried_again(send, status):
    assert send(failing(status)) == (1, status)


def test_after_so_many_tries_the_last_failure_is_the_answer(send):
    tries = MAX_RETRIES + 1
    assert send(*[failing(500)] * (tries - 1), failing(503)) == (tries, 503)


@pytest.mark.parametrize(
    ("status", "wish", "tries"), [(503, "false", 1), (400, "true", 2), (503, "perhaps", 2)]
)
def test_the_servers_wish_about_trying_again_is_respected(send, reply, status, wish, tries):
    answers = (failing(status, x_should_retry=wish), lambda: reply("at last"))
    assert send(*answers)[0] == tries


@pytest.mark.parametrize(
    "asked", [{"retry-after-ms": "3600000"}, {"retry-after": "3600"}, {"retry-after": IN_AN_HOUR}]
)
def test_a_server_that_asks_for_a_long_wait_is_not_pestered(send, reply, asked):
    # The SDK gives up on such a request, too: it is asked again by the next run.
    def refused():
        error = {"error": {"message": "Later.", "code": "rate_limit_exceeded"}}
        return web.json_response(error, status=429, headers=asked)

    assert send(refused, lambda: reply("too soon")) == (1, 429)


@given(st.integers(0, MAX_RETRIES), st.integers(0, MAX_RETRIES))
def test_each_wait_is_longer_than_the_one_before_up_to_a_limit(one, other):
    earlier, later = sorted((one, other))
    assert 0 < _backoff(earlier) <= 8
    if later > earlier and 0.5 * 2**later <= 8:
        assert _backoff(earlier) < _backoff(later)
