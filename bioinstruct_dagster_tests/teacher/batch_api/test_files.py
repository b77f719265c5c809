"""Output files that are not as one would wish: no reply is lost, nothing billed is forgotten."""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster_tests.teacher.rehearsal_servers import MODEL, column, live, spent


@pytest.fixture
def asked(requests_of):
    """Requests to a teacher with a price."""
    return lambda count: requests_of(count, teacher="openai", model=MODEL)


def at_most(requests) -> float:
    return sum(size_of(request).max_cost(price_of(MODEL), "batch").usd for request in requests)


def rewriting(rewrite):
    """Pass the lines of an output file through a function."""

    async def around(request, handler):
        response = await handler(request)
        if not request.path.endswith("/content"):
            return response
        lines = [rewrite(json.loads(line)) for line in response.body.splitlines()]
        return web.Response(body=b"".join(line + b"\n" for line in lines))

    return around


def raw_unicode(entry):
    message = entry["response"]["body"]["choices"][0]["message"]
    message["content"] = "a\u2028b\u0085c\u001dd\r" + message["content"]
    return json.dumps(entry, ensure_ascii=False).encode()


def test_line_separators_inside_a_reply_do_not_lose_it(store, asked):
    with live(rewriting(raw_unicode)) as server:
        server.ask(asked(3), store)
        assert server.ask(asked(3), store).asked == 3
    assert all(
        content.startswith("a\u2028b\u0085c\u001dd\r")
        for content in column(store, "completions", "content")
    )


def without_request_id(entry):
    del entry["response"]["request_id"]
    return json.dumps(entry).encode()


def test_a_line_without_a_request_id_is_a_reply(store, asked):
    with live(rewriting(without_request_id)) as server:
        server.ask(asked(2), store)
        assert server.ask(asked(2), store).asked == 2
    assert column(store, "completions", "request_id") == [None, None]


def without_usage(entry):
    del entry["response"]["body"]["usage"]
    return json.dumps(entry).encode()


def test_replies_without_usage_are_presumed(store, asked):
    with live(rewriting(without_usage)) as server:
        server.ask(asked(2), store)
        assert server.ask(asked(2), store).asked == 2
    assert spent(store) == {"presumed": pytest.approx(at_most(asked(2)))}


def no_completion(entry):
    entry["response"]["body"] = {"choices": []}
    return json.dumps(entry).encode()


def test_an_answer_that_is_no_completion_is_a_reply_and_presumed(store, asked):
    with live(rewriting(no_completion)) as server:
        server.ask(asked(2), store)
        assert server.ask(asked(2), store).asked == 2
        assert server.ask(asked(2), store).reused == 2
    assert spent(store) == {"presumed": pytest.approx(at_most(asked(2)))}
    assert column(store, "completions", "body") == ['{"choices": []}'] * 2


def test_a_line_that_took_its_whole_limit_is_cut(store, asked):
    limit = asked(1)[0].parameters["max_completion_tokens"]

    def changed(entry):
        entry["response"]["body"]["usage"] = {"prompt_tokens": 9, "completion_tokens": limit}
        return json.dumps(entry).encode()

    with live(rewriting(changed)) as server:
        server.ask(asked(2), store)
        server.ask(asked(2), store)
    assert column(store, "completions", "finish_reason") == ["length"] * 2


@pytest.mark.parametrize(
    "change",
    [
        json.dumps,
        lambda body: f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n",
        lambda body: {"data": body},
        lambda body: body | {"model": 5, "service_tier": {}, "system_fingerprint": []},
    ],
)
def test_a_line_is_read_in_every_form_of_a_single_reply(store, asked, change):
    def changed(entry):
        entry["response"]["body"] = change(entry["response"]["body"])
        return json.dumps(entry).encode()

    with live(rewriting(changed)) as server:
        server.ask(asked(2), store)
        assert server.ask(asked(2), store).asked == 2
    assert all(column(store, "completions", "content"))
    assert set(spent(store)) == {"settled"}


@pytest.mark.parametrize(
    ("code", "usage", "kind"),
    [(429, None, None), (502, None, "presumed"), (429, {"prompt_tokens": 100,
                                                       "completion_tokens": 10}, "presumed")],
)  # fmt: skip
def test_an_error_inside_a_line_is_billed_by_its_usage_or_its_code(store, asked, code, usage, kind):
    def failed(entry):
        error = {"message": "The provider failed.", "code": code}
        entry["response"]["body"] = {"error": error, "usage": usage}
        return json.dumps(entry).encode()

    with live(rewriting(failed)) as server:
        server.ask(asked(2), store)
        if kind is None:
            server.ask(asked(2), store)
        else:
            with pytest.raises(TeacherError, match="The provider failed"):
                server.ask(asked(2), store)
    if kind is None:
        assert set(spent(store)) == {"reserved by batches"}  # of the next batch
    else:
        each = price_of(MODEL).usd(100, 10, service="batch") * 2
        assert spent(store) == {kind: pytest.approx(each if usage else at_most(asked(2)))}


@pytest.mark.parametrize("status", ["200", None])
def test_a_status_may_be_a_text_or_missing(store, asked, status):
    def changed(entry):
        entry["response"]["status_code"] = status
        return json.dumps(entry).encode()

    with live(rewriting(changed)) as server:
        server.ask(asked(2), store)
        assert server.ask(asked(2), store).asked == 2


def filtered(entry):
    body = {"error": {"message": "No.", "code": "content_filter"}}
    entry["response"] |= {"status_code": 400, "body": body}
    return json.dumps(entry).encode()


def timed_out(entry):
    entry["response"] |= {"status_code": 408, "body": None}
    return json.dumps(entry).encode()


@pytest.mark.parametrize("rewrite", [filtered, timed_out])
def test_errors_that_azure_bills_count_as_billed(store, asked, rewrite):
    with live(rewriting(rewrite)) as server:
        server.ask(asked(2), store)
        with pytest.raises(TeacherError, match="count as billed"):
            server.ask(asked(2), store)
    assert spent(store) == {"presumed": pytest.approx(at_most(asked(2)))}


@pytest.mark.parametrize(
    "line", [b"\xff\xfe", b"[1]", b'{"custom_id": ["x"]}', b"[" * 100_000, b'{"custom_id": "x"}']
)
def test_a_broken_line_spoils_no_other(store, asked, line):
    async def around(request, handler):
        response = await handler(request)
        if request.path.endswith("/content"):
            return web.Response(body=line + b"\n" + response.body)
        return response

    with live(around) as server:
        server.ask(asked(2), store)
        assert server.ask(asked(2), store).asked == 2
