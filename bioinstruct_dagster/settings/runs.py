"""The settings of the store, of experiments, and of runs and automation.

Belongs here: settings that several stages share. Does not: recipes and base models
(`data/experiments.yaml`).
"""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr, field_validator

from bioinstruct_dagster.settings.fields import INPUTS, MAX_ROWS, SettingsGroup, setting

TRAINED_BEFORE = "trained"


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
    train_on_release: str = setting(
        TRAINED_BEFORE,
        "BIOINSTRUCT_TRAIN_ON_RELEASE",
        "The experiments that the sensor `train_on_release` trains on a new data set. `trained` "
        "means those that already have an adapter, so that nobody is surprised by the time of an "
        "experiment that was never run.",
        unit="`trained`, or names or patterns with commas between them",
    )
    webhook_url: SecretStr | None = setting(
        None,
        "BIOINSTRUCT_WEBHOOK_URL",
        "Where the sensor `run_failures` sends a message about a failed run, such as a Slack "
        "webhook. It is never logged and never stored.",
        unit="secret http or https URL",
        empty="no message is sent",
    )

    @property
    def release_experiments(self) -> list[str]:
        """The names and patterns in `train_on_release`; empty for experiments that have adapters.

        The word `trained` may stand among names: then both are meant, and it is left out here.
        """
        return [name for name in self._release_words if name != TRAINED_BEFORE]

    @property
    def retrains_adapters(self) -> bool:
        """Whether experiments that already have an adapter are trained on a new data set."""
        return not self._release_words or TRAINED_BEFORE in self._release_words

    @property
    def _release_words(self) -> list[str]:
        return [word for part in self.train_on_release.split(",") if (word := part.strip())]

    @field_validator("webhook_url", mode="after")
    @classmethod
    def _is_web_address(cls, value: SecretStr | None) -> SecretStr | None:
        # The message must not repeat the value: whoever has the address can write to the channel.
        if value and not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("the address must begin with http:// or https://")
        return value
