"""The texts of a row by the columns of its set, and what to say about columns that do not fit.

Belongs here: which columns the set has, the value of a cell as text, and a mapping that fits, for
messages. Does not: reading records (csv_rows, json_rows, parquet_rows), one value (cells), or
chats (chats).
"""

import difflib
import json
from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.generation.imports.cells import as_text, trimmed
from bioinstruct_dagster.generation.imports.chats import is_chat
from bioinstruct_dagster.generation.imports.faults import RowFaults, shown_places
from bioinstruct_dagster.generation.imports.shapes import (
    ROW_FORM,
    TREE,
    is_history,
    is_tree,
    shape_of,
)
from bioinstruct_dagster.generation.replies.reading import TASK_FIELDS
from bioinstruct_dagster.settings.generation import CHAT_COLUMN
from bioinstruct_dagster.store.storable_text import is_storable

SETTING = "BIOINSTRUCT_IMPORT_COLUMNS"

# Names of columns in published sets, in small letters; the first that a set has is suggested.
_USUAL_NAMES = {
    "instruction": (
        "instruction", "instructions", "question", "prompt", "query", "task", "problem", "request",
        "user", "human", "questions", "title",
    ),
    "input": (
        "input", "context", "inputs", "passage", "document", "abstract", "note", "article",
        "background", "text", "exp",
    ),
    "output": (
        "output", "response", "answer", "completion", "outputs", "target", "reply", "chosen",
        "assistant", "long_answer", "final_decision", "summary", "answers", "label",
    ),
}  # fmt: skip
_NEEDED = ("instruction", "output")
_TEXT_WORDS = 3
_TEXT_CHARACTERS = 12  # of a script without blanks between words
_MANY = 0.05
_SHOWN_COLUMNS = 30


class ColumnTally:
    """Which columns a set has, and how many of its rows hold text in each."""

    def __init__(self) -> None:
        self.rows = 0
        self._present: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self._readable: set[str] = set()
        self._filled: set[str] = set()
        self._chats: dict[str, int] = {}
        self._histories: dict[str, int] = {}
        self._shapes: dict[str, str] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """Count one row."""
        self.rows += 1
        for name, value in record.items():
            self._present[name] = self._present.get(name, 0) + 1
            if value is not None:
                self._filled.add(name)
            if isinstance(value, str | int | float):
                self._readable.add(name)
            if is_chat(value):
                self._chats[name] = self._chats.get(name, 0) + 1
            elif isinstance(value, str) and _is_prose(value):
                self._texts[name] = self._texts.get(name, 0) + 1
            elif is_history(value):
                self._histories[name] = self._histories.get(name, 0) + 1
            if name not in self._shapes and (shape := shape_of(value)):
                self._shapes[name] = shape

    def rows_with(self, name: str) -> int:
        """How many rows have the column."""
        return self._present.get(name, 0)

    @property
    def shown(self) -> str:
        """The names of the columns, for a message."""
        names = [*self._present]
        more = f" and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else ""
        return ", ".join(map(repr, names[:_SHOWN_COLUMNS])) + more if names else "none"

    def fitting_mapping(self) -> str:
        """A value of the setting that fits the columns with text, by their names; or nothing."""
        names = {name.lower().strip(): name for name in self._present if name in self._readable}
        found: dict[str, str] = {}
        for field, usual in _USUAL_NAMES.items():
            for one in usual:
                starts = [name for name in names if name.startswith((f"{one}_", f"{one} "))]
                exact = [one] if one in names else starts
                free = [names[name] for name in exact if names[name] not in found.values()]
                if free:
                    found[field] = free[0]
                    break
        if "instruction" not in found and "input" in found:
            found["instruction"] = found.pop("input")  # a set of questions called input
        if not found.keys() >= {*_NEEDED}:
            return ""
        return mapping_text(found)

    def missing(self, columns: Mapping[str, str]) -> list[str]:
        """A line for each mapped column that no row has. The column `input` alone may be absent."""
        lines = []
        for field, name in columns.items():
            if self.rows_with(name) or (field == name == "input"):
                continue
            names = {one.lower(): one for one in self._present}
            near = difflib.get_close_matches(name.lower(), names, n=1)
            hint = f" Did you mean {names[near[0]]!r}?" if near else ""
            lines.append(f"No row has the column {name!r}, which is mapped to {field}.{hint}")
        if lines:
            lines.append(f"The columns of the set are {self.shown}.")
            lines += self._way_out(columns)
        return lines

    def _way_out(self, columns: Mapping[str, str]) -> list[str]:
        """What to do about missing columns: a mapping, or another form of the rows."""
        of_chats = next(iter(self._chats), "")
        form = f"messages={of_chats}" if of_chats else self.fitting_mapping()
        if "instruction" not in columns and not form:
            form = "messages=COLUMN"
        if form:
            return [f"Set {SETTING}, such as {SETTING}={form}"]
        if is_tree(self._present):
            return [TREE, ROW_FORM]
        texts = self._texts.keys() if self._shapes else self._readable
        if len(texts) < len(_NEEDED):
            shapes = [
                f"The column {name!r} holds {shape}."
                for name, shape in [*self._shapes.items()][:_SHOWN_COLUMNS]
            ]
            shapes += [
                f"The column {name!r} is null in every row."
                for name in self._present
                if name not in self._filled
            ][:_SHOWN_COLUMNS]
            said = "No mapping of columns can read this set: it has no two columns of text, one "
            return [*shapes, f"{said}for the instruction and one for the output.", ROW_FORM]
        form = mapping_text(dict.fromkeys(columns, "COLUMN"))
        said = f"Set {SETTING}={form}, where each COLUMN is the name of one of these columns. "
        return [f"{said}Leave out input=COLUMN if the set has no inputs."]

    def unused_texts(self, columns: Mapping[str, str]) -> list[str]:
        """A line for each column of texts that is not mapped, with a mapping for a likely input.

        Names, labels and identifiers are no texts, and neither is text in a few rows alone.
        """
        unused = {
            name: count
            for name, count in self._texts.items()
            if name not in columns.values() and count >= max(1, self.rows * _MANY)
        }
        lines = []
        for name, count in unused.items():
            line = f"The column {name!r} holds text in {count} of {self.rows} rows, "
            line += "and is not imported."
            has_input = "input" not in columns or self.rows_with(columns["input"])
            if name.lower().strip() in _USUAL_NAMES["input"] and not has_input:
                line += f" To import it, set {SETTING}={mapping_text({**columns, 'input': name})}"
            lines.append(line)
        return lines + self._unused_chats(columns)

    def _unused_chats(self, columns: Mapping[str, str]) -> list[str]:
        lines = []
        for name, count in self._chats.items():
            if name not in columns.values():
                lines.append(
                    f"The column {name!r} holds a list of messages in {count} of {self.rows} rows, "
                    "and is not imported. To import it in place of the other columns, set "
                    f"{SETTING}={mapping_text({'messages': name})}"
                )
        for name, count in self._histories.items():
            if name not in columns.values():
                lines.append(
                    f"The column {name!r} holds earlier questions and answers in {count} of "
                    f"{self.rows} rows, and is not imported. Without them, a row may ask about "
                    "what it does not say."
                )
        return lines


