"""The Batch API end to end: submitted, ended in every way, harvested, and never paid for twice."""

import json
import time

import pytest
from aiohttp import web

from bioinstruct_dagster.curation.category.labelling import label_rows
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.batch_api import files as batch_files
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.rehearsal_servers import (
    BATCH,
    KEY,
    MODEL,
    column,
    cost,
    live,
    spent,
)
from bioinstruct_dagster_tests.teacher.sessions import session_of

DAY = 86_400.0
ONLINE = Terms(concurrency=4)


@pytest.fixture
def asked(requests_of):
    """Requests to a teacher with a price."""
    return lambda count: requests_of(count, teacher="openai", model=MODEL)


def at_most(requests) -> float:
    return sum(size_of(request).max_cost(price_of(MODEL), "batch").usd for request in requests)


def state(store) -> list[str]:
    return column(store, "batches", "state")


def test_a_round_submits_and_the_next_one_harvests(store, asked):
    requests = asked(5)
    with live(batch_seconds=DAY) as server:
        first = server.ask(requests, store)
        assert (first.pending, first.asked, server.billed) == (5, 0, 0)
        assert state(store) == ["open"]
        waiting = server.ask(requests, store)
        assert (waiting.pending, waiting.asked) == (5, 0)
    assert column(store, "completions", "completion_id") == []


def test_a_harvest_stores_online_replies_at_half_the_price(store, asked, tmp_path):
    requests = asked(4)
    with live() as server:
        server.ask(requests, store)
        tally = server.ask(requests, store)
        assert (tally.asked, tally.pending, tally.failed) == (4, 0, 0)
        assert server.ask(requests, store).reused == 4
        assert (server.billed, server.repeated, server.count("POST", "/batches")) == (4, 1, 1)
        assert spent(store) == {"settled": pytest.approx(cost(server, "batch"))}
        assert cost(server, "batch") == pytest.approx(cost(server, "online") / 2)
        online = type(store)(tmp_path / "other" / "store.duckdb")
        server.ask(requests, online, ONLINE)
    same = "completion_id, content, finish_reason, messages, parameters, prompt_tokens, seed_ids"
    statement = f"select {same} from completions order by completion_id"
    assert store.rows(statement) == online.rows(statement)
    [row] = store.rows("select distinct service, batch_id from completions")
    assert row["service"] == "batch"
    assert [row["batch_id"]] == column(store, "batches", "batch_id")
    assert state(store) == ["harvested"]


def test_an_expired_batch_resubmits_only_missing_requests(store, asked):
    requests = asked(10)
    with live(batch_expire_share=0.3) as server:
        server.ask(requests, store)
        again = server.ask(requests, store)
        assert (again.asked, again.pending) == (7, 3)
        while server.ask(requests, store).pending:
            assert server.count("POST", "/batches") < 9
        assert (server.billed, server.repeated) == (10, 1)
    assert len(column(store, "completions", "completion_id")) == 10
    assert "expired" in column(store, "batches", "status")
    submitted = store.rows("select requests from batches order by submitted_at")
    assert [row["requests"] for row in submitted][:2] == [10, 3]


def test_a_batch_that_fails_validation_is_submitted_again(store, asked):
    async def around(request, handler):
        response = await handler(request)
        if request.method == "GET" and request.path.startswith("/v1/batches/") and broken:
            batch = json.loads(response.body)
            error = {"code": "model_not_found", "message": "The model has no batches."}
            batch |= {"status": "failed", "errors": {"object": "list", "data": [error]}}
            return web.json_response(batch)
        return response

    broken = [True]
    with live(around, batch_seconds=DAY) as server:
        server.ask(asked(3), store)
        with pytest.raises(TeacherError) as failed:
            server.ask(asked(3), store)
        assert "The model has no batches" in str(failed.value)
        assert "Nothing was billed" in str(failed.value)
        assert "BIOINSTRUCT_SERVICE=online" in str(failed.value)
        assert server.billed == 0
        assert (state(store), spent(store)) == (["failed"], {})
        broken.clear()
        assert server.ask(asked(2), store).pending == 2


def test_a_batch_with_too_many_lines_is_submitted_in_smaller_ones(store, asked):
    with live(batch_max_lines=2) as server:
        server.ask(asked(3), store)
        rounds = 0
        while server.ask(asked(3), store).pending:
            rounds += 1
        assert rounds <= 3
        assert (server.billed, server.repeated) == (3, 1)
    assert max(column(store, "batches", "requests")) == 3


