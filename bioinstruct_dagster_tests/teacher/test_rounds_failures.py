"""When the teacher fails: what stops a run, what costs one request, and what is tried again."""

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.flow import retries
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

KEY = "sk-proj-a-key-that-nobody-may-see"
NO_CREDIT = [
    (402, None, "refuses further requests: HTTP 402.*Add credit"),
    (429, "insufficient_quota", "refuses further requests: insufficient_quota.*run again"),
    (429, "billing_hard_limit_reached", "refuses further requests: billing_hard_limit_reached"),
]


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    """The same delays before a request is sent again, a thousandth as long."""
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.0005)
    monkeypatch.setattr(retries, "LONGEST_SECONDS", 0.008)


@pytest.fixture
def ask_at(store):
    def run(requests, url, *, concurrency=4, key=KEY):
        endpoint = Endpoint(url, key, rehearsal=False)
        return ask(
            session_of(endpoint, store, terms=Terms(concurrency=concurrency)),
            requests,
        )

    return run


def stored_numbers(store) -> list[int]:
    statement = "select request_number as n from completions order by n"
    return [row["n"] for row in store.rows(statement)]


def everything_said_by(error: BaseException | None) -> str:
    """The text of an error and of all that a log would show beneath it."""
    said = []
    while error is not None:
        said.append(f"{error!r} {error}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(said)


@pytest.mark.parametrize(("status", "code", "advice"), NO_CREDIT)
def test_a_run_without_credit_stops_at_once(
    ask_at, store, requests_of, serve, reply, refuse, status, code, advice
):
    answered = 6

    async def answer(_):
        if len(served.bodies) > answered:
            return refuse(status, code, f"Incorrect API key provided: {KEY[:7]}***{KEY[-4:]}.")
        return reply()

    served = serve(answer)
    with pytest.raises(TeacherError, match=advice) as caught:
        ask_at(requests_of(100), served.url)
    assert len(served.bodies) <= answered + 4  # those in flight, and not one more
    assert answered - 4 < len(stored_numbers(store)) <= answered  # in flight again
    said = everything_said_by(caught.value)
    assert not any(part in said for part in (KEY, KEY[:7], KEY[-4:]))


def test_a_failed_request_is_sent_again_by_the_next_run(
    ask_at, store, requests_of, serve, reply, refuse
):
    requests = requests_of(20)
    broken = {requests[number].parameters["seed"] for number in (3, 4, 17)}

    async def answer(body):
        if body["seed"] in broken:
            return refuse(500, None, "The model fell over.", retry=False)
        return reply()

    served = serve(answer)
    tally = ask_at(requests, served.url)
    assert (tally.asked, tally.failed) == (17, 3)
    assert len(tally.errors) == 3
    assert all("The model fell over." in message for message in tally.errors)
    assert stored_numbers(store) == [n for n in range(20) if n not in (3, 4, 17)]

    failed, broken = set(broken), set()
    served.bodies.clear()
    tally = ask_at(requests, served.url)
    assert (tally.asked, tally.reused, tally.failed) == (3, 17, 0)
    assert set(served.asked_seeds()) == failed
    assert stored_numbers(store) == list(range(20))


def test_a_passing_refusal_is_tried_again_and_nothing_is_lost(
    ask_at, store, requests_of, serve, reply, refuse
):
    seen = set()

    async def answer(body):
        if body["seed"] not in seen:
            seen.add(body["seed"])
            return refuse(*[(429, "rate_limit_exceeded"), (503, None)][len(seen) % 2])
        return reply()

    served = serve(answer)
    tally = ask_at(requests_of(6), served.url)
    assert (tally.asked, tally.failed) == (6, 0)
    assert len(served.bodies) == 12
    assert stored_numbers(store) == list(range(6))


def test_where_all_fail_the_run_fails_with_the_first_reason(ask_at, requests_of, serve, refuse):
    async def answer(_):
        return refuse(400, "context_length_exceeded", "Too long.")

    with pytest.raises(TeacherError, match=r"All 7 requests .* failed.*Too long\."):
        ask_at(requests_of(7), serve(answer).url)


def test_a_failed_round_with_stored_completions_is_no_error(
    ask_at, requests_of, serve, reply, refuse
):
    async def answer(_):
        return reply() if len(served.bodies) <= 2 else refuse(400, None)

    served = serve(answer)
    ask_at(requests_of(2), served.url)
    tally = ask_at(requests_of(9), served.url)
    assert (tally.asked, tally.reused, tally.failed) == (0, 2, 7)
    assert len(tally.errors) == 5  # enough to see the reason, not a flood


@pytest.mark.parametrize(
    "odd",
    [
        {"text": "<html>Please log in</html>", "content_type": "text/html"},
        {"text": "{", "content_type": "application/json"},
        {"text": "null", "content_type": "application/json"},
        {"text": "{}", "content_type": "application/json"},
        {"text": '{"choices": []}', "content_type": "application/json"},
        {"text": '{"choices": [{"message": null}]}', "content_type": "application/json"},
    ],
    ids=lambda odd: odd["text"],
)
def test_a_success_that_is_no_completion_is_stored_as_it_is(
    ask_at, store, requests_of, serve, reply, odd
):
    requests = requests_of(5)

    async def answer(body):
        if body["seed"] == requests[2].parameters["seed"]:
            return web.Response(**odd)
        return reply()

    served = serve(answer)
    tally = ask_at(requests, served.url)
    assert (tally.asked, tally.failed, tally.retried, len(served.bodies)) == (5, 0, 0, 5)
    assert stored_numbers(store) == [0, 1, 2, 3, 4]
    assert store.rows("select body from completions where content = ''") == [{"body": odd["text"]}]


def test_a_success_without_a_body_costs_that_request_only(ask_at, store, requests_of, serve, reply):
    requests = requests_of(5)

    async def answer(body):
        if body["seed"] == requests[2].parameters["seed"]:
            return web.Response(text="", content_type="application/json")
        return reply()

    tally = ask_at(requests, serve(answer).url)
    assert (tally.asked, tally.failed) == (4, 1)
    assert stored_numbers(store) == [0, 1, 3, 4]


def test_a_key_that_a_server_repeats_is_not_shown(ask_at, requests_of, serve, refuse):
    async def answer(_):
        return refuse(400, None, f"Bad request with header Bearer {KEY}.")

    with pytest.raises(TeacherError, match=r"Bearer \[key\]") as caught:
        ask_at(requests_of(2), serve(answer).url)
    assert KEY not in everything_said_by(caught.value)


@pytest.mark.parametrize(
    "key", [f"{KEY}\n", f"{KEY}\r\n{KEY}", f"{KEY}é", f"{KEY}\u200b", f" {KEY}"]
)
def test_an_unsendable_key_is_an_error_that_does_not_show_it(
    ask_at, requests_of, serve, reply, key
):
    async def answer(_):
        return reply()

    served = serve(answer)
    with pytest.raises(TeacherError, match="OPENAI_API_KEY holds a character") as caught:
        ask_at(requests_of(1), served.url, key=key)
    assert served.bodies == []
    assert KEY not in everything_said_by(caught.value)


def test_the_key_is_stored_nowhere(ask_at, store, requests_of, serve, reply, refuse):
    async def answer(_):
        return reply() if len(served.bodies) < 3 else refuse(401, None, f"Wrong key {KEY}")

    served = serve(answer)
    with pytest.raises(TeacherError):
        ask_at(requests_of(9), served.url)
    written = [path for path in store.path.parent.rglob("*") if path.is_file()]
    assert store.path in written
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []
    assert KEY not in str(store.rows("select * from completions"))
