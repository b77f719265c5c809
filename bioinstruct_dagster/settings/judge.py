"""The settings of the judge: whether a language model grades answers, which one, and its caps.

Belongs here: settings of evaluation's judge. Does not: pace and reply format, which are those of
the teacher (teacher), or the text of the rubric (evaluation.judge).
"""

from pathlib import Path
from typing import Literal

from pydantic import HttpUrl, SecretStr, field_validator

from bioinstruct_dagster.settings.fields import (
    MAX_CAP_TOKENS,
    MAX_CAP_USD,
    SettingsGroup,
    setting,
)
from bioinstruct_dagster.settings.teacher import refuse_missing_scheme, refuse_secrets_in

JudgeMode = Literal["auto", "off", "on", "proven"]


class JudgeSettings(SettingsGroup):
    """The judge: a language model that grades answers in free text."""

    mode: JudgeMode = setting(
        "auto",
        "BIOINSTRUCT_JUDGE",
        "Whether a judge grades answers. `proven` asks only a judge that `make bench-judge` has "
        "shown to be better than text lengths and the composite. `on` asks any judge, and marks "
        "its scores. `auto` is `on` with the rehearsal teacher, which is free, and else `off`.",
    )
    model_name: str = setting(
        "",
        "BIOINSTRUCT_JUDGE_MODEL",
        "The model that judges. A model of another family than the base models and the teacher "
        "does not judge its own style.",
        unit="model name",
        empty="the teacher's model",
    )
    base_url: HttpUrl | None = setting(
        None,
        "BIOINSTRUCT_JUDGE_BASE_URL",
        "The address of the judge's server, if it is not the teacher's. Needs "
        "`BIOINSTRUCT_JUDGE_API_KEY`.",
        unit="URL",
        empty="the teacher's address",
    )
    api_key: SecretStr | None = setting(
        None,
        "BIOINSTRUCT_JUDGE_API_KEY",
        "The key for the judge's server. It is never logged and never stored.",
        unit="secret",
        empty="the teacher's key, if the address is the teacher's",
    )
    items: int = setting(
        100,
        "BIOINSTRUCT_JUDGE_ITEMS",
        "The most items of a task whose answers are judged. They are drawn by the run seed, and "
        "are the same for all experiments.",
        unit="items of each task",
        ge=1,
        le=1_000_000,
    )
    pairs: Literal["on", "off"] = setting(
        "on",
        "BIOINSTRUCT_JUDGE_PAIRS",
        "Whether the judge also compares the adapter's answer with the base model's, in both "
        "orders. That takes two requests for each item.",
    )
    human_scores: Path | None = setting(
        None,
        "BIOINSTRUCT_JUDGE_HUMAN_SCORES",
        "Scores that people gave to answers. `make bench-judge` measures the judge by them. If "
        "they score answers of an experiment, its means are also given corrected by them.",
        unit="JSONL file",
        empty="none",
    )
    max_usd: float | None = setting(
        None,
        "BIOINSTRUCT_JUDGE_MAX_USD",
        "The most that one run may spend on the judge. The caps of the teacher hold besides.",
        unit="US dollars",
        empty="no cap of its own",
        ge=0,
        le=MAX_CAP_USD,
        allow_inf_nan=False,
    )
    max_tokens: int | None = setting(
        None,
        "BIOINSTRUCT_JUDGE_MAX_TOKENS",
        "The most that one run may use for the judge, input and output.",
        unit="tokens",
        empty="no cap of its own",
        ge=0,
        le=MAX_CAP_TOKENS,
    )

    @field_validator("base_url", mode="before")
    @classmethod
    def _with_scheme(cls, value: object) -> object:
        return refuse_missing_scheme(value)

    @field_validator("base_url", mode="after")
    @classmethod
    def _plain_address(cls, value: HttpUrl | None) -> HttpUrl | None:
        return refuse_secrets_in(value, "BIOINSTRUCT_JUDGE_API_KEY")
