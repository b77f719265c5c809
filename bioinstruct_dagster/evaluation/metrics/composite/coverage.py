"""How much of the reference a summary says.

Belongs here: the credit of a concept, a clause and a reference. Does not: what a summary says
beyond the reference (support).
"""

from collections.abc import Iterable, Sequence

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause
from bioinstruct_dagster.evaluation.metrics.composite.concepts import Concept
from bioinstruct_dagster.evaluation.metrics.composite.persons import (
    sided_parts,
    sides_by_part,
    sides_of,
)
from bioinstruct_dagster.evaluation.metrics.composite.statements import (
    Stance,
    Statements,
    same_owner,
)
from bioinstruct_dagster.evaluation.metrics.composite.weights import (
    DEFAULT_WEIGHTS,
    CompositeWeights,
)


def covered(
    reference: Sequence[Clause],
    summary: Sequence[Clause],
    weights: CompositeWeights = DEFAULT_WEIGHTS,
) -> float:
    """The share of the reference that the summary covers, from 0 to 1.

    A reference without content is covered by any summary with content.
    """
    said = _Said(summary, weights)
    # An answer such as "noncontributory" answers one question: it covers one denied clause.
    topic_left = any(clause.topic for clause in summary)
    got = total = 0.0
    for clause in reference:
        if clause.topic:
            share, size = float(any(one.topic or one.negated for one in summary)), 1.0
        else:
            share, size = said.share_of(clause)
            if clause.negated and share < 1 and topic_left:
                share, topic_left = 1.0, False
        weight = size**weights.clause_power
        got, total = got + weight * share, total + weight
    return got / total if total else float(bool(summary))


class _Said:
    """What a summary says, for giving credit to the clauses of a reference."""

    def __init__(self, summary: Sequence[Clause], weights: CompositeWeights) -> None:
        self._statements = Statements(summary)
        self._sides = sides_by_part(summary)
        self._weights = weights

    def share_of(self, clause: Clause) -> tuple[float, float]:
        """The share of a clause that is covered, and the weight of its concepts."""
        got = size = 0.0
        for concept in clause.concepts:
            got += concept.weight * self._credit(concept, clause)
            size += concept.weight
        sided = sided_parts(clause)
        right = sum(sides_of(one) <= self._sides.get(one.part, set()) for one in sided)
        total = size + self._weights.side * len(sided)
        return (got + self._weights.side * right) / total, size

    def _credit(self, concept: Concept, clause: Clause) -> float:
        whole = self._best(self._statements.of(concept), concept, clause)
        if not concept.parts or whole == 1:
            return whole
        parts = [
            self._best(self._statements.of_name(part), concept, clause) for part in concept.parts
        ]
        return max(whole, self._weights.parts_only * sum(parts) / len(parts))

    def _best(self, stances: Iterable[Stance], concept: Concept, clause: Clause) -> float:
        fitting = [
            1.0 if same_owner(owner, clause.owner) else self._weights.other_owner
            for negated, owner in stances
            if not concept.deniable or negated in {None, clause.negated}
        ]
        return max(fitting, default=0.0)
