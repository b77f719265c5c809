"""When a server refuses: whether it refuses one request or all, and how a round ends."""

import asyncio
import json

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.flow import retries
from bioinstruct_dagster.teacher.flow.refusal_streak import (
    ACCESS_LIMIT,
    ALIKE_LIMIT,
    LOST_KEY_LIMIT,
)
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire import client
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

KEY = "sk-proj-a-key-that-nobody-may-see"
TOO_LONG = "This model's maximum context length is 4096 tokens. You requested {} tokens."
MASKED_KEY = f"Incorrect API key provided: {KEY[:7]}****{KEY[-4:]}."
PAGE = "<html><head><title>404 Not Found</title></head><body><h1>nginx</h1></body></html>"


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    """The same delays before a request is sent again, a thousandth as long."""
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.0005)
    monkeypatch.setattr(retries, "LONGEST_SECONDS", 0.008)


@pytest.fixture
def said() -> list[str]:
    """The lines of the log."""
    return []


@pytest.fixture
def ask_at(store, said):
    def run(requests, url, *, concurrency=4, **terms):
        return ask(
            session_of(
                Endpoint(url, KEY, rehearsal=False),
                store,
                terms=Terms(concurrency=concurrency, **terms),
                log=said.append,
            ),
            requests,
        )

    return run


def refused_in_store(store, columns="status, kind"):
    return store.rows(f"select distinct {columns} from teacher_refusals order by all")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            lambda: error(401, MASKED_KEY),
            ["rejects the key", "HTTP 401: Incorrect API key provided: [key]"],
        ),
        (lambda: error(403, "Forbidden."), ["rejects the key", "HTTP 403: Forbidden."]),
        (
            lambda: error(404, "The model `m` does not exist.", "model_not_found"),
            ["has no model 'gpt-4.1'", "The model `m` does not exist."],
        ),
        (
            lambda: web.Response(text=PAGE, status=404, content_type="text/html"),
            ["path may be wrong", "/v1", "404 Not Found"],
        ),
        (
            lambda: web.json_response({"detail": "Not Found"}, status=404),
            ["path may be wrong", "HTTP 404: Not Found"],
        ),
        (
            lambda: error(400, "API key not valid. Please pass a valid API key."),
            ["rejects the key", "API key not valid"],
        ),
    ],
    ids=["401", "403", "404 of a model", "404 of a page", "404 of a path", "400 about the key"],
)
def test_what_is_refused_for_all_ends_the_run_within_those_in_flight(
    ask_at, requests_of, serve, store, answer, says
):
    async def refuse_all(_):
        return answer()

    served = serve(refuse_all)
    with pytest.raises(TeacherError) as caught:
        ask_at(requests_of(100, model="gpt-4.1"), served.url)
    assert len(served.bodies) <= max(ACCESS_LIMIT, 4)
    message = str(caught.value)
    for part in (
        *says, served.url, "'gpt-4.1'", "'chat'", "OPENAI_API_KEY", "OPENAI_BASE_URL",
        "BIOINSTRUCT_TEACHER_MODEL", "BIOINSTRUCT_API",
    ):  # fmt: skip
        assert part in message
    for part in (KEY, KEY[:7], KEY[-4:]):
        assert part not in message
    (round_,) = store.rows("select asked, failed, stopped from teacher_rounds")
    assert (round_["asked"], round_["failed"]) == (0, len(served.bodies))
    assert round_["stopped"].startswith(message)


def error(status, message, code=None, **headers):
    body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_one_refused_request_is_counted_and_the_others_go_on(
    ask_at, requests_of, serve, reply, store, status
):
    requests = requests_of(30)
    refused = requests[1].parameters["seed"]

    async def answer(body):
        return error(status, "Refused.") if body["seed"] == refused else reply()

    served = serve(answer)
    tally = ask_at(requests, served.url)
    assert (tally.asked, tally.failed, tally.stopped) == (29, 1, None)
    assert [row["status"] for row in refused_in_store(store)] == [status]
    # The next run asks for it once more, and does not end because of it.
    tally = ask_at(requests, served.url)
    assert (tally.asked, tally.reused, tally.failed, tally.stopped) == (0, 29, 1, None)
    assert served.asked_seeds().count(refused) == 2
    tally = ask_at(requests_of(40), served.url)
    assert (tally.asked, tally.failed, tally.stopped) == (10, 1, None)


