"""The places of a ranking: ranges that the data allow."""

import numpy as np
import pytest

from bioinstruct_dagster.findings.comparisons.places import Entrant, places


def entrants(values):
    errors = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    return [
        Entrant([mean], [error]) for mean, error in zip(values.mean(axis=1), errors, strict=True)
    ]


def answers(chances, items=400, shared=0.9):
    """Right or wrong by entrant and item; items are hard or easy for all."""
    rng = np.random.default_rng(3)
    hard, own = rng.random(items), rng.random((len(chances), items))
    return (shared * hard + (1 - shared) * own < np.array(chances)[:, None]).astype(float)


def test_adapters_that_can_t_be_told_apart_share_all_places():
    values = answers([0.5, 0.5, 0.5])
    found = places(entrants(values), [values], 400)
    assert [tuple(place) for place in found] == [(1, 3, 3)] * 3
    assert all(place.tied_with_best for place in found)


def test_a_clear_winner_has_its_place_alone():
    values = answers([0.7, 0.5, 0.5])
    found = places(entrants(values), [values], 400)
    assert [tuple(place) for place in found] == [(1, 1, 3), (2, 3, 3), (2, 3, 3)]


def test_of_losses_the_lowest_is_first():
    values = answers([0.7, 0.5])
    found = places(entrants(values), [values], 400, lower_is_better=True)
    assert [place.best for place in found] == [2, 1]


def test_pairs_on_the_same_items_see_more_than_intervals_apart():
    values = answers([0.54, 0.5])
    assert places(entrants(values), [values], 400)[1].best == 2
    assert places(entrants(values), None, 400)[1].best == 1


def test_seeds_that_differ_as_much_as_families_leave_a_tie():
    values = answers([0.6, 0.5])
    close = [Entrant([0.61, 0.59, 0.6], [0.02] * 3), Entrant([0.5, 0.51, 0.49], [0.02] * 3)]
    apart = [Entrant([0.75, 0.45, 0.6], [0.02] * 3), Entrant([0.5, 0.65, 0.35], [0.02] * 3)]
    assert places(close, [values], 400)[1].best == 2
    assert places(apart, [values], 400)[1].best == 1


def test_all_items_alike_prove_nothing_of_other_items():
    values = np.stack([np.ones(6), np.zeros(6)])
    wide = [Entrant([1.0], [0.2]), Entrant([0.0], [0.2])]
    narrow = [Entrant([1.0], [0.01]), Entrant([0.0], [0.01])]
    unknown = [Entrant([1.0], [None]), Entrant([0.0], [None])]
    assert places(wide, [values], 6)[1].best == 2
    assert places(narrow, [values], 6)[1].best == 2
    assert places(unknown, [values], 6)[1].best == 1


@pytest.mark.parametrize("count", [3, 8])
def test_equal_adapters_are_rarely_called_different(count):
    """Holm's correction holds the chance of any false difference of a ranking at 5 %."""
    rng, false = np.random.default_rng(7), 0
    for _ in range(200):
        values = (rng.random((count, 120)) < 0.5).astype(float)
        found = places(entrants(values), [values], 120)
        false += any(place.best > 1 for place in found)
    assert false / 200 <= 0.085
