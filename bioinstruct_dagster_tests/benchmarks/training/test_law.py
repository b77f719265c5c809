"""Made rows of the training benchmark: they follow the law, and drawn rows stand for all."""

import random
from statistics import fmean

from benchmarks.training.law import (
    END,
    LONGEST,
    MEAN,
    RESPONSE_SHARE,
    ROWS,
    VOCABULARY,
    drawn_batches,
    lengths,
    made_rows,
    useful_share,
)


def test_lengths_have_the_mean_the_tail_and_the_padding_of_published_rows():
    sizes = lengths(25_000, seed=1)
    assert abs(fmean(sizes) / MEAN - 1) < 0.02
    assert 400 < sorted(sizes)[int(0.95 * len(sizes))] < 430
    assert max(sizes) == LONGEST
    # 16 random published rows: 39.4 % of tokens are no padding; 8 rows: 48.2 %.
    assert abs(useful_share(sizes, 16) - 0.394) < 0.015
    assert abs(useful_share(sizes, 8) - 0.482) < 0.015


def test_made_rows_are_the_same_for_a_seed_and_end_with_the_end_token():
    rows = list(made_rows(200, seed=3))
    assert rows == list(made_rows(200, seed=3))
    assert [len(row.input_ids) for row in rows] == lengths(200, seed=3)
    assert {row.input_ids[-1] for row in rows} == {END}
    assert all(END < token < VOCABULARY for row in rows for token in row.input_ids[:-1])
    response = sum(len(row.input_ids) - row.prompt_tokens for row in rows)
    assert abs(response / sum(len(row.input_ids) for row in rows) - RESPONSE_SHARE) < 0.01


def test_useful_share_counts_each_pass_up_to_its_longest_row():
    assert useful_share([1, 3, 5], 2) == 9 / (2 * 3 + 5)
    assert useful_share([4, 4], 1) == 1


def batches_of(sizes, rows):
    ordered = sorted(sizes)
    return [ordered[at : at + rows] for at in range(0, len(ordered), rows)]


def test_drawn_batches_are_whole_distinct_and_close_to_all_rows():
    batches = batches_of(lengths(ROWS, seed=7), 16)[:-1]
    every = [size for batch in batches for size in batch]
    drawn = drawn_batches(batches, 5, seed=7)
    assert drawn == drawn_batches(batches, 5, seed=7)
    assert [len(places) for places in drawn] == [16] * 5
    assert all(places[0] % 16 == 0 and places == [*range(places[0], places[0] + 16)]
               for places in drawn)  # fmt: skip
    sizes = [every[place] for places in drawn for place in places]
    assert len({place for places in drawn for place in places}) == 80
    assert abs(fmean(sizes) / fmean(every) - 1) < 0.08
    random.Random(1).shuffle(every)
    mixed = [random.Random(seed).sample(sizes, len(sizes)) for seed in range(20)]
    useful = fmean(useful_share(order, 8) for order in mixed)
    assert abs(useful / useful_share(every, 8) - 1) < 0.08


def test_all_batches_are_drawn_if_there_are_not_enough():
    drawn = drawn_batches([[3, 4], [5, 6]], 9, seed=1)
    assert sorted(place for places in drawn for place in places) == [0, 1, 2, 3]
