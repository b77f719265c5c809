"""The arms: equally much text, alike but for the rows in question, and drawn by seed."""

import pytest

from bioinstruct_dagster.findings.worth.arms import FEWEST_ROWS, TooFewRowsError, arms_of
from bioinstruct_dagster.models.experiments import Recipe

RECIPE = Recipe(
    lora_rank=4, lora_alpha=8, lora_dropout=0, target_modules="all-linear", learning_rate=1e-3,
    epochs=1, rows_per_update=4, warmup=0, max_length=256,
)  # fmt: skip


def row(name, length, category="generation"):
    return {
        "row_id": name, "instruction": "x" * length, "input": "", "output": "", "category": category
    }  # fmt: skip


OLD = [row(f"old-{n}", 50 + 7 * (n % 11)) for n in range(80)]
NEW = [row(f"new-{n}", 90 + 5 * (n % 7)) for n in range(60)]
BEFORE, ADDED = {one["row_id"] for one in OLD}, {one["row_id"] for one in NEW}
LENGTHS = {one["row_id"]: len(one["instruction"]) for one in OLD + NEW}


def arms(recipe=RECIPE, rows=(*OLD, *NEW), seed=42):
    return arms_of(rows, BEFORE, ADDED, recipe, seed)


def test_both_arms_have_equally_much_text_within_one_row():
    for seed in range(1, 6):
        found = arms(RECIPE.model_copy(update={"seed": seed}))
        without, with_added = (
            sum(LENGTHS[one] for one in arm) for arm in (found.without, found.with_added)
        )
        assert abs(without - with_added) <= max(LENGTHS.values())


def test_one_arm_has_no_row_of_the_refresh_and_the_other_has_half_of_its_text():
    found = arms()
    assert set(found.without) <= BEFORE
    new = set(found.with_added) & ADDED
    assert len(new) == found.added
    share = sum(LENGTHS[one] for one in new) / sum(LENGTHS[one] for one in found.with_added)
    assert 0.45 < share <= 0.51


def test_the_rest_of_the_rows_is_the_same_in_both():
    found = arms()
    assert set(found.with_added) - ADDED < set(found.without)
    assert len(set(found.with_added)) == len(found.with_added)


def test_a_small_refresh_is_taken_whole():
    found = arms(rows=(*OLD, *NEW[:FEWEST_ROWS]))
    assert set(found.with_added) & ADDED == {one["row_id"] for one in NEW[:FEWEST_ROWS]}


def test_the_size_is_that_of_the_recipe_as_far_as_there_are_rows():
    assert len(arms(RECIPE.model_copy(update={"rows": 40})).without) == 40
    assert len(arms(RECIPE.model_copy(update={"rows": 5_000})).without) == len(OLD)


def test_another_seed_draws_other_rows_and_the_same_seed_the_same():
    small = RECIPE.model_copy(update={"rows": 40})
    assert arms(small) == arms(small)
    assert arms(small) == arms(small, rows=(*NEW, *OLD))
    assert set(arms(small).without) != set(arms(small.model_copy(update={"seed": 2})).without)
    assert set(arms(small).without) != set(arms(small, seed=43).without)


def test_too_few_rows_on_either_side_are_refused():
    with pytest.raises(TooFewRowsError, match="The refresh has 15 training rows"):
        arms(rows=(*OLD, *NEW[:15]))
    with pytest.raises(TooFewRowsError, match="Before the refresh, there were 3 training rows"):
        arms(rows=(*OLD[:3], *NEW))
    with pytest.raises(TooFewRowsError, match="of the categories other"):
        arms(RECIPE.model_copy(update={"categories": ("other",)}))
