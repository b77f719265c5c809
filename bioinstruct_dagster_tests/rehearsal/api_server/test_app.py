"""The rehearsal teacher over real HTTP: OpenAI's wire format, and the same reply to the same
request.
"""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from openai import BadRequestError, OpenAI

from bioinstruct_dagster.rehearsal.api_server import app as server
from bioinstruct_dagster.rehearsal.recordings import read_recordings

LABELLING = {"type": "json_schema", "json_schema": {"name": "category_labels", "schema": {}}}
CATEGORIZE = {"response_format": LABELLING, "messages": [{"role": "user", "content": "hello"}]}
PROMPT = [{"role": "user", "content": "Write five tasks."}]
AS_JSON = {"type": "json_schema", "json_schema": {"name": "biomedical_tasks", "schema": {}}}


@pytest.fixture(scope="module")
def base_url():
    with server.serve_recordings() as url:
        yield url


@pytest.fixture(scope="module")
def client(base_url):
    with OpenAI(base_url=base_url, api_key="rehearsal", max_retries=0) as client:
        yield client


def post(base_url: str, body: bytes) -> tuple[int, dict]:
    request = urllib.request.Request(  # noqa: S310 - the test's own server
        f"{base_url}/chat/completions", body, {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_seed_points_to_a_recording(client):
    recordings = read_recordings()
    for seed in (0, 7, len(recordings) - 1, len(recordings), 2**31 - 1):
        reply = client.chat.completions.create(
            model="m", messages=PROMPT, seed=seed, response_format=AS_JSON
        )
        recording = recordings[seed % len(recordings)]
        (choice,) = reply.choices
        assert choice.message.content == recording.content
        assert choice.message.refusal == recording.refusal
        assert choice.finish_reason == recording.finish_reason


def test_successive_seeds_give_every_recording(client):
    recordings = read_recordings()
    replies = {
        client.chat.completions.create(
            model="m", messages=PROMPT, seed=seed, response_format=AS_JSON
        )
        .choices[0]
        .message.content
        for seed in range(1_000, 1_000 + len(recordings))
    }
    assert replies == {recording.content for recording in recordings}


def test_a_reply_carries_what_the_store_keeps_of_it(client):
    create = client.chat.completions.with_raw_response.create
    raw = create(model="m", messages=PROMPT, seed=1)
    again = create(model="m", messages=PROMPT, seed=1)
    other = create(model="m", messages=[{"role": "user", "content": "Write four."}], seed=1)
    assert raw.headers["x-request-id"].startswith("req_")
    assert again.headers["x-request-id"] == raw.headers["x-request-id"]
    assert other.headers["x-request-id"] != raw.headers["x-request-id"]
    reply = raw.parse()
    assert reply.model == server.MODEL
    assert reply.system_fingerprint
    usage = reply.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens == 5  # a token for every four characters, rounded up
    assert usage.completion_tokens > 100


def test_the_model_is_listed(client):
    assert [model.id for model in client.models.list()] == [server.MODEL]


def test_known_instructions_get_a_label_and_unknown_ones_none(client):
    labels = [label for recording in read_recordings() for label in recording.labels()]
    (known, category), (other, its_category) = labels[0], labels[-1]
    asked = [known.upper(), "Nobody ever recorded this instruction.", other]
    lines = "\n".join(
        json.dumps({"number": n, "instruction": text}) for n, text in enumerate(asked, start=1)
    )
    reply = client.chat.completions.create(
        model="m",
        messages=[
            {"role": "system", "content": "You classify."},
            {"role": "user", "content": f"Prose, and {{braces}}.\n[1]\n\n{lines}"},
        ],
        response_format=LABELLING,
    )
    assert json.loads(reply.choices[0].message.content) == {
        "labels": [{"number": 1, "category": category}, {"number": 3, "category": its_category}]
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"{}",
        b"[" * 100_000,
        b'{"messages": null}',
        b'{"messages": ["hello"]}',
        b'{"messages": [{"role": "user"}]}',
        b'{"messages": [{"role": "user", "content": null}]}',
        json.dumps({"messages": PROMPT, "seed": "x"}).encode(),
        json.dumps({"messages": PROMPT}).encode()[:-1] + b', "seed": 1e999}',
        json.dumps({"messages": PROMPT, "response_format": "json"}).encode(),
        json.dumps({"messages": PROMPT, "response_format": {"json_schema": "x"}}).encode(),
        json.dumps({**CATEGORIZE, "messages": []}).encode(),
    ],
)
def test_a_body_that_is_no_chat_request_is_refused(base_url, body):
    status, answer = post(base_url, body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"


def test_the_client_understands_the_refusal(client):
    with pytest.raises(BadRequestError, match="not a chat completion request"):
        client.post("/chat/completions", body={"messages": None}, cast_to=object)


def test_a_prompt_with_half_an_emoji_is_answered(base_url):
    body = {"messages": [{"role": "user", "content": "\ud83d"}], "response_format": AS_JSON}
    status, answer = post(base_url, json.dumps(body).encode())
    assert status == 200
    assert answer["choices"][0]["message"]["content"] == read_recordings()[0].content


def test_concurrent_requests_get_their_own_answers(client):
    def ask(seed):
        reply = client.chat.completions.create(
            model="m", messages=PROMPT, seed=seed, response_format=AS_JSON
        )
        return reply.choices[0].message.content

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(ask, range(100)))
    assert replies == [recording.content for recording in read_recordings()[:100]]


def test_two_servers_run_at_once_and_end_with_their_contexts():
    with server.serve_recordings() as one:
        with server.serve_recordings() as other:
            assert one != other
            assert post(other, b"{}")[0] == 400
        with pytest.raises(urllib.error.URLError):
            post(other, b"{}")
        assert post(one, b"{}")[0] == 400
    with pytest.raises(urllib.error.URLError):
        post(one, b"{}")


def test_the_server_ends_when_its_user_fails():
    urls = []

    def fail():
        with server.serve_recordings() as url:
            urls.append(url)
            raise RuntimeError("the asset failed")

    with pytest.raises(RuntimeError, match="the asset failed"):
        fail()
    with pytest.raises(urllib.error.URLError):
        post(urls[0], b"{}")


def test_only_this_machine_can_reach_it(base_url):
    assert base_url.startswith("http://127.0.0.1:")
