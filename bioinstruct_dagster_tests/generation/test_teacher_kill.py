"""SIGKILL in the middle of generation: nothing stored is lost, only what was in flight is asked
again.
"""

import asyncio
import json
import time

import pytest
from aiohttp import web

from bioinstruct_dagster.generation.teacher import Endpoint, ask
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.rehearsal.server import RehearsalTeacher

REQUESTS = 24
CONCURRENCY = 4

RUN = """
import sys
from pathlib import Path
from bioinstruct_dagster.generation.requests import Series
from bioinstruct_dagster.generation.teacher import Endpoint, ask
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store

store, url, count, concurrency = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
series = Series(seeds, "rehearsal", "rehearsal-teacher", run_seed=42, tasks_per_request=5)
requests = [series.request(number) for number in range(count)]
endpoint = Endpoint(url, "rehearsal", rehearsal=True)
ask(requests, endpoint, Store(store), concurrency=concurrency, log=lambda _: None)
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


def contents(store) -> dict[str, str]:
    rows = store.rows("select completion_id, content from completions")
    return {row["completion_id"]: row["content"] for row in rows}


def wait_for(condition, process) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.01)


@pytest.mark.parametrize("stored_before_kill", [1, 9, 19])
def test_a_killed_run_loses_no_stored_completion_and_repeats_only_what_was_in_flight(
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
    tally = ask(requests, endpoint, store, concurrency=CONCURRENCY, log=lambda _: None)
    assert (tally.reused, tally.asked) == (len(survived), REQUESTS - len(survived))
    assert len(served.bodies) == REQUESTS + CONCURRENCY
    assert contents(store) == {
        request.completion_id: recordings[request.parameters["seed"] % len(recordings)].content
        for request in requests
    }
    assert survived <= set(contents(store))


def test_runs_that_are_killed_at_any_moment_again_and_again_come_to_an_end(
    store, start_python, requests_of, serve
):
    served = serve(RehearsalTeacher(read_recordings(), latency=0.1).application())
    kills = 2
    for goal in (6, 14):
        process = start_python(RUN, store.path, served.url, REQUESTS, CONCURRENCY)
        wait_for(lambda goal=goal: len(served.bodies) >= goal, process)
        process.kill()
        process.wait()
    final = start_python(RUN, store.path, served.url, REQUESTS, CONCURRENCY)
    _, errors = final.communicate(timeout=120)
    assert final.returncode == 0, errors
    assert set(contents(store)) == {request.completion_id for request in requests_of(REQUESTS)}
    assert len(served.bodies) <= REQUESTS + kills * CONCURRENCY
