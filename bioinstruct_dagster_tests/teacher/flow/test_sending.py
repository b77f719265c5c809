"""The flow of requests: no failure of one, of the disk or of ours costs what is in flight."""

import asyncio
import json
import threading
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    start_server,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.store.journal import CompletionJournal, fold
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.feeds import ListFeed, Tally
from bioinstruct_dagster.teacher.flow import pacing, retries
from bioinstruct_dagster.teacher.flow.circuit_breaker import CircuitBreaker
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.sending import Sender
from bioinstruct_dagster.teacher.money.budget import Budget
from bioinstruct_dagster.teacher.money.settling import Account, Billing
from bioinstruct_dagster.teacher.money.tokens import TokenForecast
from bioinstruct_dagster.teacher.rounds import ask, pursue
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

FULL_DISK = """
import resource, sys
from pathlib import Path
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

store, url, limit = Store(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
series = Series(seeds, "rehearsal", "rehearsal-teacher", run_seed=42, tasks_per_request=5)

def full(_):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

try:
    ask(
        session_of(Endpoint(url, "rehearsal", rehearsal=True), store, terms=Terms(concurrency=16)),
        [series.request(number) for number in range(200)],
        announce=full,
    )
except TeacherError as error:
    print(error, flush=True)
"""


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    """The same delays before a request is sent again, a fiftieth as long."""
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(retries, "LONGEST_SECONDS", 0.16)


@pytest.fixture
def ask_at(store):
    def run(requests, url, *, concurrency=4, **terms):
        endpoint = Endpoint(url, "key", rehearsal=False)
        terms = Terms(concurrency=concurrency, **terms)
        return ask(session_of(endpoint, store, terms=terms), requests)

    return run


@pytest.fixture
def sender_of(store):
    """A sender with parts of the test's own, within the open journal and client."""

    @asynccontextmanager
    async def make(requests, url, **parts):
        endpoint = Endpoint(url, "key", rehearsal=False)
        async with (
            CompletionJournal(store) as journal,
            TeacherClient(endpoint, connections=50) as client,
        ):
            parts = {
                "client": client,
                "dialect": Dialect(),
                "account": Account(Billing(endpoint, price=None), Budget(), journal),
                "pacer": Pacer(8),
                "forecast": TokenForecast(),
                **parts,
            }
            tally = Tally()
            yield Sender(ListFeed(requests, set()), tally, log=lambda _: None, **parts), tally

    return make


async def until(condition) -> None:
    """Wait for what happens in another thread or task."""
    while not condition():  # noqa: ASYNC110  # nobody there could set an event
        await asyncio.sleep(0.005)


def stored_numbers(store) -> list[int]:
    statement = "select request_number as n from completions order by n"
    return [row["n"] for row in store.rows(statement)]


class Brittle(ListFeed):
    """A feed with a fault of ours: it fails at the reply, or at the request, of one number."""

    def __init__(self, requests, *, failed, stored_at=None, take_at=None) -> None:
        super().__init__(requests, set())
        self._failed, self._stored_at, self._take_at = failed, stored_at, take_at

    def stored(self, request, completion) -> None:
        if request.request_number == self._stored_at:
            self._failed.set()
            raise LookupError("a fault in the reader")

    def take(self):
        request = super().take()
        if request is not None and request.request_number == self._take_at:
            self._failed.set()
            raise LookupError("a fault in the gate")
        return request


@pytest.mark.parametrize("where", [{"stored_at": 0}, {"take_at": 5}])
def test_an_error_of_the_feed_ends_the_round_and_keeps_replies(
    store, requests_of, serve, reply, where
):
    failed = threading.Event()

    async def answer(body):
        # The first reply comes when all five are in flight, and the others after the fault.
        first = body["seed"] == served.bodies[0]["seed"]
        await until(lambda: len(served.bodies) == 5 if first else failed.is_set())
        return reply()

    served = serve(answer)
    with pytest.raises(LookupError, match="a fault in the"):
        pursue(
            session_of(
                Endpoint(served.url, "key", rehearsal=False),
                store,
                log=lambda _: None,
                terms=Terms(concurrency=5),
            ),
            lambda: Brittle(requests_of(30), failed=failed, **where),
            purpose="generation",
        )
    # All that was asked is stored, and nothing was asked twice.
    assert len(stored_numbers(store)) == len(served.bodies) == len(set(served.asked_seeds())) == 5
    assert store.rows("select * from presumed_spend") == []


