"""Subsets: nested, of the right size, and still when the set grows; and the seed of training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.experiments.subsets import (
    SizeNotReachedError,
    subset,
    training_seed,
    validation_sample,
)
from bioinstruct_dagster.seeds.tasks import CATEGORIES

VALUES = {
    "lora_rank": 8, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": "all-linear",
    "learning_rate": 3e-4, "epochs": 3, "rows_per_update": 8, "warmup": 0.03,
    "max_length": 512,
}  # fmt: skip


def recipe(rows=None, seed=1, categories=CATEGORIES):
    return Recipe(**VALUES, rows=rows, seed=seed, categories=categories)


def row(number):
    return {"row_id": f"row-{number}", "category": CATEGORIES[number % 4]}


def ids(rows):
    return [one["row_id"] for one in rows]


ROWS = [row(number) for number in range(400)]
NUMBERS = st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True)
SEEDS = st.integers(0, 2**32 - 1)


@given(NUMBERS, SEEDS, st.data())
def test_a_smaller_subset_lies_in_a_larger_one(numbers, seed, data):
    rows = [row(number) for number in numbers]
    small = data.draw(st.integers(1, len(rows)))
    large = data.draw(st.integers(small, len(rows)))
    inner, outer = subset(rows, recipe(small), seed), subset(rows, recipe(large), seed)
    assert (len(inner), len(outer)) == (small, large)
    assert set(ids(inner)) <= set(ids(outer))
    assert outer == [one for one in rows if one in outer]  # in the set's order


@given(NUMBERS, SEEDS, st.data())
def test_growth_replaces_members_by_new_rows_only(numbers, seed, data):
    rows = [row(number) for number in numbers]
    before = data.draw(st.integers(1, len(rows)))
    size = data.draw(st.integers(1, before))
    old = set(ids(subset(rows[:before], recipe(size), seed)))
    new = set(ids(subset(rows, recipe(size), seed)))
    added = set(ids(rows[before:]))
    assert new - old <= added
    assert len(old - new) == len(new & added)  # a member leaves for each new row, and no other
    # The other way round: when rows leave the set, every member that is left stays.
    assert new - added <= old


@given(NUMBERS, SEEDS, st.randoms(use_true_random=False), st.data())
def test_the_order_of_the_set_changes_no_member(numbers, seed, random, data):
    rows = [row(number) for number in numbers]
    size = data.draw(st.integers(1, len(rows)))
    turned = random.sample(rows, len(rows))
    assert set(ids(subset(rows, recipe(size), seed))) == set(
        ids(subset(turned, recipe(size), seed))
    )


@given(NUMBERS, st.sets(st.sampled_from(CATEGORIES), min_size=1), SEEDS)
def test_all_rows_of_the_categories_are_taken_without_a_size(numbers, categories, seed):
    rows = [row(number) for number in numbers]
    found = subset(rows, recipe(categories=tuple(categories)), seed)
    assert found == [one for one in rows if one["category"] in categories]


def test_a_size_counts_rows_of_the_categories():
    found = subset(ROWS, recipe(50, categories=("other",)), 42)
    assert len(found) == 50
    assert {one["category"] for one in found} == {"other"}


def test_seeds_draw_different_subsets():
    draws = {tuple(ids(subset(ROWS, recipe(100, seed), 42))) for seed in (1, 2, 3)}
    draws.add(tuple(ids(subset(ROWS, recipe(100), 43))))
    assert len(draws) == 4
    # Draws of 100 of 400 rows share about 25 of them if they are independent.
    first, second = (set(ids(subset(ROWS, recipe(100, seed), 42))) for seed in (1, 2))
    assert 10 <= len(first & second) <= 40


def test_a_subset_is_a_uniform_sample():
    found = subset(ROWS, recipe(200), 42)
    for category in CATEGORIES:
        share = sum(one["category"] == category for one in found)
        assert 35 <= share <= 65  # 50 are expected, with a standard deviation of 4.3


def test_the_members_do_not_change_with_a_release_of_ours():
    # If this fails, subsets of stored adapters can't be drawn again.
    assert ids(subset(ROWS, recipe(5), 42)) == [
        "row-21",
        "row-54",
        "row-254",
        "row-308",
        "row-393",
    ]
    assert training_seed(42, recipe()) == 3460391665


def test_a_size_that_the_set_does_not_reach_says_how_many_rows_there_are():
    with pytest.raises(SizeNotReachedError) as refused:
        subset(ROWS, recipe(1000, categories=("other", "generation")), 42)
    assert str(refused.value) == (
        "The recipe asks for 1,000 rows of the categories other, generation, and the train split "
        "has 200. Generate more rows, or choose a smaller size."
    )
    assert (refused.value.asked, refused.value.found) == (1000, 200)


@given(SEEDS, st.integers(1, 10**9))
def test_the_training_seed_depends_on_run_seed_and_recipe_seed_alone(run_seed, seed):
    found = training_seed(run_seed, recipe(seed=seed))
    assert 0 <= found < 2**32
    assert found == training_seed(run_seed, recipe(rows=10, seed=seed, categories=("other",)))


def test_training_seeds_differ():
    found = {training_seed(run, recipe(seed=seed)) for run in range(20) for seed in range(1, 20)}
    assert len(found) == 20 * 19


def test_validation_takes_a_tenth_but_not_fewer_than_64_rows():
    sizes = {n: len(validation_sample(ROWS, recipe(), n, 42)) for n in (10, 640, 1_000, 9_000)}
    assert sizes == {10: 64, 640: 64, 1_000: 100, 9_000: 400}  # there are 400


def test_validation_samples_are_nested_and_the_same_for_all_seeds_of_a_recipe():
    small, large = (validation_sample(ROWS, recipe(seed=2), n, 42) for n in (700, 2_000))
    assert set(ids(small)) < set(ids(large))
    assert validation_sample(ROWS, recipe(seed=1), 700, 42) == small
    assert validation_sample(ROWS, recipe(), 700, 43) != small


def test_validation_takes_the_categories_of_the_recipe():
    found = validation_sample(ROWS, recipe(categories=("other",)), 400, 42)
    assert {one["category"] for one in found} == {"other"}
