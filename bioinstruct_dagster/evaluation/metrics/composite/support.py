"""What a summary says that neither the source nor the reference says.

Belongs here: finding such statements, each with its kind. Does not: how much they count (score).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bioinstruct_dagster.evaluation.metrics.composite.clauses import PATIENT, Clause
from bioinstruct_dagster.evaluation.metrics.composite.concepts import (
    RATES,
    Concept,
    Kind,
)
from bioinstruct_dagster.evaluation.metrics.composite.persons import (
    BOTH,
    SidedPart,
    sided_parts,
    sides_by_part,
    sides_of,
)
from bioinstruct_dagster.evaluation.metrics.composite.statements import (
    Stance,
    Statements,
    same_owner,
)

FaultKind = Literal[
    "number", "finding", "medicine", "word", "negation", "side", "owner", "sex", "beyond"
]
# The fault of a concept that occurs nowhere.
_ABSENT: dict[Kind, FaultKind] = {
    "finding": "finding",
    "medicine": "medicine",
    "number": "number",
    "term": "word",
    "body": "word",
    "word": "word",
}


@dataclass(frozen=True, slots=True)
class SummaryFault:
    """One statement of a summary that may be wrong.

    Attributes:
        kind: `number`, `finding`, `medicine` and `word`: it occurs nowhere. `negation`: only the
            opposite occurs. `side`: the part of the body has another side or none. `owner`: it
            belongs to someone else. `sex`: the patient has another. `beyond`: the source says it
            but the reference does not.
        words: of the summary.
    """

    kind: FaultKind
    words: str


class Evidence:
    """What source and reference say."""

    def __init__(self, source: Sequence[Clause], reference: Sequence[Clause]) -> None:
        self._source = Statements(source)
        self._reference = Statements(reference)
        self._sides = sides_by_part([*source, *reference])

    def faults_of(self, clause: Clause) -> list[SummaryFault]:
        """The faults of one clause of a summary."""
        found = [
            SummaryFault(kind, " ".join(concept.words))
            for concept in clause.concepts
            if (kind := self._fault(concept, clause))
        ]
        found += [
            SummaryFault("side", f"{one.side} {one.part}")
            for one in sided_parts(clause)
            if self._other_side(one)
        ]
        return found

    def _other_side(self, one: SidedPart) -> bool:
        """Whether a side is not that of the part, or is named nowhere."""
        named = self._sides.get(one.part, set())
        if not named:
            sides = set().union(*self._sides.values())
            return one.side != BOTH and one.side not in sides
        return not sides_of(one) <= named

    def _fault(self, concept: Concept, clause: Clause) -> FaultKind | None:
        reference, source = self._of(self._reference, concept), self._of(self._source, concept)
        if concept.name == "1" and concept.unit not in RATES:  # "a pack" is one pack
            return None
        if not reference and not source:
            return None if clause.topic else _ABSENT[concept.kind]
        # What a note says of the same person goes first: "No prior MI. Father had an MI."
        own = {stance for stance in reference if same_owner(stance.owner, clause.owner)}
        stances = own or reference or source
        if concept.deniable and not any(n in {None, clause.negated} for n, _ in stances):
            return "negation"
        owners = {owner for _, owner in reference | source}
        if not any(same_owner(owner, clause.owner) for owner in owners) and PATIENT not in owners:
            return "owner"
        return None if reference else "beyond"

    @staticmethod
    def _of(said: Statements, concept: Concept) -> frozenset[Stance]:
        stances = said.of(concept)
        if stances or not concept.parts:
            return stances
        parts = [said.of_name(part) for part in concept.parts]
        return frozenset().union(*parts) if all(parts) else frozenset()
