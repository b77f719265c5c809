"""Statements that neither source nor reference supports."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.clauses import clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.dialogue import source_clauses
from bioinstruct_dagster.evaluation.metrics.composite.support import Evidence

SOURCE = (
    "Doctor: How old are you?\nPatient: Sixty two. My left knee hurts.\nDoctor: Any fever?\n"
    "Patient: No. I take fifty milligrams of Lopressor.\nDoctor: And your family?\n"
    "Patient: My dad had gout. I had surgery on June fourth two thousand seven."
)
REFERENCE = "62-year-old with left knee pain. No fever. Metoprolol 50 mg. Father had gout."


def kinds(summary: str) -> list[str]:
    evidence = Evidence(source_clauses(SOURCE), clauses_of(REFERENCE))
    return [f.kind for clause in clauses_of(summary) for f in evidence.faults_of(clause)]


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (REFERENCE, []),
        ("Knee pain on the left. Father: gout. Afebrile. Lopressor 50 milligrams.", []),
        ("63-year-old.", ["number"]),
        ("Metoprolol 50 mcg.", ["number"]),
        ("Surgery on 06/04/2008.", ["beyond", "beyond", "beyond", "number"]),
        ("Fever.", ["negation"]),
        ("No gout.", ["negation", "owner"][:1]),
        ("Right knee pain.", ["side"]),
        ("The patient has gout.", ["owner"]),
        ("Asthma.", ["finding"]),
        ("No asthma.", ["finding"]),
        ("Metformin.", ["medicine"]),
        ("Ramipril.", ["medicine"]),
        ("Surgery.", ["beyond"]),
        ("Noncontributory.", []),
    ],
)
def test_faults(summary, expected):
    assert kinds(summary) == expected


def test_a_question_without_an_answer_supports_both():
    evidence = Evidence(source_clauses("Doctor: Any asthma?\nPatient: Hm."), [])
    for text in ("Asthma.", "No asthma."):
        assert [f.kind for c in clauses_of(text) for f in evidence.faults_of(c)] == ["beyond"]
