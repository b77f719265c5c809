"""Rounds in which nothing goes on: they say what they wait for, and they end."""

import asyncio
import threading
import time

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.flow import endings, retries, stall_watch
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

MINUTES = 2 / endings.SECONDS_PER_MINUTE


@pytest.fixture
def said() -> list[str]:
    """The lines of the log."""
    return []


@pytest.fixture
def ask_at(store, said, monkeypatch):
    """Ask with the reports of a stalled round a hundredth as far apart."""
    monkeypatch.setattr(stall_watch, "REPORT_SECONDS", 0.3)

    def run(requests, url, *, concurrency=64, stall_minutes=MINUTES, **terms):
        terms = Terms(concurrency=concurrency, stall_minutes=stall_minutes, **terms)
        endpoint = Endpoint(url, "key", rehearsal=False)
        return ask(session_of(endpoint, store, terms=terms, log=said.append), requests)

    return run


@pytest.fixture
def hang(serve):  # so that the server is closed after the last answer
    """Answer nothing until the test is over."""
    over = threading.Event()

    async def wait() -> None:
        while not over.is_set():  # noqa: ASYNC110  # the test sets it in another thread
            await asyncio.sleep(0.02)

    yield wait
    over.set()


def limited(**headers):
    body = {"error": {"message": "Slow down, please.", "code": "rate_limit_exceeded"}}
    return web.json_response(body, status=429, headers=headers)


@pytest.mark.parametrize("kind", ["tokens", "requests"])
def test_a_limit_that_holds_the_round_back_is_named(ask_at, requests_of, serve, reply, kind):
    async def answer(_):
        done = reply('{"tasks": []}')
        done.headers[f"x-ratelimit-limit-{kind}"] = "7"
        done.headers[f"x-ratelimit-remaining-{kind}"] = "0"
        done.headers[f"x-ratelimit-reset-{kind}"] = "24h0m0s"
        return done

    tally = ask_at(requests_of(3), serve(answer).url, concurrency=1)
    assert f"a limit of 7 {kind} per day or longer" in tally.stopped
    assert f"(header x-ratelimit-limit-{kind})" in tally.stopped
    assert " h. " in tally.stopped
    assert ("one request takes about" in tally.stopped) == (kind == "tokens")


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}, {"retry-after-ms": "1"}])
def test_a_rate_limit_for_ever_gets_few_requests_and_ends(
    ask_at, requests_of, serve, store, said, headers
):
    async def answer(_):
        return limited(**headers)

    served = serve(answer)
    tally = ask_at(requests_of(500), served.url)
    # Those in flight at first and after the first wait; then single ones.
    assert len(served.bodies) < 80
    assert tally.asked == 0
    for part in (
        "No request was answered for", "BIOINSTRUCT_STALL_MINUTES", "rate limit",
        "HTTP 429: Slow down, please.", "Run again",
    ):  # fmt: skip
        assert part in tally.stopped
    (round_,) = store.rows("select rate_limited, stopped from teacher_rounds")
    assert round_ == {"rate_limited": len(served.bodies), "stopped": tally.stopped}
    reports = [line for line in said if line.startswith("No request was answered for")]
    assert reports
    assert "Without an answer, the round ends in" in reports[0]


def test_a_limit_that_ends_is_waited_for(ask_at, requests_of, serve, reply, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.001)

    async def answer(_):
        return limited() if len(served.bodies) <= 34 else reply()

    served = serve(answer)
    tally = ask_at(requests_of(100), served.url, stall_minutes=10)
    assert (tally.asked, tally.failed, tally.stopped) == (100, 0, None)


def test_a_server_that_never_answers_does_not_hold_the_end(
    ask_at, requests_of, serve, store, said, hang
):
    async def answer(_):
        await hang()

    served = serve(answer)
    tally = ask_at(requests_of(500), served.url, concurrency=5)
    assert len(served.bodies) == 5
    assert "5 requests in flight have no reply" in tally.stopped
    # They may have been billed, so they count as billed, once.
    assert (tally.presumed, tally.failed) == (5, 5)
    ask_at([], served.url)
    presumed = "select count(*) as n from presumed_spend"
    tally = ask_at(requests_of(5), served.url, concurrency=1)
    assert store.rows(presumed) == [{"n": 6}]
    assert any("requests in flight have no reply" in line for line in said)


def test_replies_before_a_stall_are_stored(ask_at, requests_of, serve, reply, store, hang):
    async def answer(_):
        if len(served.bodies) > 4:
            await hang()
        return reply()

    served = serve(answer)
    tally = ask_at(requests_of(50), served.url, concurrency=2)
    assert tally.asked == 4
    assert "4 completions of this round are stored" in tally.stopped
    assert store.rows("select count(*) as n from completions") == [{"n": 4}]


def test_a_limit_that_the_user_set_is_no_stall(ask_at, requests_of, serve, reply, said):
    async def answer(_):
        return reply()

    # A request leaves every 0.3 seconds, and the round would end after 0.06 seconds.
    tally = ask_at(requests_of(4), serve(answer).url, requests_per_minute=200, stall_minutes=0.001)
    assert (tally.asked, tally.stopped) == (4, None)


def test_a_wait_beyond_the_stall_limit_ends_the_round_at_once(ask_at, requests_of, serve):
    async def answer(_):
        return limited(**{"retry-after": "90"})

    served = serve(answer)
    tally = ask_at(requests_of(10), served.url, concurrency=1)
    assert len(served.bodies) == 1
    assert "asks to wait for 90 seconds" in tally.stopped


@pytest.mark.parametrize("form", ["epoch", "milliseconds", "date"])
def test_a_wait_that_only_the_reset_of_the_limit_states_is_read(ask_at, requests_of, serve, form):
    """As OpenRouter states it, with a clock that is a day ahead of ours."""

    async def answer(_):
        server_time = int(time.time()) + 86_400
        in_an_hour = server_time + 3_600
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(server_time))
        reset = {
            "epoch": str(in_an_hour),
            "milliseconds": str(in_an_hour * 1_000),
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(in_an_hour)),
        }[form]
        return limited(**{"date": date, "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})

    served = serve(answer)
    tally = ask_at(requests_of(10), served.url, concurrency=1, stall_minutes=10)
    assert len(served.bodies) == 1
    assert "asks to wait for 3,600 seconds" in tally.stopped
