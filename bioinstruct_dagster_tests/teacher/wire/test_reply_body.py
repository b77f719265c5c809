"""Replies in the forms in which servers send them, over HTTP: each is stored with its usage."""

import json

import hypothesis.strategies as st
import pytest
from aiohttp import web
from hypothesis import given, settings

from bioinstruct_dagster.store.journal import fold
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.error_bodies import FailedReplyError
from bioinstruct_dagster.teacher.wire.reply_body import MAX_BODY_CHARACTERS, read_body, read_reply
from bioinstruct_dagster_tests.teacher.sessions import session_of

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def chat(message, *, finish="stop", **more):
    choice = {"index": 0, "finish_reason": finish} | ({} if message is None else message)
    return {"id": "c", "model": "m", "choices": [choice], "usage": USAGE} | more


def said(content, **more):
    return chat({"message": {"role": "assistant", "content": content, **more}})


TEXTS = {
    "a text": said("hi"),
    "parts": said([{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]),
    "output_text parts": said([{"type": "output_text", "text": "hi"}]),
    "bare strings": said(["h", "i"]),
    "parts without a type": said([{"text": "hi"}]),
    "a part's text in an object": said([{"type": "text", "text": {"value": "hi"}}]),
    "one part": said({"type": "text", "text": "hi"}),
    "an image beside": said([{"type": "image_url", "image_url": {}},
                             {"type": "text", "text": "hi"}]),
    "a null part": said([None, {"type": "text", "text": "hi"}]),
    "no message, a text": chat({"text": "hi"}),
    "no message, a delta": chat({"delta": {"content": "hi"}}),
    "an empty delta beside": chat({"message": {"content": "hi"}, "delta": {}}),
    "a message that is a text": chat({"message": "hi"}),
    "a choice that is a text": {"choices": ["hi"], "usage": USAGE},
    "choices without a list": {"choices": {"message": {"content": "hi"}}, "usage": USAGE},
    "a draft before the choice that was asked for": {
        "choices": [{"index": 1, "message": {"content": "draft"}},
                    {"index": 0, "message": {"content": "hi"}}], "usage": USAGE},
    "the arguments of a tool's call": said(None, tool_calls=[
        {"id": "t", "type": "function", "function": {"name": "f", "arguments": "hi"}}]),
    "the arguments of a tool's call beside an empty text": said("", tool_calls=[
        {"function": {"name": "f", "arguments": "hi"}}]),
    "the arguments of a function's call": said(
        None, function_call={"name": "f", "arguments": "hi"}),
    "a call beside a text": said("hi", tool_calls=[{"function": {"arguments": "no"}}]),
    "an empty choice before": {
        "choices": [{"message": {"content": ""}}, {"message": {"content": "hi"}}], "usage": USAGE},
    "a list around": [said("hi")],
    "a text of JSON": json.dumps(said("hi")),
    "wrapped in data": {"code": 0, "msg": "success", "data": said("hi")},
    "wrapped in result": {"success": True, "errors": [], "result": {**said("hi")}},
    "a body in a body": {"statusCode": 200, "body": json.dumps(said("hi"))},
    "no error": said("hi") | {"error": None},
    "an error beside": said("hi") | {"error": {"message": "a warning", "code": 500}},
    "Ollama's own": {"message": {"role": "assistant", "content": "hi"}, "done": True,
                     "done_reason": "stop", "prompt_eval_count": 100, "eval_count": 10},
    "Anthropic's own": {"type": "message", "content": [{"type": "text", "text": "hi"}],
                        "usage": {"input_tokens": 100, "output_tokens": 10}},
    "Gemini's own": {
        "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10}},
    "generated_text": [{"generated_text": "hi", "usage": USAGE}],
}  # fmt: skip


@pytest.mark.parametrize("form", TEXTS)
def test_the_answer_is_read_from_whatever_form_it_has(answered, form):
    reply = answered(lambda: web.json_response(TEXTS[form]))
    assert (reply.content, reply.tokens, reply.body) == ("hi", 110, None)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"tasks": [{"instruction": "Name it."}]}, '{"tasks": [{"instruction": "Name it."}]}'),
        ([{"instruction": "Name it."}], '[{"instruction": "Name it."}]'),
        (5, "5"),
        (0, "0"),
        (True, "true"),
    ],
)
def test_json_that_the_server_has_parsed_is_text_again(answered, content, text):
    assert answered(lambda: web.json_response(said(content))).content == text


THOUGHTS = {
    "reasoning_content": said("hi", reasoning_content="hm"),
    "reasoning": said("hi", reasoning="hm"),
    "both alike": said("hi", reasoning="hm", reasoning_content="hm"),
    "reasoning in an object": said("hi", reasoning={"content": "hm"}),
    "reasoning in a list": said("hi", reasoning=[{"type": "reasoning.text", "text": "hm"}]),
    "details": said("hi", reasoning=None, reasoning_details=[
        {"type": "reasoning.encrypted", "data": "x"},
        {"type": "reasoning.summary", "summary": "hm"}]),
    "thinking": said("hi", thinking="hm"),
    "a thinking part": said([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                             {"type": "text", "text": "hi"}]),
    "a reasoning part": said([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "hi"}]),
    "a thought of Gemini": said([{"text": "hm", "thought": True}, {"text": "hi"}]),
}  # fmt: skip


