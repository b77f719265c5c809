"""The forms of an exported row, by the name that the command takes.

A row of a rehearsal keeps its mark in every form. Belongs here: the forms. Does not: reading rows
(rows), or writing files (files).
"""

from collections.abc import Callable, Mapping
from typing import Any

from bioinstruct_dagster.dataset.origins import REHEARSED_LABELLER

MARK = "rehearsal"
Row = Mapping[str, Any]


def alpaca(row: Row) -> dict[str, Any]:
    """Instruction, input and output, as Stanford Alpaca named them."""
    return {name: row[name] for name in ("instruction", "input", "output")} | _mark(row)


def messages(row: Row) -> dict[str, Any]:
    """A chat of one question and its answer, as most trainers read it.

    The input follows the instruction after an empty line, as this project's own chat prompts do.
    """
    asked = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
    turns = [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": row["output"]},
    ]
    return {"messages": turns} | _mark(row)


def columns(row: Row) -> dict[str, Any]:
    """All columns of the data set, and the split. A category of a rehearsal is a mark too."""
    return dict(row) | {MARK: bool(row[MARK]) or row["labelled_by"] == REHEARSED_LABELLER}


FORMATS: Mapping[str, Callable[[Row], dict[str, Any]]] = {
    "alpaca": alpaca,
    "messages": messages,
    "columns": columns,
}


def _mark(row: Row) -> dict[str, Any]:
    return {MARK: True} if row[MARK] else {}
