"""The settings of the store, of experiments, and of runs and automation.

Belongs here: settings that several stages share. Does not: recipes and base models
(`data/experiments.yaml`).
"""

from pathlib import Path
from typing import Literal

from bioinstruct_dagster.settings.fields import INPUTS, MAX_ROWS, SettingsGroup, setting


class StoreSettings(SettingsGroup):
    """Where outputs go."""

    data_dir: Path = setting(
        INPUTS,
        "BIOINSTRUCT_DATA_DIR",
        "The folder of all outputs: the store, the data set, models, adapters and evaluations.",
        unit="folder",
    )
    lock_timeout: float = setting(
        120.0,
        "BIOINSTRUCT_LOCK_TIMEOUT",
        "How long a process waits for another process that is writing to the store.",
        unit="seconds",
        gt=0,
    )

    @property
    def path(self) -> Path:
        """The DuckDB file."""
        return self.data_dir / "bioinstruct.duckdb"


class ModelSettings(SettingsGroup):
    """Base models and training."""

    experiments: Path = setting(
        INPUTS / "experiments.yaml",
        "BIOINSTRUCT_EXPERIMENTS",
        "The base models and training recipes.",
        unit="YAML file",
    )
    training_workers: int = setting(
        0,
        "BIOINSTRUCT_TRAINING_WORKERS",
        "How many experiments of one run are trained at the same time, each by its own process. "
        "0 is one for each GPU, or one if there is no GPU.",
        unit="processes",
        ge=0,
        le=64,
    )
    training_ranks: int = setting(
        1,
        "BIOINSTRUCT_TRAINING_RANKS",
        "How many processes train one adapter together, each on a GPU of its own (data parallel). "
        "If it is more than 1, one experiment is trained at a time.",
        unit="processes",
        ge=1,
        le=64,
    )
    tracker: Literal["off", "mlflow", "trackio"] = setting(
        "off",
        "BIOINSTRUCT_TRACKER",
        "Where training also reports its metrics. `mlflow` and `trackio` need the extra of that "
        "name and read the variables of that program, such as `MLFLOW_TRACKING_URI`. A tracker "
        "that fails never ends training.",
    )


class RunSettings(SettingsGroup):
    """Runs and automation."""

    seed: int = setting(
        42,
        "BIOINSTRUCT_SEED",
        "The run seed: the drawing of seed tasks, training and bootstrap intervals depend on it.",
        unit="whole number, 0 to 4294967295",
        ge=0,
        le=2**32 - 1,
    )
    refresh_instructions: int = setting(
        50,
        "BIOINSTRUCT_REFRESH_INSTRUCTIONS",
        "How much the schedule `weekly_refresh` raises the goal.",
        unit="rows",
        ge=1,
        le=MAX_ROWS,
    )
