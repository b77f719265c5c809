"""Numbers and sides that belong to a thing."""

from bioinstruct_dagster.evaluation.metrics.composite.clauses import clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.relations.amounts import Amounts

TOLD = Amounts(
    clauses_of(
        "Cough for 3 days. Fever for 5 days. Pain of the left knee. Swelling of the right knee. "
        "Increase sertraline from 50 to 100 mg."
    )
)


def numbers(text):
    return [one for clause in clauses_of(text) for one in TOLD.wrong_numbers(clause)]


def sides(text):
    return [one for clause in clauses_of(text) for one in TOLD.wrong_sides(clause)]


def test_a_number_that_belongs_to_another_finding():
    assert numbers("Fever for 3 days.") == ["3 days"]
    assert numbers("Cough for three days and fever for five days. Sertraline 50 mg.") == []
    assert numbers("Rash for 5 days. Cough for 3 weeks.") == []  # not told, or told otherwise


def test_a_side_that_belongs_to_another_finding():
    assert sides("Left knee swelling.") == ["left knee"]
    assert sides("Right knee swelling, left knee pain, bilateral knee pain.") == []
