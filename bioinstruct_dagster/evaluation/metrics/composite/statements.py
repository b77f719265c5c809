"""What one or several texts say about each concept, for looking it up.

Belongs here: when two concepts are the same, and what is said of one. Does not: judging a text by
it (coverage, support).
"""

from collections.abc import Iterable
from math import ceil
from typing import NamedTuple

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause
from bioinstruct_dagster.evaluation.metrics.composite.concepts import RATES, Concept
from bioinstruct_dagster.evaluation.metrics.composite.numbers import same_number

# Two words that share so long a beginning, of so large a part of the longer one, are forms of one
# word that the stems do not join, such as "urinate" and "urination".
SHARED_LETTERS = 5
SHARED_PART = 0.65
_WIDER = {
    "brother": "sibling",
    "sister": "sibling",
    "mother": "parent",
    "father": "parent",
}


class Stance(NamedTuple):
    """What one clause says of a concept.

    Attributes:
        negated: whether the concept is denied; None if that is unknown.
        owner: whose it is.
    """

    negated: bool | None
    owner: str


class Statements:
    """What some clauses say about each concept."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self._words: dict[str, set[Stance]] = {}
        self._numbers: dict[tuple[str, str], set[Stance]] = {}
        for clause in clauses:
            stance = Stance(clause.negated if clause.certain else None, clause.owner)
            for concept in clause.concepts:
                if concept.kind == "number":
                    self._numbers.setdefault((concept.name, concept.unit), set()).add(stance)
                else:
                    for name in (concept.name, *concept.parts):
                        self._words.setdefault(name, set()).add(stance)
        self._known: dict[str, frozenset[Stance]] = {}
        # By what equal ones share, so that a look-up does not go through all of them.
        self._alike: dict[str, list[str]] = {}
        for name in self._words:
            self._alike.setdefault(name[:SHARED_LETTERS], []).append(name)
        self._numbers_alike: dict[float, list[tuple[str, str]]] = {}
        for number in self._numbers:
            self._numbers_alike.setdefault(float(number[0]) % 100, []).append(number)

    def of(self, concept: Concept) -> frozenset[Stance]:
        """What is said of a concept; empty if it is not spoken of."""
        if concept.kind != "number":
            return self.of_name(concept.name)
        return frozenset(
            stance
            for number, unit in self._numbers_alike.get(float(concept.name) % 100, ())
            if same_number(number, concept.name) and _same_unit(unit, concept.unit)
            for stance in self._numbers[number, unit]
        )

    def of_name(self, name: str) -> frozenset[Stance]:
        """What is said of the concept of this name or of another form of the same word."""
        if name not in self._known:
            said = self._words.get(name)
            if said is None:
                alike = self._alike.get(name[:SHARED_LETTERS], ())
                said = {s for one in alike if _same_word(name, one) for s in self._words[one]}
            self._known[name] = frozenset(said)
        return self._known[name]


def same_owner(left: str, right: str) -> bool:
    """Whether two owners may be one person: a brother is a sibling."""
    return left == right or _WIDER.get(left) == right or _WIDER.get(right) == left


def _same_unit(left: str, right: str) -> bool:
    """Whether two units may be one. A number without a unit may have any, but is no rate."""
    return left == right or (not {left, right} & RATES and not (left and right))


def _same_word(left: str, right: str) -> bool:
    needed = max(SHARED_LETTERS, ceil(SHARED_PART * max(len(left), len(right))))
    return min(len(left), len(right)) >= needed and left[:needed] == right[:needed]
