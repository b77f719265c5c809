"""Looking up what a text says of a concept."""

from bioinstruct_dagster.evaluation.metrics.composite.clauses import PATIENT, clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.concepts import concepts_of
from bioinstruct_dagster.evaluation.metrics.composite.statements import (
    Stance,
    Statements,
    same_owner,
)


def said(text: str, words: str) -> frozenset[Stance]:
    (concept,) = concepts_of(words.split())
    return Statements(clauses_of(text)).of(concept)


def test_stances_of_a_concept():
    text = "No fever. His mother has asthma and the patient has asthma."
    assert said(text, "fever") == {Stance(True, PATIENT)}
    assert said(text, "asthma") == {Stance(False, "mother"), Stance(False, PATIENT)}
    assert said(text, "gout") == frozenset()


def test_a_concept_is_said_by_a_wider_phrase_and_by_another_form():
    assert said("Abdominal pain.", "pain")
    assert said("A neurosurgical consultation.", "neurosurgery")
    assert not said("Hypertension.", "hypotension")
    assert not said("Hyperthyroidism.", "hyperkalemia")


def test_a_number_needs_the_same_unit_if_both_have_one():
    assert said("Metoprolol 50 mg.", "50 milligrams")
    assert said("She is 50.", "50 years")
    assert not said("Metoprolol 50 mg.", "50 mcg")
    assert not said("For 3 days.", "3 weeks")


def test_a_brother_is_a_sibling():
    assert same_owner("brother", "sibling")
    assert same_owner("parent", "mother")
    assert not same_owner("brother", "sister")
    assert not same_owner("brother", PATIENT)
