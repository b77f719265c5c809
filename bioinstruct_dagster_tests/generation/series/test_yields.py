"""The yield: its mean, its upper bound, and the floor below which a round ends."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.generation.series.yields import (
    FIRST_YIELD,
    FLOOR_REQUESTS,
    LEAST_YIELD,
    RECENT_REQUESTS,
    YieldModel,
)

KEPT = st.lists(st.integers(0, 5), max_size=3 * RECENT_REQUESTS)


def model_of(kept, tasks=5):
    model = YieldModel(tasks)
    for rows in kept:
        model.add(rows)
    return model


def test_the_first_yield_is_assumed():
    assert YieldModel(8).mean == FIRST_YIELD * 8
    assert YieldModel(8).below_floor() is None


def test_one_unlucky_reply_does_not_ask_for_a_flood():
    assert model_of([0]).mean > 0.5 * YieldModel(5).mean


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_the_mean_comes_to_what_was_observed(rows):
    assert model_of([rows] * RECENT_REQUESTS).mean == pytest.approx(rows, abs=0.2)


def test_only_the_requests_checked_last_count():
    assert (
        model_of([5] * 1_000 + [1] * RECENT_REQUESTS).mean == model_of([1] * RECENT_REQUESTS).mean
    )


@given(KEPT, st.integers(1, 500))
def test_the_most_lies_between_the_mean_and_all_tasks(kept, requests):
    model = model_of(kept)
    expected, most = requests * model.mean, model.upper_bound(requests)
    assert min(expected, requests * 5) <= most <= requests * 5
    assert model.upper_bound(requests + 1) >= most


def test_the_most_is_seldom_passed():
    drawn = random.Random(3)
    passed = 0
    for _ in range(300):
        model = model_of(drawn.choices(range(6), k=60))
        passed += sum(drawn.choices(range(6), k=10)) > model.upper_bound(10)
    assert passed < 0.01 * 300


@pytest.mark.parametrize(
    ("kept", "below"),
    [
        ([0] * (FLOOR_REQUESTS - 1), None),
        ([0] * FLOOR_REQUESTS, 0.0),
        ([5] + [0] * FLOOR_REQUESTS, 0.0),
        ([0] * FLOOR_REQUESTS + [5] * 4, 0.5),  # 20 rows of 40 requests is the floor, not below
        ([5] * 3 + [0] * (FLOOR_REQUESTS - 3), 15 / FLOOR_REQUESTS),
    ],
)
def test_the_floor_is_a_tenth_of_the_tasks_over_forty_requests(kept, below):
    assert LEAST_YIELD * 5 * FLOOR_REQUESTS == 20
    found = model_of(kept).below_floor()
    assert found == (None if below == 0.5 else below)


def test_requests_with_other_controls_do_not_count_for_the_floor():
    model = model_of([0] * (FLOOR_REQUESTS - 1))
    model.add(0, is_current=False)
    assert model.below_floor() is None
    for _ in range(FLOOR_REQUESTS - 1):
        model.add(0)
        assert model.below_floor() is None
    model.add(0)
    assert model.below_floor() == 0.0