# With the smaller limit the store can't be written either, and must not hide the reason.
@pytest.mark.parametrize("limit", [9_000, 64_000])
def test_where_the_disk_takes_no_more_the_round_ends_and_says_so(
    store, start_python, requests_of, serve, limit
):
    application = RehearsalTeacher(read_recordings(), 0.02).application()
    served = serve(application)
    store.replace({})
    process = start_python(FULL_DISK, store.path, served.url, limit)
    output, errors = process.communicate(timeout=120)
    assert "can't be written to disk" in output, errors
    # Those in flight, their replies unwritten, and hardly any more; it did not go on regardless.
    assert len(served.bodies) < 60
    fold(store)
    survived = len(stored_numbers(store))
    assert survived > 0
    presumed = store.rows("select count(*) as n from presumed_spend")[0]["n"]
    assert survived + presumed == len(served.bodies)
    endpoint = Endpoint(served.url, "rehearsal", rehearsal=True)
    tally = ask(session_of(endpoint, store), requests_of(60))
    assert (tally.reused, tally.asked) == (survived, 60 - survived)


def test_a_server_that_dies_and_returns_costs_no_row(store, requests_of, sender_of):
    teacher = RehearsalTeacher(read_recordings(), options=ServerOptions(latency=0.02))
    breaker = CircuitBreaker(threshold=5, trials=50, first_pause=0.02, longest_pause=0.1)

    async def main():
        runner, url = await start_server(teacher, "127.0.0.1", 0)
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        async with sender_of(requests_of(60), url, breaker=breaker) as (sender, tally):
            asking = asyncio.create_task(sender.run())
            await until(lambda: teacher.ledger.billed >= 10)
            await runner.cleanup()
            await until(lambda: breaker.open)
            runner, _ = await start_server(teacher, "127.0.0.1", port)
            await asyncio.wait_for(asking, 60)
            await runner.cleanup()
        return tally

    tally = asyncio.run(main())
    fold(store)
    assert (tally.asked, tally.failed) == (60, 0)
    assert stored_numbers(store) == list(range(60))
    assert not breaker.open


def test_a_server_that_stays_down_ends_the_round(store, requests_of, sender_of, serve, refuse):
    async def answer(_):
        return refuse(503, None, "Down for maintenance.")

    served = serve(answer)
    breaker = CircuitBreaker(threshold=6, trials=3, first_pause=0.01, longest_pause=0.02)

    async def main():
        async with sender_of(requests_of(200), served.url, breaker=breaker) as (sender, _):
            await sender.run()

    with pytest.raises(TeacherError, match=r"keeps failing.*maintenance.*Run again"):
        asyncio.run(main())
    # Six to see it is down, those in flight with them, and one at a time thereafter.
    assert len(served.bodies) <= 6 + 8 + 3


def test_no_server_at_all_is_no_reason_to_count_a_cent(store, requests_of, sender_of):
    breaker = CircuitBreaker(threshold=3, trials=1, first_pause=0.01)

    async def main():
        async with sender_of(requests_of(5), "http://127.0.0.1:9/v1", breaker=breaker) as (
            sender,
            _,
        ):
            await sender.run()

    with pytest.raises(TeacherError, match=r"http://127\.0\.0\.1:9/v1 keeps failing"):
        asyncio.run(main())
    fold(store)
    assert store.rows("select * from presumed_spend") == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_of_an_hour_ends_the_round_and_keeps_replies(
    ask_at, store, requests_of, serve, reply, status
):
    async def answer(_):
        if len(served.bodies) <= 5:
            return reply()
        error = {"error": {"message": "Limit per day.", "code": "rate_limit_exceeded"}}
        return web.json_response(error, status=status, headers={"retry-after": "3600"})

    served = serve(answer)
    tally = ask_at(requests_of(40), served.url, concurrency=4)
    assert "asks to wait for 3,600 seconds" in tally.stopped
    assert tally.asked == len(stored_numbers(store)) == 5
    assert len(served.bodies) <= 5 + 4


