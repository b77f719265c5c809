"""Best-fit packing and the shares of ranks."""

import random

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.training.loop.packing import best_fit, shares

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 300))
def test_every_row_is_in_one_pass_and_only_a_long_row_exceeds_the_capacity(lengths, capacity):
    passes = best_fit(lengths, capacity)
    assert sorted(at for one in passes for at in one) == list(range(len(lengths)))
    for one in passes:
        assert one
        assert len(one) == 1 or sum(lengths[at] for at in one) <= capacity


@given(LENGTHS, st.integers(1, 300))
def test_no_two_passes_would_fit_into_one(lengths, capacity):
    filled = sorted(sum(lengths[at] for at in one) for one in best_fit(lengths, capacity))
    assert len(filled) < 2 or filled[0] + filled[1] > capacity


def test_passes_of_rows_like_those_of_the_data_set_are_nearly_full():
    draw = random.Random(0)
    lengths = [max(20, min(947, round(draw.lognormvariate(5, 0.65)))) for _ in range(25_000)]
    passes = best_fit(lengths, 2048)
    assert sum(lengths) / (2048 * len(passes)) > 0.98


def test_a_row_goes_into_the_fullest_pass_that_has_room():
    # 70 opens a pass, 60 another; 35 fits only beside 60, 25 fits beside 70 with less left.
    assert best_fit([70, 60, 35, 25], 100) == [[0, 3], [1, 2]]


@given(LENGTHS, st.integers(1, 8))
def test_ranks_share_all_rows_evenly(lengths, ranks):
    parts = shares(lengths, ranks)
    assert sorted(at for part in parts for at in part) == list(range(len(lengths)))
    loads = [sum(lengths[at] for at in part) for part in parts]
    assert max(loads) - min(loads) <= max(lengths)
