"""The rows of a file of evaluation items: JSON Lines, JSON, CSV and Parquet.

Belongs here: reading a file, one row at a time; an error names file and line. Does not: the fields
of a row (item_fields), or which files a task has (items).
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.eval_sets.field_paths import PathError, values_at
from bioinstruct_dagster.eval_sets.item import EvaluationFileError, EvaluationItem
from bioinstruct_dagster.eval_sets.task import FORMATS, EvaluationTask
from bioinstruct_dagster.input_files import fault_of_file, shown
from bioinstruct_dagster.json_objects import RepeatedKeyError, object_of_distinct_keys

_LONGEST_FIELD = 1 << 27  # characters of a CSV field; Python's own limit is 131,072
_Row = Mapping[str, Any]


def read_items(
    task: EvaluationTask,
    path: Path,
    root: Path,
    item_of: Callable[[str, _Row], EvaluationItem | None],
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
    if suffix not in FORMATS:
        raise EvaluationFileError(
            f"{shown(path)}: task {task.name}: the ending of the file's name is no known format "
            f"({', '.join(FORMATS)}). Rename the file, or give `format` in the task's file."
        )
    if fault := fault_of_file(path):
        raise EvaluationFileError(
            f"{shown(path)}: task {task.name}: {fault}. Make it a file that can be read, or move "
            "it out of the evaluation folder."
        )
    relative = path.relative_to(root).as_posix()
    try:
        for place, row in _READERS[suffix](path, task.source.rows):
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


def _read_jsonl(path: Path, _rows: str | None) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield f"line {number}", _json(line, f"line {number}")


def _read_json(path: Path, rows: str | None) -> Iterator[tuple[str, Any]]:
    found = _json(path.read_bytes(), "the file")
    if rows:
        if not isinstance(found, Mapping):
            raise PathError(f"the file: is no object, so has no {rows}")
        try:
            found = values_at(found, rows)
        except PathError as error:
            raise PathError(f"field {rows}: {error}") from None
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
        return json.loads(data, object_pairs_hook=object_of_distinct_keys)
    except RepeatedKeyError as error:
        raise PathError(f"{place}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise PathError(f"{place}: is no JSON ({error})") from None


def _read_csv(path: Path, _rows: str | None) -> Iterator[tuple[str, Any]]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _refuse_repeated(reader.fieldnames or (), f"line {max(reader.line_num, 1)}: ")
            for row in reader:
                place = f"line {reader.line_num}"
                if None in row or None in row.values():
                    raise PathError(f"{place}: has not as many fields as the header")
                yield place, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise PathError(f"is no CSV in UTF-8 ({error})") from None
    finally:
        csv.field_size_limit(before)


def _refuse_repeated(columns: Iterable[str], place: str = "") -> None:
    """Refuse columns of one name: only the last would be read. No path leads to a nameless one."""
    twice = [name for name, count in Counter(columns).items() if name.strip() and count > 1]
    if twice:
        raise PathError(f"{place}the column {twice[0]!r} is given twice; keep one")


def _read_parquet(path: Path, _rows: str | None) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            _refuse_repeated(file.schema_arrow.names)
        rows = parquet.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise PathError(f"is no Parquet ({error})") from None
    except ValueError as error:  # of to_pylist: an object has a field twice
        raise PathError(f"its rows can't be read ({error})") from None
    for number, row in enumerate(rows, start=1):
        yield f"row {number}", row


_READERS: Mapping[str, Callable[[Path, str | None], Iterator[tuple[str, Any]]]] = {
    "jsonl": _read_jsonl,
    "json": _read_json,
    "csv": _read_csv,
    "parquet": _read_parquet,
}
