"""The three methods of novelty: `rouge`, `exact` and `off`.

Belongs here: what a method is, and the filter that it makes. Does not: the rules (rule, exact),
verdicts in a store (gate), or which method a set has (curation.curate_rows).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from bioinstruct_dagster.curation.novelty.exact import ExactFilter
from bioinstruct_dagster.curation.novelty.rule import (
    THRESHOLD,
    NamedInstruction,
    NoveltyFilter,
    NoveltyVerdict,
)

MethodName = Literal["rouge", "exact", "off"]


class GrowingFilter(Protocol):
    """Checks rows in their order against seeds and the rows kept before."""

    def check(self, candidates: Sequence[NamedInstruction]) -> list[NoveltyVerdict]:
        """A verdict for each candidate."""


class NoveltyMethod(NamedTuple):
    """How rows are compared with earlier rows.

    Attributes:
        name: `rouge` compares instructions by Self-Instruct's rule, `exact` compares instruction
            and input for equality, and `off` compares nothing.
        threshold: of the rule `rouge`: a ROUGE-L F1 above it is a repetition.
    """

    name: MethodName
    threshold: float = THRESHOLD

    @property
    def compares_inputs(self) -> bool:
        """Whether rows with the same instruction and different inputs are different rows."""
        return self.name != "rouge"

    def filter(self, seeds: Sequence[NamedInstruction]) -> GrowingFilter:
        """A filter that holds the seeds."""
        match self.name:
            case "rouge":
                return NoveltyFilter(seeds, self.threshold)
            case "exact":
                return ExactFilter(seeds)
        return _Off()


ROUGE = NoveltyMethod("rouge")


class _Off:
    """Keeps every row."""

    def check(self, candidates: Sequence[NamedInstruction]) -> list[NoveltyVerdict]:
        """A verdict for each candidate: novel, without a comparison."""
        return [
            NoveltyVerdict(one.id, novel=True, nearest_id=None, score=None, measure="off")
            for one in candidates
        ]
