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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.privacy.reader.words import KnownWords

PACKAGE, FILE = "bioinstruct_dagster.curation.privacy.reader", "weights.json"
NONE = "none"  # the kind of a candidate that is no identifier
SCALE = 100  # of the weights, which are whole numbers: their sum has no order


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
        self._rows = {name: place for place, name in enumerate(weights)}
        table = np.array([*weights.values(), list(bias)], dtype=np.int64)
        names = list(kinds)
        self._none = names.index(NONE)
        self._kinds = [name for name in names if name != NONE]
        others = [place for place, name in enumerate(names) if name != NONE]
        # The scores of the kinds over that of none.
        self._table: NDArray[np.int64] = table[:, others] - table[:, [self._none]]
        self._bias = self._table[-1]

    def read(self, features: Iterable[str]) -> CandidateScore:
        """What the weights say of a candidate with these features."""
        rows = self._rows
        places = [rows[name] for name in features if name in rows]
        scores = (self._table[places].sum(axis=0) + self._bias).tolist()
        top = max(scores)
        margin = top / SCALE + log(sum(exp((score - top) / SCALE) for score in scores))
        return CandidateScore(self._kinds[scores.index(top)], round(margin, 3))


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
