"""The settings of seeds and generation: the goal, the controls, or an imported set.

Belongs here: settings of the stages `seeds` and `generation`. Does not: the teacher and the caps
(teacher).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import field_validator

from bioinstruct_dagster.settings.fields import INPUTS, MAX_ROWS, SettingsGroup, setting

IMPORT_COLUMNS = ("instruction", "input", "output")
CHAT_COLUMN = "messages"  # in the mapping, the column of a set whose rows are chats
_JSON_FORM = '{"instruction": "a,b", "output": "c"}'


class SeedSettings(SettingsGroup):
    """The seed tasks."""

    file: Path = setting(
        INPUTS / "seed_tasks.jsonl", "BIOINSTRUCT_SEEDS", "The seed tasks.", unit="JSONL file"
    )


class GenerationSettings(SettingsGroup):
    """How much is generated, and what kinds of tasks."""

    instructions: int = setting(
        380,
        "BIOINSTRUCT_INSTRUCTIONS",
        "The goal: rows that pass the gates for quality, privacy, contamination and novelty. "
        "Stored replies count.",
        unit="rows",
        ge=1,
        le=MAX_ROWS,
    )
    requests: int | None = setting(
        None,
        "BIOINSTRUCT_REQUESTS",
        "The most requests to use, even if the goal is not reached.",
        unit="requests",
        empty="no limit",
        ge=1,
        le=MAX_ROWS,
    )
    tasks_per_request: int = setting(
        5,
        "BIOINSTRUCT_TASKS_PER_REQUEST",
        "How many new tasks each request asks for.",
        unit="tasks",
        ge=1,
        le=20,
    )
    controls: Path | None = setting(
        INPUTS / "controls.yaml",
        "BIOINSTRUCT_CONTROLS",
        "The kinds of tasks to ask for, with the share of each. "
        "With `none`, the teacher chooses the kinds.",
        unit="YAML file, or `none`",
    )

    @field_validator("controls", mode="before")
    @classmethod
    def _no_controls(cls, value: Any) -> Any:
        return None if value == "none" else value


class ImportSettings(SettingsGroup):
    """An imported set that replaces generation."""

    source: str = setting(
        "",
        "BIOINSTRUCT_IMPORT",
        "An existing instruction set that replaces generation: a JSON, JSONL, CSV, TSV or Parquet "
        "file, also packed by gzip, or the id of a data set on the Hugging Face hub.",
        unit="file or hub id",
        empty="rows are generated",
    )
    columns: dict[str, str] = setting(
        {name: name for name in IMPORT_COLUMNS},
        "BIOINSTRUCT_IMPORT_COLUMNS",
        "The names of the imported columns, such as `instruction=question,output=answer`; or "
        "`messages=conversations` for the column of a set of chats.",
        unit="column names",
    )
    split: str = setting(
        "train",
        "BIOINSTRUCT_IMPORT_SPLIT",
        "The split of a hub data set to import.",
        unit="split name",
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _column_mapping(cls, value: Any) -> Any:
        return _full_mapping(_named_columns(value)) if isinstance(value, str) else value


def _named_columns(text: str) -> dict[str, str]:
    """The mapping that a value of the setting names: `OURS=THEIRS,…`, or an object in JSON."""
    mapping: dict[str, str] = {}
    for ours, theirs, part in _pieces(text):
        if not theirs or ours not in (*IMPORT_COLUMNS, CHAT_COLUMN):
            raise ValueError(
                f"{part!r} is not of the form OURS=THEIRS "
                f"with OURS one of {', '.join(IMPORT_COLUMNS)}, or {CHAT_COLUMN} alone. "
                f"If the name of a column holds a comma, write JSON: {_JSON_FORM}"
            )
        if ours in mapping:
            raise ValueError(f"{ours!r} is named twice")
        mapping[ours] = theirs
    if not mapping:
        raise ValueError("names no column; write instruction=COLUMN,output=COLUMN")
    if CHAT_COLUMN in mapping and len(mapping) > 1:
        raise ValueError(f"{CHAT_COLUMN!r} stands alone: a chat holds instruction and output")
    return mapping


def _pieces(text: str) -> Iterator[tuple[str, str, str]]:
    """Our name, their name and how the setting states both."""
    if not text.lstrip().startswith("{"):
        for part in filter(str.strip, text.split(",")):  # a comma at the end does no harm
            ours, _, theirs = part.partition("=")
            yield ours.strip(), theirs.strip(), part
        return
    try:
        pairs = json.loads(text, object_pairs_hook=lambda found: found)
    except (ValueError, RecursionError):
        raise ValueError(f"{text!r} is no JSON object; write it as in {_JSON_FORM}") from None
    for ours, theirs in pairs:
        yield ours, theirs if isinstance(theirs, str) else "", f"{ours}: {theirs}"


def _full_mapping(named: dict[str, str]) -> dict[str, str]:
    """The mapping with the columns that are not named, which have our names.

    A set whose questions stand in a column `input` has no inputs: this column is read once.
    """
    full = {**{name: name for name in IMPORT_COLUMNS}, **named}
    if "input" not in named and "input" in named.values():
        del full["input"]
    by_column: dict[str, str] = {}
    for ours, theirs in full.items():
        if ours == CHAT_COLUMN:
            continue
        if theirs in by_column:
            raise ValueError(
                f"the column {theirs!r} is mapped to {by_column[theirs]} and to {ours}; "
                "map each to a column of its own"
            )
        by_column[theirs] = ours
    return full
