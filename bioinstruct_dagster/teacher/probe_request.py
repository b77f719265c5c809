"""The requests of a probe, and whether a reply has the requested form.

One request asks for a tiny task, by JSON schema, as a JSON object or as numbered text. Only the
form of its reply matters, not the content. Another request asks for far more text than its limit of
output tokens allows. Like the requests that come later, each has a system message and a user
message. Belongs here: these requests, and checking the form of a reply. Does not: which request is
sent next (probing), or reading the replies of other requests (generation.replies, questions).
"""

import json
import re
from typing import Any

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.reading.answer_text import BROKEN_OFF, answer_from
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply import TeacherReply

PROBE_ID = "format-probe/2"
LIMIT_PROBE_ID = "limit-probe/1"
# As long as the system prompt of real requests, which a server may refuse.
SYSTEM_PROMPT = (
    "You are a clinician and biomedical researcher who writes training tasks for a language model."
)
JSON_PROBE = (
    "This is a format-probe. Write one short biomedical task with its answer, as JSON: "
    '{"tasks": [{"instruction": "...", "input": "", "output": "..."}]}'
)
TEXT_PROBE = (
    "This is a format-probe. Write one short biomedical task with its answer, in this form:\n"
    "###\n1. Instruction: ...\n1. Input:\n<noinput>\n1. Output:\n..."
)
LIMIT_PROBE = (
    "This is a limit-probe. Write the numbers from 1 to 200, each on a line of its own, and "
    "nothing else."
)
MAX_PROBE_TOKENS = 2_000  # a reasoning model thinks before it writes
MAX_GROWN_TOKENS = 8_000  # of the second try, if a model thought until the first limit
LIMIT_PROBE_TOKENS = 16  # the least that the Responses API takes
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
    settings: Settings,
    endpoint: Endpoint,
    reply_format: ReplyFormat,
    *,
    max_tokens: int = MAX_PROBE_TOKENS,
    draw: int = 0,
) -> TeacherRequest:
    """The request that asks a server for one task in a format.

    Args:
        settings: name the teacher and how much it may reason.
        endpoint: the server.
        reply_format: the form of the reply.
        max_tokens: the limit of output tokens, without those that the settings allow for reasoning.
        draw: the number of the request, because each reply of a probe is a completion of its own.
    """
    form = _RESPONSE_FORMATS[reply_format]
    prompt = TEXT_PROBE if reply_format == "text" else JSON_PROBE
    return TeacherRequest(
        purpose="probe",
        teacher=settings.teacher.name,
        model=settings.teacher.model,
        parameters=_parameters(
            settings, max_tokens + settings.teacher.reasoning_tokens, response_format=form
        ),
        messages=_messages(prompt),
        template_id=PROBE_ID,
        # The probe of another server, or of another API, is a completion of its own.
        template_sha256=sha256_of(
            [PROBE_ID, SYSTEM_PROMPT, prompt, form, endpoint.address, settings.teacher.api]
        ),
        reply_format=reply_format,
        draw=draw,
    )


def usual_limit(settings: Settings) -> int:
    """The limit of output tokens that a request for new tasks will have."""
    teacher = settings.teacher
    tasks = settings.generation.tasks_per_request
    return tasks * teacher.output_tokens_per_task + teacher.reasoning_tokens


def limit_probe_request(settings: Settings, endpoint: Endpoint, *, draw: int = 0) -> TeacherRequest:
    """The request that asks for far more text than its limit of output tokens allows."""
    return TeacherRequest(
        purpose="probe",
        teacher=settings.teacher.name,
        model=settings.teacher.model,
        parameters=_parameters(settings, LIMIT_PROBE_TOKENS),
        messages=_messages(LIMIT_PROBE),
        template_id=LIMIT_PROBE_ID,
        template_sha256=sha256_of(
            [LIMIT_PROBE_ID, SYSTEM_PROMPT, LIMIT_PROBE, endpoint.address, settings.teacher.api]
        ),
        reply_format="text",
        draw=draw,
    )


def _parameters(
    settings: Settings, max_tokens: int, response_format: dict[str, Any] | None = None
) -> dict[str, Any]:
    effort = settings.teacher.reasoning_effort
    return {
        "temperature": 0.0,  # some models refuse any temperature but their own
        "max_completion_tokens": max_tokens,
        "seed": 0,
        **({"reasoning_effort": effort} if effort else {}),
        **({"response_format": response_format} if response_format else {}),
    }


def _messages(prompt: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": prompt}]


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
    if outcome == "malformed" and reply.finish_reason in {"length", BROKEN_OFF}:
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
