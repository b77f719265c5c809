"""The controls file, `data/controls.yaml`: which values a prompt can request of each new task.

Belongs here: reading and checking the file as a whole, and the prompt's line for each task. Does
not: one dimension of the file (dimensions), which values are drawn (drawing), how a row shows a
value (measuring), or the rest of the prompt (series.prompts).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pydantic
from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.controls.dimensions import ControlDimension
from bioinstruct_dagster.generation.controls.drawing import ControlDraw, Pool, ValuePair
from bioinstruct_dagster.generation.controls.measuring import (
    ControlMeasure,
    MeasuredRow,
    RequestedValues,
)
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.yaml_faults import FieldFaultsError, suggestion
from bioinstruct_dagster.yaml_files import Identifier, StrictModel, read_yaml
from bioinstruct_dagster.yaml_lines import Place


class ControlsError(StatedError):
    """The controls file is malformed; the message lists every fault with line and field."""


class AvoidedPair(StrictModel):
    """Values of two dimensions that contradict each other."""

    why: str = ""
    together: dict[Identifier, tuple[Identifier, ...]] = Field(min_length=2, max_length=2)


class Controls(StrictModel):
    """A checked controls file."""

    version: int = Field(ge=1)
    dimensions: tuple[ControlDimension, ...] = Field(min_length=1)
    avoid: tuple[AvoidedPair, ...] = ()

    @pydantic.model_validator(mode="after")
    def _check_avoid(self) -> "Controls":
        FieldFaultsError.refuse([*self._unknown_values()])
        places = {
            (dimension.id, value.id): ("dimensions", at, "values", number, "share")
            for at, dimension in enumerate(self.dimensions)
            for number, value in enumerate(dimension.values)
        }
        FieldFaultsError.refuse(
            (places[value], said) for value, said in self._control_draw.unreachable_shares()
        )
        return self

    def _unknown_values(self) -> Iterator[tuple[Place, str]]:
        by_id = {dimension.id: dimension for dimension in self.dimensions}
        for at, rule in enumerate(self.avoid):
            for dimension, values in rule.together.items():
                place = ("avoid", at, "together", dimension)
                if dimension not in by_id:
                    yield place, f"unknown dimension; {suggestion(dimension, list(by_id))}"
                    continue
                shares = by_id[dimension].shares
                for number, value in enumerate(values):
                    if value not in shares:
                        said = f"{dimension} has no value {value}; {suggestion(value, [*shares])}"
                        yield (*place, number), said

    @cached_property
    def pairs(self) -> list[ValuePair]:
        """The pairs of values that are never requested together, in order."""
        found: set[ValuePair] = set()
        for rule in self.avoid:
            (one, ones), (other, others) = sorted(rule.together.items())
            found |= {((one, a), (other, b)) for a in ones for b in others}
        return sorted(found)

    @cached_property
    def sha256(self) -> str:
        """Hash of the version, the dimensions and the avoided pairs.

        Comments and reasons in the file do not change it.
        """
        dimensions = [dimension.model_dump(mode="json") for dimension in self.dimensions]
        return sha256_of([self.version, dimensions, self.pairs])

    @cached_property
    def _control_draw(self) -> ControlDraw:
        return ControlDraw(
            {dimension.id: dimension.shares for dimension in self.dimensions}, self.pairs
        )

    @cached_property
    def _control_measure(self) -> ControlMeasure:
        return ControlMeasure(self.dimensions)

    def draw(self, run_seed: int, request_number: int, task: int, pool: Pool) -> dict[str, str]:
        """The values to request of one task. They depend on the arguments and the file alone."""
        return self._control_draw.draw(run_seed, request_number, task, pool)

    def draw_all(self, run_seed: int, number: int, tasks: int, pool: Pool) -> list[dict[str, str]]:
        """The values to request of each task; values of earlier tasks are drawn less often."""
        return self._control_draw.draw_all(run_seed, number, tasks, pool)

    def lines(self, requested: Sequence[RequestedValues]) -> list[str]:
        """One line of the prompt per task."""
        lines = []
        for number, values in enumerate(requested, start=1):
            asks = [
                (dimension, dimension.by_id.get(values.get(dimension.id, "")))
                for dimension in self.dimensions
            ]
            text = "".join(
                f"{dimension.separator}{value.ask}" for dimension, value in asks if value
            )
            lines.append(f"Task {number}: {' '.join(text.lstrip(' ,;').split())}.")
        return lines

    def measure(
        self, row: Mapping[str, str], requested: RequestedValues | None
    ) -> dict[str, set[str]]:
        """The values that a row shows, by dimension; an empty set if it shows none."""
        return self._control_measure.measure(row, requested)

    def count(self, rows: Iterable[MeasuredRow]) -> dict[str, dict[str, float]]:
        """The number of rows by dimension and value (see ControlMeasure.count)."""
        return self._control_measure.count(rows)


def read_controls(path: Path) -> Controls:
    """Read and check a controls file.

    Raises:
        ControlsError: lists every fault with file, line, field and what to do.
    """
    return read_yaml(path, Controls, ControlsError, setting="BIOINSTRUCT_CONTROLS")
