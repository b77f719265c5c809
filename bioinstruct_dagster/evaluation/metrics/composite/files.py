"""Scores a file of summaries: one JSON object a line, with the composite added.

Belongs here: reading and writing the lines, and what is wrong with one. Does not: the score.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.metrics.composite.score import composite
from bioinstruct_dagster.input_files import fault_of, fault_of_file, shown
from bioinstruct_dagster.json_objects import RepeatedKeyError, object_of_distinct_keys

SOURCES = ("dialogue", "source")  # the first that a line has is read
REFERENCE, SUMMARY = "reference", "summary"
ADDED = ("composite", "factual_errors")
DECIMALS = 6


class SummaryFileError(StatedError):
    """A file of summaries can't be read or written; the message names file, line and field."""


def score_file(read: Path, written: Path) -> int:
    """Add the composite and the factual errors to each line of a file.

    The new file appears as a whole: after an error there is none, and an older one stays.

    Args:
        read: lines with `dialogue` or `source`, `reference` and `summary`. Other fields are kept.
        written: the same lines with `composite` and `factual_errors`.

    Returns:
        the number of lines.

    Raises:
        SummaryFileError: a file can't be read or written, both are the same file, or a line has a
            fault.
    """
    if fault := fault_of_file(read):
        raise SummaryFileError(f"{shown(read)} {fault}; name a file with one JSON object a line.")
    if written.exists() and written.samefile(read):
        raise SummaryFileError(
            f"{shown(written)} is the file that is read; name another one to write, so that the "
            "summaries stay as they are."
        )
    lines = [_scored(row) for row in _rows(read)]
    if not lines:
        raise SummaryFileError(f"{shown(read)}: holds no summary; write one JSON object a line.")
    fresh = written.with_name(f".{written.name}.{os.getpid()}")
    try:
        fresh.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        fresh.replace(written)
    except (OSError, ValueError) as error:
        fresh.unlink(missing_ok=True)
        raise SummaryFileError(
            f"{shown(written)} can't be written: {_reason(error)}; name a file in a folder that "
            "exists and that you may write to."
        ) from None
    return len(lines)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The checked objects of a file. Empty lines are left out."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SummaryFileError(f"{shown(path)} {fault_of(error)}.") from None
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            place = f"{shown(path)}: line {number}"
            row = _object(line, place)
            _check(row, place)
            yield row


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"), object_pairs_hook=object_of_distinct_keys)
    except UnicodeDecodeError:
        raise SummaryFileError(f"{place}: is not UTF-8; save the file as UTF-8.") from None
    except RepeatedKeyError as error:
        raise SummaryFileError(f"{place}: {error}.") from None
    except (ValueError, RecursionError) as error:
        raise SummaryFileError(
            f"{place}: is not JSON ({error}); write one object with its quotes and commas a line."
        ) from None
    if not isinstance(row, dict):
        raise SummaryFileError(f"{place}: must be an object, such as {{{SUMMARY!r}: ...}}.")
    return row


def _check(row: dict[str, Any], place: str) -> None:
    source = next((name for name in SOURCES if name in row), None)
    if source is None:
        raise SummaryFileError(
            f"{place}: has neither `{SOURCES[0]}` nor `{SOURCES[1]}`; add the text that is "
            "summarised."
        )
    for name in (source, REFERENCE, SUMMARY):
        if name not in row:
            raise SummaryFileError(f"{place}: has no field `{name}`; add it.")
        if not isinstance(row[name], str):
            raise SummaryFileError(f"{place}: the field `{name}` must be a text in quotes.")
        if name == REFERENCE and not row[name].strip():
            raise SummaryFileError(
                f"{place}: the field `{name}` is empty; a summary can't be compared with nothing."
            )


def _scored(row: dict[str, Any]) -> str:
    source = next(row[name] for name in SOURCES if name in row)
    made = composite(source, row[REFERENCE], row[SUMMARY])
    added = (round(made.score, DECIMALS), round(made.factual_errors, DECIMALS))
    # A lone surrogate is no UTF-8, but JSON can carry it as an escape.
    return json.dumps({**row, **dict(zip(ADDED, added, strict=True))}, ensure_ascii=True)


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
