"""The labelled rows from which the judge learns: `data/grounding_examples.jsonl` and others.

Seeds are sound examples, and so are recorded tasks without a planted fault of an input. So are the
tasks with an input of `data/category_examples.jsonl`, which have no output, unless the first file
labels the same task.
Belongs here: reading them. Does not: learning (training).
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bioinstruct_dagster.curation.gates import TEXT_FIELDS
from bioinstruct_dagster.curation.quality.grounding.learned.signs import is_short
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS

EXAMPLES = INPUTS / "grounding_examples.jsonl"
TASKS = INPUTS / "category_examples.jsonl"
SEEDS = INPUTS / "seed_tasks.jsonl"
# Planted faults that leave each input of a recording sound.
BESIDE_GROUNDING = frozenset({"near_duplicate", "exact_duplicate", "off_domain", "fenced"})
LABELS = ("drop", "keep", "unclear")
FIELDS = ("writer", "want", "instruction", "input", "output")


class GroundingExamplesError(StatedError):
    """A file of examples is malformed; the message names file and line."""


class GroundingExample(NamedTuple):
    """A labelled row.

    Attributes:
        writer: who wrote it; the judge is tested on the rows of a writer whom it didn't learn from.
        want: `drop` if the row is ungrounded, `keep` if it is sound, `unclear` if experts may
            differ; the judge doesn't learn from the last.
        instruction: of the task.
        input: of the task.
        output: of the row; empty if the example has none.
    """

    writer: str
    want: str
    instruction: str
    input: str
    output: str


@cache
def grounding_examples() -> tuple[GroundingExample, ...]:
    """The examples that the judge learns from: those of which it may read the input.

    Raises:
        GroundingExamplesError: a file can't be read, or a line is malformed.
    """
    labelled = [_example(line, place) for line, place in _lines(EXAMPLES)]
    known = {(one.instruction, one.input) for one in labelled}
    tasks = [
        GroundingExample("tasks", "keep", task["instruction"], task["input"], "")
        for task in (json.loads(line) for line, _ in _lines(TASKS))
        if task.get("input") is not None and (task["instruction"], task["input"]) not in known
    ]
    seeds = [
        GroundingExample("seeds", "keep", one.instruction, one.input, one.output)
        for one in read_seed_tasks(SEEDS)
    ]
    recorded = [
        GroundingExample("recorded", "keep", *(task[name] for name in TEXT_FIELDS))
        for recording in read_recordings()
        if BESIDE_GROUNDING.issuperset(recording.faults)
        for task, _ in recording.tasks()
        if task
    ]
    found = (*labelled, *tasks, *seeds, *recorded)
    return tuple(one for one in found if one.want != "unclear" and is_short(one.input))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a file, and the place of each for messages."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GroundingExamplesError(f"{path}: can't be read ({error})") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield line, f"{path}:{number}"


def _example(line: str, place: str) -> GroundingExample:
    try:
        record: dict[str, Any] = json.loads(line)
        found = GroundingExample(*(record[name] for name in FIELDS))
    except (ValueError, KeyError, TypeError) as error:
        raise GroundingExamplesError(
            f"{place}: write an object with the text fields {', '.join(FIELDS)} ({error!r})"
        ) from None
    if found.want not in LABELS:
        raise GroundingExamplesError(
            f"{place}: field want: {found.want!r} is none of {', '.join(LABELS)}"
        )
    if not all(isinstance(text, str) for text in found):
        raise GroundingExamplesError(f"{place}: each of {', '.join(FIELDS)} must be a text")
    return found
