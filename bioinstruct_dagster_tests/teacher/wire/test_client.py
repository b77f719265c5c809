"""One request over the wire: its body in either API, its reply, and what can go wrong between."""

import asyncio
import json

import pytest
from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server import app as server
from bioinstruct_dagster.rehearsal.api_server.app import ServerOptions
from bioinstruct_dagster.teacher.errors import LostReplyError, StatusError, UnreachedServerError
from bioinstruct_dagster.teacher.money.settling import may_be_billed
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.wire.exchanges import KEY, complete


def test_as_many_connections_are_open_as_requests_are_in_flight(serve, requests_of, reply):
    # A smaller pool, such as aiohttp's own 100, would make the others queue unseen.
    everybody = asyncio.Event()

    async def answer(_):
        if served.in_flight == 300:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), 60)
        return reply()

    served = serve(answer)
    assert len(complete(requests_of(1)[0], served.url, times=300)) == 300


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_both_apis_bring_the_same_reply(requests_of, api):
    (request,) = requests_of(1)
    with server.serve_recordings(options=ServerOptions(rpm=600)) as url:
        (reply,) = complete(request, url, dialect=Dialect(api=api))
    assert json.loads(reply.content)["tasks"]
    assert (reply.finish_reason, reply.refusal) == ("stop", None)
    assert reply.prompt_tokens > 0
    assert reply.completion_tokens > 0
    assert reply.tokens == reply.prompt_tokens + reply.completion_tokens
    assert reply.request_id.startswith("req_")
    assert reply.headers["x-ratelimit-limit-requests"] == "600"


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("fault", "finish"), [("refusal", "stop"), ("length", "length")])
def test_both_apis_say_alike_why_a_reply_is_not_whole(requests_of, api, fault, finish):
    with server.serve_recordings(options=ServerOptions(faults={fault: 1.0})) as url:
        (reply,) = complete(requests_of(1)[0], url, dialect=Dialect(api=api))
    assert reply.finish_reason == finish
    assert bool(reply.refusal) is (fault == "refusal")


def test_the_body_is_in_the_servers_dialect(requests_of):
    (request,) = requests_of(1, model="gpt-4.1")
    limit = request.parameters["max_completion_tokens"]
    usual = Dialect().body(request)
    assert usual == {
        "model": "gpt-4.1",
        "messages": list(request.messages),
        **request.parameters,
        "stream": False,
    }
    local = Dialect(token_limit_name="max_tokens", left_out=frozenset({"seed"})).body(request)
    assert local["max_tokens"] == limit
    assert not {"max_completion_tokens", "seed"} & set(local)
    responses = Dialect(api="responses").body(request)
    assert responses["max_output_tokens"] == limit
    assert responses["store"] is False
    assert responses["text"]["format"]["name"]
    assert not {"messages", "response_format", "seed", "max_completion_tokens"} & set(responses)


@pytest.mark.parametrize("left_out", [frozenset(), frozenset({"seed", "temperature"})])
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_no_dialect_leaves_the_token_limit_out(requests_of, api, left_out):
    (request,) = requests_of(1)
    body = Dialect(api=api, left_out=left_out).body(request)
    assert request.parameters["max_completion_tokens"] in body.values()


def test_flex_is_asked_for_by_name_and_nothing_else_is(requests_of):
    (request,) = requests_of(1)
    assert Dialect().body(request, "flex")["service_tier"] == "flex"
    assert "service_tier" not in Dialect().body(request, "online")