def test_a_rerun_does_not_end_at_the_requests_that_were_refused_before(
    ask_at, requests_of, serve, reply, store
):
    requests = requests_of(120)
    refused = {request.parameters["seed"] for request in requests[::3]}

    async def answer(body):
        if body["seed"] in refused:
            return error(403, "Your input was flagged by moderation.")
        return reply()

    served = serve(answer)
    assert ask_at(requests, served.url).asked == 80
    assert refused_in_store(store) == [{"status": 403, "kind": "moderation"}]
    served.bodies.clear()
    tally = ask_at(requests_of(150), served.url)
    assert (tally.asked, tally.failed, tally.stopped) == (30, 40, None)
    assert ALIKE_LIMIT < 40


@pytest.mark.parametrize("concurrency", [1, 4, 64])
def test_twenty_refused_alike_end_the_round_with_the_words_and_the_setting(
    ask_at, requests_of, serve, reply, store, concurrency
):
    accepted = 6

    async def answer(_):
        number = len(served.bodies)
        return reply() if number <= accepted else error(400, TOO_LONG.format(number))

    served = serve(answer)
    tally = ask_at(requests_of(500), served.url, concurrency=concurrency)
    assert tally.asked == accepted
    assert tally.failed == len(served.bodies) - accepted
    assert tally.failed <= ALIKE_LIMIT + concurrency
    for part in (
        f"refused {tally.failed} different requests", "HTTP 400: This model's maximum context",
        "BIOINSTRUCT_TASKS_PER_REQUEST", "shorter seeds", served.url, "'chat'",
        "6 completions of this round are stored",
    ):  # fmt: skip
        assert part in tally.stopped
    (round_,) = store.rows("select failed, stopped from teacher_rounds")
    assert round_ == {"failed": tally.failed, "stopped": tally.stopped}


def test_without_a_reply_the_refusals_are_an_error(ask_at, requests_of, serve, said):
    async def answer(_):
        return error(400, "response_format is not supported by this model.")

    served = serve(answer)
    with pytest.raises(TeacherError, match=r"refused 2\d different.*BIOINSTRUCT_REPLY_FORMAT"):
        ask_at(requests_of(300), served.url)
    assert len(served.bodies) <= ALIKE_LIMIT + 4
    assert any(line.startswith("Failures so far: ") for line in said)


def test_refusals_whose_words_repeat_the_prompt_end_the_round_too(ask_at, requests_of, serve):
    async def answer(body):
        prompt = body["messages"][-1]["content"]
        return web.json_response({"detail": [{"msg": f"Odd: {prompt[:200]}"}]}, status=422)

    served = serve(answer)
    with pytest.raises(TeacherError, match="different requests"):
        ask_at(requests_of(300), served.url)
    assert len(served.bodies) <= 2 * ALIKE_LIMIT + 4


def test_a_key_that_is_withdrawn_ends_the_run(ask_at, requests_of, serve, reply, store):
    async def answer(_):
        return reply() if len(served.bodies) <= 6 else error(401, MASKED_KEY)

    served = serve(answer)
    with pytest.raises(TeacherError, match="rejects the key"):
        ask_at(requests_of(100), served.url)
    assert len(served.bodies) <= 6 + LOST_KEY_LIMIT + 4
    assert store.rows("select count(*) as n from completions") == [{"n": 6}]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "ThrottlingException: Too many requests, please wait before trying again."),
        (403, "Rate limit reached for requests."),
        (422, "The server is busy."),
    ],
)
def test_a_rate_limit_under_another_status_is_waited_for(
    ask_at, requests_of, serve, reply, status, message
):
    seen = set()

    async def answer(body):
        if body["seed"] in seen:
            return reply()
        seen.add(body["seed"])
        return error(status, message)

    tally = ask_at(requests_of(6), serve(answer).url)
    assert (tally.asked, tally.failed, tally.rate_limited) == (6, 0, 6)


@pytest.mark.parametrize(
    "message",
    ["Context size has been exceeded.", "litellm.BadRequestError: Invalid request."],
)
def test_a_500_that_is_about_the_request_is_not_sent_again(
    ask_at, requests_of, serve, reply, message
):
    requests = requests_of(5)
    odd = requests[2].parameters["seed"]

    async def answer(body):
        return error(500, message) if body["seed"] == odd else reply()

    served = serve(answer)
    tally = ask_at(requests, served.url)
    assert (tally.asked, tally.failed, tally.retried) == (4, 1, 0)


