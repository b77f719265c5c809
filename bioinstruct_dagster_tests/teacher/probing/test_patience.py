"""The patience of a probe: it says what it waits for, and it ends within the stall minutes."""

import asyncio
import threading

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.flow import endings, stall_watch
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster_tests.teacher.probing.odd_servers import behind, probed, written
from bioinstruct_dagster_tests.teacher.probing.wordings import words
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column

SHORT = Terms(stall_minutes=1.5 / endings.SECONDS_PER_MINUTE)


@pytest.fixture(autouse=True)
def _frequent_reports(monkeypatch):
    monkeypatch.setattr(stall_watch, "REPORT_SECONDS", 0.3)


@pytest.fixture
def drip(serve):  # so that the server is closed after the last answer
    """The answer of a server that keeps the connection open with spaces, until the test is over."""
    over = threading.Event()

    async def spaces():
        while not over.is_set():
            yield b" "
            await asyncio.sleep(0.05)

    yield lambda: web.Response(body=spaces(), content_type="application/json")
    over.set()


def ended(url, store, lines):
    """The message of a probe that ends."""
    with pytest.raises(TeacherError) as stalled:
        probed(url, store, SHORT, lines=lines)
    return str(stalled.value)


def test_a_body_without_end_ends_the_probe_and_counts_as_billed(serve, store, drip):
    async def answer(_body):
        return drip()

    served, lines = serve(answer), []
    message = ended(served.url, store, lines)
    for part in ("BIOINSTRUCT_STALL_MINUTES", "no complete reply", "run again later", served.url):
        assert part in message
    assert "BIOINSTRUCT_REPLY_FORMAT" not in message
    assert any("waits for a reply" in line for line in lines)
    assert len(served.bodies) == 1
    [tokens] = column(store, "presumed_spend", "tokens")
    assert tokens > served.bodies[0]["max_completion_tokens"]


@pytest.mark.parametrize(
    "headers", [{}, {"retry-after-ms": "5"}, {"retry-after": "Fri, 31 Dec 2199 23:59:59 GMT"}]
)
def test_a_rate_limit_for_ever_is_named_and_not_the_format(serve, store, headers):
    async def answer(_body):
        error = words("Slow down, please.", code="rate_limit_exceeded")
        return web.json_response(error, status=429, headers=headers)

    lines = []
    message = ended(serve(answer).url, store, lines)
    for part in ("BIOINSTRUCT_STALL_MINUTES", "limits the rate", "Slow down", "Run again later"):
        assert part in message
    for part in ("BIOINSTRUCT_REPLY_FORMAT", "that the server runs"):
        assert part not in message
    assert lines


def test_a_wait_past_the_end_is_not_begun(serve, store):
    async def answer(_body):
        return web.json_response(words("Busy."), status=503, headers={"retry-after": "100"})

    served, lines = serve(answer), []
    message = ended(served.url, store, lines)
    assert (len(served.bodies), lines) == (1, [])
    assert "only in 100 s" in message
    assert "Busy." in message


def test_replies_of_different_requests_share_one_time(serve, store):
    async def answer(_body):
        await asyncio.sleep(0.6)
        return web.json_response(words("Your words are strange to me."), status=400)

    served = serve(answer)
    assert "BIOINSTRUCT_STALL_MINUTES" in ended(served.url, store, [])
    assert len(served.bodies) > 1


def test_a_server_that_only_never_ends_a_long_reply_can_be_used(serve, store, drip):
    async def answer(body):
        return drip() if "limit-probe" in body["messages"][-1]["content"] else written(body)

    assert probed(serve(answer).url, store, SHORT).dialect.reply_format == "json_schema"
    assert column(store, "teacher_dialects", "output_limit") == ["unproven"]


@pytest.mark.parametrize("terms", [Terms(), SHORT])
def test_a_proxy_that_does_not_lead_to_the_server_is_all_that_is_named(
    serve, store, monkeypatch, fast, terms
):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    serve(behind())
    with pytest.raises(TeacherError, match="Check http_proxy") as unreached:
        probed("http://teacher.example:9815/v1", store, terms)
    for part in ("BIOINSTRUCT_REPLY_FORMAT", "that the server runs"):
        assert part not in str(unreached.value)
