"""Named sets of hyper-parameters, each with its source.

Belongs here: the form of a set. Does not: which recipe uses which set (models.experiments.matrix).
"""

from typing import Any

from pydantic import Field

from bioinstruct_dagster.yaml_files import NonEmptyText, StrictModel


class HyperparameterSet(StrictModel):
    """Values of recipes that belong together, and where they come from."""

    source: NonEmptyText = Field(description="where the values come from, for the adapter's card")
    deviations: tuple[NonEmptyText, ...] = Field((), description="what differs from the source")
    values: dict[str, Any] = Field(min_length=1, description="fields of a recipe")
