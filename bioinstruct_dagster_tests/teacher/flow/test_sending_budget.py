"""Caps over real HTTP: whatever fails on the way, the server never bills more than a cap allows."""

import pytest

from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    serve_teacher,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.flow import retries
from bioinstruct_dagster.teacher.money import prices
from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.money.prices import Price, price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

MODEL = "gpt-4.1"
FAULTS = {"reset": 0.06, "truncated_json": 0.02, "server_error": 0.06, "rate_limited": 0.06,
          "unavailable": 0.02, "slow": 0.06}  # fmt: skip


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    """The same delays before a request is sent again, a fiftieth as long."""
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(retries, "LONGEST_SECONDS", 0.16)


@pytest.fixture
def teacher_with():
    """Serve the rehearsal teacher with these options; all end with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(**options):
            teacher = RehearsalTeacher(read_recordings(), options=ServerOptions(**options))
            return stack.enter_context(serve_teacher(teacher)), teacher.ledger

        yield start


@pytest.fixture
def ask_at(store):
    def run(requests, url, log=lambda _: None, announce=None, **terms):
        endpoint = Endpoint(url, "key", rehearsal=False)
        return ask(
            session_of(endpoint, store, terms=Terms(**terms), log=log), requests, announce=announce
        )

    return run


def billed_usd(ledger) -> float:
    """What a real server would ask for."""
    return price_of(MODEL).usd(ledger.prompt_tokens, ledger.completion_tokens)


def billed_tokens(ledger) -> int:
    return ledger.prompt_tokens + ledger.completion_tokens


def stored(store) -> int:
    return store.rows("select count(*) as n from completions")[0]["n"]


def counted(store, unit: str) -> float:
    """What the store says was spent, replies that never came included."""
    return store.rows(f"select coalesce(sum({unit}), 0) as n from spend")[0]["n"]


def most_of(requests) -> float:
    return max(size_of(r).max_cost(price_of(MODEL), "online").usd for r in requests)


@pytest.mark.parametrize("seed", [1, 2])
def test_several_runs_with_faults_never_pass_a_project_cap(
    ask_at, store, requests_of, teacher_with, seed
):
    url, ledger = teacher_with(
        latency=0.05, slow_seconds=0.1, faults=FAULTS, fault_seed=seed,
        prompt_tokens=900, answer_tokens=2_500,
    )  # fmt: skip
    requests = requests_of(400, model=MODEL)
    most = most_of(requests)
    before = 0
    for number, cap in enumerate((0.9, 0.95, 3.0)):
        tally = ask_at(requests, url, concurrency=500, max_usd=cap, run_id=f"run-{number}")
        assert billed_usd(ledger) <= counted(store, "usd") + 1e-9 <= cap + 2e-9
        # Used as far as it goes: what is left would not have held another request.
        assert cap - counted(store, "usd") < most
        assert "BIOINSTRUCT_MAX_USD is reached" in tally.stopped
        assert "run again" in tally.stopped
        assert stored(store) == before + tally.asked
        assert tally.reused == before
        before = stored(store)
    # A cap in the way is no reason to pay twice: only what never came was asked for again.
    lost = store.rows("select count(*) as n from presumed_spend")[0]["n"]
    # A reply that broke off is stored, and its cost is presumed.
    both = store.rows("select count(*) as n from completions where completion_tokens is null")
    assert ledger.billed == stored(store) + lost - both[0]["n"]
    assert lost > 0


def test_the_caps_of_a_run_and_of_the_project_hold_in_tokens_too(
    ask_at, store, requests_of, teacher_with
):
    url, ledger = teacher_with(latency=0.02, faults={"reset": 0.1, "rate_limited": 0.1})
    requests = requests_of(200, model="a-model-without-a-price")
    # A request that failed in the third run may be smaller than the one that found no room there.
    for number, allowed in enumerate((100_000, 200_000, 250_000, 250_000, 250_000)):
        tally = ask_at(
            requests, url, concurrency=500,
            max_tokens=250_000, run_max_tokens=100_000, run_id=f"run-{number}",
        )  # fmt: skip
        assert billed_tokens(ledger) <= counted(store, "tokens") <= allowed
        expected = "BIOINSTRUCT_MAX_TOKENS" if number > 1 else "BIOINSTRUCT_RUN_MAX_TOKENS"
        assert tally.stopped.startswith(expected)
    assert tally.asked == 0


def test_a_repeated_run_keeps_its_spending(ask_at, store, requests_of, teacher_with):
    url, ledger = teacher_with()
    requests = requests_of(100)
    for _ in range(3):  # a retry of Dagster's keeps the run's id; so do a run's several rounds
        ask_at(requests, url, run_max_tokens=60_000, run_id="one")
    assert billed_tokens(ledger) <= 60_000
    ask_at(requests, url, run_max_tokens=60_000, run_id="two")
    assert 60_000 < billed_tokens(ledger) <= 120_000


def test_going_on_with_a_higher_cap_repays_nothing(ask_at, store, requests_of, teacher_with):
    url, ledger = teacher_with(prompt_tokens=900, answer_tokens=600)
    requests = requests_of(60, model=MODEL)
    first = ask_at(requests, url, concurrency=16, max_usd=0.2)
    assert 0 < first.asked < 60
    kept = store.rows("select * from completions order by completion_id")
    second = ask_at(requests, url, concurrency=16, max_usd=20.0)
    assert (second.reused, second.asked) == (first.asked, 60 - first.asked)
    assert second.stopped is None
    assert (ledger.billed, ledger.as_json()["most_billed_of_a_digest"]) == (60, 1)
    after = store.rows("select * from completions order by completion_id")
    assert [row for row in after if row in kept] == kept


@pytest.mark.parametrize("terms", [{"max_usd": 5.0}, {"run_max_usd": 5.0, "run_id": "one"}])
def test_a_dollar_cap_without_a_price_fails_before_any_request(
    ask_at, requests_of, serve, reply, terms
):
    async def answer(_):
        return reply()

    served = serve(answer)
    with pytest.raises(BudgetError, match=r"no price for 'some-model'.*TOKENS"):
        ask_at(requests_of(3, model="some-model"), served.url, **terms)
    assert served.bodies == []
    assert ask_at(requests_of(3, model="some-model"), served.url, max_tokens=10**6).asked == 3


def test_the_estimate_is_announced_before_the_first_request(ask_at, requests_of, serve, reply):
    events = []

    async def answer(_):
        events.append("request")
        return reply()

    def log(line):
        events.append("logged" if line.startswith("Estimate") else "line")

    ask_at(
        requests_of(4, model=MODEL), serve(answer).url,
        log=log, announce=events.append,
    )  # fmt: skip
    first = events.index("request")
    assert "logged" in events[:first]
    (estimate,) = [event for event in events[:first] if not isinstance(event, str)]
    assert estimate.requests == 4
    assert 0 < estimate.usd < estimate.usd_most


def test_a_reply_without_usage_is_kept_and_counts_at_its_most(
    ask_at, store, requests_of, serve, reply
):
    async def answer(_):
        return reply(usage=None)

    requests = requests_of(40, model=MODEL)
    cap = 3.5 * most_of(requests)
    tally = ask_at(requests, serve(answer).url, concurrency=8, max_usd=cap)
    assert (tally.asked, tally.presumed) == (3, 3)
    assert stored(store) == 3
    assert counted(store, "usd") <= cap
    again = ask_at(requests, serve(answer).url, concurrency=8, max_usd=cap)
    assert (again.asked, again.reused) == (0, 3)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 10**30, "completion_tokens": 5},
        {"prompt_tokens": -1, "completion_tokens": 5},
        {"prompt_tokens": "many", "completion_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": True},
        {"prompt_tokens": 5},
    ],
    ids=str,
)
def test_a_nonsensical_usage_costs_no_row_and_is_presumed(
    ask_at, store, requests_of, serve, reply, usage
):
    async def answer(_):
        return reply(usage=usage)

    tally = ask_at(requests_of(3, model=MODEL), serve(answer).url, max_usd=10.0)
    assert (tally.asked, tally.presumed, stored(store)) == (3, 3, 3)


def test_a_server_that_ignores_token_limits_ends_the_round(
    ask_at, store, requests_of, serve, reply
):
    async def answer(_):
        return reply(usage={"prompt_tokens": 100, "completion_tokens": 50_000})

    served = serve(answer)
    tally = ask_at(requests_of(50, model=MODEL), served.url, concurrency=2, max_usd=10.0)
    assert "BIOINSTRUCT_MAX_USD can't be held" in tally.stopped
    assert tally.asked == stored(store) == len(served.bodies) <= 4
    assert counted(store, "usd") == pytest.approx(tally.asked * 0.4002)  # all of it


def test_refusals_cost_nothing_and_lost_replies_are_presumed(
    ask_at, store, requests_of, serve, reply, refuse
):
    seen = []

    async def answer(body):
        first = body["seed"] not in seen
        seen.append(body["seed"])
        return refuse((429, 500, 503)[len(seen) % 3], None) if first else reply()

    ask_at(requests_of(6, model=MODEL), serve(answer).url, max_usd=10.0)
    assert store.rows("select * from presumed_spend") == []
    assert counted(store, "usd") == pytest.approx(6 * 0.00028)


@pytest.mark.parametrize("status", [502, 504])
def test_a_request_behind_a_failed_gateway_may_be_billed(
    ask_at, store, requests_of, serve, reply, refuse, status
):
    async def answer(_):
        return reply() if len(served.bodies) > 1 else refuse(status, None)

    served = serve(answer)
    requests = requests_of(1, model=MODEL)
    assert ask_at(requests, served.url, max_usd=10.0).asked == 1
    (row,) = store.rows("select usd from presumed_spend")
    assert row["usd"] == pytest.approx(most_of(requests))


def test_a_cap_reached_while_requests_wait_is_the_reason_given(ask_at, requests_of, teacher_with):
    url, _ = teacher_with(faults={"reset": 1.0})
    requests = requests_of(5, model=MODEL)
    # Room for three sends, all of which break off: nothing is stored, and the cap is why.
    tally = ask_at(requests, url, concurrency=2, max_usd=3.2 * most_of(requests))
    assert tally.asked == 0
    assert "BIOINSTRUCT_MAX_USD is reached" in tally.stopped


def test_a_used_up_quota_ends_the_round_and_keeps_replies(ask_at, store, requests_of, teacher_with):
    url, ledger = teacher_with(latency=0.3, quota_requests=7)
    with pytest.raises(TeacherError, match="insufficient_quota"):
        ask_at(requests_of(60), url, concurrency=10)
    assert ledger.billed == stored(store) == 7
    assert ledger.refused_429 <= 10
    (round_,) = store.rows("select asked, retried, stopped from teacher_rounds")
    assert (round_["asked"], round_["retried"]) == (7, 0)
    assert "insufficient_quota" in round_["stopped"]


def test_no_money_is_needed_where_a_model_costs_none(
    ask_at, requests_of, teacher_with, monkeypatch
):
    url, _ = teacher_with()
    free = dict.fromkeys(prices.read_prices(), Price(input=0.0, output=0.0))
    monkeypatch.setattr(prices, "read_prices", lambda _: free)
    tally = ask_at(requests_of(5), url, max_usd=0.0)
    assert (tally.asked, tally.stopped) == (5, None)


def test_with_hundreds_in_flight_a_cap_is_used_up_and_not_passed(
    ask_at, store, requests_of, teacher_with
):
    url, ledger = teacher_with(latency=2.0, prompt_tokens=2_000, answer_tokens=590)
    requests = requests_of(1_000, model=MODEL, tasks_per_request=1)
    tally = ask_at(requests, url, concurrency=500, max_usd=7.5)
    assert ledger.most_in_flight > 200
    assert 7.5 - most_of(requests) < billed_usd(ledger) <= 7.5
    assert tally.asked == ledger.billed == stored(store) < 1_000
