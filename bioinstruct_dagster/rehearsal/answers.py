"""What the rehearsal teacher answers: recorded tasks, recorded labels, or a probe's tiny reply.

Every answer comes as JSON or, where no JSON is asked for, as numbered text in the form of Alpaca.
Belongs here: the text of an answer. Does not: its envelope (wire) or its faults (faults).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from bioinstruct_dagster.rehearsal.exchange import Answer, Asked
from bioinstruct_dagster.rehearsal.recordings import Recording, normalized, recorded_labels

# The response format's name tells the two kinds of request apart.
CATEGORIZATION_SCHEMA = "category_labels"
# A client that finds out which formats a server takes asks with one of these.
PROBE_SCHEMA = "format_probe"
PROBE_WORD = "format-probe"
_PROBE_JSON = Answer(
    '{"tasks": [{"instruction": "Name one vitamin.", "input": "", "output": "Vitamin C."}]}',
    None,
    "stop",
)
_PROBE_TEXT = Answer(
    "###\n1. Instruction: Name one vitamin.\n1. Input:\n<noinput>\n1. Output:\nVitamin C.",
    None,
    "stop",
)
# What may be missing at the end of a task that was cut off.
_ENDINGS = ("", "}", '"}')


class Answers:
    """The answers to all requests, made of recordings."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._labels = recorded_labels(recordings)
        self._as_json = [
            Answer(recording.content, recording.refusal, recording.finish_reason)
            for recording in recordings
        ]
        self._as_text = [
            Answer(numbered_text(recording), recording.refusal, recording.finish_reason)
            for recording in recordings
        ]

    def to(self, asked: Asked) -> Answer:
        """The answer to a request; the same to the same request."""
        if asked.schema == PROBE_SCHEMA or PROBE_WORD in asked.last:
            return _PROBE_TEXT if asked.form == "text" else _PROBE_JSON
        if self._is_categorization(asked):
            return Answer(json.dumps({"labels": self._label(asked.last)}), None, "stop")
        known = self._as_text if asked.form == "text" else self._as_json
        return known[asked.number % len(known)]

    def _is_categorization(self, asked: Asked) -> bool:
        if asked.form == "json_schema":
            return asked.schema == CATEGORIZATION_SCHEMA
        return any(True for _ in _numbered_instructions(asked.last))

    def _label(self, content: str) -> list[dict[str, Any]]:
        found = [
            (number, self._labels.get(normalized(instruction)))
            for number, instruction in _numbered_instructions(content)
        ]
        return [{"number": number, "category": label} for number, label in found if label]


def _numbered_instructions(content: str) -> Iterator[tuple[Any, str]]:
    if '"instruction"' not in content or '"number"' not in content:
        return
    for line in content.split("\n"):
        try:
            item = json.loads(line)
            number, instruction = item["number"], item["instruction"]
        except (ValueError, KeyError, TypeError):
            continue  # the prompt's prose
        if isinstance(instruction, str):
            yield number, instruction


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
