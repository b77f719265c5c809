"""The list of evaluation tasks: `data/evaluation_tasks.yaml`, read and checked.

Belongs here: the fields of that file. Does not: paths into an item (field_paths), reading the files
of a task (items), or the rules of decontamination (curation.contamination).
"""

import re
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
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_BRACKETS = re.compile(r"\[(?:!.|[^!])[^\]]*\]")  # a set of characters in a pattern
FORMATS = ("jsonl", "json", "csv", "parquet")

TokenCount = Annotated[int, Field(ge=1, le=1_000)]
Fraction = Annotated[float, Field(gt=0, le=1)]


class EvaluationTasksError(StatedError):
    """The list of evaluation tasks is malformed; the message lists every fault with its line."""


class NgramLimits(StrictModel):
    """The rule `ngram_13`: the length of a shared run of tokens."""

    tokens: Annotated[int, Field(ge=2, le=64)] = 13


class CoverageLimits(StrictModel):
    """The rule `coverage_8`: how much of a text must lie in runs that the row shares."""

    tokens: Annotated[int, Field(ge=2, le=64)] = 8
    share: Fraction = 0.5


class BoilerplateLimits(StrictModel):
    """The most texts that may share a run; a run that more texts share counts for no rule."""

    texts: Annotated[int, Field(ge=1)] = 3


class RougeLimits(StrictModel):
    """The rule `rouge_l`: the score, and the fewest tokens that a compared text has."""

    f1: Fraction = 0.7
    question: TokenCount = 8
    answer: TokenCount = 12


class ReorderedLimits(StrictModel):
    """The rule `reordered`: the score, and the fewest tokens that a compared text has."""

    dice: Fraction = 0.9
    question: TokenCount = 8
    answer: TokenCount = 12


class WholeItemLimits(StrictModel):
    """The rule `whole_item`: the fewest tokens of a text that counts by itself.

    A shorter question counts only if the row holds its answer too, and both together have at least
    `with_answer` tokens.
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
    first: Annotated[int, Field(ge=0, le=1)] = 0

    @pydantic.model_validator(mode="after")
    def _check_one_field(self) -> "ChoiceField":
        if (self.letter is None) == (self.index is None):
            raise ValueError("must have either `letter` or `index`; give one of them")
        return self


def _pattern_fault(pattern: str) -> str:
    """Why a pattern can match no file of the evaluation folder; empty if it can match one."""
    parts = Path(pattern).parts
    faults = {
        "must be relative to the evaluation folder, without ..": (
            not parts or Path(pattern).is_absolute() or ".." in parts
        ),
        "begins with ~, which is not read as the home folder; name a file of the evaluation "
        "folder": pattern.startswith("~"),
        "holds a control character; remove it": _CONTROL_CHARACTER.search(pattern),
        "has blanks around it; remove them": pattern != pattern.strip(),
        "matches folders only; name the files in them, as in **/*.jsonl": (
            pattern.endswith("/") or parts[-1:] == ("**",)
        ),
        "has ** beside other characters; write *, or ** between two /, as in **/*.jsonl": any(
            "**" in part and part != "**" for part in parts
        ),
        "has a [ without its ]; close it, or write [[] for the character [": any(
            "[" in _BRACKETS.sub("", part) for part in parts
        ),
    }
    return next((fault for fault, applies in faults.items() if applies), "")


class EvaluationTask(StrictModel):
    """One task: its files, and which fields of an item are the question, the answer and so on."""

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
    def _check_patterns(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        FieldFaultsError.refuse(
            ((at,), f"{pattern!r} {fault}")
            for at, pattern in enumerate(files)
            if (fault := _pattern_fault(pattern))
        )
        return files

    @pydantic.model_validator(mode="after")
    def _check_options(self) -> "EvaluationTask":
        if isinstance(self.answer, ChoiceField) and self.options is None:
            message = "picks an option, but the task has no `options`; add them"
            raise FieldFaultsError([(("answer",), message)])
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
