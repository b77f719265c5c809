"""The values with which an adapter is trained.

Belongs here: the fields of a recipe and their limits. Does not: how a file writes recipes
(models.experiments.expansion), or the rows of a recipe (models.experiments.subsets).
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bioinstruct_dagster.seeds.tasks import CATEGORIES, Category
from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import ExactName, StrictModel


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    FieldFaultsError.refuse(
        ((at,), f"{name} is there twice; remove one of them")
        for at, name in enumerate(names)
        if name in names[:at]
    )
    return names


def _only_all_linear(name: str) -> str:
    # peft reads a text as a pattern for whole names, so a layer's own name matches nothing.
    if name != "all-linear":
        raise ValueError(
            f"as a text, it can only be all-linear; to adapt some layers, write a list: [{name}]"
        )
    return name


class Recipe(StrictModel):
    """All values with which an adapter is trained."""

    categories: Annotated[tuple[Category, ...], AfterValidator(_distinct)] = Field(
        CATEGORIES, min_length=1
    )
    rows: int | None = Field(None, ge=1, description="rows of the train split; None for all")
    seed: int = Field(1, ge=1, description="of the subset, the first weights and the order of rows")
    lora_rank: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    # Above 0.95, less than a twentieth of a layer's input is left, and scaled up by more than 20.
    lora_dropout: float = Field(ge=0, le=0.95)
    target_modules: (
        Annotated[ExactName, AfterValidator(_only_all_linear)]
        | Annotated[tuple[ExactName, ...], Field(min_length=1), AfterValidator(_distinct)]
    )
    rslora: bool = Field(default=False, description="scale by alpha / sqrt(rank), not alpha / rank")
    lora_plus_ratio: float | None = Field(
        None, gt=0, description="learning rate of B over that of A (LoRA+); None for equal rates"
    )
    quantization: Literal["none", "nf4"] = Field("none", description="of the base; nf4: QLoRA")
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "linear", "constant"] = Field("cosine", description="after warm-up")
    epochs: float = Field(gt=0)
    rows_per_update: int = Field(ge=1, description="the effective batch, however it is computed")
    warmup: float = Field(ge=0, lt=1, description="share of all updates")
    # AdamW takes learning rate times decay off each weight at each update. Published values for
    # LoRA end at 0.1, and beyond 1 the decay, not the rows, would shape the adapter.
    weight_decay: float = Field(0.0, ge=0, le=1, description="of AdamW, usually 0 to 0.1")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    max_length: int = Field(ge=16, description="tokens per row, prompt and response")
    too_long: Literal["leave_out", "shorten_input"] = Field(
        "leave_out", description="what is done with a row of more tokens"
    )
    validations_per_epoch: int = Field(1, ge=0, description="0 for none")
    patience: int | None = Field(
        None, ge=1, description="validations without a lower loss that end training; None for never"
    )
