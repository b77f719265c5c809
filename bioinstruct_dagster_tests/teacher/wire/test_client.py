"""One request over the wire: its body in either API, its reply, and what can go wrong between."""

import asyncio
import json

import pytest
from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server import app as server
from bioinstruct_dagster.rehearsal.api_server.app import ServerOptions
from bioinstruct_dagster.teacher.errors import LostReplyError, StatusError, UnreachedServerError
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply_body import read_body

KEY = "sk-proj-a-key-that-nobody-may-see"
CHAT = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}


def complete(request, url, *, key=KEY, dialect=None, service="online", times=1):
    """Send a request so many times at once; the replies."""

    async def main():
        endpoint = Endpoint(url, key, rehearsal=False)
        async with TeacherClient(endpoint, connections=times, service=service) as client:
            return await asyncio.gather(
                *(client.complete(request, dialect or Dialect(), service) for _ in range(times))
            )

    return asyncio.run(main())


@pytest.fixture
def answered(serve, requests_of):
    """What becomes of one request to a server with this one answer."""

    def send(answer, **changed):
        async def give(_):
            return answer() if callable(answer) else answer

        (reply,) = complete(requests_of(1)[0], serve(give).url, **changed)
        return reply

    return send


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
    assert usual == {"model": "gpt-4.1", "messages": list(request.messages), **request.parameters}
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
        (500, {"error": "it fell over"}, '{"error": "it fell over"}', None, False),
        (500, {"detail": "it fell over"}, '{"detail": "it fell over"}', None, False),
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
        assert len(str(caught.value)) < 400


def test_a_redirect_does_not_carry_the_key_elsewhere(answered, serve, reply):
    async def answer(_):
        return reply()

    elsewhere = serve(answer)
    with pytest.raises(StatusError) as caught:
        answered(lambda: web.Response(status=307, headers={"location": elsewhere.url}))
    assert caught.value.status == 307
    assert elsewhere.keys == []


@pytest.mark.parametrize("fault", ["reset", "truncated_json"])
def test_a_reply_that_breaks_off_is_lost_and_may_be_billed(requests_of, fault):
    with (
        server.serve_recordings(options=ServerOptions(faults={fault: 1.0})) as url,
        pytest.raises(LostReplyError),
    ):
        complete(requests_of(1)[0], url)


def test_a_server_that_is_not_there_was_not_reached(requests_of):
    with pytest.raises(UnreachedServerError, match="ClientConnectorError"):
        complete(requests_of(1)[0], "http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    "body",
    [
        None, [], "text", 0, {}, {"choices": None}, {"choices": []}, {"choices": [None]},
        {"choices": [{"message": None}]}, {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"message": {"content": "x"}, "finish_reason": 5}]},
        {**CHAT, "model": {}}, {"output": 5}, {"output": [None]},
        {"output": [{"type": "message", "content": [{"type": "output_text"}]}]},
        {"error": {"message": "an error with status 200"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_success_that_is_no_completion_is_a_lost_reply(answered, body):
    with pytest.raises(LostReplyError, match="no completion"):
        answered(lambda: web.json_response(body))


@pytest.mark.parametrize(
    ("usage", "tokens", "cached"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, 12, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7,
          "prompt_tokens_details": {"cached_tokens": 4}}, 12, 4),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None, 0),
        ({"prompt_tokens": 0, "completion_tokens": 7}, None, 0),
        ({"prompt_tokens": 5, "completion_tokens": 0}, None, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 50}, 50, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 3}, 12, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": "many"}, 12, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7,
          "completion_tokens_details": {"reasoning_tokens": 7}}, 12, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7,
          "completion_tokens_details": {"reasoning_tokens": 8}}, 20, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": 5}, None, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7, "completion_tokens_details": [1]}, None, 0),
        ({"prompt_tokens": 5.0, "completion_tokens": 7.0}, None, 0),
        ({"prompt_tokens": 2**31, "completion_tokens": 2**31,
          "completion_tokens_details": {"reasoning_tokens": 2**31}}, 2**32, 0),
        ("much", None, 0),
        ([1, 2], None, 0),
        (False, None, 0),
        ({"prompt_tokens": 5}, None, 0),
        ({"prompt_tokens": 5, "completion_tokens": None}, None, 0),
        ({"prompt_tokens": 5, "completion_tokens": -7}, None, 0),
        ({"prompt_tokens": 5, "completion_tokens": 7.5}, None, 0),
        ({"prompt_tokens": True, "completion_tokens": 7}, None, 0),
        ({"prompt_tokens": 10**40, "completion_tokens": 7}, None, 0),
        (None, None, 0),
    ],
)  # fmt: skip
def test_tokens_are_taken_from_a_usage_that_makes_sense(usage, tokens, cached):
    reply = read_body({**CHAT, "usage": usage}, {})
    assert (reply.content, reply.tokens, reply.cached_tokens) == ("hi", tokens, cached)
    renamed = json.loads(
        json.dumps(usage).replace("prompt_tok", "input_tok").replace("completion_tok", "output_tok")
    )
    message = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    reply = read_body({"output": [message], "usage": renamed}, {})
    assert (reply.content, reply.tokens, reply.cached_tokens) == ("hi", tokens, cached)


def test_a_reply_without_text_may_take_no_output_tokens():
    usage = {"prompt_tokens": 5, "completion_tokens": 0}
    empty = {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}], "usage": usage}
    assert read_body(empty, {}).tokens == 5
    refused = {"choices": [{"message": {"refusal": "No."}}], "usage": usage}
    assert read_body(refused, {}).tokens == 5


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://user:hidden@far.example:84/hidden?key=hidden", "https://far.example:84."),
        ("//far.example/", "http://far.example."),
        ("/v2", "http://127.0.0.1:"),
        ("https://[::1]:9/v1", "https://[::1]:9."),
        ("https://[half", "an address that it does not name."),
        ("", "an address that it does not name."),
    ],
)
def test_a_redirect_names_the_host_and_the_setting(answered, location, target):
    with pytest.raises(StatusError) as caught:
        answered(lambda: web.Response(status=307, headers={"location": location}))
    assert target in str(caught.value)
    assert "OPENAI_BASE_URL" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY"])
def test_the_environments_proxy_is_used_except_for_no_proxy(
    serve, requests_of, reply, monkeypatch, variable
):
    seen = []

    async def proxy(request: web.Request) -> web.Response:
        seen.append((str(request.url), request.headers["authorization"]))
        return reply("by the proxy")

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", proxy)
    address = serve(application).url.removesuffix("/v1")
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, address)
    (request,) = requests_of(1)
    (answer,) = complete(request, "http://teacher.invalid:8000/v1")
    assert answer.content == "by the proxy"
    assert seen == [("http://teacher.invalid:8000/v1/chat/completions", f"Bearer {KEY}")]
    for named in ("teacher.invalid", "*", "teacher.invalid:8000"):
        monkeypatch.setenv("no_proxy", named)
        with pytest.raises(UnreachedServerError):
            complete(request, "http://teacher.invalid:8000/v1")
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "https://api.openai.com/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://user:secret@host/v1?key=secret", "https://host/v1"),
    ],
)
def test_the_address_that_is_stored_and_shown_holds_no_secret(url, shown):
    endpoint = Endpoint(url, KEY, rehearsal=False)
    assert endpoint.address == shown
    assert KEY not in f"{endpoint!r} {endpoint}"


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