@pytest.mark.parametrize(
    ("status", "message"),
    [(429, "Insufficient credits."), (400, "Your credit balance is too low to use the API.")],
)
def test_no_credit_in_words_ends_the_run_at_once(ask_at, requests_of, serve, status, message):
    async def answer(_):
        return error(status, message)

    served = serve(answer)
    with pytest.raises(TeacherError, match=r"refuses further requests.*Add credit"):
        ask_at(requests_of(100), served.url)
    assert len(served.bodies) <= 4


def test_a_server_that_wants_every_refusal_repeated_gets_few_requests(ask_at, requests_of, serve):
    async def answer(_):
        return error(400, "Odd.", **{"x-should-retry": "true"})

    served = serve(answer)
    with pytest.raises(TeacherError, match="different requests"):
        ask_at(requests_of(300), served.url)
    # Other requests are on their way between two attempts when the twentieth is given up.
    assert len(served.bodies) <= 2 * ALIKE_LIMIT * (retries.MAX_RETRIES + 1)


def test_the_next_run_knows_the_refusals_of_this_server_only(
    ask_at, requests_of, serve, reply, store
):
    async def refuse_some(_):
        return reply() if len(served.bodies) <= 2 else error(400, "Odd \ud83d.")

    served = serve(refuse_some)
    ask_at(requests_of(300), served.url)
    rows = store.rows("select endpoint, status, message, request_number from teacher_refusals")
    assert {row["endpoint"] for row in rows} == {served.url}
    assert {row["message"] for row in rows} == {"Odd \\ud83d."}
    assert len(rows) == len(served.bodies) - 2
    other = serve(refuse_some)
    served = other
    tally = ask_at(requests_of(300), other.url)
    assert tally.failed <= ALIKE_LIMIT + 4  # all count, because another server refused them


def test_the_failures_are_logged_while_they_happen(ask_at, requests_of, serve, reply, said):
    async def answer(body):
        return error(400, json.dumps(body["seed"])) if len(served.bodies) % 2 else reply()

    served = serve(answer)
    tally = ask_at(requests_of(100), served.url)
    assert tally.failed > 30
    assert sum("Failures so far" in line for line in said) == 1  # in ten seconds
    assert any(f"{tally.failed} requests failed: {tally.failed} × HTTP 400" in s for s in said)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refusals_that_come_before_slower_replies_do_not_end_the_round(
    ask_at, requests_of, serve, reply, status
):
    """Of those in flight, more than twenty may be refused before the first reply comes."""
    requests = requests_of(80)
    refused = {request.parameters["seed"] for request in requests[:30]}
    in_flight, refusals = asyncio.Event(), asyncio.Event()
    left = set(refused)

    async def answer(body):
        if len(served.bodies) >= 60:
            in_flight.set()
        await asyncio.wait_for(in_flight.wait(), 30)
        if body["seed"] in refused:
            left.discard(body["seed"])
            if not left:
                refusals.set()
            return error(status, "Refused.")
        await asyncio.wait_for(refusals.wait(), 30)
        await asyncio.sleep(0.2)
        return reply()

    served = serve(answer)
    limits = {"known_limits": (1e6, None)}  # so that all may be in flight at once
    tally = ask_at(requests, served.url, concurrency=60, **limits)
    assert (tally.asked, tally.failed, tally.stopped) == (50, 30, None)


def test_bodies_without_end_end_a_round_and_may_be_billed(
    ask_at, requests_of, serve, store, monkeypatch
):
    monkeypatch.setattr(client, "MAX_BODY_BYTES", 10**6)

    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"y" * 10**6)

    application = web.Application()
    application.router.add_post("/v1/chat/completions", answer)
    served = serve(application)
    with pytest.raises(TeacherError, match="no end came"):
        ask_at(requests_of(60, model="gpt-4.1"), served.url)
    (round_,) = store.rows("select asked, failed, presumed, stopped from teacher_rounds")
    assert round_["asked"] == 0
    assert round_["failed"] == round_["presumed"] < 30
    assert "no end came" in round_["stopped"]
