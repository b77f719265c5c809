"""SIGKILL while a batch is submitted or harvested: it is adopted or given up, and paid for once."""

import asyncio
import time
from datetime import timedelta

import pytest

from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster_tests.teacher.rehearsal_servers import (
    BATCH,
    KEY,
    MODEL,
    column,
    live,
    spent,
)

COUNT = 6

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

store, url, key, model, count, tokens = sys.argv[1:]
seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
series = Series(seeds, "openai", model, run_seed=42, tasks_per_request=5)
requests = [series.request(number) for number in range(int(count))]
endpoint = Endpoint(url, key, rehearsal=False)
terms = Terms(service="batch", batch_tokens=int(tokens) or None)
ask(session_of(endpoint, Store(Path(store)), terms=terms), requests)
"""


class Halt:
    """Holds up the first call of a path, before or after it is worked on, until it is lifted."""

    def __init__(self, method: str, path: str, *, worked_on: bool) -> None:
        self.call = (method, f"/v1{path}")
        self.worked_on = worked_on
        self.halted = False
        self.lifted = False

    async def around(self, request, handler):
        path = request.path.rsplit("/", 1)[-1] if self.call[1] == "/v1/content" else None
        met = (request.method, f"/v1/{path}" if path else request.path) == self.call
        if self.halted or not met:
            return await handler(request)
        response = await handler(request) if self.worked_on else None
        if request.path == "/v1/batches":
            await request.read()  # what the server has, a kill does not take back
        self.halted = True
        while not self.lifted:  # noqa: ASYNC110 - lifted from another thread
            await asyncio.sleep(0.01)
        return response or await handler(request)


@pytest.fixture
def asked(requests_of):
    """The requests of the process that is killed."""
    return requests_of(COUNT, teacher="openai", model=MODEL)


def killed_at(halt, server, store, start_python, tokens=0) -> None:
    """Start a round, and kill it where the server holds it up."""
    process = start_python(RUN, store.path, server.endpoint.base_url, KEY, MODEL, COUNT, tokens)
    while not halt.halted and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, process.stderr.read()
    process.kill()
    process.wait()


def harvested(server, requests, store, terms=BATCH) -> None:
    """Ask until nothing is pending."""
    for _ in range(4):
        if not server.ask(requests, store, terms).pending:
            break
    assert column(store, "completions", "completion_id") == sorted(
        request.completion_id for request in requests
    )
    assert (server.billed, server.repeated) == (COUNT, 1)
    assert set(spent(store)) == {"settled"}


def test_a_kill_during_the_upload_leaves_nothing_to_wait_for(store, asked, start_python):
    halt = Halt("POST", "/files", worked_on=False)
    with live(halt.around) as server:
        killed_at(halt, server, store, start_python)
        assert column(store, "batches", "state") == ["submitting"]
        halt.lifted = True
        assert server.ask(asked, store).pending == COUNT
        assert sorted(column(store, "batches", "state")) == ["failed", "open"]
        harvested(server, asked, store)


def test_a_batch_that_was_created_and_not_confirmed_is_adopted(store, asked, start_python):
    halt = Halt("POST", "/batches", worked_on=True)
    with live(halt.around) as server:
        killed_at(halt, server, store, start_python)
        assert column(store, "batches", "batch_id") == [None]
        halt.lifted = True
        [found] = batches.poll(server.endpoint, store)
        assert (found.status, found.batch_id is None) == ("completed", False)
        harvested(server, asked, store)
        assert server.count("POST", "/batches") == 1


def test_a_portion_that_was_not_confirmed_is_adopted_before_the_next(store, asked, start_python):
    tokens = sum(size_of(request).prompt_bytes for request in asked[:3]) // 3
    terms = Terms(service="batch", batch_tokens=tokens)
    halt = Halt("POST", "/batches", worked_on=True)
    with live(halt.around) as server:
        killed_at(halt, server, store, start_python, tokens)
        [portion] = column(store, "batches", "requests")
        assert 1 < portion < COUNT
        halt.lifted = True
        second = server.ask(asked, store, terms)
        assert (second.asked, server.count("POST", "/batches")) == (portion, 2)
        harvested(server, asked, store, terms)


def test_a_batch_created_after_the_kill_is_not_paid_twice(store, asked, start_python):
    halt = Halt("POST", "/batches", worked_on=False)
    with live(halt.around) as server:
        killed_at(halt, server, store, start_python)
        # The server has the request and has not got to it: the batch is in no list yet.
        assert server.ask(asked, store).pending == COUNT
        assert column(store, "batches", "state") == ["submitting"]
        halt.lifted = True
        harvested(server, asked, store)
        assert server.count("POST", "/batches") == 1


def test_a_creation_that_never_took_effect_is_given_up_in_time(
    store, asked, start_python, monkeypatch
):
    halt = Halt("POST", "/batches", worked_on=False)
    with live(halt.around) as server:
        killed_at(halt, server, store, start_python)
        server.teacher.around = None
        monkeypatch.setattr(batches, "CONFIRMATION_TIME", timedelta(0))
        assert server.ask(asked, store).pending == COUNT
        harvested(server, asked, store)


def test_a_kill_during_the_harvest_loses_no_reply(store, asked, start_python):
    halt = Halt("GET", "/content", worked_on=True)
    with live(halt.around) as server:
        server.ask(asked, store)
        killed_at(halt, server, store, start_python)
        assert column(store, "batches", "state") == ["open"]
        halt.lifted = True
        harvested(server, asked, store)
        assert server.count("POST", "/batches") == 1
