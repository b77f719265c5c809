"""The request of the probe, and whether a reply has the requested form.

The request asks for one tiny task, by JSON schema, as a JSON object or as numbered text. Only the
form of a reply matters, not its content. Belongs here: the three requests, and checking the form of
a reply. Does not: which request is sent next (probe), or reading the replies of other requests
(generation.replies, questions).
"""

import json
import re
from typing import Any

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.reading.answer_text import answer_from
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply_body import TeacherReply

PROBE_ID = "format-probe/1"
JSON_PROBE = (
    "This is a format-probe. Write one short biomedical task with its answer, as JSON: "
    '{"tasks": [{"instruction": "...", "input": "", "output": "..."}]}'
)
TEXT_PROBE = (
    "This is a format-probe. Write one short biomedical task with its answer, in this form:\n"
    "###\n1. Instruction: ...\n1. Input:\n<noinput>\n1. Output:\n..."
)
MAX_PROBE_TOKENS = 2_000  # a reasoning model thinks before it writes
# The outcomes that do not speak against the format. The others: empty, malformed, wrong_schema.
SOUND_OUTCOMES = frozenset({"parsed", "truncated", "refused"})

_FIELDS = ("instruction", "input", "output")
_TASKS_START = re.compile(r'\{\s*"tasks"')


def _object(**properties: Any) -> dict[str, Any]:
    """The JSON schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TASK = _object(**{name: {"type": "string"} for name in _FIELDS})
# The name and the schema are part of the request's key. If they change, all servers are probed.
_RESPONSE_FORMATS: dict[ReplyFormat, dict[str, Any] | None] = {
    "json_schema": {
        "type": "json_schema",
        "json_schema": {
            "name": "biomedical_tasks",
            "strict": True,
            "schema": _object(tasks={"type": "array", "items": _TASK}),
        },
    },
    "json_object": {"type": "json_object"},
    "text": None,
}


def probe_request(
    settings: Settings, endpoint: Endpoint, reply_format: ReplyFormat
) -> TeacherRequest:
    """The request that asks a server for one task in a format."""
    form = _RESPONSE_FORMATS[reply_format]
    prompt = TEXT_PROBE if reply_format == "text" else JSON_PROBE
    return TeacherRequest(
        purpose="probe",
        teacher=settings.teacher.name,
        model=settings.teacher.model,
        parameters={
            "temperature": 0.0,  # some models refuse any temperature but their own
            "max_completion_tokens": MAX_PROBE_TOKENS,
            "seed": 0,
            **({"response_format": form} if form else {}),
        },
        messages=[{"role": "user", "content": prompt}],
        template_id=PROBE_ID,
        # The probe of another server, or of another API, is a completion of its own.
        template_sha256=sha256_of([PROBE_ID, prompt, form, endpoint.address, settings.teacher.api]),
        reply_format=reply_format,
    )


def outcome_of(reply: TeacherReply, reply_format: ReplyFormat) -> str:
    """The outcome of a reply in one word. `SOUND_OUTCOMES` lists the good outcomes."""
    if reply.refusal:
        return "refused"
    answer = answer_from(reply.content, reply.reasoning, reply.finish_reason)
    if not answer.text.strip():
        outcome = "empty"
    elif reply_format == "text":
        before, _, output = answer.text.partition("Output:")
        outcome = "parsed" if "Instruction:" in before and output.strip() else "malformed"
    else:
        outcome = _json_outcome(answer.text)
    if answer.from_reasoning and outcome != "parsed":
        outcome = "empty"
    if outcome != "parsed" and reply.finish_reason == "content_filter":
        return "refused"
    if outcome == "malformed" and reply.finish_reason == "length":
        return "truncated"
    return outcome


def _json_outcome(content: str) -> str:
    # Prose or a code fence around the JSON is no fault, because readers of replies skip both.
    start = _TASKS_START.search(content)
    try:
        value, _ = json.JSONDecoder().raw_decode(
            content, start.start() if start else content.find("{")
        )
    except (ValueError, RecursionError):
        return "malformed"
    tasks = value.get("tasks") if isinstance(value, dict) else None
    if not isinstance(tasks, list) or not tasks:
        return "wrong_schema"
    whole = all(
        isinstance(task, dict) and all(isinstance(task.get(name), str) for name in _FIELDS)
        for task in tasks
    )
    return "parsed" if whole else "wrong_schema"
