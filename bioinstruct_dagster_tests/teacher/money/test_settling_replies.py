"""The money of odd replies over HTTP: errors that state a cost, tiers, and counts that can't be."""

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, MODEL, spent
from bioinstruct_dagster_tests.teacher.sessions import session_of

pytestmark = pytest.mark.usefixtures("no_waits")
USAGE = {"prompt_tokens": 100, "completion_tokens": 10}
PRICE = price_of(MODEL)


@pytest.fixture
def asked(serve, store, requests_of):
    """What becomes of a number of requests, each with the next answer."""

    def run(answers, *, count=1, **terms):
        script = iter(answers)

        async def answer(_):
            return next(script)()

        served = serve(answer)
        session = session_of(
            Endpoint(served.url, KEY, rehearsal=False), store, terms=Terms(concurrency=1, **terms)
        )
        tally = ask(session, requests_of(count, teacher="openai", model=MODEL))
        return tally, len(served.bodies)

    return run


def failed(code, **more):
    return lambda: web.json_response({"error": {"message": "No.", "code": code}, **more})


@pytest.mark.parametrize(
    ("first", "presumed"),
    [
        (failed(429), {}),
        (failed(500), {}),
        (failed(502), {"presumed": "most"}),
        # What the error states was billed, whatever its code is.
        (failed(429, usage=USAGE), {"presumed": "stated"}),
        (failed(502, usage=USAGE), {"presumed": "stated"}),
        (failed(502, usage={"prompt_tokens": 0, "completion_tokens": 0}), {"presumed": "most"}),
    ],
)
def test_an_error_inside_is_billed_by_its_usage_or_its_code(
    asked, store, requests_of, reply, first, presumed
):
    tally, sent = asked([first, reply])
    assert (tally.asked, tally.retried, sent) == (1, 1, 2)
    [request] = requests_of(1, teacher="openai", model=MODEL)
    amounts = {
        "most": size_of(request).max_cost(PRICE, "online").usd,
        "stated": PRICE.usd(100, 10),
    }
    expected = {kind: pytest.approx(amounts[name]) for kind, name in presumed.items()}
    assert spent(store) == {"settled": pytest.approx(PRICE.usd(100, 10)), **expected}


def test_an_error_inside_that_no_request_can_escape_ends_the_run(asked, store):
    with pytest.raises(TeacherError, match="402"):
        asked([failed(402)], count=5)  # a second request would have no answer
    assert spent(store) == {}


def test_a_dearer_tier_is_reserved_for_from_the_first_reply_on(asked, store, requests_of, reply):
    requests = requests_of(9, teacher="openai", model=MODEL)
    most = max(size_of(request).max_cost(PRICE, "online").usd for request in requests)
    dear = PRICE.usd(100, 10) * 2.5
    # Room for two requests at the standard price, and for one at the dearer one.
    cap = 2 * most + dear
    tally, sent = asked([lambda: reply(service_tier="priority")] * 9, count=9, max_usd=cap)
    assert "BIOINSTRUCT_MAX_USD is reached" in tally.stopped
    assert sent == 1
    assert spent(store) == {"settled": pytest.approx(dear)}


def test_a_cheaper_tier_that_nobody_asked_for_is_not_believed(asked, store, reply):
    asked([lambda: reply(service_tier="batch")])
    assert spent(store) == {"settled": pytest.approx(PRICE.usd(100, 10))}


def test_a_count_that_can_not_be_does_not_pass_a_cap(asked, store, reply):
    text = "The patient has had a fever and a dry cough for three days. " * 60
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101}
    asked([lambda: reply(text, usage=usage)])
    [row] = store.rows("select completion_tokens from completions")
    # A tokenizer makes some 840 tokens of it.
    assert 780 <= row["completion_tokens"] <= 1_000
