"""Words of one meaning become one concept."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.concepts import (
    concepts_of,
    named_like_medicine,
)


def names(text: str) -> list[str]:
    return [concept.name for concept in concepts_of(text.split())]


@pytest.mark.parametrize(
    ("lay", "clinical"),
    [
        ("high blood pressure", "hypertension"),
        ("heart attacks", "mi"),
        ("throwing up", "emesis"),
        ("trouble breathing", "dyspnea"),
        ("gallbladder removed", "cholecystectomy"),
        ("tubes tied", "tubal ligation"),
        ("tylenol", "acetaminophen"),
        ("belly pain", "abdominal pain"),
        ("mom", "mother"),
        ("blood work", "laboratory"),
    ],
)
def test_lay_and_clinical_words_are_one_concept(lay, clinical):
    assert names(lay) == names(clinical) != []


def test_the_longest_phrase_wins_and_keeps_its_parts():
    (found,) = concepts_of(["lower", "back", "pain"])
    assert (found.name, found.kind) == ("low back pain", "finding")
    assert "pain" in found.parts


def test_words_without_content_are_no_concepts():
    assert names("the patient states that she has a history of") == []
    assert names("he admits") == []  # not an admission to hospital


def test_a_number_carries_its_unit():
    weight, age = concepts_of(["20", "milligrams", "at", "62"])
    assert (weight.name, weight.unit, weight.kind) == ("20", "mg", "number")
    assert (age.name, age.unit) == ("62", "")


def test_medicines_are_known_by_brand_and_by_form():
    assert [c.kind for c in concepts_of(["lipitor", "and", "cefpodoxime", "zuclomicin"])] == [
        "medicine",
        "term",
        "medicine",
    ]
    assert named_like_medicine("ramipril")
    assert not named_like_medicine("april")
    assert not named_like_medicine("gallstone")


def test_what_can_be_denied():
    words = ["fever", "metformin", "leg", "7", "severe", "contracture", "plum"]
    kinds = {concept.name: concept.deniable for concept in concepts_of(words)}
    assert {name for name, deniable in kinds.items() if deniable} == {
        "fever",
        "metformin",
        "contractur",
    }
    assert len(kinds) == len(words)
