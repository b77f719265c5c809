"""The settings of seeds and generation: the goal, the controls, or an imported set.

Belongs here: settings of the stages `seeds` and `generation`. Does not: the teacher and the caps
(teacher).
"""

from pathlib import Path
from typing import Any

from pydantic import field_validator

from bioinstruct_dagster.settings.fields import INPUTS, MAX_ROWS, SettingsGroup, setting

IMPORT_COLUMNS = ("instruction", "input", "output")
CHAT_COLUMN = "messages"  # in the mapping, the column of a set whose rows are chats


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
        if not isinstance(value, str):
            return value
        mapping: dict[str, str] = {}
        for part in value.split(","):
            ours, separator, theirs = (piece.strip() for piece in part.partition("="))
            if not separator or not theirs or ours not in (*IMPORT_COLUMNS, CHAT_COLUMN):
                raise ValueError(
                    f"{part!r} is not of the form OURS=THEIRS "
                    f"with OURS one of {', '.join(IMPORT_COLUMNS)}, or {CHAT_COLUMN} alone"
                )
            if ours in mapping:
                raise ValueError(f"{ours!r} is named twice")
            mapping[ours] = theirs
        if CHAT_COLUMN in mapping and len(mapping) > 1:
            raise ValueError(f"{CHAT_COLUMN!r} stands alone: a chat holds instruction and output")
        return {**{name: name for name in IMPORT_COLUMNS}, **mapping}
