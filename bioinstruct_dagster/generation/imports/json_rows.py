"""The rows of a JSON file: a list, one value a line, values one after another, or a wrapped list.

The name says little about the form: hubs name JSON Lines .json, and lists .jsonl. So the content
decides. Belongs here: finding the rows and their lines. Does not: what the columns mean (columns).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioinstruct_dagster.generation.imports.chats import is_chat
from bioinstruct_dagster.generation.imports.faults import ImportedSetError, RowFaults
from bioinstruct_dagster.generation.imports.records import Record, SourceRecords
from bioinstruct_dagster.generation.imports.text import text_of
from bioinstruct_dagster.input_files import shown
from bioinstruct_dagster.json_objects import RepeatedKeyError, object_of_distinct_keys

_BLANK = re.compile(r"[ \t\r\n]*")
_SHOWN_KEYS = 12
_WORDS = {"Unterminated string starting at": "the text that begins here has no closing quote"}
_CUT = ". The file seems to be cut off: download it again, or remove this row"


class _JsonFaultError(ValueError):
    """The text is no JSON, or says two things.

    Attributes:
        at: where the row with the fault begins.
        column: of the fault in its own line; 0 if the message says enough.
        cut: whether the text ends where more must follow.
    """

    def __init__(self, at: int, message: str, column: int = 0, *, cut: bool = False) -> None:
        super().__init__(message)
        self.at = at
        self.column = column
        self.cut = cut


def read_json(path: Path) -> SourceRecords:
    """The rows of a JSON or JSON Lines file as records.

    NaN and infinite numbers, which pandas writes for a missing value, are read as null.

    Raises:
        ImportedSetError: names the line that is no JSON, or the keys that may hold the rows.
    """
    return SourceRecords(list(_records(path, text_of(path))), [])


def _records(path: Path, text: str) -> Iterator[Record]:
    if _is_json_lines(text):
        yield from _by_lines(path, text)
        return
    try:
        first = _BLANK.match(text)
        start = first.end() if first else 0
        if text.startswith("[", start):
            yield from _list_items(text, start)
            return
        values = list(_values(text, start))
    except _JsonFaultError as fault:
        line = text.count("\n", 0, fault.at) + 1
        place = f"line {line}" + (f", column {fault.column}" if fault.column else "")
        said = f"not JSON ({fault})" + _CUT * fault.cut
        raise ImportedSetError(f"{shown(path)}: {place}: {said}.") from None
    if len(values) == 1:
        yield from _unwrapped(path, *values[0])
    else:
        yield from (Record(f"line {line}", value) for line, value in values)


def _is_json_lines(text: str) -> bool:
    """Whether the first line with text is a JSON value, and further lines follow."""
    head, _, rest = text.lstrip("\n\r \t").partition("\n")
    if not rest.strip():
        return False
    try:
        value, end = _DECODER.raw_decode(head)
    except (ValueError, RecursionError):
        return False
    # The bracket of a list whose items stand on lines of their own is no row.
    return not head[end:].strip() and isinstance(value, dict | list)


def _by_lines(path: Path, text: str) -> Iterator[Record]:
    broken: dict[str, list[tuple[int, int]]] = {}
    last = text.rstrip().count("\n") + 1
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = list(_values(line, len(line) - len(line.lstrip())))
        except _JsonFaultError as fault:
            said = f"not JSON ({fault})" + _CUT * (fault.cut and number == last)
            broken.setdefault(said, []).append((number, fault.column))
            continue
        yield from (Record(f"line {number}", value) for _, value in values)
    faults = RowFaults()
    for said, places in broken.items():
        for number, column in places:
            is_single = column and len(places) == 1
            faults.add(f"line {number}" + (f", column {column}" if is_single else ""), said)
    faults.refuse(f"{shown(path)}: lines that can't be read:")


def _values(text: str, at: int) -> Iterator[tuple[int, Any]]:
    """The values that stand one after another, each with the line where it begins."""
    line, counted = 1, 0
    while at < len(text):
        line += text.count("\n", counted, at)
        counted = at
        value, at = _decoded(text, at)
        yield line, value
        at = _after_blanks(text, at)
        if text.startswith(",", at):
            message = "a comma stands between two rows; remove it, or put all rows between [ and ]"
            raise _JsonFaultError(at, message)


def _list_items(text: str, at: int) -> Iterator[Record]:
    """The items of a list, each with the line where it begins; by number if all are in one line."""
    in_one_line = "\n" not in text.strip()
    line, counted, number = 1, 0, 0
    at = _after_blanks(text, at + 1)
    while not text.startswith("]", at):
        line += text.count("\n", counted, at)
        counted = at
        value, at = _decoded(text, at)
        number += 1
        yield Record(f"row {number}" if in_one_line else f"line {line}", value)
        at = _after_blanks(text, at)
        if text.startswith(",", at):
            at = _after_blanks(text, at + 1)
            if text.startswith("]", at):
                raise _JsonFaultError(at, "a comma stands after the last row; remove it")
        elif not text.startswith("]", at):
            is_cut = at == len(text)
            raise _JsonFaultError(at, "a comma or the ] of the list is missing", cut=is_cut)
    if (end := _after_blanks(text, at + 1)) < len(text):
        raise _JsonFaultError(end, "more text follows the list of rows")


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _decoded(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        where = text.count("\n", at, error.pos)
        said = _WORDS.get(error.msg, error.msg)
        said += f", {where} line{'s' * (where > 1)} below" if where else ""
        is_cut = error.msg in _WORDS or not text[error.pos :].strip()
        raise _JsonFaultError(at, said, 0 if where else error.colno, cut=is_cut) from None
    except RecursionError:
        raise _JsonFaultError(at, "it is nested too deeply") from None
    except RepeatedKeyError as error:
        raise _JsonFaultError(at, str(error)) from None
    except ValueError:
        raise _JsonFaultError(at, "a number has thousands of digits") from None


def _unwrapped(path: Path, line: int, value: Any) -> Iterator[Record]:
    """The rows of a file that holds one value: the value itself, or the list of rows inside it."""
    if not isinstance(value, dict):
        raise ImportedSetError(
            f"{shown(path)}: expected a list of rows, found {type(value).__name__}."
        )
    lists = {
        key: part
        for key, part in value.items()
        if isinstance(part, list)
        and part
        and all(isinstance(one, dict) for one in part)
        and not is_chat(part)
    }
    if len(lists) == 1:
        ((key, rows),) = lists.items()
        yield from (Record(f"{key}, row {number}", row) for number, row in enumerate(rows, 1))
    elif not any(isinstance(part, str) or is_chat(part) for part in value.values()):
        keys = ", ".join(map(repr, [*value][:_SHOWN_KEYS])) + ", …" * (len(value) > _SHOWN_KEYS)
        keys = keys or "none"
        found = f"{len(lists)} lists of rows" if lists else "no list of rows"
        raise ImportedSetError(
            f"{shown(path)}: expected a list of rows, found one object with {found}. Its keys are "
            f"{keys}. Write the rows as one list (in pandas, orient='records'), or one a line."
        )
    else:
        yield Record(f"line {line}", value)


_DECODER = json.JSONDecoder(
    object_pairs_hook=object_of_distinct_keys, parse_constant=lambda _: None
)
