"""Bodies that break off: what came is read, and no number that may be cut is believed."""

import json

import pytest

from bioinstruct_dagster.teacher.wire.cut_json import cut_body
from bioinstruct_dagster.teacher.wire.reply_body import read_reply

CONTENT = 'a \\ "q" \u00e9 {\n, [ ] } tasks'
BODY = {
    "id": "x",
    "choices": [{"index": 0, "message": {"content": CONTENT}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 50, "completion_tokens": 70, "total_tokens": 120},
}


def test_every_beginning_of_a_body_is_a_reply_with_the_text_that_came():
    data = json.dumps(BODY).encode()
    longest = 0
    for end in range(1, len(data)):
        reply = read_reply(data[:end], {})
        assert CONTENT.startswith(reply.content)
        assert len(reply.content) >= longest
        assert reply.tokens is None
        assert reply.content == CONTENT or reply.finish_reason in {None, "broken_off"}
        longest = len(reply.content)
    assert longest == len(CONTENT)


def test_a_response_that_breaks_off_is_incomplete():
    item = {"type": "message", "content": [{"type": "output_text", "text": "one two"}]}
    text = json.dumps({"output": [item], "status": "completed"})
    body = cut_body(text[: text.index("two")])
    reply = read_reply(text[: text.index("two")].encode(), {})
    assert body["status"] == "incomplete"
    assert (reply.content, reply.finish_reason) == ("one ", "broken_off")


@pytest.mark.parametrize("text", ["{", "{]", '{"a": 1', "{not json", '{"choices": ', "[1, 2"])
def test_text_that_is_no_reply_is_left_alone(text):
    assert cut_body(text) is None
