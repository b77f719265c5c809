"""The weights by which the learned judge of ungrounded inputs scores rows, as they ship.

They stand in `data/grounding_weights.json` and are part of the version of the rule
`ungrounded_input`. Weights are whole numbers, so a score is the same on every machine and in any
order of the signs. Belongs here: reading the file, and scores. Does not: the signs of a row, the
decision, or how the weights are learned (grounding.learned).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any, Self

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import sha256_of

WEIGHTS = INPUTS / "grounding_weights.json"
SCALE = 1_000  # a weight of the file stands for this part of a weight
ASKED_SCALE = 8.0  # the signs of what is asked are as much as 64 signs of full weight
DIGITS = 3  # of a score

Signs = Sequence[tuple[str, Collection[str]]]  # the values of each kind of sign


class GroundingWeightsError(StatedError):
    """The file of weights is missing or malformed; the message says how to make it anew."""


@dataclass(frozen=True)
class LearnedWeights:
    """What the judge has learned.

    Attributes:
        bias: the score of a row without a sign.
        asked: the weight of each value of each kind of sign of what is asked and given.
        told: the same of what the output tells.
        made_of: the hash of examples and code from which the weights were learned.
    """

    bias: int
    asked: Mapping[str, Mapping[str, int]]
    told: Mapping[str, Mapping[str, int]]
    made_of: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of weights.

        Raises:
            GroundingWeightsError: the file is missing or malformed.
        """
        try:
            record: dict[str, Any] = json.loads(path.read_text("utf-8"))
            return cls(**record)
        except (OSError, ValueError, TypeError) as error:
            raise GroundingWeightsError(
                f"{path}: can't be read ({error!r}). Restore the shipped file, or make it anew: "
                "python -m bioinstruct_dagster.curation.quality.grounding.learned"
            ) from None

    @property
    def sha256(self) -> str:
        """The hash of all weights."""
        return sha256_of([self.bias, self.asked, self.told, self.made_of])

    def asked_score(self, signs: Signs) -> float:
        """The score by what is asked and given."""
        total = _total(self.asked, signs)
        return (self.bias + total * asked_factor(signs)) / SCALE

    def told_score(self, signs: Signs) -> float:
        """What the output adds to it."""
        return _total(self.told, signs) / SCALE

    def knows(self, kind: str, value: str) -> bool:
        """Whether some examples have this sign."""
        return value in self.asked.get(kind, {})


def asked_factor(signs: Signs) -> float:
    """By what the weight of each such sign is multiplied: a long task has no more weight."""
    count = sum(len(values) for _, values in signs)
    return ASKED_SCALE / sqrt(max(1, count))


def _total(weights: Mapping[str, Mapping[str, int]], signs: Signs) -> int:
    total = 0
    for kind, values in signs:
        known = weights.get(kind)
        if known:
            for value in values:
                total += known.get(value, 0)
    return total


@cache
def shipped_weights() -> LearnedWeights:
    """The weights that ship with the project."""
    return LearnedWeights.read(WEIGHTS)
