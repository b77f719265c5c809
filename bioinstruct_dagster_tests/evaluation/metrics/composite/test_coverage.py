"""The share of the reference that a summary covers."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.clauses import clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.coverage import covered


def share(reference: str, summary: str) -> float:
    return covered(clauses_of(reference), clauses_of(summary))


REFERENCE = "Hypertension, asthma, and left knee pain. No fever. Father had gout."


def test_all_and_nothing():
    assert share(REFERENCE, REFERENCE) == 1.0
    assert share(REFERENCE, "") == 0.0
    assert share(REFERENCE, "The weather.") == 0.0


@pytest.mark.parametrize(
    "worse",
    [
        "Asthma, and left knee pain. No fever. Father had gout.",  # omitted
        "Hypertension, asthma, and left knee pain. Fever. Father had gout.",  # denied
        "Hypertension, asthma, and right knee pain. No fever. Father had gout.",  # side
        "Hypertension, asthma, and left knee pain. No fever. The patient had gout.",  # owner
    ],
)
def test_a_lost_fact_costs(worse):
    assert 0.6 < share(REFERENCE, worse) < 1.0


def test_parts_of_a_concept_earn_less_than_the_concept():
    whole, parts = share("Chest pain.", "Chest pain."), share("Chest pain.", "Leg pain, chest ok.")
    assert 0.5 < parts < whole == 1.0


def test_an_answer_to_the_topic_covers_one_denial():
    assert share("No previous surgery.", "None.") == 1.0
    assert share("None.", "No known drug allergies.") == 1.0
    assert share("No asthma, gout, fever, or cough.", "Noncontributory.") == 0.25
    assert share("No asthma, gout, fever, or cough.", "None. None. None.") == 0.25
    assert share("Asthma.", "None.") == 0.0