GARBAGE = [
    {"limit": "lots", "remaining": "few", "reset": "soon"},
    {"limit": "0", "remaining": "0", "reset": "0s"},
    {"limit": "-5", "remaining": "-5", "reset": "-1s"},
    {"limit": "0.0001", "remaining": "0", "reset": "1h"},
    {"limit": "nan", "remaining": "nan", "reset": "nans"},
    {"limit": "1e400", "remaining": "inf", "reset": "9" * 400 + "d"},
    {"limit": "1e9", "remaining": "9e9", "reset": "1.2.3s"},
    {"limit": "1e9", "remaining": "9e8", "reset": "9" * 400 + "d"},
    {"remaining": "0", "reset": "6h"},
]


@pytest.mark.parametrize("said", GARBAGE, ids=lambda said: json.dumps(said)[:40])
def test_rate_limit_headers_that_make_no_sense_stop_nothing(ask_at, requests_of, serve, said):
    headers = {
        f"x-ratelimit-{name}-{kind}": value
        for name, value in said.items()
        for kind in ("requests", "tokens")
    }

    async def answer(_):
        message = {"role": "assistant", "content": "{}"}
        usage = {"prompt_tokens": 1_000, "completion_tokens": 500}
        return web.json_response(
            {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage},
            headers=headers,
        )

    assert ask_at(requests_of(20), serve(answer).url).asked == 20


def test_a_cancelled_round_keeps_stored_replies(store, requests_of, sender_of, serve, reply):
    async def answer(_):
        if len(served.bodies) > 3:
            await asyncio.sleep(1)
        return reply()

    served = serve(answer)

    async def main():
        async with sender_of(requests_of(20), served.url) as (sender, tally):
            asking = asyncio.create_task(sender.run())
            await until(lambda: tally.asked == 3)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(asyncio.wait_for(main(), 60))
    assert fold(store) == 3
    # Those in flight may have been billed, and count so.
    presumed = store.rows("select count(*) as n from presumed_spend")[0]["n"]
    assert presumed == len(served.bodies) - 3


def test_it_says_how_it_goes(store, requests_of, serve, reply, monkeypatch):
    said = []

    async def answer(_):
        return reply()

    endpoint = Endpoint(serve(answer).url, "key", rehearsal=False)
    ask(session_of(endpoint, store, log=said.append), requests_of(30, model="gpt-4.1"))
    assert any("25 completions stored" in line and "$" in line for line in said)


def test_a_burst_of_refusals_leaves_no_request_behind(ask_at, store, requests_of, serve, reply):
    """More refusals than the window has places, so that it shrinks to one and grows again."""
    refused = set()

    async def answer(body):
        if body["seed"] not in refused and len(refused) < 60:
            refused.add(body["seed"])
            return web.json_response({"error": {"message": "Later."}}, status=429)
        return reply()

    tally = ask_at(requests_of(80), serve(answer).url, concurrency=50)
    assert (tally.asked, tally.failed, tally.rate_limited) == (80, 0, 60)
    assert pacing.WINDOW_CUT < 1


@pytest.mark.parametrize("second", ["of no use", "good"])
def test_a_useless_reply_is_asked_for_once_more_only(store, requests_of, serve, reply, second):
    async def answer(_):
        return reply("of no use" if len(served.bodies) == 1 else second)

    served = serve(answer)
    endpoint = Endpoint(served.url, "key", rehearsal=False)
    for _ in range(2):  # nor does the next run
        ask(
            session_of(endpoint, store),
            requests_of(1),
            is_useless=lambda completion: completion["content"] == "of no use",
        )
    rows = store.rows("select draw, content from completions order by draw")
    assert [(row["draw"], row["content"]) for row in rows] == [(0, "of no use"), (1, second)]
    assert len(set(served.asked_seeds())) == len(served.bodies) == 2
