"""SIGKILL in the middle of generation: nothing stored is lost, only what was in flight is asked
again.
"""

import asyncio
import json
import os
import random
import signal
import time

import pytest
from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    serve_teacher,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.store.journal import fold
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

REQUESTS = 24
CONCURRENCY = 4

RUN = """
import sys
from pathlib import Path
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

store, url, count, concurrency = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
series = Series(seeds, "rehearsal", "rehearsal-teacher", run_seed=42, tasks_per_request=5)
requests = [series.request(number) for number in range(count)]
endpoint = Endpoint(url, "rehearsal", rehearsal=True)
ask(session_of(endpoint, Store(store), terms=Terms(concurrency=concurrency)), requests)
"""


class Answers:
    """Lets so many answers out of a server; the requests after them stay in flight."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.released = asyncio.Event()
        self.loop = None

    @property
    def limit(self):
        @web.middleware
        async def limit(request, handler):
            self.loop = asyncio.get_running_loop()
            self.left -= 1
            if self.left < 0:
                await self.released.wait()
            return await handler(request)

        return limit

    def release(self) -> None:
        self.loop.call_soon_threadsafe(self.released.set)


def journalled(store) -> set[str]:
    """Ids of the completions whose whole line is on disk."""
    if not store.journal_dir.is_dir():
        return set()
    return {
        json.loads(line)["completion_id"]
        for path in store.journal_dir.glob("*.jsonl")
        for line in path.read_bytes().split(b"\n")[:-1]
    }


def on_disk(store) -> set[str]:
    """Ids of the completions that a next run would find, folded or not."""
    return journalled(store) | (set(contents(store)) if store.path.exists() else set())


def contents(store) -> dict[str, str]:
    rows = store.rows("select completion_id, content from completions")
    return {row["completion_id"]: row["content"] for row in rows}


def wait_for(condition, process) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.01)


@pytest.mark.parametrize("stored_before_kill", [1, 9, 19])
def test_a_killed_run_repeats_only_requests_in_flight(
    store, start_python, requests_of, serve, stored_before_kill
):
    recordings = read_recordings()
    answers = Answers(stored_before_kill)
    application = RehearsalTeacher(recordings).application()
    application.middlewares.append(answers.limit)
    served = serve(application)
    in_flight = stored_before_kill + CONCURRENCY

    process = start_python(RUN, store.path, served.url, REQUESTS, CONCURRENCY)
    wait_for(
        lambda: len(journalled(store)) == stored_before_kill and len(served.bodies) == in_flight,
        process,
    )
    assert process.poll() is None, process.stderr.read()
    process.kill()
    process.wait()
    survived = journalled(store)
    assert len(survived) == stored_before_kill

    answers.release()
    requests = requests_of(REQUESTS)
    endpoint = Endpoint(served.url, "rehearsal", rehearsal=True)
    tally = ask(
        session_of(endpoint, store, terms=Terms(concurrency=CONCURRENCY)),
        requests,
    )
    assert (tally.reused, tally.asked) == (len(survived), REQUESTS - len(survived))
    assert len(served.bodies) == REQUESTS + CONCURRENCY
    assert contents(store) == {
        request.completion_id: recordings[request.parameters["seed"] % len(recordings)].content
        for request in requests
    }
    assert survived <= set(contents(store))


NURSERY = """
import os, sys, traceback
from pathlib import Path
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of
import aiohttp, duckdb, openai, pyarrow

