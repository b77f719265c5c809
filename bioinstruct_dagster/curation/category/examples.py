"""Collects the examples from which the category classifier learns.

They are the seeds, `data/category_examples.jsonl` and the labels recorded with the rehearsal
teacher's replies. Belongs here: reading and joining them. Does not: learning (classifier).
"""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bioinstruct_dagster.curation.category.inputs import input_kind
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.rehearsal.recordings import normalized, read_recordings
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS

EXAMPLES_FILE = INPUTS / "category_examples.jsonl"


class ExampleFileError(StatedError):
    """`data/category_examples.jsonl` is malformed; the message names the line."""


class LabelledExample(NamedTuple):
    """A task with its category.

    Attributes:
        instruction: the task.
        category: one of the four.
        kind: what its input looks like (`inputs.input_kind`); empty if the example has no field
            `input`, so that it says nothing about inputs.
    """

    instruction: str
    category: str
    kind: tuple[str, ...] = ()


def labelled_examples(seeds: Iterable[tuple[str, str, str]]) -> list[LabelledExample]:
    """Seeds, handwritten examples and recorded labels; the first label of an instruction counts.

    Args:
        seeds: (instruction, category, input) of each seed task.
    """
    examples: dict[str, LabelledExample] = {}
    for one in [
        *(LabelledExample(text, category, input_kind(given)) for text, category, given in seeds),
        *handwritten_examples(EXAMPLES_FILE),
        *_recorded_examples(),
    ]:
        text = normalized(one.instruction)
        examples.setdefault(text, one._replace(instruction=text))
    return list(examples.values())


@cache
def handwritten_examples(path: Path) -> tuple[LabelledExample, ...]:
    """The tasks that were written and labelled by hand for the classifier.

    Raises:
        ExampleFileError: a line is malformed; the message names it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExampleFileError(f"{path}: can't be read ({error})") from error
    return tuple(
        _example_of(line, f"{path}:{number}")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    )


def _example_of(line: str, place: str) -> LabelledExample:
    try:
        record: dict[str, Any] = json.loads(line)
        instruction, category, given = (
            record["instruction"],
            record["category"],
            record.get("input"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExampleFileError(
            f"{place}: write an object with the fields instruction and category ({error!r})"
        ) from error
    if not isinstance(instruction, str) or not instruction.strip():
        raise ExampleFileError(f"{place}: field instruction: write a text that is not empty")
    if category not in CATEGORIES:
        raise ExampleFileError(
            f"{place}: field category: {category!r} is none of {', '.join(CATEGORIES)}"
        )
    if not isinstance(given, str | None):
        raise ExampleFileError(f"{place}: field input: write a text, or leave the field out")
    return LabelledExample(instruction, category, () if given is None else input_kind(given))


def _recorded_examples() -> Iterator[LabelledExample]:
    for recording in read_recordings():
        for task, category in recording.labelled_tasks():
            yield LabelledExample(task["instruction"], category, input_kind(task["input"]))
