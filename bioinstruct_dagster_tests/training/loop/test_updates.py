"""Which rows an update learns from, and when the validation loss is computed."""

import pytest

from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop.updates import UpdatePlan
from bioinstruct_dagster_tests.training.loop.tiny_training import RECIPE


def plan(count, seed=1, **recipe):
    return UpdatePlan.of([f"row-{n}" for n in range(count)], Recipe(**RECIPE | recipe), seed)


def ids(one, update):
    return [one.row_ids[at] for at in one.rows(update)]


def test_each_epoch_has_every_row_once_in_an_order_of_its_own():
    one = plan(20, epochs=2, rows_per_update=8)
    assert (one.per_epoch, one.updates) == (3, 6)
    assert [len(one.rows(update)) for update in range(1, 7)] == [8, 8, 4, 8, 8, 4]
    epochs = [[at for u in updates for at in one.rows(u)] for updates in ((1, 2, 3), (4, 5, 6))]
    assert [sorted(epoch) for epoch in epochs] == [list(range(20))] * 2
    assert epochs[0] != epochs[1]
    assert [update for update in range(1, 7) if one.ends_epoch(update)] == [3, 6]


@pytest.mark.parametrize(
    ("count", "epochs", "updates"),
    [
        (44, 1, 11),
        (44, 0.2, 3),
        (44, 0.01, 1),
        (1, 3, 3),
        (40, 0.1, 1),
        (120, 0.1, 3),
        (44, 1.5, 17),
    ],
)
def test_a_part_of_an_epoch_is_rounded_up_to_a_whole_update(count, epochs, updates):
    assert plan(count, epochs=epochs, rows_per_update=4).updates == updates


def test_the_order_depends_on_the_seed_and_not_on_the_order_in_which_rows_are_given():
    one, other = plan(30), plan(30, seed=2)
    assert ids(one, 1) != ids(other, 1)
    backwards = UpdatePlan.of(list(one.row_ids)[::-1], Recipe(**RECIPE), 1)
    assert ids(backwards, 1) == ids(one, 1)
    assert ids(one, 1) == ids(plan(30), 1)


@pytest.mark.parametrize(
    ("count", "epochs", "places"),
    [(0, 2, ()), (1, 2, (10, 20)), (3, 1, (4, 7, 10)), (1, 1.5, (10, 15)), (50, 0.2, (1, 2))],
)
def test_validations_are_spread_over_each_epoch_and_follow_the_last_update(count, epochs, places):
    one = plan(80, rows_per_update=8, epochs=epochs, validations_per_epoch=count)
    assert one.validations == places
