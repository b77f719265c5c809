"""The settings of curation: the gates between raw rows and the data set, and the evaluation sets.

Belongs here: settings of the stage `curation`, and of the evaluation sets, which the contamination
gate and evaluation both read. Does not: the rules of a gate (`data/quality_rules.yaml`,
`data/contamination.yaml`).
"""

from pathlib import Path
from typing import Literal

from pydantic import field_validator

from bioinstruct_dagster.settings.fields import (
    INPUTS,
    SettingsGroup,
    from_project_root,
    setting,
)


class CurationSettings(SettingsGroup):
    """The gates between raw rows and the data set."""

    quality_rules: Path = setting(
        INPUTS / "quality_rules.yaml",
        "BIOINSTRUCT_QUALITY_RULES",
        "The rules of the quality gate.",
        unit="YAML file",
    )
    privacy: Literal["reject", "redact", "flag", "off"] = setting(
        "reject",
        "BIOINSTRUCT_PRIVACY",
        "What happens to a row that holds identifiers of a person.",
    )
    privacy_model: str = setting(
        "auto",
        "BIOINSTRUCT_PRIVACY_MODEL",
        "A spaCy model that finds names beyond the patterns. `auto` means en_core_web_sm where it "
        "is installed (extra `names`), `off` means patterns only.",
        unit="`auto`, `off`, model name or folder",
    )
    contamination: Literal["reject", "flag"] = setting(
        "reject",
        "BIOINSTRUCT_CONTAMINATION",
        "What happens to a row that repeats an evaluation item.",
    )
    contamination_rules: Path = setting(
        INPUTS / "contamination.yaml",
        "BIOINSTRUCT_CONTAMINATION_RULES",
        "When a row repeats an evaluation item.",
        unit="YAML file",
    )
    novelty: Literal["auto", "rouge", "exact", "off"] = setting(
        "auto",
        "BIOINSTRUCT_NOVELTY",
        "What is a repetition. `rouge` is Self-Instruct's rule: the instruction is too similar to "
        "that of a seed or an earlier row, whatever the inputs are. `exact`: instruction and input "
        "are those of a seed or an earlier row, apart from letter case, white space and outer "
        "punctuation. `off` keeps every row. `auto` means `rouge` for generated rows and `exact` "
        "for an imported set.",
    )
    novelty_threshold: float = setting(
        0.7,
        "BIOINSTRUCT_NOVELTY_THRESHOLD",
        "By the rule `rouge`, an instruction repeats another if their ROUGE-L F1 is above this "
        "value.",
        unit="F1, above 0 and below 1",
        gt=0,
        lt=1,
    )
    meaning_model: Path | None = setting(
        None,
        "BIOINSTRUCT_MEANING_MODEL",
        "A sentence-transformers model. With it, a row is also rejected if an earlier row says the "
        "same in other words. Needs the extra `embeddings`.",
        unit="folder",
        empty="words only",
    )
    meaning_threshold: float = setting(
        0.9,
        "BIOINSTRUCT_MEANING_THRESHOLD",
        "Two texts mean the same if their similarity is above this value. The texts are the "
        "instructions, or instructions with inputs if `BIOINSTRUCT_NOVELTY` is not `rouge`.",
        unit="cosine, above 0 to 1",
        gt=0,
        le=1,
    )
    category_confidence: float = setting(
        0.7,
        "BIOINSTRUCT_CATEGORY_CONFIDENCE",
        "A row is listed for review if the embedded classifier's confidence is below this value.",
        unit="share, 0 to 1",
        ge=0,
        le=1,
    )
    ray_address: str = setting(
        "",
        "BIOINSTRUCT_RAY_ADDRESS",
        "A Ray cluster that compares very many rows for novelty: its address, or `local`. "
        "Needs the extra `ray`.",
        unit="address, or `local`",
        empty="this machine, without Ray",
    )
    ray_workers: int = setting(
        2,
        "BIOINSTRUCT_RAY_WORKERS",
        "How many processes run on that cluster, with one processor each.",
        unit="processes",
        ge=1,
        le=1_000,
    )

    @field_validator("privacy_model", mode="after")
    @classmethod
    def _model_folder(cls, value: str) -> str:
        """The model's folder as an absolute path; the name of an installed model as it is."""
        # An absolute path is not changed, because the privacy gate's version depends on it.
        path = Path(value)
        absolute = from_project_root(path)
        if value in ("", "auto", "off") or path.is_absolute():
            return value
        is_folder = "/" in value or value.startswith(("~", "."))
        return str(absolute) if is_folder or (absolute / "meta.json").is_file() else value


class EvalSetSettings(SettingsGroup):
    """The evaluation sets."""

    tasks: Path = setting(
        INPUTS / "evaluation_tasks",
        "BIOINSTRUCT_EVALUATION_TASKS",
        "The catalogue of evaluation tasks, one YAML file each. Their items may not be trained on.",
        unit="folder",
    )
    folder: Path = setting(
        INPUTS / "eval",
        "BIOINSTRUCT_EVAL_DIR",
        "The folder that holds the files of those evaluation sets.",
        unit="folder",
    )
