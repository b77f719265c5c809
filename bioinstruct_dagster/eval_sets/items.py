"""The evaluation items in the files that `data/evaluation_tasks.yaml` lists.

Belongs here: reading these files, one item at a time; an error names file, line and field. Does
not: the list of tasks (catalogue), or comparing rows with items (curation.contamination).
"""

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.catalogue import (
    EVALUATION_TASKS,
    FORMATS,
    ChoiceField,
    EvaluationTask,
    OverlapLimits,
    read_tasks,
)
from bioinstruct_dagster.eval_sets.field_paths import PathError, values_at
from bioinstruct_dagster.input_files import fault_of_file, fault_of_folder, shown
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import canonical_json

EVALUATION_FOLDER = INPUTS / "eval"
_LONGEST_FIELD = 1 << 27  # characters of a CSV field; Python's own limit is 131,072


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
        options: the choices, in their order.
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


@dataclass(frozen=True)
class EvaluationItems:
    """The items of all tasks that have files, and the names of the tasks without files.

    Attributes:
        items: sorted by the list of tasks, then by the names of the files, then by line.
        counts: number of items by task; 0 for a task without files.
        missing: the names of the tasks without files.
        fingerprint: hash of the items' content; names of files and folders do not change it.
        limits: the numbers of decontamination's rules.
    """

    items: tuple[EvaluationItem, ...]
    counts: Mapping[str, int]
    missing: tuple[str, ...]
    fingerprint: str
    limits: OverlapLimits = field(default_factory=OverlapLimits)


def load_items(
    tasks_path: Path = EVALUATION_TASKS, folder: Path = EVALUATION_FOLDER
) -> EvaluationItems:
    """Load all items of all listed tasks that have files.

    A task without files is no error; `missing` names it.

    Raises:
        EvaluationTasksError: the list of tasks is malformed.
        EvaluationFileError: a file is broken, an item lacks a field that the list names, or the
            folder is there and can't be read as a folder.
    """
    catalogue = read_tasks(tasks_path)
    # A folder that does not exist holds no files: the asset check of the evaluation sets says so.
    if (fault := fault_of_folder(folder)) and os.path.lexists(folder):
        raise EvaluationFileError(
            f"{shown(folder)} {fault}. Set BIOINSTRUCT_EVAL_DIR to the folder with the files of "
            "the evaluation sets."
        )
    items: list[EvaluationItem] = []
    missing = []
    for task in catalogue.tasks:
        files = sorted({path for pattern in task.files for path in folder.glob(pattern)})
        if not files:
            missing.append(task.name)
        for path in files:
            items.extend(_items_of(task, path, folder))
    counts = Counter(item.task for item in items)
    return collect_items(
        items,
        counts={task.name: counts[task.name] for task in catalogue.tasks},
        missing=tuple(missing),
        limits=catalogue.limits,
    )


def collect_items(
    items: list[EvaluationItem],
    *,
    counts: Mapping[str, int] | None = None,
    missing: tuple[str, ...] = (),
    limits: OverlapLimits | None = None,
) -> EvaluationItems:
    """Items with their counts and fingerprint; `load_items` does the same for files."""
    digest = hashlib.sha256()
    for item in items:
        fields = [item.task, item.id, item.question, item.answers, item.options, item.context]
        digest.update(canonical_json(fields).encode() + b"\n")
    return EvaluationItems(
        items=tuple(items),
        counts=counts if counts is not None else Counter(item.task for item in items),
        missing=missing,
        fingerprint=digest.hexdigest(),
        limits=limits or OverlapLimits(),
    )


def _items_of(task: EvaluationTask, path: Path, folder: Path) -> Iterator[EvaluationItem]:
    suffix = task.format or path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise EvaluationFileError(
            f"{path}: task {task.name}: the ending of the file's name is no known format "
            f"({', '.join(FORMATS)}). Rename the file, or give `format` in the list of tasks."
        )
    relative = path.relative_to(folder).as_posix()
    if fault := fault_of_file(path):
        raise EvaluationFileError(
            f"{shown(path)}: task {task.name}: {fault}. Make it a file that can be read, or move "
            "it out of the evaluation folder."
        )
    try:
        for place, item in _READERS[suffix](path, task):
            if not isinstance(item, Mapping):
                raise PathError(f"{place}: is no object with fields")
            try:
                yield _item(task, f"{relative}:{place.split()[-1]}", item)
            except PathError as error:
                raise PathError(f"{place}: {error}") from None
    except PathError as error:
        raise EvaluationFileError(
            f"{path}: task {task.name}: {error}. Mend the file, or the task's fields in the list "
            "of evaluation tasks."
        ) from None
    except OSError as error:
        raise EvaluationFileError(
            f"{path}: task {task.name}: can't be read ({error.strerror or error}). Put the file "
            "there again, or move it out of the evaluation folder."
        ) from None


def _read_jsonl(path: Path, _task: EvaluationTask) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield f"line {number}", _json(line, f"line {number}")


