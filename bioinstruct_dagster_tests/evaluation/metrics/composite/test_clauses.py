"""Clauses, negation and owners."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.clauses import PATIENT, clauses_of


def polarity(text: str) -> dict[str, bool]:
    return {
        concept.name: clause.negated
        for clause in clauses_of(text)
        for concept in clause.concepts
        if concept.deniable
    }


@pytest.mark.parametrize(
    "text",
    [
        "Denies fever, chest pain, or cough.",
        "No fever, chest pain or cough.",
        "He has not had fever, chest pain and cough.",
        "Negative for fever, chest pain, cough.",
        "Without fever, chest pain, or cough.",
    ],
)
def test_a_negation_reaches_all_items_of_its_list(text):
    assert polarity(text) == {"fever": True, "chest pain": True, "cough": True}


def test_a_negation_ends():
    assert polarity("No fever, but has a cough.") == {"fever": True, "cough": False}
    assert polarity("No fever. Cough.") == {"fever": True, "cough": False}
    assert polarity("She denies fever and she has a cough.") == {"fever": True, "cough": False}


def test_a_negation_within_a_clause_leaves_what_stands_before():
    assert polarity("Appendectomy without infection.") == {"appendectomy": False, "infection": True}


def test_negative_before_and_after():
    assert polarity("Pregnancy test negative.") == {"pregnancy": True}
    assert polarity("Negative pregnancy test.") == {"pregnancy": True}


def test_a_phrase_is_not_cut():
    assert polarity("Pain with urination and fever.") == {"dysuria": False, "fever": False}
    assert polarity("No pins and needles.") == {"paresthesia": True}


def test_words_that_deny_by_themselves():
    assert polarity("Nonsmoker with hypertension, afebrile.") == {
        "tobacco": True,
        "hypertension": False,
        "fever": True,
    }


def test_a_phrase_that_negates_nothing():
    assert polarity("Not only fever.") == {"fever": False}


def test_owners():
    owners = {
        concept.name: clause.owner
        for clause in clauses_of("His father had gout, and asthma. The patient has migraine.")
        for concept in clause.concepts
    }
    assert owners["gout"] == owners["asthma"] == "father"
    assert owners["migraine"] == PATIENT


@pytest.mark.parametrize("text", ["Noncontributory.", "None.", "Unremarkable", "No changes."])
def test_an_answer_to_a_topic(text):
    (clause,) = clauses_of(text)
    assert clause.topic


def test_questions_are_marked():
    assert [clause.question for clause in clauses_of("Any fever? Cough.")] == [True, False]


def test_nothing():
    assert clauses_of("") == []
    assert clauses_of("The patient is a.") == []
