"""The items of a file.

Belongs here: reading a file, one item at a time; an error names file and line. Does not: the
formats (file_rows), the fields of a row (item_fields), or which files a task has (items).
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bioinstruct_dagster.eval_sets.field_paths import PathError
from bioinstruct_dagster.eval_sets.file_rows import ROWS_BY_FORMAT
from bioinstruct_dagster.eval_sets.item import EvaluationFileError, EvaluationItem
from bioinstruct_dagster.eval_sets.row_fields import Row
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.input_files import fault_of_file, shown


def read_items(
    task: EvaluationTask,
    path: Path,
    root: Path,
    item_of: Callable[[str, Row], EvaluationItem | None],
) -> Iterator[EvaluationItem]:
    """The items of one file, in its order.

    Args:
        task: whose items they are.
        path: the file.
        root: the folder from which the names of places start.
        item_of: makes an item from its place (file and line) and its row; None leaves it out.

    Raises:
        EvaluationFileError: the file is broken, or a row does not fit the task's fields.
    """
    suffix = task.source.format or path.suffix.lower().removeprefix(".")
    if suffix not in ROWS_BY_FORMAT:
        raise EvaluationFileError(
            f"{shown(path)}: task {task.name}: the ending of the file's name is no known format "
            f"({', '.join(ROWS_BY_FORMAT)}). Rename the file, or give `format` in the task's file."
        )
    if fault := fault_of_file(path):
        raise EvaluationFileError(
            f"{shown(path)}: task {task.name}: {fault}. Make it a file that can be read, or move "
            "it out of the evaluation folder."
        )
    relative = path.relative_to(root).as_posix()
    try:
        for place, row in ROWS_BY_FORMAT[suffix](path, task.source.rows):
            if not isinstance(row, Mapping):
                raise PathError(f"{shown(place)}: is no object with fields")
            try:
                item = item_of(f"{relative}:{place.split()[-1]}", row)
            except PathError as error:
                raise PathError(f"{shown(place)}: {error}") from None
            if item is not None:
                yield item
    except PathError as error:
        raise EvaluationFileError(
            f"{shown(path)}: task {task.name}: {error}. Mend the file, or the fields in "
            f"{task.name}.yaml."
        ) from None
    except OSError as error:
        raise EvaluationFileError(
            f"{shown(path)}: task {task.name}: can't be read ({error.strerror or error}). Put the "
            "file there again, or move it out of the evaluation folder."
        ) from None
