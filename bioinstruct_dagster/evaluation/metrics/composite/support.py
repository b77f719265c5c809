"""What a summary says that neither the source nor the reference says.

Belongs here: finding such statements, each with its kind. Does not: how much they count (score).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bioinstruct_dagster.evaluation.metrics.composite.clauses import PATIENT, Clause, relatives
from bioinstruct_dagster.evaluation.metrics.composite.concepts import RATES, Concept, Kind
from bioinstruct_dagster.evaluation.metrics.composite.numbers import dates
from bioinstruct_dagster.evaluation.metrics.composite.persons import (
    BOTH,
    SidedPart,
    sided_parts,
    sides_by_part,
    sides_of,
)
from bioinstruct_dagster.evaluation.metrics.composite.relations.amounts import Amounts
from bioinstruct_dagster.evaluation.metrics.composite.relations.courses import (
    Courses,
    is_course,
    past,
    present_only,
    wrong_courses,
)
from bioinstruct_dagster.evaluation.metrics.composite.statements import (
    Stance,
    Statements,
    same_owner,
)
from bioinstruct_dagster.evaluation.metrics.composite.stems import stem

FaultKind = Literal[
    "number", "finding", "medicine", "word", "negation", "side", "owner", "sex", "course", "beyond"
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
        kind: `number`, `finding`, `medicine` and `word`: it occurs nowhere, or the number belongs
            to something else. `negation`: only the opposite occurs. `side`: the part of the body
            has another side or none. `course`: it ends where it was said to begin, or the like.
            `owner`: it belongs to someone else. `sex`: the patient has another. `beyond`: the
            source says it but the reference does not.
        words: of the summary.
    """

    kind: FaultKind
    words: str


class Evidence:
    """What source and reference say."""

    def __init__(self, source: Sequence[Clause], reference: Sequence[Clause]) -> None:
        self._source = Statements(source)
        self._reference = Statements(reference)
        both = [*source, *reference]
        self._sides = sides_by_part(both)
        self._named_sides: dict[str, set[str]] = {}
        for one in (one for clause in both for one in sided_parts(clause)):
            self._named_sides.setdefault(one.part, set()).add(one.side)
        self._amounts = Amounts(reference)
        self._courses = [Courses(reference), Courses(source)]
        self._denied_now = {
            concept.name
            for clause in both
            if clause.negated and present_only(clause)
            for concept in clause.concepts
        }
        self._known = {concept.name for clause in both for concept in clause.concepts}
        self._stems = {stem(word) for clause in both for word in clause.words}
        self._denied_words = _denied_words(both)

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
        if not clause.negated:
            found += [SummaryFault("number", one) for one in self._amounts.wrong_numbers(clause)]
            found += [SummaryFault("side", one) for one in self._amounts.wrong_sides(clause)]
        courses = wrong_courses(clause, self._courses, self._known)
        found += [SummaryFault("course", one) for one in courses]
        return list(dict.fromkeys(found))

    def _other_side(self, one: SidedPart) -> bool:
        """Whether a side is not that of the part, or is named nowhere."""
        named = self._sides.get(one.part, set())
        if not named:
            sides = set().union(*self._sides.values())
            return one.side != BOTH and one.side not in sides
        one_of_both = one.side != BOTH and self._named_sides[one.part] == {BOTH}
        return one_of_both or not sides_of(one) <= named

    def _fault(self, concept: Concept, clause: Clause) -> FaultKind | None:
        reference, source = self._of(self._reference, concept), self._of(self._source, concept)
        if concept.name == "1" and concept.unit not in RATES:  # "a pack" is one pack
            return None
        if not reference and not source:
            return None if clause.topic or is_course(concept) else self._absent(concept)
        if not clause.negated and concept.name in self._denied_words:
            return "negation"
        # What a note says of the same person goes first: "No prior MI. Father had an MI."
        own = {stance for stance in reference if same_owner(stance.owner, clause.owner)}
        stances = own or reference or source
        if concept.deniable and not any(n in {None, clause.negated} for n, _ in stances):
            then = not clause.negated and past(clause) and concept.name in self._denied_now
            return None if then else "negation"
        owners = {owner for _, owner in reference | source}
        elsewhere = not any(same_owner(owner, clause.owner) for owner in owners)
        if concept.deniable and elsewhere and PATIENT not in owners:
            return "owner"
        return None if reference else "beyond"

    def _absent(self, concept: Concept) -> FaultKind:
        if concept.name in dates():
            return "number"
        if concept.name in relatives() and not any(
            same_owner(concept.name, other) for other in self._known
        ):
            return "owner"
        # "bladder dysfunction" for "bladder or bowel dysfunction" is another wording.
        worded = len(concept.words) > 1 and all(stem(word) in self._stems for word in concept.words)
        return "word" if worded and concept.kind != "number" else _ABSENT[concept.kind]

    @staticmethod
    def _of(said: Statements, concept: Concept) -> frozenset[Stance]:
        stances = said.of(concept)
        if stances or not concept.parts:
            return stances
        parts = [said.of_name(part) for part in concept.parts]
        return frozenset().union(*parts) if all(parts) else frozenset()


def _denied_words(clauses: Sequence[Clause]) -> set[str]:
    """Words of no list that are denied alone, as in "no locking", and are said nowhere else."""
    denied: set[str] = set()
    affirmed: set[str] = set()
    for clause in clauses:
        alone = clause.negated and clause.certain and len(clause.concepts) == 1
        names = {one.name for one in clause.concepts if one.kind == "word" and one.weight == 1}
        if alone:
            denied |= names
        elif not clause.question:
            affirmed |= names
    return denied - affirmed
