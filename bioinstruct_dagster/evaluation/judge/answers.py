"""The answers that a judge may grade: what base model and adapter wrote on the text tasks.

Belongs here: reading the predictions of an experiment, with each item's source and reference. Does
not: asking the judge (judging), or which tasks there are (eval_sets).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.evaluation.judge.grades import GradedText
from bioinstruct_dagster.evaluation.judge.pairwise import AnswerPair
from bioinstruct_dagster.models.experiments import Experiment
from bioinstruct_dagster.models.experiments.names import experiment_columns
from bioinstruct_dagster.store.database import Store

# The items of a task by their ids, as they were when the scores were made; None if they are not at
# hand any more. Takes the task's name, where its items came from, and their fingerprint.
FindItems = Callable[[str, str, str], Mapping[str, EvaluationItem] | None]

# What all scores of a task say of its items and models.
PROVENANCE = """
    select
        task, task_version, any_value(category) as category, prompt_version, dataset_fingerprint,
        items_fingerprint, items_source, base_fingerprint,
        max(adapter_sha256) as adapter_sha256, bool_or(rehearsal) as rehearsal
    from eval_scores
    where base_model = $base_model and recipe = $recipe and items = 'all'
      and task in (select unnest($tasks::varchar[]))
    group by all
    order by task
"""
# An item without a value was not measured, since its prompt does not fit. An item without a key of
# an answer was not asked for one (BIOINSTRUCT_EVALUATION_ANSWERS).
PREDICTIONS = """
    select
        item_id,
        any_value(prediction) filter (where subject = 'base') as base,
        any_value(prediction) filter (where subject = 'adapter') as adapter,
        bool_or(contaminated) as contaminated
    from eval_predictions
    where base_model = $base_model and recipe = $recipe and task = $task and value is not null
      and answer_key is not null
    group by item_id
    having base is not null and adapter is not null
"""


@dataclass(frozen=True, slots=True)
class AnsweredItem:
    """An item with the answers of both subjects.

    Attributes:
        id: of the item, within its task.
        cluster: what it shares with other items; empty if nothing.
        source: the text that the answers had to be made from.
        reference: an expert's answer.
        base: what the base model wrote.
        adapter: what the base model wrote with the adapter.
        contaminated: whether a row that the adapter was trained on repeats the item.
    """

    id: str
    cluster: str
    source: str
    reference: str
    base: str
    adapter: str
    contaminated: bool = False

    def text(self, subject: str) -> GradedText:
        """What the judge sees of the answer of `base` or `adapter`."""
        answer = self.adapter if subject == "adapter" else self.base
        return GradedText(self.source, self.reference, answer)

    @property
    def pair(self) -> AnswerPair:
        """Both answers, the adapter's first."""
        return AnswerPair(self.source, self.reference, self.adapter, self.base)


@dataclass(frozen=True)
class TaskAnswers:
    """The answers of an experiment on one task.

    Attributes:
        experiment: base model and recipe.
        task: its name.
        items: with the answers of both subjects.
        provenance: what `judge_scores` repeats of `eval_scores`.
    """

    experiment: Experiment
    task: str
    items: tuple[AnsweredItem, ...]
    provenance: Mapping[str, Any]


def answers_of(
    store: Store,
    experiment: Experiment,
    tasks: Sequence[str],
    find_items: FindItems,
    tell: Callable[[str], None],
) -> list[TaskAnswers]:
    """The answers of an experiment on its text tasks, as far as they were scored.

    Args:
        store: with the predictions.
        experiment: base model and recipe.
        tasks: the names of the text tasks.
        find_items: finds the items of a task.
        tell: takes a sentence about a task whose answers can't be judged.
    """
    columns = experiment_columns(experiment)
    found = []
    for row in store.rows(PROVENANCE, {**columns, "tasks": list(tasks)}):
        task = row["task"]
        items = find_items(task, row["items_source"], row["items_fingerprint"])
        if items is None:
            tell(
                f"The items of {task} are not those that were scored, so its answers were not "
                "judged. Materialize key:eval_scores again."
            )
            continue
        predictions = store.rows(PREDICTIONS, {**columns, "task": task})
        answered = [
            _answered(items[one["item_id"]], one) for one in predictions if one["item_id"] in items
        ]
        if answered:
            provenance = {name: value for name, value in row.items() if name != "task"}
            found.append(TaskAnswers(experiment, task, tuple(answered), provenance))
    return found


def _answered(item: EvaluationItem, prediction: Mapping[str, Any]) -> AnsweredItem:
    return AnsweredItem(
        id=item.id,
        cluster=item.cluster,
        source="\n\n".join(part for part in (*item.context, item.question) if part.strip()),
        reference=item.answers[0] if item.answers else "",
        base=prediction["base"],
        adapter=prediction["adapter"],
        contaminated=prediction["contaminated"],
    )
