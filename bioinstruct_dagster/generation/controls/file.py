"""Prompt controls: what each new task can be asked to be, as `data/controls.yaml` says it.

Belongs here: reading and checking that file as a whole, and the words of a prompt. Does not: one
dimension of it (dimensions), which values are drawn (drawing), how a row shows them (measuring), or
the rest of the prompt.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pydantic
from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.controls.dimensions import ControlDimension
from bioinstruct_dagster.generation.controls.drawing import ControlDraw, Pair, Pool
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

    version: int = Field(ge=1, strict=True)
    dimensions: tuple[ControlDimension, ...] = Field(min_length=1)
    avoid: tuple[AvoidedPair, ...] = ()

    @pydantic.model_validator(mode="after")
    def _avoids_what_there_is(self) -> "Controls":
        FieldFaultsError.refuse([*self._unknown()])
        places = {
            (one.id, value.id): ("dimensions", at, "values", number, "share")
            for at, one in enumerate(self.dimensions)
            for number, value in enumerate(one.values)
        }
        FieldFaultsError.refuse((places[value], said) for value, said in self._drawing.faults())
        return self

    def _unknown(self) -> Iterator[tuple[Place, str]]:
        by_id = {one.id: one for one in self.dimensions}
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
    def pairs(self) -> list[Pair]:
        """The values never to be asked for together, in order."""
        found: set[Pair] = set()
        for rule in self.avoid:
            (one, ones), (other, others) = sorted(rule.together.items())
            found |= {((one, a), (other, b)) for a in ones for b in others}
        return sorted(found)

    @cached_property
    def sha256(self) -> str:
        """Hash of all that steers, in canonical form; comments and reasons are not part of it."""
        dimensions = [one.model_dump(mode="json") for one in self.dimensions]
        return sha256_of([self.version, dimensions, self.pairs])

    @cached_property
    def _drawing(self) -> ControlDraw:
        return ControlDraw({one.id: one.shares for one in self.dimensions}, self.pairs)

    @cached_property
    def _measuring(self) -> ControlMeasure:
        return ControlMeasure(self.dimensions)

    def draw(self, run_seed: int, request_number: int, task: int, pool: Pool) -> dict[str, str]:
        """What to ask of one task: a function of the arguments and the file alone."""
        return self._drawing.draw(run_seed, request_number, task, pool)

    def draw_all(self, run_seed: int, number: int, tasks: int, pool: Pool) -> list[dict[str, str]]:
        """What to ask of each task of a request; what earlier ones are asked is drawn less."""
        return self._drawing.draw_all(run_seed, number, tasks, pool)

    def lines(self, asked: Sequence[RequestedValues]) -> list[str]:
        """One line of the prompt per task."""
        lines = []
        for number, values in enumerate(asked, start=1):
            asks = [(one, one.by_id.get(values.get(one.id, ""))) for one in self.dimensions]
            text = "".join(f"{one.separator}{value.ask}" for one, value in asks if value)
            lines.append(f"Task {number}: {' '.join(text.lstrip(' ,;').split())}.")
        return lines

    def measure(self, row: Mapping[str, str], asked: RequestedValues | None) -> dict[str, set[str]]:
        """By dimension the values that a row shows; an empty set where nothing is recognised."""
        return self._measuring.measure(row, asked)

    def count(self, rows: Iterable[MeasuredRow]) -> dict[str, dict[str, float]]:
        """The pool of these rows: each counts once a dimension (see ControlMeasure.count)."""
        return self._measuring.count(rows)


def read_controls(path: Path) -> Controls:
    """Read and check a controls file.

    Raises:
        ControlsError: lists every fault with file, line, field and what to do.
    """
    return read_yaml(path, Controls, ControlsError, setting="BIOINSTRUCT_CONTROLS")
