"""The judge-free composite of one summary: what it covers, divided by what it says wrongly.

    composite = covered share of the reference * form / (1 + 0.2 * factual errors)

The form is 1 for a text of a summary's length in words of its own.

Belongs here: putting the parts together. Does not: finding faults (support), coverage, the form
(form), or the numbers (weights).
"""

from dataclasses import dataclass

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause, clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.coverage import covered
from bioinstruct_dagster.evaluation.metrics.composite.dialogue import source_clauses
from bioinstruct_dagster.evaluation.metrics.composite.form import brevity, own_words
from bioinstruct_dagster.evaluation.metrics.composite.persons import sexes, spoken_sexes
from bioinstruct_dagster.evaluation.metrics.composite.support import Evidence, SummaryFault
from bioinstruct_dagster.evaluation.metrics.composite.weights import (
    DEFAULT_WEIGHTS,
    CompositeWeights,
)


@dataclass(frozen=True, slots=True)
class Composite:
    """The composite of one summary.

    Attributes:
        score: from 0 to 1; higher is better.
        factual_errors: how many errors the faults count as; higher means that an error is more
            likely.
        coverage: the share of the reference that the summary covers, from 0 to 1.
        faults: the statements that may be wrong, in the order of the summary.
    """

    score: float
    factual_errors: float
    coverage: float
    faults: tuple[SummaryFault, ...]


def composite(
    source: str, reference: str, summary: str, weights: CompositeWeights = DEFAULT_WEIGHTS
) -> Composite:
    """The composite of a summary.

    Args:
        source: the dialogue that is summarised, or another text; "" if there is none.
        reference: the summary that a person wrote.
        summary: the summary to score. One that says nothing has the score 0.
        weights: the choices of the composite. Scores of different weights can't be compared.
    """
    # A question states nothing, so a copied dialogue does not say what its doctor asks.
    said = [clause for clause in clauses_of(summary) if not clause.question]
    wanted = clauses_of(reference)
    evidence = Evidence(source_clauses(source), wanted)
    faults = [evidence.faults_of(clause) for clause in said]
    if faults and summary.rstrip()[-1:].isalnum():
        faults[-1] = _without_half_word(said[-1], faults[-1])
    if _other_sex(source, reference, summary):
        faults.append([SummaryFault("sex", ", ".join(sorted(sexes(summary))))])
    # A clause counts only its worst fault: a wrong date has a wrong day and a wrong year.
    errors = sum(max((_weight(fault, weights) for fault in one), default=0.0) for one in faults)
    coverage = covered(wanted, said, weights)
    form = brevity(reference, summary, weights) * own_words(source, reference, summary, weights)
    return Composite(
        score=coverage * form / (1 + weights.error * errors),
        factual_errors=errors,
        coverage=coverage,
        faults=tuple(fault for one in faults for fault in one),
    )


def _weight(fault: SummaryFault, weights: CompositeWeights) -> float:
    match fault.kind:
        case "word":
            return weights.word
        case "beyond":
            return weights.beyond
        case _:
            return 1.0


def _without_half_word(last: Clause, faults: list[SummaryFault]) -> list[SummaryFault]:
    """The faults of the last clause of a text that was cut off, perhaps within its last word."""
    return [fault for fault in faults if fault.words != last.words[-1]]


def _other_sex(source: str, reference: str, summary: str) -> bool:
    """Whether the summary gives the patient two sexes, or another one than the other texts."""
    given = sexes(summary)
    known = sexes(reference) or spoken_sexes(source)
    return len(given) > 1 or bool(given and known and not given <= known)
