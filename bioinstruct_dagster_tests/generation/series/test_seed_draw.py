"""Which seeds a request shows: equal draws every time, even shares, and few changed requests."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.generation.series.seed_draw import draw_seeds, sampling_seed
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import SeedTask


def seed(name: str, text: str = "text") -> SeedTask:
    return SeedTask(name, "other", "family", f"{text} of {name}", "", "output")


SEED_LISTS = st.lists(st.text(min_size=1, max_size=4), min_size=4, max_size=12, unique=True).map(
    lambda names: [seed(name) for name in names]
)
RUN_SEEDS = st.integers(0, 2**40)
DRAWS = 3_000


def completion_ids(seeds, run_seed):
    """The key of each request of a series, with the ids of the seeds that it shows."""
    series = Series(seeds, teacher="t", model="m", run_seed=run_seed, tasks_per_request=5)
    requests = [series.request(number) for number in range(40)]
    return [(request.completion_id, set(request.seed_ids)) for request in requests]


@given(SEED_LISTS, RUN_SEEDS, st.integers(0, 10**6))
def test_a_draw_is_three_different_seeds_and_is_the_same_again(seeds, run_seed, number):
    drawn = draw_seeds(seeds, run_seed, number)
    assert len({one.id for one in drawn}) == 3
    assert set(drawn) <= set(seeds)
    assert draw_seeds(seeds, run_seed, number) == drawn


@given(SEED_LISTS.flatmap(lambda seeds: st.tuples(st.just(seeds), st.permutations(seeds))))
def test_the_order_of_the_seed_file_changes_no_draw(lists):
    seeds, shuffled = lists
    assert draw_seeds(seeds, 1, 2) == draw_seeds(shuffled, 1, 2)


def test_a_draw_is_the_same_on_every_machine():
    # Pinned: a change here makes every paid-for completion of every user unfindable.
    seeds = [seed(name) for name in "abcdefgh"]
    drawn = ["".join(s.id for s in draw_seeds(seeds, 42, number)) for number in range(3)]
    assert drawn == ["gde", "cfh", "gba"]


@pytest.mark.parametrize("position", [0, 1, 2, None])
def test_every_seed_is_drawn_about_equally_often(shipped_seeds, position):
    drawn = Counter(
        shown.id
        for number in range(DRAWS)
        for place, shown in enumerate(draw_seeds(shipped_seeds, 42, number))
        if position in (place, None)
    )
    expected = drawn.total() / len(shipped_seeds)
    chi_square = sum((drawn[s.id] - expected) ** 2 / expected for s in shipped_seeds)
    # 79 degrees of freedom: mean 79, standard deviation 12.6; 145 is far in the tail.
    assert chi_square < 145
    assert chi_square > 35  # evener than chance would not be random


def test_every_pair_of_seeds_meets():
    seeds = [seed(f"s{n}") for n in range(10)]
    pairs = Counter(
        frozenset(pair)
        for number in range(DRAWS)
        for drawn in [[s.id for s in draw_seeds(seeds, 7, number)]]
        for pair in [(drawn[0], drawn[1]), (drawn[0], drawn[2]), (drawn[1], drawn[2])]
    )
    assert len(pairs) == 45
    expected = 3 * DRAWS / 45
    assert all(0.6 * expected < count < 1.4 * expected for count in pairs.values())


def test_another_run_seed_draws_otherwise(shipped_seeds):
    same = [draw_seeds(shipped_seeds, 1, n) == draw_seeds(shipped_seeds, 2, n) for n in range(50)]
    assert sum(same) <= 1


@given(SEED_LISTS, RUN_SEEDS, st.data())
def test_editing_a_seed_changes_only_requests_that_show_it(seeds, run_seed, data):
    edited = data.draw(st.sampled_from(seeds))
    changed = [replace(s, output="better") if s is edited else s for s in seeds]
    before, after = completion_ids(seeds, run_seed), completion_ids(changed, run_seed)
    for (old, shown), (new, shown_now) in zip(before, after, strict=True):
        assert shown == shown_now
        assert (old != new) == (edited.id in shown)


@given(SEED_LISTS, RUN_SEEDS, st.text(min_size=5, max_size=8))
def test_adding_a_seed_changes_only_requests_that_show_it(seeds, run_seed, name):
    before = completion_ids(seeds, run_seed)
    after = completion_ids([*seeds, seed(name)], run_seed)
    for (old, shown), (new, shown_now) in zip(before, after, strict=True):
        assert (old != new) == (name in shown_now)
        assert len(shown - shown_now) == (name in shown_now)


@given(SEED_LISTS, RUN_SEEDS, st.data())
def test_removing_a_seed_changes_only_requests_that_showed_it(seeds, run_seed, data):
    removed = data.draw(st.sampled_from(seeds))
    before = completion_ids(seeds, run_seed)
    after = completion_ids([s for s in seeds if s is not removed], run_seed)
    for (old, shown), (new, _) in zip(before, after, strict=True):
        assert (old != new) == (removed.id in shown)


@given(RUN_SEEDS, st.sets(st.integers(0, 10**6), min_size=2, max_size=50))
def test_sampling_seeds_are_distinct_and_below_two_to_the_31(run_seed, numbers):
    seeds = {sampling_seed(run_seed, number) for number in numbers}
    assert len(seeds) == len(numbers)
    assert all(0 <= value < 2**31 for value in seeds)
