"""The Responses API: the same requests, completions and chain as by chat completions."""

from dataclasses import replace

import dagster as dg
import pytest
from aiohttp import web
from openai import OpenAI

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster_tests.teacher.rehearsal_servers import (
    KEY,
    MODEL,
    column,
    cost,
    live,
    spent,
)
from bioinstruct_dagster_tests.teacher.wire.exchanges import complete

RESPONSES = Dialect(api="responses")


@pytest.fixture
def asked(requests_of):
    """Requests to a teacher with a price."""
    return lambda count: requests_of(count, teacher="openai", model=MODEL)


def test_requests_go_to_the_endpoint_and_are_stored_as_any_other(store, asked):
    requests = asked(4)
    with live() as server:
        tally = server.ask(requests, store, Terms(concurrency=2, dialect=RESPONSES))
        assert (tally.asked, tally.failed) == (4, 0)
        assert server.count("POST", "/responses") == 4
        assert spent(store) == {"settled": pytest.approx(cost(server, "online"))}
        # How a request travels is no part of it: by chat it is not asked again.
        assert server.ask(requests, store, Terms()).reused == 4
        assert server.billed == 4
    for row in store.rows("select * from completions"):
        assert row["content"]
        assert row["finish_reason"] in {"stop", "length"}
        assert row["prompt_tokens"] > 0
        assert row["request_id"].startswith("req_")


@pytest.mark.parametrize("form", ["json_schema", "json_object", "text"])
def test_body_and_reply_are_the_same_as_the_sdks(store, requests_of, form):
    [request] = requests_of(1, teacher="openai", model=MODEL, reply_format=form)
    dialect = Dialect(api="responses", reply_format=form)
    bodies = []

    async def around(request, handler):
        bodies.append(await request.json())
        return await handler(request)

    with live(around) as server:
        server.ask([request], store, Terms(dialect=dialect))
        with OpenAI(api_key=KEY, base_url=server.endpoint.base_url) as client:
            read = client.responses.create(**dialect.body(request))
    assert bodies[0] == bodies[1]
    assert column(store, "completions", "content") == [read.output_text]
    assert column(store, "completions", "prompt_tokens") == [read.usage.input_tokens]


@pytest.mark.parametrize(
    ("fault", "finish", "refused"), [("length", "length", False), ("refusal", "stop", True)]
)
def test_a_cut_and_a_refusal_are_told_apart(store, asked, fault, finish, refused):
    with live(faults={fault: 1.0}) as server:
        server.ask(asked(1), store, Terms(dialect=RESPONSES))
    [row] = store.rows("select finish_reason, refusal is not null as refused from completions")
    assert (row["finish_reason"], row["refused"]) == (finish, refused)


def test_it_works_by_batch_and_flex(store, asked):
    batch = Terms(service="batch", dialect=RESPONSES)
    with live() as server:
        assert server.ask(asked(3), store, batch).pending == 3
        assert server.ask(asked(3), store, batch).asked == 3
        assert server.ask(asked(5), store, Terms(service="flex", dialect=RESPONSES)).asked == 2
        assert (server.billed, server.repeated) == (5, 1)
    assert sorted(column(store, "completions", "service")) == ["batch"] * 3 + ["flex"] * 2
    assert column(store, "batches", "state") == ["harvested"]


def test_the_whole_chain_down_to_the_data_set(tmp_path):
    with live() as server, dg.DagsterInstance.ephemeral() as instance:
        settings = Settings.of(
            data_dir=tmp_path / "data",
            teacher="openai",
            openai_api_key=KEY,
            openai_base_url=server.endpoint.base_url,
            api="responses",
            instructions=20,
        )
        job = build_defs(settings).resolve_job_def("data_set")
        assert job.execute_in_process(instance=instance).success
        assert server.count("POST", "/responses") == server.billed > 1
        assert server.count("POST", "/chat/completions") == 0
        billed = server.billed
        assert job.execute_in_process(instance=instance).success
        assert server.billed == billed
    [rows] = Store(settings.store.path).rows("select count(*) as n from hf_dataset")
    assert rows["n"] >= 20


@pytest.mark.parametrize(("tokens", "finish"), [(11, "stop"), (12, "length"), (13, "stop")])
def test_a_reply_that_fills_its_limit_is_cut_even_if_the_server_says_completed(
    serve, requests_of, tokens, finish
):
    # As llama.cpp's server and `transformers serve` say it.
    message = {"type": "message", "role": "assistant", "status": "completed"}
    message["content"] = [
        {"type": "output_text", "text": "Once upon a time, there", "logprobs": []}
    ]
    usage = {"input_tokens": 37, "output_tokens": tokens, "total_tokens": 37 + tokens}
    body = {"object": "response", "model": "m", "status": "completed", "output": [message]}

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({**body, "usage": usage})

    application = web.Application()
    application.router.add_post("/v1/responses", answer)
    [request] = requests_of(1, teacher="openai", model="m")
    limited = replace(request, parameters={**request.parameters, "max_completion_tokens": 12})
    [reply] = complete(limited, serve(application).url, dialect=RESPONSES)
    assert (reply.finish_reason, reply.content) == (finish, "Once upon a time, there")
