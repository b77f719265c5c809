"""Which tasks and items are scored: by the settings, and by what is at hand.

Belongs here: the choice of tasks, and how many items of each are drawn. Does not: the draw
(evaluation.tasks.samples), the catalogue and its files (eval_sets), or the items of the own test
split (evaluation.held_out).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.catalogue import Catalogue, read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationItem, items_of
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.held_out import HELD_OUT, held_out_items
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK, measures_of
from bioinstruct_dagster.evaluation.tasks.samples import sample
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.settings.evaluation import ALL_TASKS
from bioinstruct_dagster.store.fingerprints import sha256_of


class TaskChoiceError(StatedError):
    """A setting names a task that is not there. The message names both."""


@dataclass(frozen=True)
class ChosenTask:
    """A task, and the items of it that are scored.

    Attributes:
        task: of the catalogue, or `held_out`.
        items: in their order.
        source: files | hub | fixture | own; `none` if there are no items.
        total: how many items the task has at hand.
        fingerprint: of the items that are scored.
    """

    task: EvaluationTask
    items: tuple[EvaluationItem, ...]
    source: str
    total: int
    fingerprint: str


@dataclass(frozen=True)
class ChosenTasks:
    """The tasks of an evaluation.

    Attributes:
        tasks: those with items, `held_out` first.
        missing: the names of those without, and why nothing is scored.
        notes: one line for each thing that a reader of the scores should know.
    """

    tasks: tuple[ChosenTask, ...]
    missing: Mapping[str, str]
    notes: tuple[str, ...] = ()


def chosen_tasks(
    settings: Settings, test_rows: Sequence[Mapping[str, Any]], *, rehearsal: bool
) -> ChosenTasks:
    """The tasks that the settings name, with the items at hand.

    Args:
        settings: the folders, the names of tasks, the most items, and the seed of their draw.
        test_rows: the test split of the data set.
        rehearsal: whether the base model is the embedded one. Only then a fixture may stand in for
            items that are not at hand.

    Raises:
        TaskChoiceError: a setting names a task that is not there.
        EvaluationTasksError, EvaluationFileError: a task's file, or a file of items, is broken.
    """
    catalogue = read_tasks(settings.eval_sets.tasks)
    fixtures = catalogue.fixtures if rehearsal else None
    tasks: list[ChosenTask] = []
    missing: dict[str, str] = {}
    notes: list[str] = []
    for name in chosen_names(settings.evaluation.task_names, catalogue):
        if name == OWN_TASK:
            task, found, source = HELD_OUT, held_out_items(test_rows), "own"
            absent = "the test split of the data set is empty; generate more rows"
        else:
            task = catalogue.task(name)
            held = items_of(task, settings.eval_sets.folder, fixtures=fixtures)
            found, source = list(held.items), held.source
            absent = held.absence(task, settings.eval_sets.folder)
            if held.unscored:
                notes.append(f"{name}: {held.unscored} items have no published answer")
        most = settings.evaluation.items
        if {measure for measure, _ in measures_of(task)} == {"answer"}:
            most = _smaller(most, settings.evaluation.answers)
            if most == 0:
                absent = "it is scored by answers alone, and BIOINSTRUCT_EVALUATION_ANSWERS is 0"
                found = []
        if not found:
            missing[name] = absent
            continue
        items = tuple(sample(found, most, settings.runs.seed))
        if len(items) < len(found):
            notes.append(f"{name}: {len(items)} of {len(found)} items, drawn by the run seed")
        fingerprint = sha256_of([asdict(item) for item in items])
        tasks.append(ChosenTask(task, items, source, len(found), fingerprint))
    return ChosenTasks(tuple(tasks), missing, tuple(notes))


def chosen_names(names: Sequence[str], catalogue: Catalogue) -> list[str]:
    """The names of the tasks to score, in the order of the catalogue, `held_out` first.

    Args:
        names: of the setting; empty for all.
        catalogue: of the tasks.

    Raises:
        TaskChoiceError: there is no task of a name.
    """
    known = [OWN_TASK, *(task.name for task in catalogue.tasks)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise TaskChoiceError(
            f"BIOINSTRUCT_EVALUATE_TASKS: there is no evaluation task {', '.join(unknown)} in "
            f"{catalogue.folder}. Use {ALL_TASKS}, or some of: {', '.join(known)}."
        )
    return [name for name in known if not names or name in names]


def _smaller(one: int | None, other: int | None) -> int | None:
    """The smaller of two limits, of which None is no limit."""
    return min((limit for limit in (one, other) if limit is not None), default=None)
