"""The list of evaluation tasks: `data/evaluation_tasks.yaml`, read and checked.

Belongs here: what that file may say. Does not: paths into an item (field_paths), reading the tasks'
own files (items), or what counts as a repetition (curation.contamination).
"""

from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.field_paths import FieldPath
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import Identifier, StrictModel, read_yaml

EVALUATION_TASKS = INPUTS / "evaluation_tasks.yaml"
FORMATS = ("jsonl", "json", "csv", "parquet")

TokenCount = Annotated[int, Field(ge=1, le=1_000, strict=True)]
Fraction = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=True)]


class EvaluationTasksError(StatedError):
    """The list of evaluation tasks is malformed; the message lists every fault with its line."""


class NgramLimits(StrictModel):
    """The rule `ngram_13`: the length of a shared run of tokens."""

    tokens: Annotated[int, Field(ge=2, le=64, strict=True)] = 13


class CoverageLimits(StrictModel):
    """The rule `coverage_8`: how much of a text must lie in runs that the row shares."""

    tokens: Annotated[int, Field(ge=2, le=64, strict=True)] = 8
    share: Fraction = 0.5


class BoilerplateLimits(StrictModel):
    """In how many different texts a run may be found and still tell of any one of them."""

    texts: Annotated[int, Field(ge=1, strict=True)] = 3


class RougeLimits(StrictModel):
    """The rule `rouge_l`: the score, and the fewest tokens of a text that is compared at all."""

    f1: Fraction = 0.7
    question: TokenCount = 8
    answer: TokenCount = 12


class ReorderedLimits(StrictModel):
    """The rule `reordered`, likewise."""

    dice: Fraction = 0.9
    question: TokenCount = 8
    answer: TokenCount = 12


class WholeItemLimits(StrictModel):
    """The rule `whole_item`: the fewest tokens of a text that counts by itself.

    A shorter question counts together with its answer, from `with_answer` tokens in both on.
    """

    question: TokenCount = 8
    answer: TokenCount = 8
    passage: TokenCount = 8
    with_answer: TokenCount = 5


class OverlapLimits(StrictModel):
    """The numbers of the rules."""

    ngram: NgramLimits = NgramLimits()
    coverage: CoverageLimits = CoverageLimits()
    boilerplate: BoilerplateLimits = BoilerplateLimits()
    rouge_l: RougeLimits = RougeLimits()
    reordered: ReorderedLimits = ReorderedLimits()
    whole_item: WholeItemLimits = WholeItemLimits()


class ChoiceField(StrictModel):
    """An answer that is one of the options, by its letter or its place."""

    letter: FieldPath | None = None
    index: FieldPath | None = None
    first: Annotated[int, Field(ge=0, le=1, strict=True)] = 0

    @pydantic.model_validator(mode="after")
    def _one_of_both(self) -> "ChoiceField":
        if (self.letter is None) == (self.index is None):
            raise ValueError("must have either `letter` or `index`; give one of them")
        return self


class EvaluationTask(StrictModel):
    """One task: where its files are, and which fields of an item are what."""

    name: Identifier
    what: str = Field(min_length=1)
    files: tuple[str, ...] = Field(min_length=1)
    format: Literal["jsonl", "json", "csv", "parquet"] | None = None
    rows: FieldPath | None = None
    id: FieldPath = "id?"
    question: FieldPath
    answer: FieldPath | ChoiceField | None = None
    options: FieldPath | tuple[FieldPath, ...] | None = None
    context: FieldPath | None = None

    @pydantic.field_validator("files")
    @classmethod
    def _inside(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        FieldFaultsError.refuse(
            ((at,), f"{pattern!r} must be relative to the evaluation folder, without ..")
            for at, pattern in enumerate(files)
            if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts
        )
        return files

    @pydantic.model_validator(mode="after")
    def _options_to_choose_from(self) -> "EvaluationTask":
        if isinstance(self.answer, ChoiceField) and self.options is None:
            said = "picks an option, but the task has no `options`; add them"
            raise FieldFaultsError([(("answer",), said)])
        return self


class Catalogue(StrictModel):
    """The whole file."""

    limits: OverlapLimits = OverlapLimits()
    tasks: tuple[EvaluationTask, ...]


def read_tasks(path: Path = EVALUATION_TASKS) -> Catalogue:
    """Read and check the list.

    Raises:
        EvaluationTasksError: lists every fault with file, line, task, field and what to do.
    """
    return read_yaml(
        path,
        Catalogue,
        EvaluationTasksError,
        setting="BIOINSTRUCT_EVALUATION_TASKS",
        name_key="name",
    )