@pytest.mark.parametrize("form", THOUGHTS)
def test_reasoning_is_kept_apart_from_the_answer(answered, form):
    reply = answered(lambda: web.json_response(THOUGHTS[form]))
    assert (reply.content, reply.reasoning) == ("hi", "hm")


@pytest.mark.parametrize("value", [None, 5, 2.5, True, [], ["x"], {}, {"x": 1}, ""], ids=str)
def test_fields_by_the_way_may_have_any_type(answered, value):
    names = ("id", "object", "created", "model", "service_tier", "system_fingerprint")
    body = said("hi", role=value) | dict.fromkeys(names, value)
    body["choices"][0] |= dict.fromkeys(("index", "logprobs"), value)
    reply = answered(lambda: web.json_response(body))
    assert (reply.content, reply.tokens, reply.finish_reason) == ("hi", 110, "stop")
    expected = str(value) if type(value) in (int, str) else None
    assert (reply.model, reply.service_tier, reply.system_fingerprint) == (expected,) * 3


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("stop", "stop"), ("length", "length"), ("max_tokens", "length"), ("MAX_TOKENS", "length"),
        ("model_length", "length"), ("SAFETY", "content_filter"), ("eos_token", "eos_token"),
        ({"type": "stop"}, "stop"), (5, "5"), (None, None), ([], None), (True, None),
    ],
    ids=str,
)  # fmt: skip
def test_the_reason_of_the_end_has_one_name(answered, sent, read):
    body = chat({"message": {"content": "hi"}}, finish=sent)
    assert answered(lambda: web.json_response(body)).finish_reason == read


@pytest.mark.parametrize(
    ("refusal", "read"),
    [("No.", "No."), (None, None), ("", None), (False, None), ({}, None), ([], None),
     ([{"type": "refusal", "text": "No."}], "No."),
     (True, "The server marks this reply as a refusal.")],
    ids=str,
)  # fmt: skip
def test_a_refusal_may_have_any_type(answered, refusal, read):
    assert answered(lambda: web.json_response(said(None, refusal=refusal))).refusal == read


NO_COMPLETIONS = [
    {}, {"choices": None}, {"choices": []}, {"choices": [None]}, {"choices": 5},
    {"choices": [{"message": None}]}, {"choices": [{}]}, {"output": 5}, {"output": []},
    {"output": [None]}, {"output": [{"type": "function_call", "arguments": "{}"}]},
    {"choices": [{"message": {"content": None, "tool_calls": [{"id": "t"}]}}]},
    {"answer": {"deep": 1}}, [], [1], 0, "text", None, {"status": "queued", "id": "r"},
]  # fmt: skip


@pytest.mark.parametrize("body", NO_COMPLETIONS, ids=str)
def test_a_body_that_is_no_completion_is_a_reply_with_its_usage(answered, body):
    if isinstance(body, dict):
        body = body | {"usage": USAGE, "model": "m"}
    reply = answered(lambda: web.json_response(body))
    assert (reply.content, json.loads(reply.body)) == ("", body)
    assert (reply.tokens, reply.model) == ((110, "m") if isinstance(body, dict) else (None, None))


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("<html><body>Please log in</body></html>", "text/html"),
        ("Here is your answer.", "text/plain"),
        ("{not json", "application/json"),
        ("[" * 100_000, "application/json"),
        ("data", "text/event-stream"),
    ],
)
def test_a_body_that_is_no_json_is_a_reply(answered, text, content_type):
    reply = answered(lambda: web.Response(text=text, content_type=content_type))
    assert (reply.content, reply.tokens) == ("", None)
    assert reply.body == text


def test_an_empty_completion_needs_no_body(answered):
    reply = answered(lambda: web.json_response(said("") | {"error": None}))
    assert (reply.content, reply.body, reply.tokens) == ("", None, 110)


def test_a_huge_body_is_cut_with_a_note(answered):
    reply = answered(lambda: web.Response(text="x" * (MAX_BODY_CHARACTERS + 5)))
    assert len(reply.body) < MAX_BODY_CHARACTERS + 100
    assert reply.body.endswith("[5 more characters were not stored]")


def test_other_encodings_are_read(answered):
    raw = json.dumps(said("na\u00efve"), ensure_ascii=False)
    for data, kind in (
        (raw.encode("utf-8-sig"), "application/json"),
        (raw.encode("utf-16"), "application/json"),
    ):
        reply = answered(lambda data=data, kind=kind: web.Response(body=data, content_type=kind))
        assert reply.content == "na\u00efve"
    page = web.Response(
        body="na\u00efve".encode("latin-1"), content_type="text/html", charset="latin-1"
    )
    assert answered(lambda: page).body == "na\u00efve"


