"""The output limit: whether a server heeds it, under which name, and what a cap makes of it."""

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster_tests.teacher.probing.odd_servers import (
    JSON,
    LONG_REPLY_TOKENS,
    behind,
    completion,
    probed,
    written,
)
from bioinstruct_dagster_tests.teacher.probing.wordings import words
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column, live

CAP = Terms(max_tokens=100_000)


def is_limit_probe(body):
    return "limit-probe" in body["messages"][-1]["content"]


def verdicts(store):
    return column(store, "teacher_dialects", "output_limit")


def test_a_plain_server_takes_two_small_requests(serve, store):
    served = serve(behind())
    dialect = probed(served.url, store, CAP).dialect
    assert "max_completion_tokens" in served.bodies[1]
    assert (len(served.bodies), dialect.token_limit_name) == (2, "max_completion_tokens")
    assert verdicts(store) == ["heeded"]
    [spend] = store.rows("select sum(tokens)::bigint as n, min(kind) as kind from spend")
    assert (spend["n"] < 300, spend["kind"]) == (True, "settled")


@pytest.mark.parametrize("terms", [Terms(), CAP])
def test_a_limit_that_is_ignored_gets_its_older_name(serve, store, terms):
    # ollama#7125: max_completion_tokens is ignored, max_tokens is heeded
    served = serve(behind(heeds=("max_tokens",)))
    lines = []
    dialect = probed(served.url, store, terms, lines=lines).dialect
    assert dialect.token_limit_name == "max_tokens"  # noqa: S105
    assert verdicts(store) == ["heeded"]
    assert [("max_tokens" in body) for body in served.bodies] == [False, False, True]
    assert not any("WARNING" in line for line in lines)


def test_a_reply_far_past_its_limit_is_paid_once_and_never_again(serve, store):
    async def answer(body):
        if "max_tokens" in body:
            return written(body)
        return completion(JSON, LONG_REPLY_TOKENS)

    served = serve(answer)
    dialect = probed(served.url, store, CAP).dialect
    assert dialect.token_limit_name == "max_tokens"  # noqa: S105
    assert ["max_tokens" in body for body in served.bodies] == [False, True, True]
    # Each reply is counted towards the cap, although two requests differ only in the limit's name.
    assert len(column(store, "completions", "completion_id")) == 3
    spent = store.rows("select sum(completion_tokens)::bigint as n from completions")[0]["n"]
    assert spent > LONG_REPLY_TOKENS


def test_without_any_limit_no_cap_is_accepted_and_nothing_more_is_sent(serve, store):
    served = serve(behind(heeds=()))
    with pytest.raises(BudgetError, match="BIOINSTRUCT_MAX_TOKENS can't be held") as refused:
        probed(served.url, store, CAP)
    assert "unset BIOINSTRUCT_MAX_TOKENS" in str(refused.value)
    assert verdicts(store) == ["ignored"]
    sent = len(served.bodies)
    assert sent == 3
    with pytest.raises(BudgetError, match="can't be held"):
        probed(served.url, store, Terms(run_max_usd=1.0), model="odd-model")
    assert len(served.bodies) == sent  # the verdict is stored


def test_without_any_limit_and_without_a_cap_each_run_warns(serve, store):
    served = serve(behind(heeds=()))
    for _ in range(2):
        lines = []
        probed(served.url, store, lines=lines)
        assert any("WARNING" in line and "ignores the limit" in line for line in lines)
    assert len(served.bodies) == 3


def test_a_server_that_refuses_the_older_name_keeps_the_newer(serve, store):
    def gateway(body):
        if "max_tokens" in body:
            return web.json_response(words("Unsupported parameter: 'max_tokens'"), status=400)
        return None

    served, lines = serve(behind(gateway, heeds=())), []
    dialect = probed(served.url, store, lines=lines).dialect
    assert dialect.token_limit_name == "max_completion_tokens"  # noqa: S105
    assert verdicts(store) == ["ignored"]
    assert any("under one name and refuses it under the other" in line for line in lines)


