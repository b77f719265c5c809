"""The questions of an evaluation as files: tasks, items, and who still has to answer what.

The orchestrator writes the folder, and the model process reads it, also on another machine. Belongs
here: the folder, and the check that both sides compute the same keys. Does not: the keys
(evaluation.tasks.keys), or prompts (evaluation.tasks' other modules).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.spec import EvaluationError
from bioinstruct_dagster.evaluation.tasks.keys import Conditions, ItemQuestion, question_keys
from bioinstruct_dagster.new_folders import new_folder

_FILE = "questions.json"


@dataclass(frozen=True)
class TaskQuestions:
    """A task with the items that are asked."""

    task: EvaluationTask
    items: tuple[EvaluationItem, ...]


@dataclass(frozen=True)
class Questions:
    """What is asked, and whom.

    Attributes:
        tasks: with their items, in the order of the catalogue.
        keys: the key of each question, in the order of tasks, items and measures.
        missing: by subject, the places in `keys` of questions without a stored result.
        known: by subject, the places of the others.
        precision: of the known results; empty if there are none. If the model process computes in
            another one, it answers these questions again, so that no difference mixes two.
    """

    tasks: tuple[TaskQuestions, ...]
    keys: Mapping[ItemQuestion, str]
    missing: Mapping[str, Sequence[int]] = field(default_factory=dict)
    known: Mapping[str, Sequence[int]] = field(default_factory=dict)
    precision: str = ""

    def places(self, subject: str, precision: str) -> list[int]:
        """The places of the questions that a subject answers on a machine of this precision."""
        found = list(self.missing.get(subject, ()))
        if self.precision and precision != self.precision:
            found += self.known.get(subject, ())
        return sorted(found)


def questions_of(tasks: Iterable[TaskQuestions], conditions: Conditions) -> Questions:
    """All questions of some tasks, with their keys."""
    tasks = tuple(tasks)
    keys = {
        question: key
        for one in tasks
        for question, key in question_keys(one.task, one.items, conditions)
    }
    return Questions(tasks, keys)


def write_questions(questions: Questions, folder: Path) -> None:
    """Write the questions as a folder that appears as a whole."""
    values = {
        "keys_sha256": _sum_of(questions.keys.values()),
        "tasks": [
            {
                "task": one.task.model_dump(mode="json"),
                "items": [asdict(item) for item in one.items],
            }
            for one in questions.tasks
        ],
        "missing": {subject: list(places) for subject, places in questions.missing.items()},
        "known": {subject: list(places) for subject, places in questions.known.items()},
        "precision": questions.precision,
    }
    with new_folder(folder) as fresh:
        (fresh / _FILE).write_text(json.dumps(values), "utf-8")


def read_questions(folder: Path, conditions: Conditions) -> Questions:
    """The questions that `write_questions` wrote, with keys that are computed anew.

    Raises:
        EvaluationError: this side computes other keys.
    """
    values = json.loads((folder / _FILE).read_text("utf-8"))
    tasks = [
        TaskQuestions(EvaluationTask.model_validate(one["task"]), tuple(map(_item, one["items"])))
        for one in values["tasks"]
    ]
    found = questions_of(tasks, conditions)
    if _sum_of(found.keys.values()) != values["keys_sha256"]:
        raise EvaluationError(
            "The model process computes other keys of item results than the process that started "
            "it, so one of them runs another version of this project. Install the same version on "
            "both machines, then run the step again."
        )
    return Questions(
        found.tasks, found.keys, values["missing"], values["known"], values["precision"]
    )


def _item(values: dict[str, object]) -> EvaluationItem:
    lists = {name: tuple(one) for name, one in values.items() if isinstance(one, list)}
    spans = tuple(tuple(pair) for pair in lists.get("spans", ()))
    return EvaluationItem(**{**values, **lists, "spans": spans})  # type: ignore[arg-type]


def _sum_of(keys: Iterable[str]) -> str:
    return hashlib.sha256("".join(keys).encode()).hexdigest()
