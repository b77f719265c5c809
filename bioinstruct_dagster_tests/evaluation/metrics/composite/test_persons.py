"""The patient's sex and the sides of the body."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.clauses import clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.persons import (
    sexes,
    sides_by_part,
    spoken_sexes,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The patient is a 40-year-old female.", {"female"}),
        ("He lives with her.", {"male", "female"}),
        ("The patient lives with his sister. She is a nurse.", {"male"}),
        ("The patient is going home.", set()),
        ("Hysterectomy in 2001.", {"female"}),
        ("Her father died at 60. He smoked. The patient says he does not.", {"female", "male"}),
        ("Mother died at 60.", set()),
    ],
)
def test_the_sex_of_a_note(text, expected):
    assert sexes(text) == expected


def test_the_sex_of_a_dialogue_comes_from_forms_of_address():
    assert spoken_sexes("Doctor: Yes, ma'am. He told me so.") == {"female"}
    assert spoken_sexes("Doctor: How old are you, sir?") == {"male"}
    assert spoken_sexes("Doctor: Is she with you?") == frozenset()


def test_a_side_belongs_to_the_part_beside_it():
    found = sides_by_part(clauses_of("Pain in the left knee, right lower leg, and both eyes."))
    assert found == {"knee": {"left"}, "leg": {"right"}, "eye": {"left", "right"}}
    assert sides_by_part(clauses_of("That is right, my leg.")) == {}
