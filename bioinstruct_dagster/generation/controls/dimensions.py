"""One dimension of the controls: its values, their shares, and how a row shows each value.

Belongs here: the fields of a dimension in the controls file. Does not: the file as a whole (file),
or looking for signs in a row (measuring).
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from bioinstruct_dagster.signs import pattern
from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import (
    Identifier,
    NonEmptyText,
    StrictModel,
    TextField,
    WordCount,
)
from bioinstruct_dagster.yaml_lines import Place

ControlSign = Annotated[NonEmptyText, pydantic.AfterValidator(lambda sign: pattern(sign) and sign)]


class ControlValue(StrictModel):
    """One value that the prompt can request of a task, and the signs by which a row shows it."""

    id: Identifier
    share: float = Field(gt=0)
    ask: NonEmptyText
    signs: tuple[ControlSign, ...] = ()
    words: tuple[WordCount, WordCount] | None = None


class ControlDimension(StrictModel):
    """One property in which tasks vary, such as their topic."""

    id: Identifier
    measure: Literal["signs", "input_words", "asked"]
    separator: str = Field(", ")
    fields: tuple[TextField, ...] = Field(("instruction", "input"), min_length=1)
    values: tuple[ControlValue, ...] = Field(min_length=2)

    @cached_property
    def by_id(self) -> dict[str, ControlValue]:
        """The values by their ids."""
        return {value.id: value for value in self.values}

    @cached_property
    def shares(self) -> dict[str, float]:
        """Target share by value; the shares sum to one."""
        total = sum(value.share for value in self.values)
        return {value.id: value.share / total for value in self.values}

    def is_measurable(self, value: str) -> bool:
        """Whether this value can be measured on a row."""
        return bool(self.by_id[value].signs or self.by_id[value].words)

    @pydantic.model_validator(mode="after")
    def _check_measures(self) -> "ControlDimension":
        FieldFaultsError.refuse([*self._misplaced_fields(), *self._wrong_ranges()])
        return self

    def _misplaced_fields(self) -> Iterator[tuple[Place, str]]:
        for at, value in enumerate(self.values):
            if value.signs and self.measure != "signs":
                yield ("values", at, "signs"), "remove the signs, or set measure: signs"
            if value.words and self.measure != "input_words":
                yield ("values", at, "words"), "remove the words, or set measure: input_words"
            if not value.words and self.measure == "input_words":
                yield ("values", at, "words"), "missing; add [lowest, highest], or change measure"

    def _wrong_ranges(self) -> Iterator[tuple[Place, str]]:
        ranges = sorted((value.words, at) for at, value in enumerate(self.values) if value.words)
        last = -1
        for (low, high), at in ranges:
            if high < low:
                yield ("values", at, "words"), "must be [lowest, highest]; change their order"
            elif low <= last:
                said = f"must begin above {last}, where the range of another value ends"
                yield ("values", at, "words"), said
            last = max(last, high)
