"""The orders of options: balanced, seeded, and the item's own order first."""

import pytest

from bioinstruct_dagster.evaluation.tasks.permutations import permutation_of


def orders(options, number, seed=1, name="item"):
    return [permutation_of(options, order, seed=seed, name=name) for order in range(number)]


@pytest.mark.parametrize("options", range(1, 8))
def test_each_option_stands_once_at_each_place(options):
    first = orders(options, options)
    assert first[0] == tuple(range(options))
    for place in range(options):
        assert {shown[place] for shown in first} == set(range(options))
    for square in (1, 2):
        more = orders(options, 3 * options)[square * options : (square + 1) * options]
        assert all(
            {shown[place] for shown in more} == set(range(options)) for place in range(options)
        )


def test_more_orders_than_places_begin_another_square():
    found = orders(4, 24)
    assert len(set(found)) > 12


def test_orders_depend_on_seed_and_item_and_on_nothing_else():
    assert orders(4, 4) == orders(4, 4)
    assert any(orders(4, 2, seed=2)[1] != orders(4, 2, seed=seed)[1] for seed in range(3, 9))
    assert len({orders(4, 2, name=str(n))[1] for n in range(30)}) > 4
    # No version of Python or of this project may change the order behind a stored result.
    assert permutation_of(4, 1, seed=0, name="medqa\n1") == (3, 0, 1, 2)
