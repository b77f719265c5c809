"""Replies that come in pieces although no stream was asked for, over HTTP."""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster.generation.replies.reading import read_reply as read_tasks
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.teacher.wire.error_bodies import FailedReplyError
from bioinstruct_dagster.teacher.wire.streams import put_together

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def chunk(delta=None, finish=None, **more):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": choices} | more


def events(*values, end="data: [DONE]\n\n"):
    return "".join(f"data: {json.dumps(value)}\n\n" for value in values) + end


PIECES = (chunk({"role": "assistant", "content": ""}), chunk({"content": "h"}),
          chunk({"content": "i"}), chunk({}, "stop"), chunk(usage=USAGE))  # fmt: skip

STREAMS = {
    "events": events(*PIECES),
    "carriage returns": events(*PIECES).replace("\n", "\r\n"),
    "comments": ": OPENROUTER PROCESSING\n\n" + events(*PIECES),
    "keep-alives as data": "data: : keep-alive\n\n" + events(*PIECES),
    "names, ids and times": "".join(
        f"event: message\nid: 1\nretry: 3000\ndata: {json.dumps(p)}\n\n" for p in PIECES),
    "no blank after the colon": events(*PIECES).replace("data: ", "data:"),
    "no blank line between": events(*PIECES).replace("\n\n", "\n"),
    "data of several lines": "".join(
        f"data: {line}\n" for line in json.dumps(PIECES[1], indent=1).split("\n"))
        + "\n" + events(*PIECES[2:]),
    "arguments of a tool's call": events(
        *(chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in "hi"),
        *PIECES[3:]),
    "no end mark": events(*PIECES, end=""),
    "usage in each piece": events(*(p | {"usage": USAGE} for p in PIECES)),
    "usage of null": events(*(p | {"usage": None} for p in PIECES[:-1]), PIECES[-1]),
    "a second choice": events(
        *PIECES[:2], {"choices": [{"index": 1, "delta": {"content": "no"}}]}, *PIECES[2:]),
    "one whole completion": events({"choices": [
        {"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": USAGE}),
    "all that came so far": events(*(
        {"choices": [{"message": {"content": text}, "delta": {"content": text[-1:]},
                      "finish_reason": finish}], "usage": USAGE}
        for text, finish in (("h", None), ("hi", "stop")))),
    "json and an end mark": json.dumps({"choices": [
        {"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": USAGE})
        + "\n\ndata: [DONE]\n\n",
    "indented json and an end mark": json.dumps({"choices": [
        {"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": USAGE}, indent=2)
        + "\n\ndata: [DONE]\n\n",
    "comments before indented json": "\n: PROCESSING\n\n: PROCESSING\n\n" + json.dumps({"choices": [
        {"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": USAGE}, indent=2),
    "one after another": "".join(json.dumps(p) for p in PIECES),
    "lines": "".join(json.dumps(p) + "\n" for p in PIECES),
    "old completions": events(
        {"choices": [{"text": "h"}]},
        {"choices": [{"text": "i", "finish_reason": "stop"}], "usage": USAGE}),
}  # fmt: skip


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json"])
@pytest.mark.parametrize("form", STREAMS)
def test_a_stream_is_put_together(answered, form, content_type):
    reply = answered(lambda: web.Response(text=STREAMS[form], content_type=content_type))
    assert (reply.content, reply.tokens, reply.finish_reason) == ("hi", 110, "stop")
    assert reply.body is None


def test_reasoning_and_refusal_in_pieces_are_kept_apart(answered):
    text = events(chunk({"reasoning_content": "h"}), chunk({"reasoning_content": "m"}),
                  chunk({"content": "hi"}), chunk({"refusal": "No."}, "stop"))  # fmt: skip
    reply = answered(lambda: web.Response(text=text, content_type="text/event-stream"))
    assert (reply.content, reply.reasoning, reply.refusal) == ("hi", "hm", "No.")


def test_a_stream_that_ends_early_is_a_reply_whose_cut_task_is_not_read(answered):
    text = next(r.content for r in read_recordings() if not r.faults)
    cut = text[: len(text) * 2 // 3]
    pieces = [chunk({"content": cut[at : at + 7]}) for at in range(0, len(cut), 7)]
    reply = answered(
        lambda: web.Response(text=events(*pieces, end=""), content_type="text/event-stream")
    )
    assert (reply.content, reply.finish_reason) == (cut, "broken_off")
    whole = read_tasks(text, "stop", None).tasks
    read = read_tasks(reply.content, reply.finish_reason, None)
    assert read.outcome == "truncated"
    assert 0 < len(read.tasks) < len(whole)
    assert read.tasks == whole[: len(read.tasks)]


def test_a_stream_cut_inside_an_event_keeps_what_came_before(answered):
    text = events(*PIECES[:3], end="")
    reply = answered(
        lambda: web.Response(text=text[: text.rindex("content")], content_type="text/event-stream")
    )
    assert (reply.content, reply.finish_reason, reply.tokens) == ("h", "broken_off", None)


def test_lines_of_ollama_are_put_together(answered):
    lines = [{"message": {"role": "assistant", "content": c, "thinking": t}, "done": False}
             for c, t in (("", "hm"), ("h", ""), ("i", ""))]  # fmt: skip
    last = {"message": {"content": ""}, "done": True, "done_reason": "length",
            "prompt_eval_count": 100, "eval_count": 10}  # fmt: skip
    text = "\n".join(map(json.dumps, [*lines, last]))
    reply = answered(lambda: web.Response(text=text, content_type="application/x-ndjson"))
    assert (reply.content, reply.reasoning) == ("hi", "hm")
    assert (reply.tokens, reply.finish_reason) == (110, "length")


RESPONSE = {
    "status": "completed",
    "model": "m",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
    "usage": {"input_tokens": 100, "output_tokens": 10},
}
DELTAS = (
    {"type": "response.created", "response": {"model": "m", "output": []}},
    {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
    {"type": "response.output_text.delta", "delta": "h"},
    {"type": "response.output_text.delta", "delta": "i"},
)


@pytest.mark.parametrize(
    ("last", "finish", "tokens"),
    [
        ([{"type": "response.completed", "response": RESPONSE}], "stop", 110),
        ([{"type": "response.completed", "response": RESPONSE | {"output": []}}], "stop", 110),
        ([{"type": "response.incomplete", "response": RESPONSE | {
            "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}],
         "length", 110),
        ([{"type": "response.incomplete", "response": RESPONSE | {"output": [],
            "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}],
         "length", 110),
        ([], "broken_off", None),
    ],
)  # fmt: skip
def test_events_of_the_responses_api_are_put_together(answered, last, finish, tokens):
    text = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in (*DELTAS, *last))
    reply = answered(
        lambda: web.Response(text=text, content_type="text/event-stream"), api="responses"
    )
    assert (reply.content, reply.finish_reason, reply.tokens) == ("hi", finish, tokens)


@pytest.mark.parametrize(
    "error", [{"error": {"message": "Slow down", "code": 429}},
              {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down"}]
)  # fmt: skip
def test_an_error_in_a_stream_counts_only_without_a_text(answered, error):
    def give(*before):
        return answered(
            lambda: web.Response(text=events(*before, error), content_type="text/event-stream")
        )

    with pytest.raises(FailedReplyError, match="Slow down") as caught:
        give()
    assert caught.value.status == 429
    reply = give(chunk({"content": "hi"}))
    assert (reply.content, reply.finish_reason) == ("hi", "broken_off")


@pytest.mark.parametrize(
    "text", ["", "data", "data: \n\n", ": x\n\n", "hello\nworld", "data: {}\n"]
)
def test_text_without_pieces_is_no_stream(text):
    assert put_together(text) is None
