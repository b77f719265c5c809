"""The sample: sizes of strata, the same rows as the set grows, and no row that was judged again."""

from collections import Counter

import pytest

from bioinstruct_dagster.review.sampling import random_number, sample_of, sample_sizes

KINDS = {"a": "kept", "b": "kept", "c": "rejected", "d": "uncertain"}


def rows(count, start=0):
    return [f"{n:024x}" for n in range(start, start + count)]


def test_kinds_get_their_shares_and_strata_of_a_kind_equal_parts():
    sizes = sample_sizes(dict.fromkeys(KINDS, 1000), KINDS, 200)
    assert sizes == {"a": 50, "b": 50, "c": 60, "d": 40}


def test_what_a_small_stratum_cannot_use_goes_to_others():
    sizes = sample_sizes({"a": 10, "b": 1000, "c": 3, "d": 0}, KINDS, 200)
    assert sizes["a"] == 10
    assert sizes["c"] == 3
    assert sum(sizes.values()) == 200


@pytest.mark.parametrize("rows_to_judge", [0, 1, 7, 500])
def test_never_more_rows_than_asked_for_or_there_are(rows_to_judge):
    populations = {"a": 5, "b": 4, "c": 3, "d": 2}
    sizes = sample_sizes(populations, KINDS, rows_to_judge)
    assert sum(sizes.values()) == min(rows_to_judge, 14)
    assert all(sizes[name] <= populations[name] for name in populations)


def test_the_sample_does_not_depend_on_the_order_of_rows_and_changes_with_the_seed():
    ids = rows(300)
    assert sample_of(ids, 20, (), 1) == sample_of(ids[::-1], 20, (), 1)
    assert sample_of(ids, 20, (), 1) != sample_of(ids, 20, (), 2)


def test_judged_rows_stay_in_the_sample_of_a_growing_set_and_few_are_asked_anew():
    first = sample_of(rows(300), 30, (), 42)
    same = sample_of(rows(300), 30, first, 42)
    assert same == first  # nothing new is asked of an unchanged set
    grown = sample_of(rows(330), 30, first, 42)
    assert set(first) <= set(grown)
    assert len(set(grown) - set(first)) < 12  # in proportion to the growth


def test_a_sample_is_random_within_the_grown_stratum():
    # The new rows have their share in the sample: 100 of 200 rows are new.
    first = sample_of(rows(100), 50, (), 42)
    grown = sample_of(rows(200), 50, first, 42)
    new = sum(row_id not in set(rows(100)) for row_id in grown)
    assert 0.35 < new / len(grown) < 0.65


def test_a_set_that_grew_a_lot_never_asks_for_more_than_its_size():
    first = sample_of(rows(40), 30, (), 42)
    grown = sample_of(rows(4000), 30, first, 42)
    assert 0 < len(set(grown) - set(first)) <= 30


def test_random_numbers_of_rows_are_spread_evenly():
    quarters = Counter(random_number(7, "sample", row_id) >> 62 for row_id in rows(4000))
    assert all(900 < n < 1100 for n in quarters.values())
