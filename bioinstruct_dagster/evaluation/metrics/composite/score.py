"""The judge-free composite of one summary: what it covers, divided by what it says wrongly.

    composite = covered share of the reference * brevity / (1 + 0.2 * factual errors)

The human scores of summaries that were at hand chose none of the numbers finely: each stands on a
plateau, and halving or doubling it moves no figure of docs/benchmarks.md by more than 0.02. Belongs
here: the weights of faults and the two numbers. Does not: finding faults (support) or coverage.
"""

from dataclasses import dataclass

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause, clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.coverage import covered
from bioinstruct_dagster.evaluation.metrics.composite.dialogue import source_clauses
from bioinstruct_dagster.evaluation.metrics.composite.persons import sexes, spoken_sexes
from bioinstruct_dagster.evaluation.metrics.composite.support import Evidence, Fault, FaultKind

# How many errors a fault of a kind counts as. A clause counts only its worst fault: a wrong date
# has a wrong day and a wrong year, and is one error.
FAULT_WEIGHTS: dict[FaultKind, float] = {
    "number": 1.0,
    "finding": 1.0,
    "medicine": 1.0,
    "negation": 1.0,
    "side": 1.0,
    "owner": 1.0,
    "sex": 1.0,
    "word": 0.3,  # an everyday word that occurs nowhere is mostly another wording
    "beyond": 0.1,  # the source has the words, but may say something else with them
}
ERROR_WEIGHT = 0.2  # one error takes a sixth of the score, four take almost half

# A summary may be half as long again as the reference, and a sentence more: a reference such as
# "None." is often answered by a whole sentence. Beyond that, the score falls as 1 / length.
LENGTH_ALLOWED = 1.5
WORDS_ALLOWED = 15


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
    faults: tuple[Fault, ...]


def composite(source: str, reference: str, summary: str) -> Composite:
    """The composite of a summary.

    Args:
        source: the dialogue that is summarised, or another text; "" if there is none.
        reference: the summary that a person wrote.
        summary: the summary to score. One without any word has the score 0.
    """
    # A question states nothing, so a copied dialogue does not say what its doctor asks.
    said = [clause for clause in clauses_of(summary) if not clause.question]
    wanted = clauses_of(reference)
    faults = _faults(said, Evidence(source_clauses(source), wanted), _ends_early(summary))
    if _other_sex(source, reference, summary):
        faults.append([Fault("sex", ", ".join(sorted(sexes(summary))))])
    errors = sum(max((FAULT_WEIGHTS[fault.kind] for fault in one), default=0.0) for one in faults)
    got, total = covered(wanted, said)
    coverage = got / total if total else 0.0
    return Composite(
        score=coverage * _brevity(reference, summary) / (1 + ERROR_WEIGHT * errors),
        factual_errors=errors,
        coverage=coverage,
        faults=tuple(fault for one in faults for fault in one),
    )


def _faults(said: list[Clause], evidence: Evidence, cut_off: bool) -> list[list[Fault]]:
    """The faults of each clause. The last word of a text that was cut off may be half a word."""
    found = [evidence.faults_of(clause) for clause in said]
    if cut_off and found and found[-1] and said[-1].words[-1] == found[-1][-1].words:
        found[-1].pop()
    return found


def _brevity(reference: str, summary: str) -> float:
    """1 for a text of a summary's length, less for a longer one: else a copied source would win."""
    allowed = LENGTH_ALLOWED * len(reference.split()) + WORDS_ALLOWED
    return min(1.0, allowed / max(1, len(summary.split())))


def _ends_early(summary: str) -> bool:
    return summary.rstrip()[-1:].isalnum()


def _other_sex(source: str, reference: str, summary: str) -> bool:
    """Whether the summary gives the patient two sexes, or another one than the other texts."""
    given = sexes(summary)
    known = sexes(reference) or spoken_sexes(source)
    return len(given) > 1 or bool(given and known and not given <= known)
