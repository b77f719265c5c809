"""The key of an item result: a hash of all that determines it, computed without a tokenizer.

The orchestrator finds by these keys what it need not ask a model again. The model process computes
them anew from what it has in its hands, and refuses work whose keys it does not find.

Belongs here: what a key covers, and which measures a task has. Does not: results by their keys
(evaluation.cache), or making requests (evaluation.tasks' other modules).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.eval_sets.scoring import ChoiceScoring
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.tasks.item_results import Measure
from bioinstruct_dagster.evaluation.tasks.permutations import shown_order
from bioinstruct_dagster.evaluation.tasks.samples import sample
from bioinstruct_dagster.models.adapters import CONFIG_FILE, WEIGHTS_FILE
from bioinstruct_dagster.store.fingerprints import canonical_json, sha256_of, sha256_of_file

# Raise it if the same key would give another result: another way of making prompts, cutting
# passages, computing log-likelihoods or decoding answers.
ENGINE_VERSION = 1
OWN_TASK = "held_out"  # the set's own test split
TRANSFORMERS, VLLM = "transformers", "vllm"  # what generates answers


class ItemQuestion(NamedTuple):
    """One measure of one item in one order of its options, whoever is asked."""

    task: str
    item_id: str
    measure: Measure
    order: int


@dataclass(frozen=True)
class Conditions:
    """What determines all results of a base model and its adapters besides the items.

    Attributes:
        base_fingerprint: of the base model.
        quantization: of the base model.
        prompt_version: of the template, by which the adapters were trained too.
        dtype: of the base model's weights, as the experiment file says.
        context: in tokens, as the experiment file says; None for the model's own.
        seed: of the orders of options. It counts only for those that it changes.
        answer_engine: what generates the answers: `transformers` or `vllm`.
        answers: of how many items of a task an answer is asked for; None for all of them.
    """

    base_fingerprint: str
    quantization: str
    prompt_version: str
    dtype: str
    context: int | None
    seed: int
    answer_engine: str = TRANSFORMERS
    answers: int | None = None

    def of_measure(self, measure: Measure) -> str:
        """What counts for a measure, as text. What generates answers counts for answers alone.

        The seed is left out: the order of the options that it gives is part of a key itself. The
        number of answers decides which questions there are, and no answer.
        """
        values = asdict(self)
        del values["seed"], values["answers"]
        if measure != "answer":
            del values["answer_engine"]
        return canonical_json(values)


def adapter_content(folder: Path) -> str:
    """The hash of an adapter's weights and config: the subject of its results.

    Raises:
        OSError: a file can't be read.
    """
    return sha256_of([sha256_of_file(folder / name) for name in (WEIGHTS_FILE, CONFIG_FILE)])


def task_version(task: EvaluationTask) -> str:
    """The hash of all of a task that determines an answer or a score; not its source."""
    values = task.model_dump(mode="json", include={"name", "version", "prompt", "scoring"})
    return sha256_of(values)[:16]


def measures_of(task: EvaluationTask) -> list[tuple[Measure, int]]:
    """What is measured of each item of a task, and in how many orders of its options."""
    if task.name == OWN_TASK:
        return [("reference", 0), ("answer", 0)]
    if isinstance(task.scoring, ChoiceScoring):
        orders: list[tuple[Measure, int]] = [("options", n) for n in range(task.scoring.orders)]
        return [*orders, ("prior", 0), ("answer", 0)]
    return [("answer", 0)]


def _asked_content(item: EvaluationItem) -> str:
    """What of an item a model is shown; its right answers and its cluster decide no answer."""
    return canonical_json([item.id, item.question, item.options, item.context])


def question_keys(
    task: EvaluationTask, items: Sequence[EvaluationItem], conditions: Conditions
) -> Iterator[tuple[ItemQuestion, str]]:
    """Each question of a task with the hash of all that determines its answer but the subject."""
    answered = {item.id for item in sample(items, conditions.answers, conditions.seed)}
    head = canonical_json([ENGINE_VERSION, task.name, task_version(task)])
    measures = [
        (measure, order, f"{head}\n{conditions.of_measure(measure)}\n{measure}\n{order}")
        for measure, order in measures_of(task)
    ]
    for item in items:
        content = _asked_content(item)
        for measure, order, common in measures:
            if measure == "answer" and item.id not in answered:
                continue
            more = ""
            if measure == "reference":
                more = canonical_json(item.answers)
            elif measure == "options":
                more = canonical_json(shown_order(task, item, order, seed=conditions.seed))
            text = f"{common}\n{content}\n{more}"
            key = hashlib.sha256(text.encode()).hexdigest()
            yield ItemQuestion(task.name, item.id, measure, order), key


def item_key(question_key: str, subject: str) -> str:
    """The key of the result of a subject: BASE, or an adapter's content."""
    return hashlib.sha256(f"{question_key}\n{subject}".encode()).hexdigest()
