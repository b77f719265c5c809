"""How many requests a goal needs, estimated from the yield of checked requests."""

import pytest

from bioinstruct_dagster.generation.look_ahead import OVERSHOOT_SHARE, LookAhead
from bioinstruct_dagster.generation.series.yields import FIRST_YIELD, FLOOR_REQUESTS


def ahead(goal: int, *yields: int) -> LookAhead:
    look = LookAhead(goal, 5)
    for kept in yields:
        look.learn(kept, is_current=True)
    return look


def test_at_first_the_assumed_yield_is_used():
    assert ahead(75).requests_needed(0) == 75 / (5 * FIRST_YIELD)


@pytest.mark.parametrize("kept", [5, 2, 1])
def test_the_yield_so_far_says_how_many_are_needed(kept):
    assert ahead(1_000, *[kept] * 95).requests_needed(0) == pytest.approx(1_000 / kept, rel=0.12)


def test_the_first_request_always_has_room():
    assert ahead(1).has_room(0, 0)


def test_requests_under_way_never_pass_the_overshoot():
    look = ahead(100, *[5] * 100)
    under_way = next(n for n in range(1_000) if not look.has_room(0, n))
    assert under_way * 5 <= 100 * (1 + OVERSHOOT_SHARE) < (under_way + 2) * 5


def test_a_low_yield_ends_the_round_with_numbers_and_advice():
    assert ahead(100, *[0] * (FLOOR_REQUESTS - 1)).low_yield_reason(7) is None
    said = ahead(100, *[0] * FLOOR_REQUESTS).low_yield_reason(7)
    assert "fell to 0.00" in said
    assert "7 of 100 rows" in said
    assert "add seeds" in said


def test_requests_of_an_earlier_run_do_not_count_for_the_floor():
    look = LookAhead(100, 5)
    for _ in range(FLOOR_REQUESTS):
        look.learn(0, is_current=False)
    assert look.low_yield_reason(0) is None
