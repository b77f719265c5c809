"""The instruction and the input of an item, in words.

Belongs here: filling a task's templates. Does not: the base model's prompt template, which frames
both texts (models.prompts), cutting long passages (models.shortening), or tokens
(evaluation.tasks.asking).
"""

import re
from collections.abc import Mapping, Sequence

from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.eval_sets.scoring import LETTERS, ChoiceScoring
from bioinstruct_dagster.eval_sets.task import (
    CONTEXT,
    OPTIONS,
    PLACEHOLDERS,
    QUESTION,
    EvaluationTask,
)

_PARAGRAPH = "\n\n"
_FIELD = re.compile("|".join(map(re.escape, PLACEHOLDERS)))


def passage_of(task: EvaluationTask, item: EvaluationItem) -> str:
    """The text that may be cut if the prompt is too long: the item's passages, or its question."""
    if task.prompt.passage == "question":
        return item.question
    return _PARAGRAPH.join(item.context)


def input_of(
    task: EvaluationTask, item: EvaluationItem, options: Sequence[str], passage: str
) -> str:
    """The input of an item.

    Args:
        task: gives the template.
        item: gives the question.
        options: in the order in which they are shown.
        passage: as `passage_of` gives it, or a shortened one.
    """
    of_question = task.prompt.passage == "question"
    values = {
        QUESTION: passage if of_question else item.question,
        CONTEXT: _PARAGRAPH.join(item.context) if of_question else passage,
        OPTIONS: _list_of(task, options),
    }
    return _filled(task.prompt.input, values)


def prior_input_of(task: EvaluationTask, options: Sequence[str]) -> str:
    """The input without the item's question and passages."""
    return _filled(task.prompt.prior or "", {OPTIONS: _list_of(task, options)})


def _filled(template: str, values: Mapping[str, str]) -> str:
    paragraphs = [
        paragraph
        for paragraph in template.strip().split(_PARAGRAPH)
        if CONTEXT not in paragraph or values[CONTEXT].strip()
    ]
    # One substitution and not str.format: clinical text may hold braces or a field's name.
    return _FIELD.sub(lambda field: values[field.group()], _PARAGRAPH.join(paragraphs))


def _list_of(task: EvaluationTask, options: Sequence[str]) -> str:
    lettered = isinstance(task.scoring, ChoiceScoring) and task.scoring.options == "letters"
    marks = [f"{letter}." for letter in LETTERS] if lettered else ["-"] * len(options)
    return "\n".join(f"{mark} {text}" for mark, text in zip(marks, options, strict=False))
