"""The probe's requests keep their keys, and a reply's form is seen whatever its words."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.rehearsal.api_server.answers import PROBE_WORD
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.teacher.probe_request import (
    LIMIT_PROBE_TOKENS,
    MAX_PROBE_TOKENS,
    SOUND_OUTCOMES,
    limit_probe_request,
    outcome_of,
    probe_request,
)
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply import TeacherReply

TASK = '{"instruction": "Name one vitamin.", "input": "", "output": "Vitamin C."}'
JSON = f'{{"tasks": [{TASK}]}}'
TEXT = "###\n1. Instruction: Name one vitamin.\n1. Input:\n<noinput>\n1. Output:\nVitamin C."


def reply(content: str, finish_reason: str = "stop", refusal: str | None = None) -> TeacherReply:
    return TeacherReply(
        content=content,
        refusal=refusal,
        finish_reason=finish_reason,
        prompt_tokens=1,
        completion_tokens=1,
    )


SETTINGS = Settings.of(teacher="openai", teacher_model="gpt-4.1")
ENDPOINT = Endpoint("http://127.0.0.1:8000/v1", "k", rehearsal=False)


@pytest.mark.parametrize("reply_format", ["json_schema", "json_object", "text"])
def test_each_probe_is_a_completion_of_its_own(reply_format):
    request = probe_request(SETTINGS, ENDPOINT, reply_format)
    assert PROBE_WORD in request.messages[-1]["content"]
    elsewhere = replace(ENDPOINT, base_url="http://127.0.0.1:8001/v1")
    others = [
        probe_request(SETTINGS, elsewhere, reply_format),
        probe_request(SETTINGS, ENDPOINT, reply_format, draw=1),
        probe_request(SETTINGS, ENDPOINT, reply_format, max_tokens=8_000),
        limit_probe_request(SETTINGS, ENDPOINT),
        limit_probe_request(SETTINGS, ENDPOINT, draw=1),
    ]
    assert len({r.completion_id for r in [request, *others]}) == 6
    assert probe_request(SETTINGS, ENDPOINT, reply_format).completion_id == request.completion_id


def test_a_probe_has_the_roles_of_real_requests_and_a_system_prompt_of_their_size(requests_of):
    real = requests_of(1)[0].messages
    probes = [probe_request(SETTINGS, ENDPOINT, "text"), limit_probe_request(SETTINGS, ENDPOINT)]
    for request in probes:
        assert [m["role"] for m in request.messages] == [m["role"] for m in real]
        assert len(request.messages[0]["content"]) >= len(real[0]["content"])


def test_a_probe_allows_the_reasoning_that_the_settings_allow():
    reasoning = Settings.of(teacher="openai", reasoning_tokens=4_000, reasoning_effort="low")
    parameters = probe_request(reasoning, ENDPOINT, "text").parameters
    assert parameters["max_completion_tokens"] == MAX_PROBE_TOKENS + 4_000
    assert parameters["reasoning_effort"] == "low"
    limited = limit_probe_request(reasoning, ENDPOINT).parameters
    assert limited["max_completion_tokens"] == LIMIT_PROBE_TOKENS
    assert "reasoning_effort" not in probe_request(SETTINGS, ENDPOINT, "text").parameters


@pytest.mark.parametrize(
    ("reply_format", "content", "outcome"),
    [
        ("json_schema", JSON, "parsed"),
        ("json_object", f"Here it is:\n```json\n{JSON}\n```", "parsed"),
        ("json_object", f"{{thinking}} {JSON}", "parsed"),
        ("json_schema", "", "empty"),
        ("json_schema", " \n", "empty"),
        ("json_schema", TEXT, "malformed"),
        ("json_schema", JSON[:-9], "malformed"),
        ("json_schema", '{"tasks": ' + "[" * 100_000, "malformed"),
        ("json_schema", '{"answer": 1}', "wrong_schema"),
        ("json_schema", '{"tasks": []}', "wrong_schema"),
        ("json_schema", '{"tasks": ["one"]}', "wrong_schema"),
        ("json_schema", JSON.replace('""', "null"), "wrong_schema"),
        ("text", TEXT, "parsed"),
        ("text", "Instruction: and no more", "malformed"),
        ("text", "Instruction: Name one.\nOutput: \n", "malformed"),
    ],
    ids=str,
)
def test_the_form_of_a_reply_is_seen(reply_format, content, outcome):
    assert outcome_of(reply(content), reply_format) == outcome
    assert (outcome in SOUND_OUTCOMES) == (outcome == "parsed")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply("", refusal="I won't."), "refused"),
        (reply("", "content_filter"), "refused"),
        (reply(JSON, "content_filter"), "parsed"),
        (reply(JSON[:-9], "length"), "truncated"),
        (reply(JSON, "length"), "parsed"),
        (reply("", "length"), "empty"),
        (reply('{"answer": 1}', "length"), "wrong_schema"),
    ],
)
def test_a_refusal_or_a_cut_is_told_from_a_wrong_form(answer, outcome):
    assert outcome_of(answer, "json_schema") == outcome
