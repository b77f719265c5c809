"""Writing exported rows: JSON Lines, one JSON array, or CSV. A file appears when it is complete.

Belongs here: the files. Does not: the form of a row (export.formats), or reading rows
(export.rows).
"""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.publishing.export.formats import FORMATS
from bioinstruct_dagster.publishing.export.rows import counts_of, rows_of
from bioinstruct_dagster.store.fingerprints import json_bytes

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Exported:
    """A file that was written: its path, its rows, and how many of them are a rehearsal's."""

    path: Path
    rows: int
    rehearsal: int


def export(  # what the command takes
    folder: Path,
    fingerprint: str,
    *,
    form: str,
    target: Path,
    splits: Sequence[str],
    rehearsal: bool = False,
    force: bool = False,
) -> Exported:
    """Write rows of the data set to a file, row by row.

    Args:
        folder: of the data set.
        fingerprint: of the version.
        form: a name of `FORMATS`.
        target: the file. Its ending decides: .jsonl, .json, or .csv for `columns`.
        splits: whose rows are written.
        rehearsal: whether rows of a rehearsal may be written. Each keeps its mark.
        force: whether a present file is replaced.

    Raises:
        StatedError: the target can't be written so, or rows are marked rehearsal.
    """
    write = _writer(form, target)
    if target.exists() and not force:
        raise StatedError(f"{target} is there already. Add --force to replace it.")
    rows, marked = counts_of(folder, fingerprint, splits, categories=form == "columns")
    if not rows:
        raise StatedError(f"The data set has no rows in the splits {', '.join(splits)}.")
    if marked and not rehearsal:
        raise StatedError(
            f"{marked:,} of {rows:,} rows are marked rehearsal: they have no medical meaning. Add "
            "--rehearsal to write them with their mark, such as to try a trainer."
        )
    shaped = map(FORMATS[form], _counted(rows_of(folder, fingerprint, splits), rows))
    try:
        with new_file(target) as fresh, fresh.open("wb") as file:
            write(file, shaped)
    except OSError as error:
        raise StatedError(f"{target} can't be written: {error}") from None
    return Exported(target, rows, marked)


def _writer(form: str, target: Path) -> Callable[[BinaryIO, Rows], None]:
    if target.is_dir():
        raise StatedError(f"{target} is a folder. Name a file, such as {target / 'train.jsonl'}.")
    writers: dict[str, Callable[[BinaryIO, Rows], None]] = {".jsonl": _lines, ".json": _array}
    if form == "columns":
        writers[".csv"] = _table
    if found := writers.get(target.suffix.lower()):
        return found
    raise StatedError(f"{target}: a file of the form {form} ends with {' or '.join(writers)}.")


def _lines(file: BinaryIO, rows: Rows) -> None:
    file.writelines(json_bytes(row) + b"\n" for row in rows)


def _array(file: BinaryIO, rows: Rows) -> None:
    """One JSON array, also written row by row."""
    before = b"[\n"
    for row in rows:
        file.write(before + json_bytes(row))
        before = b",\n"
    file.write(b"\n]\n")


def _table(file: BinaryIO, rows: Rows) -> None:
    text = TextIOWrapper(file, "utf-8", newline="", write_through=True)
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row))
            writer.writeheader()
        writer.writerow(row)
    text.detach()


def _counted(rows: Rows, total: int) -> Iterator[Mapping[str, Any]]:
    """The rows, with a progress bar in a terminal."""
    from tqdm import tqdm

    yield from tqdm(
        rows, total=total, unit=" rows", desc="Exporting", disable=not sys.stderr.isatty()
    )
