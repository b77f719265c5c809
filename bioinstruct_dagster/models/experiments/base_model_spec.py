"""A base model as the experiment file names it.

Belongs here: the fields of a base model. Does not: loading it (models.base_models).
"""

from typing import Any, Literal

from pydantic import Field

from bioinstruct_dagster.models.experiments.names import ExperimentId
from bioinstruct_dagster.yaml_files import ExactName, StrictModel

REHEARSAL = "rehearsal"
PROMPTS = ("alpaca", "chat")  # any other prompt is the file of a template


class BaseModelSpec(StrictModel):
    """A base model: its source, and the recipe values that it overrides."""

    source: ExactName = Field(description="`rehearsal`, a local folder, or a hub id")
    revision: ExactName | None = Field(None, description="of a hub model: its commit")
    local: ExperimentId | None = Field(
        None, description="a folder in the folder of models; if it is there, it is the source"
    )
    prompt: ExactName = Field("alpaca", description="`alpaca`, `chat`, or a template's file")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="of the weights; auto: bfloat16 on a GPU, float32 on a CPU"
    )
    context: int | None = Field(None, ge=16, description="tokens; None for the model's own")
    licence: ExactName | None = Field(None, description="of the weights, for the adapter's card")
    pretraining_steps: int = Field(200, ge=1, description="of the embedded model only")
    hyperparameters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="by named set: values that replace those of the set"
    )
    training: dict[str, Any] = Field(
        default_factory=dict, description="values that replace those of every recipe"
    )

    @property
    def rehearsal(self) -> bool:
        """Whether this is the embedded base model."""
        return self.source == REHEARSAL