def mapping_text(columns: Mapping[str, str]) -> str:
    """The mapping as a value of the setting; as JSON if a name holds a comma or an outer blank."""
    named = {field: columns[field] for field in (*TASK_FIELDS, CHAT_COLUMN) if field in columns}
    if any("," in name or name != name.strip() for name in named.values()):
        return json.dumps(named, ensure_ascii=False)
    return ",".join(f"{field}={name}" for field, name in named.items())


class ColumnReader:
    """Rows from records with columns of text.

    Args:
        columns: the set's column for each of instruction, input and output.
        faults: takes the faults of the rows.
    """

    def __init__(self, columns: Mapping[str, str], faults: RowFaults) -> None:
        self._columns = columns
        self._faults = faults
        self._numbers: dict[str, int] = {}
        self._nulls: dict[str, list[str]] = {}
        self._filled: set[str] = set()

    def row(self, place: str, record: Mapping[str, Any]) -> dict[str, str] | None:
        """The three texts of a record; None if it has a fault.

        A null is an empty text. Real sets have rows without an explanation or an answer; the gates
        reject these rows with a reason, and the other rows are kept.
        """
        row = {}
        if "input" not in self._columns:
            row["input"] = ""
        for field, column in self._columns.items():
            value, found = as_text(record.get(column))
            if value is None and found == "" and (column in record or field == "input"):
                value = ""
                if field != "input":
                    self._nulls.setdefault(column, []).append(place)
            elif value:
                self._filled.add(column)
            if value is None:
                said = f"expected text, found {found}" if found else "no such column"
                self._faults.add(place, f"column {column!r} ({field}): {said}")
                if shape_of(record.get(column)):
                    self._faults.advise(ROW_FORM)
            elif check_storable(value, place, f"column {column!r} ({field})", self._faults):
                row[field] = value.strip() if field == "instruction" else trimmed(value)
                if value and not isinstance(record.get(column), str | bytes):
                    self._numbers[column] = self._numbers.get(column, 0) + 1
        return row if len(row) == len(TASK_FIELDS) else None

    @property
    def notes(self) -> list[str]:
        """What was converted, for the user to check."""
        return [
            f"the column {column!r} holds a number in {count} rows, which is imported as text"
            for column, count in self._numbers.items()
        ] + [
            f"the column {column!r} is null in {len(places)} rows "
            f"({shown_places(places, len(places))}), which are imported with an empty text; the "
            "quality gate rejects them"
            for column, places in self._nulls.items()
        ]

    def refuse_empty_columns(self) -> None:
        """Add a fault for each column that is null in every row."""
        for column, places in self._nulls.items():
            if column not in self._filled:
                self._faults.add(places[0], f"column {column!r}: null in this and every other row")


def check_storable(text: str, place: str, what: str, faults: RowFaults) -> bool:
    """Whether the store can hold the text; if not, the fault is added."""
    if is_storable(text):
        return True
    message = "holds a lone surrogate or NUL character, which can't be stored as text"
    faults.add(place, f"{what}: {message}")
    return False


def _is_prose(text: str) -> bool:
    """Whether a text is more than a name, a label or a number."""
    if len(text.split(None, _TEXT_WORDS)) > _TEXT_WORDS - 1:
        return True
    return len(text) >= _TEXT_CHARACTERS and not text.isascii()
