"""How much of the reference a summary says.

Belongs here: the credit of a concept, a clause and a reference. Does not: what a summary says
beyond the reference (support).
"""

from collections.abc import Iterable, Sequence

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause
from bioinstruct_dagster.evaluation.metrics.composite.concepts import Concept
from bioinstruct_dagster.evaluation.metrics.composite.persons import (
    BOTH,
    LEFT,
    RIGHT,
    sided_parts,
    sides_by_part,
)
from bioinstruct_dagster.evaluation.metrics.composite.statements import (
    Statements,
    Stance,
    same_owner,
)

OTHER_OWNER = 0.5  # the right finding of another person is half right
PARTS_ONLY = 0.8  # "pain" and "abdomen" apart may be two findings and not abdominal pain
SIDE_WEIGHT = 0.5
# A clause of n concepts is not n facts: they qualify each other. The square root lies between one
# fact a clause and one fact a concept.
CLAUSE_POWER = 0.5


def clause_weight(clause: Clause) -> float:
    """How many facts a clause is; a clause such as "noncontributory" is one."""
    total = sum(concept.weight for concept in clause.concepts)
    return max(total, 0.0) ** CLAUSE_POWER if clause.concepts else 1.0


def covered(reference: Sequence[Clause], summary: Sequence[Clause]) -> tuple[float, float]:
    """The weight of the reference that the summary covers, and the weight of all of it."""
    said = Statements(summary)
    sides = sides_by_part(summary)
    # An answer such as "noncontributory" answers one question: it covers one denied clause.
    topics = any(clause.topic for clause in summary)
    got = total = 0.0
    for clause in reference:
        if clause.topic:
            share = float(any(one.topic or one.negated for one in summary))
        else:
            share = _share(clause, said, sides)
            if clause.negated and share < 1 and topics:
                share, topics = 1.0, False
        weight = clause_weight(clause)
        got, total = got + weight * share, total + weight
    return got, total


def _share(clause: Clause, said: Statements, sides: dict[str, set[str]]) -> float:
    got = total = 0.0
    for concept in clause.concepts:
        got += concept.weight * _credit(concept, clause, said)
        total += concept.weight
    for part, side in sided_parts(clause):
        wanted = {LEFT, RIGHT} if side == BOTH else {side}
        got += SIDE_WEIGHT * (wanted <= sides.get(part, set()))
        total += SIDE_WEIGHT
    return got / total if total else 0.0


def _credit(concept: Concept, clause: Clause, said: Statements) -> float:
    whole = _best(said.of(concept), concept, clause)
    if not concept.parts or whole == 1:
        return whole
    parts = [_best(said.of_name(part), concept, clause) for part in concept.parts]
    return max(whole, PARTS_ONLY * sum(parts) / len(parts))


def _best(stances: Iterable[Stance], concept: Concept, clause: Clause) -> float:
    fitting = [
        1.0 if same_owner(owner, clause.owner) else OTHER_OWNER
        for negated, owner in stances
        if not concept.deniable or negated in {None, clause.negated}
    ]
    return max(fitting, default=0.0)
