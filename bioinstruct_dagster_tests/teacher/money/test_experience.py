"""What earlier replies of the same kind took, read back from the store."""

import pytest

from bioinstruct_dagster.teacher.money.estimates import FIRST_LATENCY
from bioinstruct_dagster.teacher.money.experience import experience
from bioinstruct_dagster.teacher.money.tokens import TokenForecast, size_of
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of


def test_earlier_replies_replace_the_rule_of_thumb(store, requests_of, serve, reply):
    async def answer(_):
        return reply(usage={"prompt_tokens": 900, "completion_tokens": 1_500})

    requests = requests_of(8)
    size = size_of(requests[0])
    assert experience(store, requests[0])[1:] == (FIRST_LATENCY, 0)
    ask(
        session_of(Endpoint(serve(answer).url, "k", rehearsal=False), store),
        requests,
    )
    usage, latency, replies = experience(store, requests[0])
    assert replies == 8
    assert usage.output(size) == pytest.approx(1_500)
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
    usage, _, _ = experience(store, requests[0])
    size = size_of(requests[0])
    assert usage.output(size) == TokenForecast().output(size)