store, url, count, concurrency = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
series = Series(seeds, "openai", "gpt-4.1", run_seed=42, tasks_per_request=5)
requests = [series.request(number) for number in range(count)]
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        status = 1
        try:
            terms = Terms(concurrency=concurrency, max_usd=float(line))
            endpoint = Endpoint(url, "key", rehearsal=False)
            tally = ask(session_of(endpoint, Store(store), terms=terms), requests)
            status = 3 if tally.stopped else 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """Runs of one program, forked from a process that has its libraries loaded already."""

    def __init__(self, process) -> None:
        self._process = process
        assert process.stdout.readline() == "ready\n"

    def begin(self, max_usd: float) -> int:
        """Start a run; its process id."""
        self._process.stdin.write(f"{max_usd}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> int:
        """The run's exit code, negative for a signal."""
        return int(self._process.stdout.readline())


@pytest.mark.slow
def test_twenty_kills_repay_only_requests_in_flight(store, start_python, requests_of):
    draw = random.Random(11)
    kills, concurrency, count, cap = 20, 6, 220, 6.0
    options = ServerOptions(latency=0.03, prompt_tokens=900, answer_tokens=2_000)
    teacher = RehearsalTeacher(read_recordings(), options=options)
    ledger = teacher.ledger
    most = size_of(requests_of(1, model="gpt-4.1")[0]).max_cost(price_of("gpt-4.1"), "online").usd
    with serve_teacher(teacher) as url:
        nursery = Nursery(start_python(NURSERY, store.path, url, count, concurrency))
        killed = 0
        while killed < kills:
            process = nursery.begin(cap)
            # Some at the very start, when the store is opened or the journal folded; most later.
            moment = ledger.admitted + draw.choice([0, 1, *range(2, 14)])
            deadline = time.monotonic() + 2
            while ledger.admitted < moment and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.06))
            os.kill(process, signal.SIGKILL)
            code = nursery.end()
            assert code in (-signal.SIGKILL, 0, 3), code
            killed += 1
            assert len(on_disk(store)) >= ledger.billed - killed * concurrency
        assert fold(store) + fold(store) <= count
        # What the budget counts covers what was billed, replies that never came included.
        spent = store.rows("select sum(usd) as usd, sum(requests) as requests from spend")[0]
        assert price_of("gpt-4.1").usd(ledger.prompt_tokens, ledger.completion_tokens) <= (
            spent["usd"] + 1e-9
        )
        assert spent["usd"] <= cap
        # No kill costs more than what it had in flight: no leak eats the budget.
        presumed = store.rows("select count(*) as n from presumed_spend")[0]["n"]
        assert presumed <= kills * concurrency
        assert ledger.billed <= len(contents(store)) + presumed

        nursery.begin(cap + count * most)
        assert nursery.end() == 0
    assert set(contents(store)) == {
        request.completion_id for request in requests_of(count, teacher="openai", model="gpt-4.1")
    }
    assert ledger.billed <= count + kills * concurrency
    assert list(store.journal_dir.glob("*.jsonl")) == []


def test_a_killed_runs_requests_in_flight_count_as_spent(store, start_python, requests_of):
    options = ServerOptions(latency=60.0)  # no reply ever comes
    teacher = RehearsalTeacher(read_recordings(), options=options)
    with serve_teacher(teacher) as url:
        nursery = Nursery(start_python(NURSERY, store.path, url, 30, CONCURRENCY))
        process = nursery.begin(1.0)
        while teacher.ledger.admitted < CONCURRENCY:
            time.sleep(0.005)
        os.kill(process, signal.SIGKILL)
        nursery.end()
    requests = requests_of(30, teacher="openai", model="gpt-4.1")
    mosts = [size_of(request).max_cost(price_of("gpt-4.1"), "online") for request in requests]
    fold(store)
    (row,) = store.rows("select sum(usd) as usd, sum(tokens) as tokens from presumed_spend")
    assert row["usd"] == pytest.approx(sum(most.usd for most in mosts[:CONCURRENCY]))
    assert row["tokens"] == sum(most.tokens for most in mosts[:CONCURRENCY])
    # And so the next run's cap has no room, although no reply was ever seen.
    terms = Terms(max_usd=row["usd"] + 0.9 * mosts[CONCURRENCY].usd)
    with serve_teacher(RehearsalTeacher(read_recordings())) as url:
        endpoint = Endpoint(url, "key", rehearsal=False)
        tally = ask(session_of(endpoint, store, terms=terms), requests)
    assert tally.asked == 0
    assert "BIOINSTRUCT_MAX_USD is reached" in tally.stopped
