"""The body of a request in a dialect."""

import json

import pytest

from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.dialect import Dialect

FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "tasks",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"strict": {"type": "object", "additionalProperties": False}},
            "additionalProperties": False,
        },
    },
}


def request(*messages, **parameters):
    return TeacherRequest(
        purpose="generation",
        teacher="openai",
        model="m",
        parameters={"max_completion_tokens": 9, "seed": 3, **parameters},
        messages=[{"role": role, "content": content} for role, content in messages],
        template_id="t",
        template_sha256="0",
    )


ASKED = request(("system", "You."), ("user", "Write."))


@pytest.mark.parametrize(("api", "name"), [("chat", "messages"), ("responses", "input")])
def test_a_system_prompt_is_folded_into_the_users_message(api, name):
    folded = Dialect(api=api, folds_system=True).body(ASKED)[name]
    assert folded == [{"role": "user", "content": "You.\n\nWrite."}]
    assert Dialect(api=api).body(ASKED)[name] == ASKED.messages
    assert ASKED.messages[0]["role"] == "system"  # the request itself stays as it is stored


def test_folding_keeps_other_messages():
    asked = request(("system", "A."), ("developer", "B."), ("user", "C."), ("assistant", "D."))
    folded = Dialect(folds_system=True).body(asked)["messages"]
    assert [m["content"] for m in folded] == ["A.\n\nB.\n\nC.", "D."]
    alone = Dialect(folds_system=True).body(request(("system", "A.")))["messages"]
    assert alone == [{"role": "user", "content": "A."}]


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("name", ["seed", "stream", "store", "temperature", "reasoning_effort"])
def test_a_left_out_parameter_is_not_sent(api, name):
    asked = request(("user", "Write."), temperature=1.0, reasoning_effort="low")
    body = Dialect(api=api, left_out=frozenset({name})).body(asked)
    assert name not in body
    assert name != "reasoning_effort" or "reasoning" not in body


@pytest.mark.parametrize(
    ("api", "limit_name", "sent"),
    [
        ("chat", "max_completion_tokens", "max_completion_tokens"),
        ("chat", "max_tokens", "max_tokens"),
        ("responses", "max_completion_tokens", "max_output_tokens"),
        ("responses", "max_tokens", "max_tokens"),
    ],
)
def test_the_limit_has_one_name(api, limit_name, sent):
    body = Dialect(api=api, token_limit_name=limit_name).body(ASKED)
    limits = {"max_completion_tokens", "max_tokens", "max_output_tokens"}
    assert {name: body[name] for name in limits & set(body)} == {sent: 9}
    without = Dialect(api=api, left_out=frozenset({"max_completion_tokens"})).body(ASKED)
    assert not limits & set(without)


def test_the_reasoning_effort_has_a_form_for_each_api():
    asked = request(("user", "Write."), reasoning_effort="low")
    assert Dialect().body(asked)["reasoning_effort"] == "low"
    body = Dialect(api="responses").body(asked)
    assert body["reasoning"] == {"effort": "low"}
    assert "reasoning_effort" not in body


def test_keywords_are_taken_out_of_a_schema_and_names_of_fields_stay():
    asked = request(("user", "Write."), response_format=FORM)
    left_out = frozenset({"strict", "additionalProperties"})
    sent = Dialect(left_out=left_out).body(asked)["response_format"]
    assert sent["json_schema"] == {
        "name": "tasks",
        "schema": {"type": "object", "properties": {"strict": {"type": "object"}}},
    }
    assert Dialect().body(asked)["response_format"] is FORM
    responses = Dialect(api="responses", left_out=left_out).body(asked)["text"]["format"]
    assert responses["type"] == "json_schema"
    assert "additionalProperties" not in json.dumps(responses)


def test_a_request_says_that_it_wants_no_stream_except_in_a_batch():
    assert Dialect().body(ASKED)["stream"] is False
    assert Dialect(api="responses").body(ASKED)["stream"] is False
    assert "stream" not in Dialect().body(ASKED, "batch")
