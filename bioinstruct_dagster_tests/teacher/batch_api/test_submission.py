"""Batches in portions over real HTTP: limits are learned, and nothing is paid for twice."""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.batch_api.files import input_files
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster_tests.teacher.rehearsal_servers import (
    BATCH,
    MODEL,
    column,
    cost,
    live,
    spent,
)

DAY = 86_400.0


@pytest.fixture
def asked(requests_of):
    """Requests to a teacher with a price."""
    return lambda count: requests_of(count, teacher="openai", model=MODEL)


def at_most(requests) -> float:
    return sum(size_of(request).max_cost(price_of(MODEL), "batch").usd for request in requests)


def tokens_of(requests) -> int:
    """About the prompt tokens of these requests."""
    return sum(size_of(request).prompt_bytes // 4 + 1 for request in requests)


def all_rounds(server, requests, store, terms=BATCH) -> list[int]:
    """Rounds until nothing is pending; how many requests each round left pending."""
    found = []
    while pending := server.ask(requests, store, terms).pending:
        found.append(pending)
        assert len(found) < 20
    return found


def test_a_failed_batch_teaches_the_limit_and_portions_follow(store, asked):
    requests = asked(20)
    limit = tokens_of(requests[:6])
    with live(batch_token_limit=limit) as server:
        assert server.ask(requests, store).pending == 20  # no limit is known yet
        portions = all_rounds(server, requests, store)
        assert sum(portions) == 20
        assert max(portions) <= 6
        assert len(portions) <= 7
        assert (server.billed, server.repeated) == (20, 1)
        assert spent(store) == {"settled": pytest.approx(cost(server, "batch"))}
        # The limit is known from now on.
        more = asked(30)
        assert sum(all_rounds(server, more, store)) == 10
        assert column(store, "batches", "state").count("failed") == 1
    assert any("submitted again in smaller portions" in line for line in server.lines)
    assert any("more requests do not fit" in line for line in server.lines)


def test_a_setting_makes_portions_from_the_start(store, asked):
    requests = asked(12)
    limit = tokens_of(requests[:5])
    terms = Terms(service="batch", batch_tokens=limit)
    with live(batch_token_limit=limit) as server:
        portions = all_rounds(server, requests, store, terms)
        assert sum(portions) == 12
        assert len(portions) <= 4
        assert (server.billed, server.repeated) == (12, 1)
    assert set(column(store, "batches", "state")) == {"harvested"}


def test_each_portion_reserves_its_own_money(store, asked):
    requests = asked(9)
    terms = Terms(service="batch", batch_tokens=tokens_of(requests[:4]))
    with live(batch_seconds=DAY) as server:
        pending = server.ask(requests, store, terms).pending
        assert 0 < pending < 9
        assert spent(store) == {"reserved by batches": pytest.approx(at_most(requests[:pending]))}
        assert server.ask(requests, store, terms).pending == pending  # one portion is open at once
    assert len(column(store, "batches", "state")) == 1


class SizedServer:
    """Around a server: it knows the size of each uploaded file, and refuses what is too large."""

    def __init__(self, path, refusal, limit):
        self.path, self.refusal, self.limit = path, refusal, limit
        self.sizes: dict[str, int] = {}

    async def __call__(self, request, handler):
        size = 0
        if (request.method, request.path) == ("POST", "/v1/files"):
            response = await handler(request)
            file = json.loads(response.body)
            size = self.sizes[file["id"]] = file["bytes"]
        elif (request.method, request.path) == ("POST", "/v1/batches"):
            size = self.sizes[(await request.json())["input_file_id"]]
        if request.path == self.path and size > self.limit:
            return self.refusal()
        return response if request.path == "/v1/files" else await handler(request)


def bytes_of(requests) -> int:
    """The size of the input file of these requests."""
    [(_, _, data)] = input_files(requests, BATCH.dialect)
    return len(data)


@pytest.mark.parametrize("status", [400, 429])
def test_a_refused_creation_is_retried_smaller_in_the_same_round(store, asked, status):
    def refusal():
        message = "Enqueued token limit reached for gpt-4.1 in organization org-X."
        error = {"message": message, "code": "token_limit_exceeded"}
        return web.json_response({"error": error}, status=status)

    requests = asked(10)
    with live(SizedServer("/v1/batches", refusal, bytes_of(requests[:3]) * 1.2)) as server:
        portions = all_rounds(server, requests, store)
        assert sum(portions) == 10
        assert (server.billed, server.repeated) == (10, 1)
        assert spent(store) == {"settled": pytest.approx(cost(server, "batch"))}
    states = column(store, "batches", "state")
    assert "failed" in states
    assert "submitting" not in states


@pytest.mark.parametrize(
    ("status", "message"),
    [(413, "<html>Request Entity Too Large</html>"), (400, "File is too large.")],
)
def test_a_file_that_is_too_large_is_split(store, asked, status, message):
    def refusal():
        return web.Response(status=status, text=message)

    requests = asked(6)
    with live(SizedServer("/v1/files", refusal, bytes_of(requests[:2]) * 1.2)) as server:
        portions = all_rounds(server, requests, store)
        assert sum(portions) == 6
        assert (server.billed, server.repeated) == (6, 1)


def test_a_single_request_above_the_limit_ends_with_what_to_do(store, asked):
    with live(batch_token_limit=100) as server:
        server.ask(asked(3), store)
        with pytest.raises(TeacherError) as refused:
            server.ask(asked(3), store)
        assert "A single request takes about" in str(refused.value)
        assert "BIOINSTRUCT_SERVICE=online" in str(refused.value)
        assert (server.count("POST", "/batches"), server.billed) == (1, 0)
        assert spent(store) == {}
        with pytest.raises(TeacherError, match="BIOINSTRUCT_BATCH_TOKENS"):
            server.ask(asked(3), store, Terms(service="batch", batch_tokens=100))


def test_a_queue_that_stays_full_ends_after_a_few_smaller_portions(store, asked):
    async def around(request, handler):
        if (request.method, request.path) == ("POST", "/v1/batches"):
            error = {
                "message": "Enqueued token limit reached. Limit: 2,000,000 enqueued tokens.",
                "code": "token_limit_exceeded",
            }
            return web.json_response({"error": error}, status=429)
        return await handler(request)

    with live(around) as server:
        with pytest.raises(TeacherError) as refused:
            server.ask(asked(40), store)
        assert "Other batches of your organization may fill its queue" in str(refused.value)
        assert server.count("POST", "/batches") <= 8
        assert (spent(store), server.billed) == ({}, 0)
        server.teacher.around = None
        assert sum(all_rounds(server, asked(40), store)) == 40
        assert server.repeated == 1


def test_a_queue_that_our_other_batches_fill_stops_with_the_reason(store, asked):
    from dataclasses import replace

    requests = asked(8)
    others = [replace(request, purpose="categorization") for request in asked(16)[8:]]
    limit = tokens_of(requests[:4])
    terms = Terms(service="batch", batch_tokens=limit)
    with live(batch_seconds=DAY) as server:
        assert server.ask(requests, store, terms).pending
        tally = server.ask(others, store, terms)
        assert tally.pending == 0
        assert "Open batches of other requests hold" in tally.stopped
        assert server.count("POST", "/batches") == 1


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (429, "You have too many batches open.", "takes no more batches now"),
        (403, "Your project may not use batches.", "may use the Batch API"),
        (400, "The model gpt-4.1 has no batches.", "BIOINSTRUCT_SERVICE=online"),
    ],
)
def test_other_refusals_are_said_in_the_servers_words(store, asked, status, message, advice):
    async def around(request, handler):
        if (request.method, request.path) == ("POST", "/v1/batches"):
            return web.json_response({"error": {"message": message}}, status=status)
        return await handler(request)

    with live(around) as server:
        with pytest.raises(TeacherError) as refused:
            server.ask(asked(3), store)
        assert message in str(refused.value)
        assert advice in str(refused.value)
        assert "BIOINSTRUCT_SERVICE=online" in str(refused.value)
        assert (column(store, "batches", "state"), spent(store)) == (["failed"], {})


def test_a_refused_portion_is_noted_with_the_limit_that_the_server_named(store, asked):
    requests = asked(10)
    limit = tokens_of(requests[:5])
    with live(batch_token_limit=limit) as server:
        server.ask(requests, store)
        server.ask(requests, store)
    rows = store.rows(
        "select state, requests, prompt_tokens, token_limit, usd from batches order by submitted_at"
    )
    assert (rows[0]["state"], rows[0]["token_limit"], rows[0]["usd"]) == ("failed", limit, None)
    assert rows[1]["prompt_tokens"] <= 0.8 * limit
    assert json.loads(store.rows("select resume from batches")[0]["resume"]) == {}
