"""One evaluation item, as decontamination and evaluation see it.

Belongs here: the item and the error about a file of items. Does not: making an item from a row
(item_fields), or collecting the items of a task (items).
"""

from dataclasses import dataclass

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.scoring import ChoiceScoring
from bioinstruct_dagster.eval_sets.task import EvaluationTask


class EvaluationFileError(StatedError):
    """A file of evaluation items can't be read; the message names file, line and field."""


@dataclass(frozen=True, slots=True)
class EvaluationItem:
    """One item of a task: a question, and the right answers.

    Attributes:
        task: the task's name.
        id: the item's identifier within its task.
        question: the text that a model must answer.
        answers: the right answers in words; several if the task accepts several.
        options: the choices, in their order. Empty for a task with `labels` (`options_of`).
        context: passages that come with the question.
        gold: the place of the right option; None if it is not published, or there are no options.
        spans: the right spans of an extraction task, each with its label: (label, text).
        cluster: what the item shares with others, such as an abstract's or trial's identifier.
            Empty: it stands for itself.
    """

    task: str
    id: str
    question: str
    answers: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    gold: int | None = None
    spans: tuple[tuple[str, str], ...] = ()
    cluster: str = ""


def options_of(task: EvaluationTask, item: EvaluationItem) -> tuple[str, ...]:
    """The options of an item as words: its own, or those that all items of the task have."""
    if isinstance(task.scoring, ChoiceScoring) and task.scoring.labels:
        return tuple(task.scoring.labels.values())
    return item.options
