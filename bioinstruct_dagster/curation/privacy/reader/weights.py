"""The shipped weights of the reader, and the score that they give to a candidate.

Belongs here: reading `weights.json`, and the sum of the weights of a candidate's features. Does
not: learning them (training), or which score counts (found).
"""

import json
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import exp, log
from struct import Struct
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.reader.words import KnownWords

PACKAGE, FILE = "bioinstruct_dagster.curation.privacy.reader", "weights.json"
NONE = "none"  # the kind of a candidate that is no identifier
SCALE = 100  # of the weights, which are whole numbers: their sum has no order
# The weights of a feature are joined in one number, so that one addition adds those of all kinds.
_BITS = 32  # of the sum for one kind
_ZERO = 1 << (_BITS - 1)  # what stands for 0 in a sum, so that none is below it


class CandidateScore(NamedTuple):
    """What the weights say of a candidate.

    Attributes:
        kind: its most probable kind if it is an identifier.
        margin: the logarithm of the odds that it is one.
    """

    kind: str
    margin: float


class Weights:
    """The weights of features, for each kind.

    Args:
        kinds: the kinds, `NONE` among them.
        bias: the weight of each kind alone.
        weights: the weights of each feature, one for each kind.
        known: the words that were known when the weights were learned.
    """

    def __init__(
        self,
        kinds: Iterable[str],
        bias: Iterable[int],
        weights: dict[str, list[int]],
        known: KnownWords,
    ) -> None:
        self.known = known
        names = list(kinds)
        none = names.index(NONE)
        self._kinds = [name for name in names if name != NONE]

        def over_none(row: Iterable[int]) -> tuple[int, ...]:
            """The weights of the kinds over that of none."""
            listed = list(row)
            return tuple(
                weight - listed[none] for place, weight in enumerate(listed) if place != none
            )

        self._rows = {name: _joined(over_none(row)) for name, row in weights.items()}
        self._bias = _joined(weight + _ZERO for weight in over_none(bias))
        self._parts = Struct(f"<{len(self._kinds)}I")

    def read(self, features: Iterable[str]) -> CandidateScore:
        """What the weights say of a candidate with these features."""
        total = sum(filter(None, map(self._rows.get, features)), self._bias)
        parts = self._parts.unpack(total.to_bytes(self._parts.size, "little"))
        scores = [part - _ZERO for part in parts]
        top = max(scores)
        margin = top / SCALE + log(sum(exp((score - top) / SCALE) for score in scores))
        return CandidateScore(self._kinds[scores.index(top)], round(margin, 3))


def _joined(weights: Iterable[int]) -> int:
    """The weights of the kinds in one number, the first in the lowest bits."""
    return sum(weight << (_BITS * place) for place, weight in enumerate(weights))


def _text() -> str:
    return files(PACKAGE).joinpath(FILE).read_text("utf-8")


@cache
def weights_sha256() -> str:
    """The hash of the shipped weights."""
    return sha256(_text().encode()).hexdigest()


@cache
def shipped_weights() -> Weights:
    """The shipped weights; each process reads them once."""
    held = json.loads(_text())
    words = {name: tuple(listed.split()) for name, listed in held["words"].items()}
    known = KnownWords(
        frozenset(words["small"]),
        frozenset(words["medical"]),
        frozenset(words["drugs"]),
        words["beginnings"],
        words["endings"],
    )
    return Weights(held["kinds"], held["bias"], held["weights"], known)
