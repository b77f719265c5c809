"""Which requests a run rests on: those asked for, those paid for before, and those to grow by."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.generation.plan import plan_requests
from bioinstruct_dagster.generation.teacher import Endpoint, ask


@pytest.fixture
def answered(store, serve, reply):
    """Have requests of a series answered and stored, by number."""

    async def answer(_):
        return reply()

    def run(series, *numbers):
        endpoint = Endpoint(serve(answer).url, "k", rehearsal=False)
        requests = [series.request(number) for number in numbers]
        ask(requests, endpoint, store, concurrency=4, log=lambda _: None)

    return run


@pytest.fixture
def kept(store):
    """Pretend a state of the set: kept rows, and the requests that they came from."""

    def put(rows, requests):
        row = {"instruction": "i", "input": "", "output": "o", "nearest_score": 0}
        outcome = {"outcome": "parsed", "tasks": 5, "detail": ""}
        store.replace(
            {
                "deduplicated_instructions": [
                    {**row, "row_id": str(n), "ordinal": n, "rehearsal": True} for n in range(rows)
                ],
                "completion_outcomes": [
                    {**outcome, "completion_id": str(n)} for n in range(requests)
                ],
            }
        )

    return put


@pytest.fixture
def numbers(store):
    """The numbers of the requests planned, each request the one that its series has there."""

    def plan(series, **wishes):
        requests = plan_requests(series, store, **wishes)
        assert requests == [series.request(request.request_number) for request in requests]
        return [request.request_number for request in requests]

    return plan


def test_at_first_the_requests_asked_for_are_planned(store, series_of, numbers):
    store.replace({})
    assert numbers(series_of(), wanted=4) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("stored", "wanted", "expected"),
    [
        ((0, 1, 2), 3, [0, 1, 2]),
        ((0, 1, 2), 5, [0, 1, 2, 3, 4]),
        ((0, 1, 2, 3, 4), 2, [0, 1, 2, 3, 4]),
        ((0, 1, 4, 6), 3, [0, 1, 2, 4, 6]),  # 3 and 5 were never answered, and are not asked now
    ],
)
def test_what_was_answered_before_stays_in_the_set_and_nothing_more_is_asked(
    series_of, answered, numbers, stored, wanted, expected
):
    answered(series_of(), *stored)
    assert numbers(series_of(), wanted=wanted) == expected


@pytest.mark.parametrize("changed", [{"run_seed": 43}, {"model": "m"}, {"teacher": "openai"}])
def test_another_series_does_not_count(series_of, answered, numbers, changed):
    answered(series_of(), *range(8))
    assert numbers(series_of(**changed), wanted=2) == [0, 1]


def test_a_changed_seed_file_does_not_ask_again_beyond_what_is_asked_for(
    series_of, shipped_seeds, answered, numbers
):
    old = series_of()
    answered(old, *range(30))
    edited_id = old.request(3).seed_ids[0]
    edited = [replace(s, output="Other.") if s.id == edited_id else s for s in shipped_seeds]
    shows_it = {n for n in range(30) if edited_id in old.request(n).seed_ids}
    planned = numbers(series_of(seeds=edited), wanted=3)
    assert planned == [n for n in range(30) if n < 3 or n not in shows_it]


@pytest.mark.parametrize(
    ("rows", "requests", "grow_by", "new"),
    [
        (300, 100, 30, 10),  # three kept rows a request
        (300, 100, 1, 1),
        (0, 0, 50, 20),  # nothing known yet: half of five tasks
        (1_000, 0, 50, 20),  # an import: its rows came from no request
        (1, 100, 50, 100),  # hardly anything kept: no flood of requests
    ],
)
def test_growth_adds_as_many_requests_as_the_yield_so_far_suggests(
    series_of, kept, numbers, rows, requests, grow_by, new
):
    kept(rows, requests)
    assert numbers(series_of(), wanted=5, grow_by=grow_by) == list(range(5 + new))


def test_growth_comes_on_top_of_what_was_answered(series_of, answered, kept, numbers):
    answered(series_of(), 0, 1, 3, 6)
    kept(30, 10)
    assert numbers(series_of(), wanted=2, grow_by=9) == [0, 1, 2, 3, 4, 5, 6]
