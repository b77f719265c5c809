"""Prompt controls: what each new task can be asked to be, as `data/controls.yaml` says it.

Belongs here: reading and checking that file, and the words of a prompt. Does not: which values are
drawn (drawing), how a row shows them (measuring), or the rest of the prompt.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic import Field, StringConstraints

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.controls.drawing import ControlDraw, Pair, Pool
from bioinstruct_dagster.generation.controls.measuring import (
    ControlMeasure,
    MeasuredRow,
    RequestedValues,
)
from bioinstruct_dagster.signs import pattern
from bioinstruct_dagster.store.fingerprints import sha256_of

HINTS = {
    "model_type": "must be names with values, as in the file that ships with the project",
    "extra_forbidden": "unknown key; remove it or mend its spelling",
    "missing": "missing; add it",
    "too_short": "holds too little that is sound; add to it or mend it",
    "tuple_type": "must be a list, such as [one, two]",
    "string_type": "must be text; put it in quotes",
    "string_pattern_mismatch": "must be small letters, digits and _, beginning with a letter",
}

ControlId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", strict=True)]
ControlText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, strict=True)]
ControlSign = Annotated[ControlText, pydantic.AfterValidator(lambda sign: pattern(sign) and sign)]
WordCount = Annotated[int, Field(ge=0, strict=True)]
TextField = Literal["instruction", "input", "output"]


class ControlsError(StatedError):
    """The controls file is malformed; the message lists every fault with dimension and value."""


class _StrictModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class ControlValue(_StrictModel):
    """One thing that a task can be asked to be, and how a row that is so is recognised."""

    id: ControlId
    share: float = Field(gt=0, allow_inf_nan=False, strict=True)
    ask: ControlText
    signs: tuple[ControlSign, ...] = ()
    words: tuple[WordCount, WordCount] | None = None


class ControlDimension(_StrictModel):
    """One respect in which tasks are to vary."""

    id: ControlId
    measure: Literal["signs", "input_words", "asked"]
    separator: str = Field(", ", strict=True)
    fields: tuple[TextField, ...] = Field(("instruction", "input"), min_length=1)
    values: tuple[ControlValue, ...] = Field(min_length=2)

    @cached_property
    def by_id(self) -> dict[str, ControlValue]:
        """The values by their ids."""
        return {value.id: value for value in self.values}

    @cached_property
    def shares(self) -> dict[str, float]:
        """Target share by value; they sum to one."""
        total = sum(value.share for value in self.values)
        return {value.id: value.share / total for value in self.values}

    def measurable(self, value: str) -> bool:
        """Whether a row itself can show this value."""
        return bool(self.by_id[value].signs or self.by_id[value].words)

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "ControlDimension":
        faults = [f"value {twice}: there twice; rename one" for twice in _twice(self.values)]
        for one in self.values:
            if one.signs and self.measure != "signs":
                faults.append(f"value {one.id}: has signs; remove them, or set measure: signs")
            if bool(one.words) != (self.measure == "input_words"):
                faults.append(f"value {one.id}: words go with measure: input_words, and only so")
        ranges = sorted(one.words for one in self.values if one.words)
        ends = [end for low, high in ranges for end in (low, high + 1)]
        if ends != sorted(ends):
            faults.append("words: must be [lowest, highest], without overlap between values")
        _refuse(faults)
        return self


class AvoidedPair(_StrictModel):
    """Values of two dimensions that contradict each other."""

    why: str = ""
    together: dict[ControlId, tuple[ControlId, ...]] = Field(min_length=2, max_length=2)


class Controls(_StrictModel):
    """A checked controls file."""

    version: int = Field(ge=1, strict=True)
    dimensions: tuple[ControlDimension, ...] = Field(min_length=1)
    avoid: tuple[AvoidedPair, ...] = ()

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Controls":
        faults = [f"dimension {name}: there twice; rename one" for name in _twice(self.dimensions)]
        known = {(one.id, value) for one in self.dimensions for value in one.shares}
        for dimension, value in sorted({end for pair in self.pairs for end in pair} - known):
            faults.append(f"avoid: {dimension} has no value {value}; mend its name or remove it")
        _refuse(faults or self._drawing.faults())
        return self

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
        """The pool that rows make: each counts once in each dimension (see Measuring.count)."""
        return self._measuring.count(rows)


def read_controls(path: Path) -> Controls:
    """Read and check a controls file.

    Raises:
        ControlsError: lists every fault with file, dimension, value and what to do.
    """
    try:
        loader = yaml.SafeLoader(path.read_text("utf-8"))
        document = loader.get_single_node()
        # YAML takes the last of two values silently, so that half of an edit would be lost.
        twice = list(_keys_twice(document, (), set()))
        content = loader.construct_document(document) if document else None
    except OSError as error:
        raise ControlsError(f"{path}: can't be read ({error.strerror}).") from None
    except (yaml.YAMLError, ValueError) as error:  # also no text, or a date that is none
        raise ControlsError(f"{path}: not YAML: {error}") from None
    if twice:
        faults = [line for fault in twice for line in _stated(content, fault)]
        raise ControlsError("\n".join(f"{path}: {fault}" for fault in faults))
    try:
        return Controls.model_validate(content)
    except pydantic.ValidationError as error:
        faults = [line for fault in error.errors() for line in _stated(content, fault)]
        raise ControlsError("\n".join(f"{path}: {fault}" for fault in faults)) from None


def _keys_twice(
    node: yaml.Node | None, place: tuple[Any, ...], seen: set[int]
) -> Iterator[dict[str, Any]]:
    """Keys given twice in one place, as faults of pydantic's form."""
    if id(node) in seen:  # an anchor may be used in many places, and in itself
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _keys_twice(item, (*place, number), seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[Any, list[int]] = defaultdict(list)
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                lines[key.value].append(key.start_mark.line + 1)
            yield from _keys_twice(value, (*place, key.value), seen)
        for key, found in lines.items():
            if len(found) > 1:
                where = " and ".join(map(str, found))
                said = f"there {len(found)} times (lines {where}); keep one"
                yield {"loc": (*place, key), "type": "key_twice", "msg": said}


def _stated(content: Any, fault: Any) -> list[str]:
    """The faults in one of pydantic's errors, with ids in place of positions."""
    words: list[str] = []
    for part in fault["loc"]:
        inside = dict(enumerate(content)) if isinstance(content, list) else content
        content = inside.get(part) if isinstance(inside, dict) else None
        if isinstance(part, int) and words:
            named = content.get("id") if isinstance(content, dict) else None
            words[-1] = f"{words[-1].removesuffix('s')} {named or part + 1}"
        else:
            words.append(str(part))
    said = HINTS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    return [": ".join([*filter(None, [", ".join(words)]), line]) for line in said.splitlines()]


def _twice(named: Sequence[ControlValue | ControlDimension]) -> list[str]:
    return [name for name, count in Counter(one.id for one in named).items() if count > 1]


def _refuse(faults: Iterable[str]) -> None:
    if stated := "\n".join(faults):
        raise ValueError(stated)