def test_a_name_that_is_refused_without_words_gives_way_to_the_ignored_one(serve, store):
    async def answer(body):
        if "max_tokens" in body:
            return web.Response(status=400, text="Bad Request")
        return completion(JSON, LONG_REPLY_TOKENS)

    dialect = probed(serve(answer).url, store).dialect
    assert dialect.token_limit_name == "max_completion_tokens"  # noqa: S105
    assert (dialect.reply_format, verdicts(store)) == ("json_schema", ["ignored"])


def test_a_server_that_refuses_both_names_gets_no_limit(serve, store, requests_of):
    def gateway(body):
        for name in ("max_tokens", "max_completion_tokens"):
            if name in body:
                return web.json_response(words(f"Unsupported parameter: '{name}'"), status=400)
        return None

    served = serve(behind(gateway, heeds=()))
    with pytest.raises(BudgetError, match=r"can't be held: .* refuses the limit .* every name"):
        probed(served.url, store, CAP)
    body = probed(served.url, store).dialect.body(requests_of(1)[0])
    assert not {"max_tokens", "max_completion_tokens"} & set(body)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        # OpenAI's reasoning models
        (
            (
                400,
                words("Could not finish the message because max_tokens or model output limit was"),
            ),
            "heeded",
        ),
        # The words of OpenAI's Responses API for a limit below 16
        (
            (400, words("Invalid 'max_tokens': integer below minimum value. Expected >= 64.")),
            "heeded",
        ),
        ((400, words("I do not count.")), "unproven"),
        ((500, words("")), "unproven"),
    ],
)
def test_a_refusal_of_the_small_request_ends_no_run(serve, store, fast, reply, verdict):
    status, said = reply
    served = serve(
        behind(
            lambda body: web.json_response(said, status=status) if is_limit_probe(body) else None
        )
    )
    dialect = probed(served.url, store, CAP).dialect
    assert (dialect.reply_format, dialect.token_limit_name) == (
        "json_schema",
        "max_completion_tokens",
    )
    assert verdicts(store) == [verdict]


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (("1, 2, 3, ..., 200", 6, "stop"), "unproven"),  # a short answer of its own accord
        (("", 0, "content_filter"), "unproven"),
        (("", 16, "length"), "heeded"),  # a reasoning model
        (("", 0, "length"), "unproven"),  # cut off by something else
        (("1\n2\n3\n4", 18, "length"), "heeded"),  # tokens around the reply are counted too
        (("1\n2\n3\n4\n5", 128, "length"), "unproven"),  # a least limit of the server's own
        (("1 " * 600, 16, "stop"), "ignored"),  # the usage is too small for the text
        (("1\n2\n3", 700, "stop"), "ignored"),  # thinking that the limit leaves out
    ],
)
def test_a_verdict_needs_more_than_the_stated_usage(serve, store, reply, verdict):
    async def answer(body):
        return completion(*reply) if is_limit_probe(body) else written(body)

    served = serve(answer)
    probed(served.url, store)
    assert verdicts(store) == [verdict]
    assert len(served.bodies) <= 3


def test_a_least_limit_under_one_name_gives_way_to_a_limit_under_the_other(serve, store):
    async def answer(body):
        if is_limit_probe(body) and "max_tokens" not in body:
            return completion("1\n2\n3", 128, "length")  # the server's own limit
        return written(body)

    dialect = probed(serve(answer).url, store).dialect
    assert dialect.token_limit_name == "max_tokens"  # noqa: S105
    assert verdicts(store) == ["heeded"]


def test_a_busy_server_is_waited_for(serve, store):
    busy = iter([True, True, False])

    def gateway(body):
        if is_limit_probe(body) and next(busy):
            headers = {"retry-after-ms": "5"}
            return web.json_response(words("Slow down."), status=429, headers=headers)
        return None

    served = serve(behind(gateway))
    probed(served.url, store)
    assert verdicts(store) == ["heeded"]


def test_the_responses_api_is_asked_by_its_own_name(store):
    bodies = []

    async def around(request, handler):
        bodies.append(await request.json())
        return await handler(request)

    with live(around) as server:
        probed(server.endpoint.base_url, store, api="responses")
    assert [body["max_output_tokens"] for body in bodies] == [2_000, 16]
    assert verdicts(store) == ["heeded"]