def _read_json(path: Path, task: EvaluationTask) -> Iterator[tuple[str, Any]]:
    found = _json(path.read_bytes(), "the file")
    if task.rows:
        if not isinstance(found, Mapping):
            raise PathError(f"the file: is no object, so has no {task.rows}")
        try:
            found = values_at(found, task.rows)
        except PathError as error:
            raise PathError(f"field {task.rows}: {error}") from None
        found = found[0] if len(found) == 1 else found
    if isinstance(found, Mapping):  # items by their identifiers
        for key, item in found.items():
            yield f"item {key}", {"id": key, **item} if isinstance(item, Mapping) else item
    elif isinstance(found, list):
        for number, item in enumerate(found, start=1):
            yield f"item {number}", item
    else:
        raise PathError("the file: is neither a list of items nor an object of them")


def _json(data: bytes, place: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PathError(f"{place}: is no JSON ({error})") from None


def _read_csv(path: Path, _task: EvaluationTask) -> Iterator[tuple[str, Any]]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            for row in reader:
                place = f"line {reader.line_num}"
                if None in row or None in row.values():
                    raise PathError(f"{place}: has not as many fields as the header")
                yield place, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise PathError(f"is no CSV in UTF-8 ({error})") from None
    finally:
        csv.field_size_limit(before)


def _read_parquet(path: Path, _task: EvaluationTask) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise PathError(f"is no Parquet ({error})") from None
    for number, row in enumerate(table.to_pylist(), start=1):
        yield f"row {number}", row


_READERS: Mapping[str, Callable[[Path, EvaluationTask], Iterator[tuple[str, Any]]]] = {
    "jsonl": _read_jsonl,
    "json": _read_json,
    "csv": _read_csv,
    "parquet": _read_parquet,
}


def _item(task: EvaluationTask, place: str, item: Mapping[str, Any]) -> EvaluationItem:
    question = "\n".join(_texts_at(item, task.question))
    if not question.strip() and not task.question.endswith("?"):
        raise PathError(f"field {task.question}: is empty")
    options = _options(task, item)
    return EvaluationItem(
        task=task.name,
        id=_identifier(task, item) or place,
        question=question,
        answers=_answers(task, item, options),
        options=tuple(options.values()),
        context=tuple(_texts_at(item, task.context)) if task.context else (),
    )


def _identifier(task: EvaluationTask, item: Mapping[str, Any]) -> str:
    try:
        return str(next(iter(values_at(item, task.id)), ""))
    except PathError as error:
        raise PathError(f"field {task.id}: {error}") from None


def _texts_at(item: Mapping[str, Any], path: str) -> list[str]:
    """The texts at a path; line breaks join a list without `[]`, and nulls are left out."""
    try:
        values = values_at(item, path)
    except PathError as error:
        raise PathError(f"field {path}: {error}") from None
    texts = []
    for value in values:
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            if part is not None and not isinstance(part, str):
                raise PathError(f"field {path}: is {type(part).__name__}, not text")
        texts.append("\n".join(part for part in parts if part is not None))
    return [text for text in texts if text.strip()]


def _options(task: EvaluationTask, item: Mapping[str, Any]) -> dict[str, str]:
    """The choices by letter; an object keeps its own letters."""
    if task.options is None:
        return {}
    if isinstance(task.options, tuple):
        texts = ["\n".join(_texts_at(item, path)) for path in task.options]
    else:
        try:
            found = values_at(item, task.options)
        except PathError as error:
            raise PathError(f"field {task.options}: {error}") from None
        if len(found) == 1 and isinstance(found[0], Mapping):
            lettered = {str(key): value for key, value in found[0].items() if value is not None}
            if not all(isinstance(value, str) for value in lettered.values()):
                raise PathError(f"field {task.options}: an option is not text")
            return lettered
        elements = found[0] if len(found) == 1 and isinstance(found[0], list) else found
        if not all(isinstance(value, str) for value in elements):
            raise PathError(f"field {task.options}: an option is not text")
        texts = list(elements)
    return {chr(ord("A") + place): text for place, text in enumerate(texts)}


def _answers(
    task: EvaluationTask, item: Mapping[str, Any], options: Mapping[str, str]
) -> tuple[str, ...]:
    if task.answer is None:
        return ()
    if isinstance(task.answer, str):
        return tuple(_texts_at(item, task.answer))
    return _chosen_answer(task.answer, item, options)


def _chosen_answer(
    choice: ChoiceField, item: Mapping[str, Any], options: Mapping[str, str]
) -> tuple[str, ...]:
    path = choice.letter or choice.index or ""
    try:
        found = next(iter(values_at(item, path)), None)
    except PathError as error:
        raise PathError(f"field {path}: {error}") from None
    if found is None:  # splits whose answers are not published
        return ()
    if choice.letter:
        if not isinstance(found, str) or found not in options:
            raise PathError(f"field {path}: is {found!r}, not one of {', '.join(options)}")
        return (options[found],)
    texts = list(options.values())
    last = choice.first + len(texts) - 1
    try:
        place = int(found)
    except (TypeError, ValueError):
        place = -1
    if isinstance(found, bool) or not choice.first <= place <= last:
        raise PathError(f"field {path}: is {found!r}, not a number from {choice.first} to {last}")
    return (texts[place - choice.first],)
