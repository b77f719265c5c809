"""One dimension of the controls: its shares, and which of its values can be measured."""

import pytest
from pydantic import ValidationError

from bioinstruct_dagster.generation.controls.dimensions import ControlDimension
from bioinstruct_dagster.yaml_faults import faults_of


def dimension(measure, *values):
    return {
        "id": "topic",
        "measure": measure,
        "values": [
            {"id": f"v{at}", "share": 1, "ask": "x", **value} for at, value in enumerate(values)
        ],
    }


def fields(content):
    """The fields that are refused."""
    with pytest.raises(ValidationError) as raised:
        ControlDimension.model_validate(content)
    return [fault.place for fault in faults_of(raised.value, ControlDimension)]


def test_shares_are_parts_of_their_sum():
    one = ControlDimension.model_validate(dimension("asked", {"share": 3}, {}))
    assert one.shares == {"v0": 0.75, "v1": 0.25}
    assert one.by_id["v0"].share == 3


def test_a_value_with_signs_or_words_can_be_measured():
    signs = ControlDimension.model_validate(dimension("signs", {"signs": ["heart"]}, {}))
    assert [signs.is_measurable(value) for value in signs.shares] == [True, False]
    words = dimension("input_words", {"words": [0, 0]}, {"words": [1, 9]})
    assert ControlDimension.model_validate(words).is_measurable("v1")


def test_every_misplaced_sign_and_range_is_named_at_once():
    content = dimension("asked", {"signs": ["x"]}, {}, {"words": [2, 1]}, {"signs": ["y"]})
    assert sorted(fields(content)) == [
        ("values", 0, "signs"),
        ("values", 2, "words"),  # no words are read here
        ("values", 2, "words"),  # and these would be the wrong way round
        ("values", 3, "signs"),
    ]


@pytest.mark.parametrize(
    ("ranges", "refused"),
    [
        ([[0, 0], [1, 5], [6, 6]], []),
        ([[6, 9], [0, 5]], []),
        ([[0, 5], [5, 9]], [1]),
        ([[5, 9], [0, 20], [10, 11]], [0, 2]),
        ([[3, 2], [4, 5]], [0]),
    ],
)
def test_ranges_of_words_may_not_overlap(ranges, refused):
    content = dimension("input_words", *({"words": each} for each in ranges))
    if refused:
        assert fields(content) == [("values", at, "words") for at in refused]
    else:
        assert ControlDimension.model_validate(content).values[0].words == tuple(ranges[0])
