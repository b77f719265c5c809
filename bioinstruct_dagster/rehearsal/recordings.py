"""The recorded completions that the rehearsal teacher answers with, and their category labels.

Belongs here: reading `data/recorded_completions.jsonl`. Does not: serving recordings (api_server),
or checking their rows (curation).
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS

RECORDINGS = INPUTS / "recorded_completions.jsonl"
_TASK_START = re.compile(r'\{\s*"instruction"')


@dataclass(frozen=True)
class Recording:
    """One recorded reply: four or five tasks as JSON text, some with a fault that teachers make.

    `categories` holds the label of each task in the order of the reply, including the unreadable
    tasks.
    """

    id: str
    content: str
    finish_reason: str
    refusal: str | None
    categories: tuple[str, ...]
    faults: tuple[str, ...]

    def tasks(self) -> Iterator[tuple[dict[str, str] | None, str]]:
        """Each task and its text; the task is None if it is truncated or broken."""
        starts = [found.start() for found in _TASK_START.finditer(self.content)]
        for start, end in pairwise([*starts, len(self.content)]):
            try:
                task, _ = json.JSONDecoder().raw_decode(self.content, start)
            except ValueError:
                task = None
            yield task, self.content[start:end].rstrip(", \n")

    def labelled_tasks(self) -> Iterator[tuple[dict[str, str], str]]:
        """Each whole task with its category, even if other tasks are broken."""
        for (task, _), category in zip(self.tasks(), self.categories, strict=True):
            if task:
                yield task, category

    def labels(self) -> Iterator[tuple[str, str]]:
        """The instruction and category of each whole task."""
        for task, category in self.labelled_tasks():
            yield task["instruction"], category


class RecordingsError(StatedError):
    """The file of recorded completions is malformed; the message names the line."""


@cache
def read_recordings(path: Path = RECORDINGS) -> tuple[Recording, ...]:
    """All recordings, in the order of the file."""
    recordings = []
    for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            recording = Recording(
                id=record["id"],
                content=record["content"],
                finish_reason=record["finish_reason"],
                refusal=record["refusal"],
                categories=tuple(record["categories"]),
                faults=tuple(record["faults"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RecordingsError(
                f"{path}:{number}: not a recorded completion ({error!r})"
            ) from error
        unknown = set(recording.categories) - set(CATEGORIES)
        if unknown:
            raise RecordingsError(f"{path}:{number}: unknown category {', '.join(sorted(unknown))}")
        recordings.append(recording)
    if not recordings:
        raise RecordingsError(f"{path}: holds no recorded completion")
    return tuple(recordings)


def recorded_labels(recordings: Iterable[Recording]) -> dict[str, str]:
    """Category by instruction; the instructions are normalized."""
    return {
        normalized(instruction): category
        for recording in recordings
        for instruction, category in recording.labels()
    }


def normalized(instruction: str) -> str:
    """The instruction in lower case and without surplus blanks, for look-ups."""
    return " ".join(instruction.lower().split())