def test_a_cancelled_batch_is_harvested_and_stops_the_run(store, asked):
    from openai import OpenAI

    with live(batch_seconds=2.0) as server:
        server.ask(asked(40), store)
        [batch_id] = column(store, "batches", "batch_id")
        with OpenAI(api_key=KEY, base_url=server.endpoint.base_url) as client:
            while client.batches.retrieve(batch_id).request_counts.completed == 0:
                time.sleep(0.01)
            client.batches.cancel(batch_id)
            while client.batches.retrieve(batch_id).status != "cancelled":
                time.sleep(0.01)
        # Whoever cancelled it does not want the rest to be submitted behind their back.
        with pytest.raises(TeacherError, match="was cancelled"):
            server.ask(asked(40), store)
        assert server.count("POST", "/batches") == 1
        stored = len(column(store, "completions", "completion_id"))
        assert 0 < stored < 40
        again = server.ask(asked(40), store)
        assert (again.reused, again.pending, server.repeated) == (stored, 40 - stored, 1)


def test_more_lines_than_a_file_may_have_become_several_batches(store, asked, monkeypatch):
    monkeypatch.setattr(batch_files, "MAX_LINES", 3)
    with live(batch_max_lines=3) as server:
        assert server.ask(asked(8), store).pending == 8
        assert column(store, "batches", "requests") == [2, 3, 3]
        assert server.ask(asked(8), store).asked == 8
        assert (server.billed, server.repeated) == (8, 1)


def test_more_bytes_than_a_file_may_have_become_several_batches(store, asked, monkeypatch):
    size = max(len(data) for _, _, data in batch_files.input_files(asked(6), BATCH.dialect)) // 6
    monkeypatch.setattr(batch_files, "MAX_BYTES", int(size * 2.5))
    with live(batch_max_bytes=int(size * 2.5)) as server:
        server.ask(asked(6), store)
        assert len(state(store)) == 3
        assert server.ask(asked(6), store).asked == 6


def test_open_batches_are_reserved_and_then_settled(store, asked):
    requests = asked(6)
    with live(batch_seconds=DAY) as server:
        server.ask(requests[:4], store)
        assert spent(store) == {"reserved by batches": pytest.approx(at_most(requests[:4]))}
        # Another purpose's requests meet the cap that the open batch fills.
        cap = at_most(requests[:4]) * 1.01
        others = [_other_purpose(request) for request in requests[4:]]
        tally = server.ask(others, store, Terms(concurrency=2, max_usd=cap))
        assert "BIOINSTRUCT_MAX_USD is reached" in tally.stopped
        assert server.billed == 0


def _other_purpose(request):
    from dataclasses import replace

    return replace(request, purpose="categorization")


def test_a_cap_limits_a_batch_until_it_is_raised(store, asked):
    requests = asked(6)
    with live() as server:
        capped = Terms(service="batch", max_usd=at_most(requests[:3]) * 1.001)
        first = server.ask(requests, store, capped)
        assert first.pending == 3
        assert "BIOINSTRUCT_MAX_USD" in first.stopped
        second = server.ask(requests, store, capped)  # what was reserved is mostly free again
        assert (second.asked, second.pending) == (3, 2)
        while server.ask(requests, store).pending:
            pass
        assert (server.billed, server.repeated) == (6, 1)


def test_turning_to_online_and_back_pays_for_nothing_again(store, asked):
    with live() as server:
        server.ask(asked(3), store, ONLINE)
        assert server.ask(asked(6), store).pending == 3
        # Online waits as well: their replies are on their way.
        tally = server.ask(asked(8), store, ONLINE)
        assert (tally.reused, tally.asked) == (3, 5)
        assert server.ask(asked(8), store).reused == 8
        assert (server.billed, server.repeated) == (8, 1)
    assert sorted(column(store, "completions", "service")) == ["batch"] * 3 + ["online"] * 5


def test_online_waits_for_an_open_batch(store, asked):
    with live(batch_seconds=DAY) as server:
        server.ask(asked(3), store)
        assert server.ask(asked(3), store, ONLINE).pending == 3
        assert server.billed == 0


def test_labels_come_by_batch_too(store):
    recorded = read_recordings()[0]
    texts = [task["instruction"] for task in json.loads(recorded.content)["tasks"]]
    rows = [{"row_id": text, "instruction": text, "rehearsal": True} for text in texts]
    store.replace({"seed_tasks": []})
    with live() as server:
        session = session_of(server.endpoint, store, terms=BATCH, model=MODEL)
        first = label_rows(rows, session)
        # One request for the labels, one for a second label of a sample.
        assert (first.rows, first.tally.pending) == ([], 2)
        second = label_rows(rows, session)
        assert second.by_teacher == len(texts)
        assert [row["category"] for row in second.rows] == list(recorded.categories)
        third = label_rows(rows, session)
        assert (third.by_teacher, server.billed) == (len(texts), 2)
    assert store.rows("select distinct purpose from batches") == [{"purpose": "categorization"}]


