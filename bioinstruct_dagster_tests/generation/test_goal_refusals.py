"""Generating where the server refuses requests: the round ends, and the set rests on replies alone.

The tests use a real server, a real store, and curation's gates.
"""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.flow.refusal_streak import ALIKE_LIMIT
from bioinstruct_dagster_tests.generation.pursuits import Pursuit
from bioinstruct_dagster_tests.generation.writer import Writer

TOO_LONG = "This model's maximum context length is 4096 tokens."


class Refusing:
    """A writer that refuses the requests of some numbers, or all beyond some that it answers."""

    def __init__(self, writer, *, status=400, message=TOO_LONG):
        self.writer = writer
        self.status, self.message = status, message
        self.sent = 0
        self.seeds = {}
        self.refuses = lambda number: False

    async def __call__(self, body):
        """Answer one request."""
        self.sent += 1
        if self.refuses(self.seeds.get(body["seed"], 0)):
            error = {"message": self.message, "type": "error", "param": None, "code": None}
            return web.json_response({"error": error}, status=self.status)
        return await self.writer(body)


@pytest.fixture
def start(store, serve, series_of):
    """Rounds over a server that refuses by request number."""

    def make(refuses, *, concurrency=8, writer=None, **changed):
        store.replace({})
        server = Refusing(writer or Writer(delay=0.005), **changed)
        series = series_of(teacher="openai", model="gpt-4.1-mini")
        server.seeds = {series.request(n).parameters["seed"]: n for n in range(500)}
        server.refuses = refuses
        return server, Pursuit(store, serve(server).url, series, None, concurrency)

    return make


@pytest.mark.parametrize("concurrency", [1, 8, 100])
def test_a_server_that_refuses_every_request_ends_the_run(start, concurrency):
    server, running = start(lambda _: True, concurrency=concurrency)
    with pytest.raises(TeacherError, match=r"maximum context length.*TASKS_PER_REQUEST"):
        running.round(5_000)
    assert server.sent <= max(ALIKE_LIMIT, concurrency)


def test_a_server_that_begins_to_refuse_keeps_what_it_gave(start):
    server, running = start(lambda number: number > 30)
    done = running.round(5_000)
    assert server.sent <= 31 + ALIKE_LIMIT + 8
    assert "maximum context length" in done.tally.stopped
    assert done.numbers == list(range(31))
    assert done.feed.kept == len(done.kept) > 0
    # Another server, or the same one repaired: the refused requests are sent again.
    server.refuses = lambda _: False
    assert len(running.round(200).kept) >= 200
    assert set(server.writer.asked.values()) == {1}


@pytest.mark.parametrize("concurrency", [1, 40])
def test_where_most_requests_are_refused_the_refusals_end_the_round(start, concurrency):
    # Replies take longer than refusals, so that many refusals arrive before the first reply.
    writer = Writer(delay=0.05)
    server, running = start(lambda number: number % 20 != 7, concurrency=concurrency, writer=writer)
    done = running.round(5_000)
    assert server.sent < 200
    for part in (
        "the teacher refused or failed", "less than 10%", "refusals and failures are the reason",
        "HTTP 400: This model's maximum context",
    ):  # fmt: skip
        assert part in done.tally.stopped
    # All replies belong to the set, however many requests were refused before the end.
    assert done.feed.end is None
    assert len(done.numbers) == running.stored()
    again = running.round(5_000)
    assert {row["row_id"] for row in done.rows} <= {row["row_id"] for row in again.rows}
    assert "refusals and failures are the reason" in again.tally.stopped
    assert server.sent < 400


def test_the_set_does_not_depend_on_when_refusals_arrive(start, tmp_path):
    found = []
    for concurrency in (1, 5, 30):
        _, running = start(
            lambda number: number % 3 == 1, concurrency=concurrency,
            writer=Writer(delay=0.02, shuffle=concurrency),
        )  # fmt: skip
        running.store = type(running.store)(tmp_path / str(concurrency) / "s.duckdb")
        running.store.replace({})
        done = running.round(60)
        assert done.tally.stopped is None
        found.append((done.rows, done.kept, done.feed.end))
    assert found[1:] == found[:1] * 2


def test_single_refusals_of_any_status_do_not_end_the_round_nor_the_next(start):
    _, running = start(
        lambda number: number % 4 == 2, status=403, message="Your input was flagged."
    )
    first = running.round(150)
    assert (first.feed.kept >= 150, first.tally.stopped) == (True, None)
    refused = first.tally.failed
    assert refused >= 10
    # The next round asks the refused requests one after the other, and goes on to its goal.
    second = running.round(600)
    assert second.tally.stopped is None
    assert second.feed.kept >= 600
    third = running.round(650)  # more than twenty refused requests lie before the first new one
    assert third.tally.failed > ALIKE_LIMIT
    assert (third.feed.kept >= 650, third.tally.stopped) == (True, None)
    rows = running.store.rows("select distinct status, kind, message from teacher_refusals")
    assert [json.dumps(row) for row in rows] == [
        json.dumps({"status": 403, "kind": "moderation", "message": "Your input was flagged."})
    ]


def test_refused_requests_count_towards_the_limit_of_requests(start):
    server, running = start(lambda number: number % 2 == 1, concurrency=40)
    done = running.round(5_000, limit=30)
    assert server.sent == 30
    assert done.numbers == list(range(0, 30, 2))
