"""The probe's requests keep their keys, and a reply's form is seen whatever its words."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.rehearsal.api_server.answers import PROBE_WORD
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.teacher.probe_request import SOUND_OUTCOMES, outcome_of, probe_request
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply_body import TeacherReply

TASK = '{"instruction": "Name one vitamin.", "input": "", "output": "Vitamin C."}'
JSON = f'{{"tasks": [{TASK}]}}'
TEXT = "###\n1. Instruction: Name one vitamin.\n1. Input:\n<noinput>\n1. Output:\nVitamin C."


def reply(content: str, finish_reason: str = "stop", refusal: str | None = None) -> TeacherReply:
    return TeacherReply(
        content=content,
        refusal=refusal,
        finish_reason=finish_reason,
        model=None,
        system_fingerprint=None,
        service_tier=None,
        prompt_tokens=1,
        cached_tokens=0,
        completion_tokens=1,
        request_id=None,
    )


# As they were when the schema was still that of generation: a server probed then is known now.
@pytest.mark.parametrize(
    ("reply_format", "key"),
    [
        ("json_schema", "24975af6a9065511989cdb7649b1c3aa1ebb758b7b19760b167534a61adb2261"),
        ("json_object", "a4321787ac8f385cabba06f55da6656075714ce1093be72be11cef312ca5462c"),
        ("text", "2a82d49fb00a8d254055bdef25d749ce6691722217f37855977b0de151834f4d"),
    ],
)
def test_the_key_of_a_probe_does_not_change(reply_format, key):
    settings = Settings.of(teacher="openai", teacher_model="gpt-4.1")
    endpoint = Endpoint("http://127.0.0.1:8000/v1", "k", rehearsal=False)
    request = probe_request(settings, endpoint, reply_format)
    assert request.completion_id == key
    assert PROBE_WORD in request.messages[0]["content"]
    elsewhere = replace(endpoint, base_url="http://127.0.0.1:8001/v1")
    assert probe_request(settings, elsewhere, reply_format).completion_id != key


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