RESPONSES = {
    "plain": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
    "a text as content": [{"type": "message", "content": "hi"}],
    "no type": [{"content": [{"type": "output_text", "text": "hi"}]}],
    "parts without items": [{"type": "output_text", "text": "hi"}],
    "other items": [None, 5, {"type": "web_search_call"}, {"type": "message", "content": [
        None, {"type": "output_text", "text": "hi", "annotations": 5}]}],
}  # fmt: skip


@pytest.mark.parametrize("form", RESPONSES)
def test_items_of_the_responses_api_may_have_any_form(answered, form):
    body = {"output": RESPONSES[form], "usage": {"input_tokens": 100, "output_tokens": 10}}
    reply = answered(lambda: web.json_response(body), api="responses")
    assert (reply.content, reply.tokens, reply.finish_reason) == ("hi", 110, "stop")


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}], "summary": []},
        {"type": "reasoning", "summary": "hm", "encrypted_content": "x"},
    ],
)
def test_reasoning_of_the_responses_api_is_kept_apart(answered, item):
    body = {"output": [item, *RESPONSES["plain"]], "reasoning": {"effort": "low"}}
    reply = answered(lambda: web.json_response(body), api="responses")
    assert (reply.content, reply.reasoning) == ("hi", "hm")


@pytest.mark.parametrize(
    ("fields", "finish"),
    [
        ({"status": "completed"}, "stop"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": "content_filter"}, "content_filter"),
        ({"status": "incomplete", "incomplete_details": None}, None),
        ({"status": "failed", "error": {"code": "server_error", "message": "m"}}, "broken_off"),
    ],
)
def test_the_status_of_a_response_says_why_it_ended(answered, fields, finish):
    body = {"output": RESPONSES["plain"], **fields}
    reply = answered(lambda: web.json_response(body), api="responses")
    assert (reply.content, reply.finish_reason) == ("hi", finish)


def test_a_reply_is_never_sent_again_for_its_form(store, serve, requests_of):
    bodies = [*NO_COMPLETIONS[:8], said([{"type": "text", "text": "hi"}])]
    pages = iter(bodies)

    async def answer(_):
        body = next(pages)
        return web.json_response({**body, "usage": USAGE})

    served = serve(answer)
    requests = requests_of(len(bodies))
    session = session_of(
        Endpoint(served.url, "key", rehearsal=False), store, terms=Terms(concurrency=1)
    )

    tally = ask(session, requests)
    assert (tally.asked, tally.failed, tally.retried) == (len(bodies), 0, 0)
    assert len(served.bodies) == len(bodies)
    fold(store)
    rows = store.rows(
        "select content, body, prompt_tokens + completion_tokens as n from completions"
    )
    assert {row["n"] for row in rows} == {110}
    assert sum(row["body"] is None for row in rows) == 1
    assert store.rows("select * from presumed_spend") == []


def test_an_error_and_no_answer_is_an_error():
    with pytest.raises(FailedReplyError, match="Slow down"):
        read_body({"error": {"message": "Slow down", "code": 429}}, {})


NAMES = [
    "choices", "message", "content", "text", "type", "delta", "finish_reason", "usage", "error",
    "code", "output", "status", "reasoning", "reasoning_details", "refusal", "prompt_tokens",
    "completion_tokens", "total_tokens", "prompt_tokens_details", "cached_tokens", "detail",
    "data", "index", "done", "response", "incomplete_details", "summary", "metadata", "raw",
]  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["text", "thinking", "message", "failed", "error", "length", "hi", "12"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(value=VALUES, form=st.sampled_from(["{}", "data: {}\n\n", "{}\n{}", "data: {}"]))
@settings(max_examples=600)
def test_no_body_is_too_odd_to_be_a_reply_or_an_error_in_words(value, form):
    data, failed = form.replace("{}", json.dumps(value)).encode(), None
    try:
        reply = read_reply(data, {})
    except FailedReplyError as error:
        failed, reply = error, error.reply
    if failed:
        assert isinstance(failed.message, str)
        assert failed.message
        assert failed.status in range(400, 600)
    assert isinstance(reply.content, str)
    assert reply.tokens is None or reply.tokens > 0
    texts = (reply.reasoning, reply.refusal, reply.body, reply.finish_reason, reply.model)
    assert all(text is None or isinstance(text, str) for text in texts)


@given(value=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), text=st.text(min_size=1))
def test_a_plain_answer_is_read_whatever_stands_beside_it(value, text):
    body = {**value, "choices": [{**value, "message": {"role": "assistant", "content": text}}]}
    assert read_reply(json.dumps(body).encode(), {}).content == text


def test_a_value_that_the_server_has_parsed_is_the_answer(answered):
    tasks = {"tasks": [{"instruction": "Name a bone."}]}
    reply = answered(lambda: web.json_response(said(None, parsed=tasks)))
    assert json.loads(reply.content) == tasks
    assert reply.body is None


def test_the_arguments_of_a_call_in_a_response_are_the_answer(answered):
    body = {"output": [{"type": "function_call", "name": "f", "arguments": "hi"}], "usage": USAGE}
    reply = answered(lambda: web.json_response(body), api="responses")
    assert (reply.content, reply.tokens) == ("hi", 110)