@pytest.mark.parametrize(
    ("status", "body", "message", "code", "fatal"),
    [
        (400, {"error": {"message": "No.", "code": "bad", "param": "seed"}}, "No.", "bad", False),
        (429, {"error": {"message": "m", "type": "insufficient_quota"}}, "m",
         "insufficient_quota", True),
        (429, {"error": {"message": "m", "type": "requests", "code": None}}, "m", None, False),
        (404, {"error": {"message": "m", "code": 404}}, "m", None, True),
        (500, {"error": "it fell over"}, "it fell over", None, False),
        (500, {"detail": "it fell over"}, "it fell over", None, False),
        (500, ["?"], '["?"]', None, False),
        (503, None, "null", None, False),
    ],
)  # fmt: skip
def test_errors_are_read_in_whatever_form_servers_give_them(
    answered, status, body, message, code, fatal
):
    with pytest.raises(StatusError) as caught:
        answered(lambda: web.json_response(body, status=status))
    error = caught.value
    assert (error.status, error.message, error.code) == (status, message, code)
    assert error.fatal is fatal


@pytest.mark.parametrize("padding", [0, 260, 290, 5_000])
def test_no_part_of_a_key_that_a_server_repeats_is_shown(answered, padding):
    text = "x" * padding + KEY + "x" * 500
    for answer in (
        lambda: web.Response(text=text, status=500),
        lambda: web.json_response({"error": {"message": text}}, status=400),
    ):
        with pytest.raises(StatusError) as caught:
            answered(answer)
        assert "sk-proj" not in str(caught.value)
        assert len(str(caught.value)) < 1_100


def test_a_redirect_does_not_carry_the_key_elsewhere(answered, serve, reply):
    async def answer(_):
        return reply()

    elsewhere = serve(answer)
    with pytest.raises(StatusError) as caught:
        answered(lambda: web.Response(status=307, headers={"location": elsewhere.url}))
    assert caught.value.status == 307
    assert elsewhere.keys == []


def test_a_connection_that_breaks_off_is_a_lost_reply(requests_of):
    with (
        server.serve_recordings(options=ServerOptions(faults={"reset": 1.0})) as url,
        pytest.raises(LostReplyError),
    ):
        complete(requests_of(1)[0], url)


def test_a_whole_answer_with_half_a_body_is_a_reply_with_what_came(requests_of):
    with server.serve_recordings(options=ServerOptions(faults={"truncated_json": 1.0})) as url:
        (reply,) = complete(requests_of(1)[0], url)
    assert reply.finish_reason == "broken_off"
    assert reply.content.startswith('{\n "tasks"')
    assert reply.tokens is None


@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_without_a_body_is_a_lost_reply(answered, status):
    with pytest.raises(LostReplyError, match=f"HTTP {status} without a body"):
        answered(lambda: web.Response(status=status))


def test_a_server_that_is_not_there_was_not_reached(requests_of):
    with pytest.raises(UnreachedServerError, match="no server listens"):
        complete(requests_of(1)[0], "http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://user:hidden@far.example:84/v2/x?key=hidden", "https://far.example:84/v2/x."),
        ("//far.example/", "http://far.example/."),
        ("/v2", "http://127.0.0.1:"),
        ("https://[::1]:9/v1", "https://[::1]:9/v1."),
        ("/api/v1/chat/completions", "/api/v1."),
        (f"https://far.example/{KEY}", "https://far.example/[key]."),
        ("https://[half", "an address that it does not name."),
        ("", "an address that it does not name."),
    ],
)
def test_a_redirect_names_its_target_and_the_setting(answered, location, target):
    with pytest.raises(StatusError) as caught:
        answered(lambda: web.Response(status=307, headers={"location": location}))
    assert target in str(caught.value)
    assert "OPENAI_BASE_URL" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_the_limit_of_open_files_grows_with_the_connections(start_python):
    source = """
import asyncio, resource, sys
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
soft, hard = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
async def open_client():
    async with TeacherClient(Endpoint("http://127.0.0.1:1/v1", "k", False), connections=500):
        print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
asyncio.run(open_client())
"""
    enough, _ = start_python(source, 128, 1024).communicate()
    assert int(enough) >= 500
    _, told = start_python(source, 128, 400).communicate()
    assert "BIOINSTRUCT_CONCURRENCY is 500" in told
    assert "400 files" in told