def test_error_lines_are_counted_and_submitted_again(store, asked):
    requests = asked(12)
    with live(faults={"server_error": 0.5}, fault_attempts=1, fault_seed=3) as server:
        server.ask(requests, store)
        again = server.ask(requests, store)
        assert 0 < again.asked < 12
        assert again.pending == 12 - again.asked
        assert server.ask(requests, store).asked == again.pending
        assert (server.billed, server.repeated) == (12, 1)
    [detail] = [d for d in column(store, "batches", "detail") if d]
    assert f"{again.pending} of 12 without a reply" in detail
    assert "The server had an error" in detail


def test_a_batch_of_errors_is_submitted_again_then_explained(store, asked):
    with live(faults={"server_error": 1.0}) as server:
        for _ in range(3):
            assert server.ask(asked(2), store).pending == 2
        message = r"(?s)brought no reply.*Nothing was billed.*BIOINSTRUCT_SERVICE=online"
        with pytest.raises(TeacherError, match=message):
            server.ask(asked(2), store)
        assert (state(store), server.billed) == (["failed"] * 3, 0)


def test_spoilt_replies_are_stored_as_they_are(store, asked):
    with live(faults={"refusal": 0.5, "length": 0.5}) as server:
        server.ask(asked(6), store)
        assert server.ask(asked(6), store).asked == 6
    reasons = store.rows("select refusal is not null as r, finish_reason from completions")
    assert {(row["r"], row["finish_reason"]) for row in reasons} == {
        (True, "stop"),
        (False, "length"),
    }


# Asked in the wrong place.


def test_a_batch_of_another_server_is_kept(store, asked):
    with live(batch_seconds=DAY) as first, live() as second:
        first.ask(asked(3), store)
        with pytest.raises(
            TeacherError, match="Another server would be paid for the same requests"
        ) as refused:
            second.ask(asked(3), store)
        assert first.endpoint.address in str(refused.value)
        assert second.teacher.calls == []
        assert batches.poll(second.endpoint, store) == []
        assert first.ask(asked(3), store).pending == 3
        embedded = Endpoint(second.endpoint.base_url, KEY, rehearsal=True)
        assert batches.poll(embedded, store) == []
    assert state(store) == ["open"]


def test_a_batch_unknown_to_the_server_is_kept_and_explained(store, asked):
    with live(batch_seconds=DAY) as server:
        server.ask(asked(3), store)
        server.teacher.around = _unknown
        with pytest.raises(TeacherError, match=r"does not know batch.*OPENAI_API_KEY"):
            server.ask(asked(3), store)
        server.teacher.around = None
        assert server.ask(asked(3), store).pending == 3
        assert server.count("POST", "/batches") == 1


async def _unknown(_request, _handler):
    return web.json_response({"error": {"message": "No batch found"}}, status=404)


def test_a_server_without_batches_is_named_with_the_way_out(store, asked):
    async def around(request, handler):
        if request.path.startswith("/v1/files"):
            raise web.HTTPNotFound
        return await handler(request)

    with live(around) as server:
        with pytest.raises(TeacherError, match="set BIOINSTRUCT_SERVICE=online"):
            server.ask(asked(2), store)
        assert server.ask(asked(2), store, ONLINE).asked == 2


def test_a_run_goes_on_towards_its_goal_under_its_own_caps(store, asked):
    from bioinstruct_dagster.teacher.batch_api.submission import submit
    from bioinstruct_dagster.teacher.feeds import ListFeed, Tally
    from bioinstruct_dagster.teacher.money.budget import Budget
    from bioinstruct_dagster.teacher.money.settling import BatchAccount, Billing

    feed = ListFeed(asked(2), set())
    feed.resume = {"instructions": 7, "requests": None, "seed": 3}
    terms = Terms(service="batch", run_max_usd=5.0, run_max_tokens=900_000)
    with live() as server:
        account = BatchAccount(Billing(server.endpoint, None, "batch"), Budget())
        submit(feed, store, account, terms=terms, tally=Tally(), log=lambda _: None)
    assert batches.resume_of(batches.open_batches(store)) == {
        "instructions": 7,
        "seed": 3,
        "max_usd": 5.0,
        "max_tokens": 900_000,
    }
