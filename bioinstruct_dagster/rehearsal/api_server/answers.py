"""What the rehearsal teacher answers: recorded tasks or labels, row checks, a probe's tiny reply.

Every answer comes as JSON or, where no JSON is asked for, as numbered text in the form of Alpaca.
Belongs here: the text of an answer. Does not: its envelope (wire) or its faults (faults).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from bioinstruct_dagster.rehearsal.api_server.messages import ApiRequest, Completion
from bioinstruct_dagster.rehearsal.recordings import Recording, normalized, recorded_labels

# The response format's name tells the kinds of request apart.
CATEGORIZATION_SCHEMA = "category_labels"
QUALITY_SCHEMA = "quality_checks"
# A client that finds out which formats a server takes asks with one of these.
PROBE_SCHEMA = "format_probe"
PROBE_WORD = "format-probe"
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
# What may be missing at the end of a task that was cut off.
_ENDINGS = ("", "}", '"}')


class RecordedCompletions:
    """The answers to all requests, made of recordings."""

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

    def to(self, asked: ApiRequest) -> Completion:
        """The answer to a request; the same to the same request."""
        if asked.schema == PROBE_SCHEMA or PROBE_WORD in asked.last:
            return _PROBE_TEXT if asked.form == "text" else _PROBE_JSON
        if rows := _rows_to_check(asked):
            return Completion(json.dumps({"checks": [_check(row) for row in rows]}), None, "stop")
        if self._is_categorization(asked):
            return Completion(json.dumps({"labels": self._label(asked.last)}), None, "stop")
        known = self._as_text if asked.form == "text" else self._as_json
        return known[asked.number % len(known)]

    def _is_categorization(self, asked: ApiRequest) -> bool:
        if asked.form == "json_schema":
            return asked.schema == CATEGORIZATION_SCHEMA
        return any(True for _ in _numbered_instructions(asked.last))

    def _label(self, content: str) -> list[dict[str, Any]]:
        found = [
            (number, self._labels.get(normalized(instruction)))
            for number, instruction in _numbered_instructions(content)
        ]
        return [{"number": number, "category": label} for number, label in found if label]


def _rows_to_check(asked: ApiRequest) -> list[dict[str, Any]]:
    """The rows of a request to check them: unlike a row to label, each has its output."""
    if asked.form == "json_schema" and asked.schema != QUALITY_SCHEMA:
        return []
    return [item for item in _numbered_items(asked.last) if "output" in item]


def _check(row: dict[str, Any]) -> dict[str, Any]:
    # A recording is no clinician. It knows one fault, which its recorded tasks have: a bare link.
    link = str(row.get("input", "")).strip()
    grounded = " " in link or not link.startswith(("http://", "https://", "www."))
    reason = "" if grounded else "The input is a link, not the text that the task needs."
    return {"number": row["number"], "grounded": grounded, "correct": True, "reason": reason}


def _numbered_instructions(content: str) -> Iterator[tuple[Any, str]]:
    for item in _numbered_items(content):
        yield item["number"], item["instruction"]


def _numbered_items(content: str) -> Iterator[dict[str, Any]]:
    if '"instruction"' not in content or '"number"' not in content:
        return
    for line in content.split("\n"):
        try:
            item = json.loads(line)
            known = isinstance(item["instruction"], str) and "number" in item
        except (ValueError, KeyError, TypeError):
            continue  # the prompt's prose
        if known:
            yield item


def numbered_text(recording: Recording) -> str:
    """A recorded JSON reply in Alpaca's numbered form, its break or its cut included."""
    blocks = [
        _fragment(text, number) if task is None else _block(task, number)
        for number, (task, text) in enumerate(recording.tasks(), start=1)
    ]
    return "\n".join(f"###\n{number}. {block}" for number, block in enumerate(blocks, start=1))


def _fragment(text: str, number: int) -> str:
    # A task cut off still has its fields up to the cut; a broken one is prose under its number.
    for ending in _ENDINGS:
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
