"""The numbers of the contamination gate's rules: `data/contamination.yaml`, read and checked.

Belongs here: the fields of that file, and the evaluation items together with the numbers by which
rows are compared with them. Does not: the items themselves (eval_sets.items), or comparing
(curation.contamination.overlap).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.items import EvaluationItems, load_items
from bioinstruct_dagster.settings import INPUTS, Settings
from bioinstruct_dagster.yaml_files import StrictModel, read_yaml

CONTAMINATION_RULES = INPUTS / "contamination.yaml"

TokenCount = Annotated[int, Field(ge=1, le=1_000)]
Fraction = Annotated[float, Field(gt=0, le=1)]


class ContaminationRulesError(StatedError):
    """The file of the gate's numbers is malformed; the message lists every fault with its line."""


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


class ContaminationRules(StrictModel):
    """The whole file."""

    limits: OverlapLimits


def read_limits(path: Path = CONTAMINATION_RULES) -> OverlapLimits:
    """Read and check the numbers.

    Raises:
        ContaminationRulesError: lists every fault with file, line, field and what to do.
    """
    return read_yaml(
        path,
        ContaminationRules,
        ContaminationRulesError,
        setting="BIOINSTRUCT_CONTAMINATION_RULES",
    ).limits


@dataclass(frozen=True)
class ComparedItems(EvaluationItems):
    """Evaluation items, and the numbers by which rows are compared with them."""

    limits: OverlapLimits = field(default_factory=OverlapLimits)

    @classmethod
    def of(cls, items: EvaluationItems, limits: OverlapLimits | None = None) -> "ComparedItems":
        """These items with these numbers; by default, the numbers of an empty file."""
        return cls(
            items.items,
            items.counts,
            items.missing,
            items.fingerprint,
            limits or OverlapLimits(),
        )


def compared_items(settings: Settings) -> ComparedItems:
    """All evaluation items at hand and the numbers of the gate, by the settings.

    Raises:
        EvaluationTasksError: a task's file is malformed.
        EvaluationFileError: a file of items is broken.
        ContaminationRulesError: the file of the numbers is malformed.
    """
    limits = read_limits(settings.curation.contamination_rules)
    return ComparedItems.of(load_items(settings.eval_sets.tasks, settings.eval_sets.folder), limits)
