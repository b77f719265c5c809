"""Reading a reply: from its text to tasks, or to the reason why there are none.

A reply is read whole or not at all; whatever the outcome, its text stays in the store. Belongs
here: the text. Does not: whether a task is any good (curation).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.store.database import is_storable

_FENCE = re.compile(r"```(?:json)?\s*(?=[{\[])")
_DETAIL_CHARACTERS = 200
TASK_FIELDS = ("instruction", "input", "output")
OUTCOMES = ("parsed", "truncated", "refused", "empty", "malformed", "wrong_schema")


@dataclass(frozen=True)
class Reading:
    """What a reply held: its tasks (instruction, input, output), and the outcome by name."""

    outcome: str
    tasks: tuple[dict[str, str], ...] = ()
    detail: str = ""


def read_reply(content: str, finish_reason: str | None, refusal: str | None) -> Reading:
    """Read one reply; never raises.

    Text before and after a fenced JSON block is ignored, since servers without structured output
    add it.
    """
    if refusal:
        return Reading("refused", detail=refusal[:_DETAIL_CHARACTERS])
    if not content.strip():
        return Reading("empty")
    try:
        value = _json_of(content)
    except (ValueError, RecursionError) as error:
        outcome = "truncated" if finish_reason == "length" else "malformed"
        return Reading(outcome, detail=str(error)[:_DETAIL_CHARACTERS])
    return _tasks_of(value)


def _json_of(content: str) -> Any:
    """The reply as JSON, or the JSON that its first fence opens with.

    The whole comes first, since a task may itself hold a fence. What a fence opens with is read to
    the end of its value, not to the next fence: linear, however the model rambles on.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        fence = _FENCE.search(content)
        if not fence:
            raise
        return json.JSONDecoder().raw_decode(content, fence.end())[0]


def _tasks_of(value: Any) -> Reading:
    tasks = value.get("tasks") if isinstance(value, dict) else value
    if not isinstance(tasks, list):
        return Reading("wrong_schema", detail="no list of tasks")
    read = []
    for number, task in enumerate(tasks):
        if not isinstance(task, dict):
            return Reading("wrong_schema", detail=f"task {number} is not an object")
        fields = {}
        for name in TASK_FIELDS:
            text = task.get(name)
            if not isinstance(text, str):
                return Reading(
                    "wrong_schema", detail=f"task {number}: {name} is missing or not text"
                )
            if not is_storable(text):
                return Reading(
                    "wrong_schema",
                    detail=f"task {number}: {name} holds a character that is no text",
                )
            fields[name] = text.strip()
        read.append(fields)
    return Reading("parsed", tuple(read))
