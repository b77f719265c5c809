"""Singulars and the verbs behind other forms."""

import pytest

from bioinstruct_dagster.dataset.imperatives.lemmas import base_verb, is_plural, singular


@pytest.mark.parametrize(
    ("plural", "expected"),
    [
        ("diagnoses", "diagnosis"), ("criteria", "criterion"), ("bacteria", "bacterium"),
        ("vertebrae", "vertebra"), ("scleroses", "sclerosis"), ("therapies", "therapy"),
        ("biopsies", "biopsy"), ("illnesses", "illness"), ("diseases", "disease"),
        ("side-effects", "side-effect"), ("patients'", "patient"), ("women", "woman"),
        ("matches", "match"), ("doses", "dose"), ("analyses", "analysis"),
    ],
)  # fmt: skip
def test_a_plural_has_its_singular(plural, expected):
    assert singular(plural) == expected
    assert is_plural(plural)
    assert singular(expected) == expected


@pytest.mark.parametrize("noun", ["diabetes", "sepsis", "virus", "genetics", "illness", "data"])
def test_a_noun_in_s_that_is_no_plural_stays(noun):
    assert singular(noun) == noun


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("identified", "identify"), ("listed", "list"), ("given", "give"), ("planned", "plan"),
        ("summarise", "summarize"), ("analyse", "analyze"), ("describing", "describe"),
        ("table", ""),
    ],
)  # fmt: skip
def test_a_verb_has_its_base_form(form, expected):
    assert base_verb(form) == expected