def test_an_address_with_a_query_has_it_behind_the_path(serve, requests_of, reply):
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path_qs, request.headers["api-key"], request.headers["authorization"]))
        return reply("from Azure")

    application = web.Application()
    application.router.add_post("/openai/deployments/D/chat/completions", answer)
    host = serve(application).url.removesuffix("/v1")
    base = f"{host}/openai/deployments/D?api-version=2024-10-21"
    (answered,) = complete(requests_of(1)[0], base)
    assert answered.content == "from Azure"
    path = "/openai/deployments/D/chat/completions?api-version=2024-10-21"
    assert seen == [(path, KEY, f"Bearer {KEY}")]


@pytest.mark.parametrize("ending", ["", "/", "/chat/completions", "/chat/completions/"])
def test_the_whole_address_of_a_request_works_as_a_base(serve, requests_of, reply, ending):
    async def answer(_):
        return reply("here")

    (answered,) = complete(requests_of(1)[0], serve(answer).url + ending)
    assert answered.content == "here"


@pytest.mark.parametrize(
    "spread",
    [
        pytest.param(lambda key: json.dumps({"choices": [{"message": {"content": key}}]}).replace(
            "sk-", "\\u0073k-"), id="with escapes"),
        pytest.param(lambda key: "".join(
            f"data: {json.dumps({'choices': [{'delta': {'content': part}}]})}\n\n"
            for part in (key[:9], key[9:])), id="in pieces"),
        pytest.param(lambda key: json.dumps({"x": key}).replace("sk-", "\\u0073k-"),
                     id="in a body"),
    ],
)  # fmt: skip
def test_a_key_that_a_reply_holds_is_not_stored(answered, spread):
    reply = answered(lambda: web.Response(text=spread(KEY)))
    assert KEY not in f"{reply.content}{json.loads(reply.body) if reply.body else None}"


@pytest.fixture
def endless(serve):
    """A server whose answer begins with these bytes and never ends; its address."""

    def start(beginning, *, status=200, packed=False):
        async def answer(request):
            response = web.StreamResponse(status=status)
            if packed:
                response.enable_compression(web.ContentCoding.gzip)
            await response.prepare(request)
            await response.write(beginning)
            while True:
                await response.write(b"y" * 10**6)

        application = web.Application()
        application.router.add_post("/v1/chat/completions", answer)
        return serve(application).url

    return start


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_without_end_is_a_refusal_that_may_be_billed(endless, requests_of, packed):
    with pytest.raises(StatusError, match="64 MB") as caught:
        complete(requests_of(1)[0], endless(b'{"a": "', packed=packed))
    assert not caught.value.is_transient
    assert not caught.value.server_fault
    assert may_be_billed(caught.value)


def test_a_refusal_without_end_is_told_by_its_beginning(endless, requests_of):
    with pytest.raises(StatusError, match="No such thing"):
        complete(requests_of(1)[0], endless(b"No such thing. ", status=400))


CONTROLS = "\x1b[31mNo\x1b]0;title\x07\x9b2J \u202ego\u2066od\r\x00 \x1b(Breply."


@pytest.mark.parametrize("status", [200, 500])
def test_no_text_of_a_server_controls_the_terminal(answered, status):
    error = {"message": CONTROLS, "code": "b\x1b[1mad", "param": "se\x1b[0med"}
    with pytest.raises(StatusError) as caught:
        answered(lambda: web.json_response({"error": error}, status=status))
    assert "No good reply." in " ".join(caught.value.message.split())
    assert (caught.value.code, caught.value.param) == ("bad", "seed")
    assert str(caught.value).isprintable()


def test_a_key_between_controls_is_not_shown():
    endpoint = Endpoint("http://127.0.0.1/v1", KEY, rehearsal=False)
    assert endpoint.redacted(f"No {KEY[:9]}\x1b[0m{KEY[9:]}.") == "No [key]."
