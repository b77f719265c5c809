"""The items of the evaluation tasks: from files, from a copy of a hub's data set, or fixtures.

Belongs here: finding a task's files and collecting its items. Does not: the tasks (catalogue),
reading a file (item_files), downloading from the hub (hub), or comparing rows with items
(curation.contamination).
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from bioinstruct_dagster.eval_sets.catalogue import EVALUATION_TASKS, read_tasks
from bioinstruct_dagster.eval_sets.clusters import cluster_names
from bioinstruct_dagster.eval_sets.hub import hub_copy
from bioinstruct_dagster.eval_sets.item import EvaluationFileError, EvaluationItem, options_of
from bioinstruct_dagster.eval_sets.item_fields import compared_item, scored_item, shared_values
from bioinstruct_dagster.eval_sets.item_files import read_items
from bioinstruct_dagster.eval_sets.row_fields import Row
from bioinstruct_dagster.eval_sets.scoring import ChoiceScoring, TextScoring
from bioinstruct_dagster.eval_sets.task import EvaluationTask, ItemFields
from bioinstruct_dagster.input_files import fault_of_folder, shown
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import canonical_json

__all__ = [
    "EVALUATION_FOLDER",
    "EvaluationFileError",
    "EvaluationItem",
    "EvaluationItems",
    "ItemsSource",
    "TaskItems",
    "collect_items",
    "items_of",
    "load_items",
    "options_of",
]

EVALUATION_FOLDER = INPUTS / "eval"
ItemsSource = Literal["files", "hub", "fixture", "none"]


@dataclass(frozen=True)
class EvaluationItems:
    """The items of all tasks that have files, and the names of the tasks without files.

    Attributes:
        items: sorted by the catalogue's tasks, then by the names of the files, then by line.
        counts: number of items by task; 0 for a task without files.
        missing: the names of the tasks without files.
        fingerprint: hash of the items' content; names of files and folders do not change it.
    """

    items: tuple[EvaluationItem, ...]
    counts: Mapping[str, int]
    missing: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class TaskItems:
    """The items of one task that can be scored.

    Attributes:
        items: in the order of the files and lines; each has an identifier of its own.
        source: where they come from; `none` if nothing is at hand.
        unscored: number of items without a published answer, which are left out.
        rows: number of rows of the files, also of those that `where` leaves out.
    """

    items: tuple[EvaluationItem, ...]
    source: ItemsSource
    unscored: int = 0
    rows: int = 0

    def absence(self, task: EvaluationTask, folder: Path) -> str:
        """Why there are no items, for a person who expects some; empty if there are items.

        Args:
            task: whose items they are.
            folder: the evaluation folder.
        """
        if self.items:
            return ""
        files = ", ".join(task.source.files)
        if self.source == "none":
            return f"{folder} has none of {files} (BIOINSTRUCT_EVAL_DIR)"
        place = f"{files} in {folder}"
        if self.source == "fixture":
            place = f"the fixture {task.fixture}"
        elif self.source == "hub" and task.source.hub:
            place = f"the copy of {task.source.hub.id}"
        rows = f"{self.rows:,} row" + ("s" if self.rows != 1 else "")
        if not self.rows:
            return f"no rows in {place}"
        if not self.unscored:
            return f"{rows} in {place}, none passes `where` in {task.name}.yaml ({_shown(task)})"
        some = " that passes `where`" if self.unscored < self.rows else ""
        return f"{rows} in {place}, none{some} has a published answer"


class _TaskFiles(NamedTuple):
    """The files of a task, the folder that they lie in, and the fields of their rows."""

    paths: Sequence[Path]
    root: Path
    fields: ItemFields
    source: ItemsSource


def load_items(
    tasks_folder: Path = EVALUATION_TASKS, folder: Path = EVALUATION_FOLDER
) -> EvaluationItems:
    """Load all items of all tasks that have files, as decontamination compares them.

    A task without files is no error; `missing` names it.

    Raises:
        EvaluationTasksError: a task's file is malformed.
        EvaluationFileError: a file is broken, an item lacks a field that the task names, or the
            folder is there and can't be read as a folder.
    """
    catalogue = read_tasks(tasks_folder)
    _refuse_odd_folder(folder)
    items: list[EvaluationItem] = []
    missing = []
    for task in catalogue.tasks:
        files = _files_of(task, folder)
        if not files.paths:
            missing.append(task.name)
        items += _read(task, files, partial(compared_item, task.name, files.fields))
    counts = Counter(item.task for item in items)
    return collect_items(
        items,
        counts={task.name: counts[task.name] for task in catalogue.tasks},
        missing=tuple(missing),
    )


def collect_items(
    items: Iterable[EvaluationItem],
    *,
    counts: Mapping[str, int] | None = None,
    missing: tuple[str, ...] = (),
) -> EvaluationItems:
    """Items with their counts and fingerprint; `load_items` does the same for files."""
    collected = tuple(items)
    digest = hashlib.sha256()
    for item in collected:
        # The texts that are compared. What evaluation alone reads does not change a verdict.
        fields = [item.task, item.id, item.question, item.answers, item.options, item.context]
        digest.update(canonical_json(fields).encode() + b"\n")
    return EvaluationItems(
        items=collected,
        counts=counts if counts is not None else Counter(item.task for item in collected),
        missing=missing,
        fingerprint=digest.hexdigest(),
    )


def items_of(
    task: EvaluationTask, folder: Path = EVALUATION_FOLDER, *, fixtures: Path | None = None
) -> TaskItems:
    """The items of a task that can be scored, with the right answers and the clusters.

    Files in the evaluation folder come first, then a copy of the hub's data set, then the fixture.

    Args:
        task: of the catalogue.
        folder: the evaluation folder.
        fixtures: the folder of fixtures; None if a fixture may not stand in for missing files.

    Raises:
        EvaluationFileError: a file is broken, an item lacks a field, an answer is none of the
            options, or two items have the same identifier. The message names file, line and field.
    """
    _refuse_odd_folder(folder)
    files = _files_of(task, folder)
    if not files.paths and fixtures is not None and task.fixture:
        files = _TaskFiles([fixtures / task.fixture], fixtures, task.fields, "fixture")
    places: dict[str, str] = {}
    shared: list[tuple[str, ...]] = []
    rows = unscored = 0

    def item_of(place: str, row: Row) -> EvaluationItem | None:
        nonlocal rows, unscored
        rows += 1
        item = scored_item(task, files.fields, place, row)
        if item is None:
            return None
        if not _has_answer(task, item):
            unscored += 1
            return None
        if (before := places.setdefault(item.id, place)) != place:
            raise EvaluationFileError(
                f"{place} in {shown(files.root)}: task {task.name}: field {files.fields.id}: the "
                f"identifier {item.id!r} is also that of {before}. Give each item its own, or name "
                f"another field as `id` in {task.name}.yaml."
            )
        shared.append(shared_values(files.fields, row))
        return item

    found = list(_read(task, files, item_of))
    names = cluster_names(shared)
    items = tuple(replace(item, cluster=name) for item, name in zip(found, names, strict=True))
    return TaskItems(items, files.source, unscored, rows)


def has_items(task: EvaluationTask, folder: Path = EVALUATION_FOLDER) -> bool:
    """Whether the evaluation folder holds files of a task, or a copy of its data set of the hub."""
    return bool(_files_of(task, folder).paths)


def _shown(task: EvaluationTask) -> str:
    """The condition of `where` in words."""
    return "; ".join(f"{path} is {' or '.join(one)}" for path, one in task.source.where.items())


def _has_answer(task: EvaluationTask, item: EvaluationItem) -> bool:
    if isinstance(task.scoring, ChoiceScoring):
        return item.gold is not None
    return bool(item.answers) or not isinstance(task.scoring, TextScoring)


def _refuse_odd_folder(folder: Path) -> None:
    # A folder that does not exist holds no files: the asset check of the evaluation sets says so.
    if (fault := fault_of_folder(folder)) and os.path.lexists(folder):
        raise EvaluationFileError(
            f"{shown(folder)} {fault}. Set BIOINSTRUCT_EVAL_DIR to the folder with the files of "
            "the evaluation sets."
        )


def _files_of(task: EvaluationTask, folder: Path) -> _TaskFiles:
    paths = sorted({path for pattern in task.source.files for path in folder.glob(pattern)})
    hub = task.source.hub
    if not paths and hub and (copied := hub_copy(task, folder)):
        return _TaskFiles([copied], folder, hub.fields or task.fields, "hub")
    return _TaskFiles(paths, folder, task.fields, "files" if paths else "none")


def _read(
    task: EvaluationTask,
    files: _TaskFiles,
    item_of: Callable[[str, Row], EvaluationItem | None],
) -> Iterator[EvaluationItem]:
    for path in files.paths:
        yield from read_items(task, path, files.root, item_of)
