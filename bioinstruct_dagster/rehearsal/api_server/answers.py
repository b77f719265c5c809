"""The rehearsal teacher's answers: recorded tasks or labels, row checks, grades, probe answers.

An answer is JSON or, if the request asks for no JSON, numbered text in Alpaca's form.

Belongs here: the text of an answer. Does not: the rule of the stand-in judge (judge), the body
around it (openai_format), or its faults (faults).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from bioinstruct_dagster.rehearsal.api_server.judge import judge_reply
from bioinstruct_dagster.rehearsal.api_server.messages import ApiRequest, Completion, numbered_items
from bioinstruct_dagster.rehearsal.recordings import Recording, normalized, recorded_labels

# The response format's name tells the kinds of request apart.
CATEGORIZATION_SCHEMA = "category_labels"
QUALITY_SCHEMA = "quality_checks"
# A client that probes which formats a server supports sends one of these.
PROBE_SCHEMA = "format_probe"
PROBE_WORD = "format-probe"
# A client that probes whether a server heeds the limit of output tokens sends this.
LIMIT_PROBE_WORD = "limit-probe"
_LIMITED = Completion("1\n2\n3\n4\n5\n6\n7\n8", None, "length", tokens=16)
_PROBE_JSON = Completion(
    '{"tasks": [{"instruction": "Name one vitamin.", "input": "", "output": "Vitamin C."}]}',
    None,
    "stop",
)
_PROBE_TEXT = Completion(
    "###\n1. Instruction: Name one vitamin.\n1. Input:\n<noinput>\n1. Output:\nVitamin C.",
    None,
    "stop",
)
# The text that may be missing at the end of a truncated task.
_TASK_ENDINGS = ("", "}", '"}')


class RecordedCompletions:
    """Answers requests from recordings."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._labels = recorded_labels(recordings)
        self._as_json = [
            Completion(recording.content, recording.refusal, recording.finish_reason)
            for recording in recordings
        ]
        self._as_text = [
            Completion(numbered_text(recording), recording.refusal, recording.finish_reason)
            for recording in recordings
        ]

    def answer(self, request: ApiRequest) -> Completion:
        """The answer to a request; equal requests get equal answers."""
        if request.schema == PROBE_SCHEMA or PROBE_WORD in request.last:
            return _PROBE_TEXT if request.form == "text" else _PROBE_JSON
        if LIMIT_PROBE_WORD in request.last:
            return _LIMITED
        if judged := judge_reply(request.last, request.form, request.schema):
            return Completion(judged, None, "stop")
        if rows := _rows_to_check(request):
            return Completion(
                json.dumps({"checks": [_quality_check(row) for row in rows]}), None, "stop"
            )
        if self._is_categorization(request):
            return Completion(json.dumps({"labels": self._label(request.last)}), None, "stop")
        known = self._as_text if request.form == "text" else self._as_json
        return known[request.number % len(known)]

    def _is_categorization(self, request: ApiRequest) -> bool:
        if request.form == "json_schema":
            return request.schema == CATEGORIZATION_SCHEMA
        return any(True for _ in _numbered_instructions(request.last))

    def _label(self, content: str) -> list[dict[str, Any]]:
        found = [
            (number, self._labels.get(normalized(instruction)))
            for number, instruction in _numbered_instructions(content)
        ]
        return [{"number": number, "category": label} for number, label in found if label]


def _rows_to_check(request: ApiRequest) -> list[dict[str, Any]]:
    """The rows of a request for quality checks. Unlike rows to label, they have an output."""
    if request.form == "json_schema" and request.schema != QUALITY_SCHEMA:
        return []
    return [item for item in _instructions(request.last) if "output" in item]


def _quality_check(row: dict[str, Any]) -> dict[str, Any]:
    # The rehearsal teacher finds only one fault, which some recorded tasks have: an input that is
    # only a link.
    link = str(row.get("input", "")).strip()
    grounded = " " in link or not link.startswith(("http://", "https://", "www."))
    reason = "" if grounded else "The input is a link, not the text that the task needs."
    return {"number": row["number"], "grounded": grounded, "correct": True, "reason": reason}


def _numbered_instructions(content: str) -> Iterator[tuple[Any, str]]:
    for item in _instructions(content):
        yield item["number"], item["instruction"]


def _instructions(content: str) -> Iterator[dict[str, Any]]:
    for item in numbered_items(content):
        if isinstance(item.get("instruction"), str):
            yield item


def numbered_text(recording: Recording) -> str:
    """A recorded JSON reply in Alpaca's numbered form. It keeps a break or a truncation."""
    blocks = [
        _fragment(text, number) if task is None else _block(task, number)
        for number, (task, text) in enumerate(recording.tasks(), start=1)
    ]
    return "\n".join(f"###\n{number}. {block}" for number, block in enumerate(blocks, start=1))


def _fragment(text: str, number: int) -> str:
    # A truncated task keeps its fields up to the cut. A broken task becomes prose under its number.
    for ending in _TASK_ENDINGS:
        try:
            return _block(json.loads(text + ending), number)
        except ValueError:
            continue
    return f"Instruction: {' '.join(text.split())}"


def _block(task: dict[str, str], number: int) -> str:
    parts = [f"Instruction: {task['instruction']}"]
    if "input" in task:
        parts.append(f"{number}. Input:\n{task['input'] or '<noinput>'}")
    if "output" in task:
        parts.append(f"{number}. Output:\n{task['output']}")
    return "\n".join(parts)
