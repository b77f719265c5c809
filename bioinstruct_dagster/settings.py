"""Every setting, typed, with its default and meaning; read from the environment and `.env`.

Belongs here: what a user sets once for an installation. Does not: what is chosen per run (the
assets' run configuration) or per experiment (`data/experiments.yaml`).
"""

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bioinstruct_dagster.errors import StatedError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
INPUTS = PROJECT_ROOT / "data"

Teacher = Literal["rehearsal", "openai"]
Service = Literal["online", "flex", "batch"]
Api = Literal["chat", "responses"]
DEFAULT_MODELS: dict[Teacher, str] = {"rehearsal": "rehearsal-teacher", "openai": "gpt-4.1"}
IMPORT_COLUMNS = ("instruction", "input", "output")


class SettingsError(StatedError):
    """A setting has a value that the project can't work with; the message names the variable."""


class Settings(BaseSettings):
    """The installation's settings. Each field's description is the text of the README's table."""

    model_config = SettingsConfigDict(
        env_prefix="BIOINSTRUCT_",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(
        INPUTS, description="Where all outputs go: the store, the data set, adapters, evaluations."
    )
    seeds: Path = Field(INPUTS / "seed_tasks.jsonl", description="The seed tasks, JSONL.")
    experiments: Path = Field(
        INPUTS / "experiments.yaml", description="Base models and training recipes."
    )
    teacher: Teacher = Field(
        "rehearsal",
        description=(
            "`rehearsal`: recorded completions, no key, no network. "
            "`openai`: the OpenAI API or any compatible server."
        ),
    )
    teacher_model: str = Field(
        "",
        description=(
            "Model asked. Default: `rehearsal-teacher`, or `gpt-4.1` with the teacher `openai`."
        ),
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias="OPENAI_API_KEY",
        description="Key for the teacher `openai`. Never logged, never stored.",
    )
    openai_base_url: HttpUrl | None = Field(
        None,
        validation_alias="OPENAI_BASE_URL",
        description="A compatible server's address, such as `http://localhost:8000/v1`.",
    )
    instructions: int = Field(
        380,
        ge=1,
        le=10_000_000,
        description="The goal: rows that quality and novelty gates keep. Stored replies count.",
    )
    requests: int | None = Field(
        None, ge=1, le=10_000_000, description="Use at most this many requests, goal or no goal."
    )
    tasks_per_request: int = Field(
        5, ge=1, le=20, description="New tasks asked of the teacher in each request."
    )
    controls: Path | None = Field(
        INPUTS / "controls.yaml",
        description="What tasks are asked for, by share; `none` leaves it to the teacher.",
    )
    quality_rules: Path = Field(
        INPUTS / "quality_rules.yaml", description="What makes a row unfit, rule by rule."
    )
    privacy: Literal["reject", "redact", "flag", "off"] = Field(
        "reject", description="What happens to rows that hold identifiers of a person."
    )
    privacy_model: str = Field(
        "", description="A spaCy model, by name or folder, to find names beyond the patterns."
    )
    evaluation_tasks: Path = Field(
        INPUTS / "evaluation_tasks.yaml",
        description="Evaluation sets whose items may not be trained on, and how they are read.",
    )
    eval_dir: Path = Field(INPUTS / "eval", description="Where the files of those sets are.")
    contamination: Literal["reject", "flag"] = Field(
        "reject", description="What happens to rows that repeat an evaluation item."
    )
    meaning_model: Path | None = Field(
        None,
        description=(
            "A sentence-transformers folder: then rows that an earlier one says in other words "
            "are dropped too."
        ),
    )
    meaning_threshold: float = Field(
        0.9, gt=0, le=1, description="The cosine above which two instructions mean the same."
    )
    category_confidence: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Rows that the embedded classifier is less sure of are listed for review.",
    )
    ray_address: str = Field(
        "",
        description=(
            "A Ray cluster to look for near-duplicates on, when many: its address, or `local`. "
            "Needs the extra `ray`."
        ),
    )
    ray_workers: int = Field(
        2, ge=1, le=1_000, description="Processes on that cluster, a processor each."
    )
    max_usd: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Most dollars that all runs on this store may spend together.",
    )
    max_tokens: int | None = Field(None, ge=0, description="The same in tokens, in and out.")
    run_max_usd: float | None = Field(
        None, ge=0, description="Most dollars that one run may spend."
    )
    run_max_tokens: int | None = Field(None, ge=0, description="The same in tokens.")
    service: Service = Field(
        "online",
        description=(
            "`online`, `batch` (Batch API: half the price, within a day) "
            "or `flex` (half the price, slower)."
        ),
    )
    api: Api = Field("chat", description="`chat` completions, or `responses`.")
    reply_format: Literal["auto", "json_schema", "json_object", "text"] = Field(
        "auto", description="How replies are written; `auto` asks the server once by a probe."
    )
    concurrency: int = Field(64, ge=1, le=10_000, description="Most requests in flight at once.")
    rpm: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Requests per minute; otherwise as the server's headers say.",
    )
    tpm: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Tokens per minute; otherwise as the server's headers say.",
    )
    import_: str = Field(
        "",
        validation_alias="BIOINSTRUCT_IMPORT",
        description=(
            "An existing instruction set used in place of generation: a JSON, JSONL, CSV or "
            "Parquet file, or the id of a data set on the Hugging Face hub."
        ),
    )
    import_columns: Annotated[dict[str, str], NoDecode] = Field(
        {name: name for name in IMPORT_COLUMNS},
        description="Names of the imported columns, such as `instruction=question,output=answer`.",
    )
    import_split: str = Field("train", description="Which split of a hub data set to import.")
    seed: int = Field(
        42, ge=0, le=2**32 - 1, description="Run seed: draws of seeds, training, bootstrap."
    )
    refresh_instructions: int = Field(
        50, ge=1, description="By how many kept instructions `weekly_refresh` aims to grow the set."
    )
    lock_timeout: float = Field(
        120.0, gt=0, description="Seconds to wait for another process that is using the store."
    )

    @field_validator("controls", mode="before")
    @classmethod
    def _no_controls(cls, value: Any) -> Any:
        return None if value == "none" else value

    @field_validator(
        "data_dir", "seeds", "experiments", "controls", "quality_rules", "evaluation_tasks",
        "eval_dir", "meaning_model",
    )  # fmt: skip
    @classmethod
    def _from_project_root(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        # One base for relative paths, whatever directory Dagster starts a run in.
        try:
            return (PROJECT_ROOT / value.expanduser()).resolve()
        except RuntimeError as error:  # the home of a user who does not exist
            raise ValueError(str(error)) from None

    @field_validator("import_columns", mode="before")
    @classmethod
    def _column_mapping(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        mapping = {name: name for name in IMPORT_COLUMNS}
        for part in value.split(","):
            ours, separator, theirs = (piece.strip() for piece in part.partition("="))
            if not separator or not theirs or ours not in IMPORT_COLUMNS:
                raise ValueError(
                    f"{part!r} is not of the form OURS=THEIRS "
                    f"with OURS one of {', '.join(IMPORT_COLUMNS)}"
                )
            mapping[ours] = theirs
        return mapping

    @property
    def model(self) -> str:
        """The model asked: the setting, or the teacher's default."""
        return self.teacher_model or DEFAULT_MODELS[self.teacher]

    @property
    def store_path(self) -> Path:
        """The DuckDB file."""
        return self.data_dir / "bioinstruct.duckdb"


def variable_of(field: str) -> str:
    """Name of the environment variable behind a field of `Settings`."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"BIOINSTRUCT_{field.upper()}"


def load_settings(env_file: Path | None = PROJECT_ROOT / ".env") -> Settings:
    """Read the settings; the environment wins over `env_file`.

    Raises:
        SettingsError: names every variable with a bad value, and every unknown `BIOINSTRUCT_*`
            variable.
    """
    known = {variable_of(field): field for field in Settings.model_fields}
    problems = []
    in_file = dotenv_values(env_file) if env_file else {}
    for name in sorted({*os.environ, *in_file}):
        if name.startswith("BIOINSTRUCT_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(
                f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "")
            )
    settings = None
    try:
        # A parameter of pydantic-settings' __init__ that the synthesized signature hides from mypy.
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        for detail in error.errors():
            field = str(detail["loc"][0]) if detail["loc"] else ""
            variable = variable_of(field) if field in Settings.model_fields else field
            problems.append(f"{variable}: {detail['msg']}" if variable else detail["msg"])
    if problems or settings is None:
        raise SettingsError("Bad settings (environment or .env):\n  " + "\n  ".join(problems))
    return settings
