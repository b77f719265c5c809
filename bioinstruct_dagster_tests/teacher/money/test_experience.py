"""What earlier replies of the same kind took, read back from the store."""

import pytest

from bioinstruct_dagster.teacher.money.estimates import FIRST_LATENCY
from bioinstruct_dagster.teacher.money.experience import FIRST_REASONING_SHARE, experience
from bioinstruct_dagster.teacher.money.tokens import TokenForecast, size_of
from bioinstruct_dagster.teacher.output_limits import OutputLimits
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of


def test_earlier_replies_replace_the_rule_of_thumb(store, requests_of, serve, reply):
    async def answer(_):
        return reply(usage={"prompt_tokens": 900, "completion_tokens": 1_500})

    requests = requests_of(8)
    size = size_of(requests[0])
    assert experience(store, requests[0])[1:] == (FIRST_LATENCY, 0, 0.0)
    ask(
        session_of(Endpoint(serve(answer).url, "k", rehearsal=False), store),
        requests,
    )
    usage, latency, replies, _ = experience(store, requests[0])
    assert replies == 8
    assert usage.output(size) == pytest.approx(1_500)
    assert sum(usage.prompt(size_of(one)) for one in requests) == pytest.approx(8 * 900)
    assert 0 < latency < FIRST_LATENCY
    # Another model has its own habits.
    assert experience(store, requests_of(1, model="another")[0])[2] == 0


def test_replies_without_usage_are_no_experience_of_tokens(store, requests_of, serve, reply):
    async def answer(_):
        return reply(usage=None)

    requests = requests_of(3)
    ask(
        session_of(Endpoint(serve(answer).url, "k", rehearsal=False), store),
        requests,
    )
    usage = experience(store, requests[0])
    size = size_of(requests[0])
    assert usage.forecast.output(size) == TokenForecast().output(size)


def test_before_any_reply_a_share_of_the_allowed_reasoning_is_expected(store, requests_of):
    (usual,), (roomy,) = requests_of(1), requests_of(1, limits=OutputLimits(reasoning_tokens=8_000))
    before, found = experience(store, usual), experience(store, roomy)
    assert found.reasoning_tokens == 8_000 * FIRST_REASONING_SHARE
    answer = before.forecast.output(size_of(usual))
    assert found.forecast.output(size_of(roomy)) == pytest.approx(answer + found.reasoning_tokens)


@pytest.mark.parametrize("hidden", ["", "<think>" + "I see. " * 2_000 + "</think>"])
def test_tokens_far_above_the_text_are_reasoning(store, requests_of, serve, reply, hidden):
    text = "An answer of forty letters, all in all. " * 30

    async def answer(_):
        return reply(hidden + text, usage={"prompt_tokens": 900, "completion_tokens": 4_300})

    limits = OutputLimits(reasoning_tokens=8_000)
    requests = requests_of(4, limits=limits)
    ask(session_of(Endpoint(serve(answer).url, "k", rehearsal=False), store), requests)
    found = experience(store, requests[0])
    assert found.reasoning_tokens == pytest.approx(4_000, rel=0.01)
    assert found.forecast.output(size_of(requests[0])) == pytest.approx(4_300, rel=0.1)
    # Reasoning does not grow with the number of tasks, and other efforts are not known yet.
    double = requests_of(1, limits=limits, tasks_per_request=10)[0]
    assert experience(store, double).reasoning_tokens == pytest.approx(4_000, rel=0.01)
    harder = requests_of(1, limits=OutputLimits(reasoning_tokens=8_000, reasoning_effort="high"))
    assert experience(store, harder[0]).reasoning_tokens == 8_000 * FIRST_REASONING_SHARE


def test_reasoning_that_was_cut_is_expected_to_be_longer(store, requests_of, serve, reply):
    async def answer(_):
        choice = {"index": 0, "message": {"content": ""}, "finish_reason": "length"}
        return reply(choices=[choice], usage={"prompt_tokens": 900, "completion_tokens": 3_000})

    requests = requests_of(4)
    ask(session_of(Endpoint(serve(answer).url, "k", rehearsal=False), store), requests)
    assert experience(store, requests[0]).reasoning_tokens == pytest.approx(2_400)  # all that fits
    roomy = requests_of(1, limits=OutputLimits(reasoning_tokens=16_000))[0]
    assert experience(store, roomy).reasoning_tokens == 16_000 * FIRST_REASONING_SHARE


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("基因变异的致病性评估需要结合多种证据。" * 20, 380), ("BRCA1 " * 100, 300)],
)
def test_dense_text_is_no_reasoning(store, requests_of, serve, reply, text, tokens):
    async def answer(_):
        return reply(text, usage={"prompt_tokens": 900, "completion_tokens": tokens})

    requests = requests_of(2)
    ask(session_of(Endpoint(serve(answer).url, "k", rehearsal=False), store), requests)
    assert experience(store, requests[0]).reasoning_tokens == 0
