"""Asking the teacher: every reply is stored whole, what is stored is never asked for again."""

import asyncio
import json
import re

import pytest

from bioinstruct_dagster.rehearsal.api_server import app as server
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.store.journal import CompletionJournal
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.rounds import ask, known_completions
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

KEY = "sk-proj-a-key-that-nobody-may-see"
COMPLETIONS = "select * from completions order by request_number"


@pytest.fixture
def said() -> list[str]:
    """What `ask` logged."""
    return []


@pytest.fixture
def ask_at(store, said):
    """Ask a server, with the test's store and log."""

    def run(requests, url, *, concurrency=4, key=KEY, rehearsal=False):
        endpoint = Endpoint(url, key, rehearsal=rehearsal)
        return ask(
            session_of(endpoint, store, terms=Terms(concurrency=concurrency), log=said.append),
            requests,
        )

    return run


@pytest.fixture(scope="module")
def rehearsal_url():
    with server.serve_recordings() as url:
        yield url


def test_every_reply_is_stored_with_its_whole_request(ask_at, store, requests_of, rehearsal_url):
    requests = requests_of(12)
    tally = ask_at(requests, rehearsal_url, rehearsal=True)
    assert (tally.asked, tally.reused, tally.failed) == (12, 0, 0)
    rows = store.rows(COMPLETIONS)
    recordings = read_recordings()
    for request, row in zip(requests, rows, strict=True):
        recording = recordings[request.parameters["seed"] % len(recordings)]
        assert row["completion_id"] == request.completion_id
        assert json.loads(row["messages"]) == request.messages
        assert json.loads(row["parameters"]) == request.parameters
        assert tuple(row["seed_ids"]) == request.seed_ids
        for name in ("purpose", "teacher", "template_id", "template_sha256"):
            assert row[name] == getattr(request, name)
        assert (row["run_seed"], row["request_number"]) == (42, request.request_number)
        assert (row["content"], row["refusal"]) == (recording.content, recording.refusal)
        assert row["finish_reason"] == recording.finish_reason
        assert row["model_asked"] == row["model_answered"] == "rehearsal-teacher"
        assert row["rehearsal"] is True
        assert row["usd"] > 0  # of a pretended price
        assert row["prompt_tokens"] > 0
        assert row["completion_tokens"] == -(-len(recording.content) // 4)
        assert row["request_id"].startswith("req_")
        assert row["requested_at"] <= row["completed_at"]


def test_stored_completions_are_reused(ask_at, said, store, requests_of, serve, reply):
    async def answer(body):
        return reply(f"reply {body['seed']}")

    served = serve(answer)
    assert ask_at(requests_of(6), served.url).asked == 6
    before = store.rows(COMPLETIONS)
    again = ask_at(requests_of(6), served.url)
    assert (again.asked, again.reused) == (0, 6)
    grown = ask_at(requests_of(9), served.url)
    assert (grown.asked, grown.reused) == (3, 6)
    assert len(served.bodies) == 9
    assert store.rows(COMPLETIONS)[:6] == before
    assert any(re.search(r"\b6\b.*\breused\b.*\b3\b", line) for line in said)


def test_with_everything_stored_no_server_is_needed(ask_at, requests_of, serve, reply):
    async def answer(_):
        return reply()

    ask_at(requests_of(3), serve(answer).url)
    assert ask_at(requests_of(3), "http://127.0.0.1:9/v1").reused == 3


def test_what_a_killed_run_left_in_the_journal_is_reused(
    ask_at, store, requests_of, serve, reply, tmp_path
):
    async def answer(_):
        return reply()

    served = serve(answer)
    ask_at(requests_of(2), served.url)
    row = store.rows(COMPLETIONS)[0]
    for name in ("parameters", "messages"):
        row[name] = json.loads(row[name])
    for name in ("requested_at", "completed_at"):
        row[name] = row[name].isoformat()
    third = requests_of(3)[2]

    async def leave():
        async with CompletionJournal(store) as journal:
            await journal.append({**row, "completion_id": third.completion_id})

    asyncio.run(leave())
    tally = ask_at(requests_of(3), served.url)
    assert (tally.asked, tally.reused) == (0, 3)
    assert len(served.bodies) == 2


def test_a_rehearsal_teacher_at_a_real_address_is_a_rehearsal(
    ask_at, store, requests_of, rehearsal_url
):
    ask_at(requests_of(1, teacher="openai", model="gpt-4.1"), rehearsal_url, rehearsal=False)
    assert store.rows("select rehearsal from completions") == [{"rehearsal": True}]


def test_a_request_that_is_given_twice_is_asked_once(ask_at, requests_of, serve, reply):
    async def answer(_):
        return reply()

    served = serve(answer)
    assert ask_at([*requests_of(2), *requests_of(2)], served.url).asked == 2
    assert len(served.bodies) == 2


def test_each_round_is_recorded_whichever_way_it_ended(
    ask_at, store, requests_of, serve, reply, refuse
):
    async def answer(_):
        return reply() if len(served.bodies) <= 3 else refuse(401, None)

    served = serve(answer)
    ask_at(requests_of(2), served.url)
    with pytest.raises(TeacherError):
        ask_at(requests_of(9), served.url, concurrency=1)
    statement = "select purpose, model, reused, asked, failed from teacher_rounds order by reused"
    about = {"purpose": "generation", "model": "rehearsal-teacher"}
    assert store.rows(statement) == [
        {**about, "reused": 0, "asked": 2, "failed": 0},
        {**about, "reused": 2, "asked": 1, "failed": 6},
    ]


def test_nothing_asked_is_nothing_done(ask_at, store):
    tally = ask_at([], "http://127.0.0.1:9/v1")
    assert (tally.asked, tally.reused, tally.failed) == (0, 0, 0)
    assert not store.path.exists()
    assert known_completions(store, ["a"]) == set()


def test_the_server_gets_the_request_as_it_is_stored(ask_at, requests_of, serve, reply):
    async def answer(_):
        return reply()

    served = serve(answer)
    (request,) = requests_of(1, model="gpt-4.1")
    ask_at([request], served.url)
    assert served.bodies == [
        {
            "model": "gpt-4.1",
            "messages": list(request.messages),
            **request.parameters,
            "stream": False,
        }
    ]
    assert served.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize("concurrency", [1, 3, 50])
def test_as_many_requests_are_in_flight_as_allowed_and_no_more(
    ask_at, requests_of, serve, reply, concurrency
):
    allowed = min(concurrency, 12)
    full = asyncio.Event()

    async def answer(_):
        if served.in_flight >= allowed:
            full.set()
        await asyncio.wait_for(full.wait(), 60)  # nobody is answered before all places are taken
        return reply()

    served = serve(answer)
    assert ask_at(requests_of(12), served.url, concurrency=concurrency).asked == 12
    assert served.most_in_flight == allowed


def test_a_slow_request_holds_back_no_other(ask_at, requests_of, serve, reply):
    others_done = asyncio.Event()

    async def answer(body):
        if body["seed"] == served.bodies[0]["seed"]:
            await asyncio.wait_for(others_done.wait(), 60)
        elif len(served.bodies) == 10:
            others_done.set()
        return reply()

    served = serve(answer)
    tally = ask_at(requests_of(10), served.url, concurrency=2)
    assert (tally.asked, tally.failed) == (10, 0)


@pytest.mark.parametrize(
    ("model", "parts", "stored"),
    [
        ("gpt-4.1", {}, {"prompt_tokens": 100, "completion_tokens": 10, "usd": 0.00028}),
        ("a-local-model", {}, {"prompt_tokens": 100, "completion_tokens": 10, "usd": None}),
        ("gpt-4.1", {"usage": None}, {"prompt_tokens": None, "usd": None}),
        ("m", {"content": None, "refusal": "I won't."}, {"content": "", "refusal": "I won't."}),
        ("m", {"system_fingerprint": "fp_1"}, {"system_fingerprint": "fp_1"}),
        ("m", {"content": "half \ud83d"}, {"content": "half \\ud83d"}),
        ("m", {}, {"model_answered": "answering-model", "request_id": "req-of-the-server"}),
        ("m", {}, {"rehearsal": False, "model_asked": "m"}),
    ],
)
def test_what_a_server_says_or_leaves_out_is_stored_as_that(
    ask_at, store, requests_of, serve, reply, model, parts, stored
):
    async def answer(_):
        return reply(**parts)

    ask_at(requests_of(1, model=model), serve(answer).url)
    (row,) = store.rows(COMPLETIONS)
    assert {name: row[name] for name in stored} == stored


@pytest.mark.parametrize("part", ["model", "system_fingerprint"])
def test_half_an_emoji_in_any_part_of_a_reply_does_not_lose_it(
    ask_at, store, requests_of, serve, reply, part
):
    async def answer(_):
        return reply("paid for", **{part: "\ud83d"})

    assert ask_at(requests_of(2), serve(answer).url).asked == 2
    assert [row["content"] for row in store.rows(COMPLETIONS)] == ["paid for"] * 2
