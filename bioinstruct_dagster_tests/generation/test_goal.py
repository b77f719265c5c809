"""Generating until enough rows are kept: which replies the set uses, and what is paid for.

The tests use a real server with random delays and faults, a real store, and curation's gates.
"""

import json
from dataclasses import replace

import pytest

from bioinstruct_dagster.curation.curate_rows import RowCurator
from bioinstruct_dagster.generation import raw_rows as raw
from bioinstruct_dagster.generation.controls.file import Controls, read_controls
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.generation.pursuits import GATES, Pursuit
from bioinstruct_dagster_tests.generation.writer import Writer, tasks_of


@pytest.fixture
def pursuit(store, serve, series_of):
    """Rounds over a server that answers as the writer does."""

    def make(writer, place=store, **changed):
        place.replace({})
        concurrency = changed.pop("concurrency", 8)
        controls = changed.pop("controls", None)
        series = series_of(
            **{"teacher": "openai", "model": "gpt-4.1-mini"} | changed,
            controls_sha256=controls.sha256 if controls else None,
        )
        return Pursuit(place, serve(writer).url, series, controls, concurrency)

    return make


def seed_of(pursuit, number):
    return pursuit.series.request(number).parameters["seed"]


def kept_by_all_stored(pursuit):
    """How many rows the gates keep of all stored completions."""
    ids = [row["completion_id"] for row in pursuit.store.rows("select * from completions")]
    rows, _ = raw.raw_rows(pursuit.store, ids)
    gate = RowCurator(pursuit.seeds, GATES)
    return sum(gate.extend(rows))


def test_the_set_ends_with_the_request_that_reaches_the_goal(pursuit):
    done = pursuit(Writer(delay=0.02, lost=0.1)).round(60)
    assert done.numbers == list(range(done.feed.end + 1))
    assert done.feed.kept == len(done.kept) >= 60
    last = {
        row["row_id"]
        for row in done.rows
        if row["ordinal"] // raw.POSITIONS_PER_REPLY == done.feed.end
    }
    assert len(set(done.kept) - last) < 60
    assert done.tally.stopped is None


def test_the_set_does_not_depend_on_the_order_of_replies(pursuit, tmp_path):
    found = []
    for shuffle, (concurrency, lost) in enumerate([(1, 0.0), (5, 0.3), (40, 0.1), (40, 0.0)]):
        store = Store(tmp_path / str(shuffle) / "s.duckdb")
        writer = Writer(delay=0.03 * (concurrency > 1), shuffle=shuffle, lost=lost)
        done = pursuit(writer, store, concurrency=concurrency).round(60)
        found.append((done.rows, done.kept, done.feed.kept, done.feed.end))
    assert found[1:] == found[:1] * 3


@pytest.mark.parametrize(
    ("goal", "repeats", "delay"),
    [(200, 0.0, 0.02), (200, 0.6, 0.02), (700, 0.6, 0.02), (2_000, 0.0, 0.4)],
)
def test_the_overshoot_is_at_most_a_twentieth_of_the_goal(pursuit, goal, repeats, delay):
    writer = Writer(repeats=repeats, delay=delay)
    running = pursuit(writer, concurrency=600)  # all may be in flight before any yield is known
    done = running.round(goal)
    assert goal <= len(done.kept) <= goal + 4  # the reply that reached it may hold five
    assert kept_by_all_stored(running) <= 1.05 * goal
    assert done.feed.unused_completions() == len(writer.asked) - len(done.numbers)


@pytest.mark.parametrize("goal", [1, 3, 10, 25])
def test_a_small_goal_is_exceeded_by_at_most_one_reply(pursuit, goal):
    running = pursuit(Writer(delay=0.01), concurrency=50)
    running.round(goal)
    assert kept_by_all_stored(running) < goal + 5


def test_a_second_round_and_a_grown_goal_pay_nothing_twice(pursuit):
    writer = Writer(delay=0.01)
    running = pursuit(writer, concurrency=40)
    first = running.round(200)
    again = running.round(200)
    assert (again.tally.asked, again.rows) == (0, first.rows)
    assert again.tally.reused == len(first.feed.completion_ids())
    assert again.feed.unused_completions() == first.feed.unused_completions()
    grown = running.round(first.feed.kept + 1)
    assert len(grown.kept) > len(first.kept)
    assert grown.rows[: len(first.rows)] == first.rows
    if first.feed.unused_completions():
        assert grown.tally.asked == 0
    assert set(writer.asked.values()) == {1}


def test_grow_by_counts_from_the_rows_that_are_kept(pursuit):
    running = pursuit(Writer())
    assert running.round(30, grow_by=20).feed.goal == 30  # nothing to grow yet
    first = running.round(30)
    grown = running.round(10, grow_by=20)
    assert grown.feed.goal == len(first.kept) + 20
    assert len(grown.kept) >= len(first.kept) + 20


def test_a_lower_goal_does_not_shrink_the_set(pursuit):
    running = pursuit(Writer())
    first = running.round(80)
    lowered = running.round(20)
    assert (lowered.rows, lowered.tally.asked) == (first.rows, 0)
    assert lowered.feed.kept == len(lowered.kept) == len(first.kept)


def test_an_edited_seed_pays_again_only_for_requests_with_it(pursuit, shipped_seeds):
    writer = Writer()
    running = pursuit(writer)
    first = running.round(80)
    edited = running.series.request(3).seed_ids[0]
    shows = {n for n in first.numbers if edited in running.series.request(n).seed_ids}
    changed = [replace(s, output="Other.") if s.id == edited else s for s in shipped_seeds]
    running.series = replace(running.series, seeds=changed)
    again = running.round(80)
    # The teacher writes the same by seed, so that the same requests reach the goal.
    assert again.numbers == first.numbers
    assert again.tally.asked == len(shows) > 0
    assert {s for s, n in writer.asked.items() if n > 1} == {seed_of(running, n) for n in shows}


@pytest.mark.parametrize("changed", [{"run_seed": 43}, {"model": "gpt-4.1"}, {"teacher": "x"}])
def test_another_series_shares_nothing(pursuit, changed):
    writer = Writer()
    running = pursuit(writer)
    running.round(20)
    running.series = replace(running.series, **changed)
    other = running.round(20)
    assert other.tally.reused == 0
    assert other.tally.asked > 0


def test_the_next_round_fills_the_gap_of_a_failed_request(pursuit):
    writer = Writer(delay=0.01)
    running = pursuit(writer)
    writer.refused = {seed_of(running, 2), seed_of(running, 5)}
    first = running.round(60)
    assert first.tally.failed == 2
    assert first.numbers == [n for n in range(first.feed.end + 1) if n not in (2, 5)]
    assert first.feed.kept == len(first.kept) >= 60
    writer.refused = set()
    second = running.round(60)
    assert second.tally.asked == 2
    assert set(first.numbers) | {2, 5} == set(second.numbers)
    assert second.feed.kept == len(second.kept) > len(first.kept)  # what was there stays
    assert set(writer.asked.values()) == {1}


def test_a_teacher_that_repeats_itself_stops_the_round(pursuit):
    writer = Writer(repeats=1.0)
    running = pursuit(writer)
    done = running.round(500)
    assert len(done.kept) == done.feed.kept == 7  # all that it has to say
    assert 40 <= done.feed.end + 1 < 60
    # Replies that arrive before the gates have checked the last rows are stored too.
    assert done.feed.end < done.tally.asked < 100
    assert done.tally.stopped == done.feed.stopped
    for part in ("below 10%", "7 of 500 rows are kept", "add seeds", "lower the goal"):
        assert part in done.tally.stopped
    again = running.round(500)
    assert (again.tally.asked, again.rows) == (0, done.rows)
    assert again.feed.stopped == done.feed.stopped


def test_other_controls_go_on_after_a_low_yield(pursuit):
    writer = Writer(repeats=1.0)
    controls = read_controls(INPUTS / "controls.yaml")
    running = pursuit(writer, controls=controls)
    running.round(100)
    assert running.round(100).tally.asked == 0
    other = controls.model_dump() | {"version": controls.version + 1}
    running.controls = Controls.model_validate(other)
    running.series = replace(running.series, controls_sha256=running.controls.sha256)
    writer.repeats = 0.0
    assert len(running.round(100).kept) >= 100
    assert set(writer.asked.values()) == {1}


def test_the_limit_of_requests_is_kept(pursuit):
    writer = Writer(delay=0.01)
    running = pursuit(writer, concurrency=40)
    done = running.round(500, limit=9)
    assert done.numbers == list(range(9))
    assert len(writer.asked) == 9
    assert done.feed.kept == len(done.kept) < 500
    assert running.round(500, limit=9).tally.asked == 0
    assert running.round(500, limit=12).tally.asked == 3


@pytest.mark.parametrize(
    ("content", "sends"),
    [("no task here", 2), ("", 2), ('{"tasks": []}', 2), ('{"rows": []}', 2), ("refuse", 1)],
    ids=["malformed", "empty", "empty list", "wrong schema", "refusal"],
)
def test_a_useless_reply_is_retried_once_and_a_refusal_never(pursuit, content, sends):
    writer = Writer()
    running = pursuit(writer)
    bad = [running.series.request(n) for n in (1, 4)]
    for request in bad:
        for draw in (request, request.again()):
            writer.contents[draw.parameters["seed"]] = content
    done = running.round(40)
    assert done.numbers == list(range(done.feed.end + 1))
    for request in bad:
        assert writer.asked[request.parameters["seed"]] == 1
        assert writer.asked[request.again().parameters["seed"]] == sends - 1
    assert len(done.feed.completion_ids()) == len(done.numbers) + 2 * (sends - 1)
    again = running.round(40)
    assert (again.tally.asked, again.rows) == (0, done.rows)


def test_a_retry_brings_its_rows(pursuit):
    writer = Writer()
    running = pursuit(writer)
    writer.contents[seed_of(running, 0)] = "no task here"
    done = running.round(20)
    second = running.series.request(0).again()
    written = [row for row in done.rows if row["completion_id"] == second.completion_id]
    wanted = tasks_of(second.parameters["seed"])
    assert [row["instruction"] for row in written] == [task["instruction"] for task in wanted]


def test_the_next_round_makes_a_retry_that_a_kill_prevented(pursuit):
    writer = Writer()
    running = pursuit(writer)
    writer.contents[seed_of(running, 3)] = "no task here"
    whole = running.round(60)
    again = running.series.request(3).again()
    with running.store.write() as connection:
        for lost in (running.series.request(1).completion_id, again.completion_id):
            connection.execute("delete from completions where completion_id = ?", [lost])
    resumed = running.round(60)
    assert resumed.tally.asked == 2
    assert resumed.rows == whole.rows
    assert writer.asked[seed_of(running, 3)] == 1


def test_no_request_beyond_the_goal_is_retried(pursuit):
    writer = Writer(repeats=0.0)
    running = pursuit(writer, concurrency=60)
    beyond = [running.series.request(number) for number in range(40, 60)]
    for request in beyond:  # 40 replies of 5 rows reach the goal
        writer.contents[request.parameters["seed"]] = "no task here"
        writer.late.add(request.parameters["seed"])
    done = running.round(200)
    assert done.feed.end == 39
    assert done.feed.unused_completions() > 0
    assert not [r for r in beyond if writer.asked[r.again().parameters["seed"]]]


def test_a_cap_keeps_paid_rows_and_the_next_round_reuses_them(pursuit):
    writer = Writer(delay=0.01)
    running = pursuit(writer)
    capped = running.round(80, run_max_tokens=24_000, run_id="one")
    assert "BIOINSTRUCT_RUN_MAX_TOKENS is reached" in capped.tally.stopped
    assert 0 < len(capped.kept) < 80
    assert capped.feed.kept == len(capped.kept)  # no row checked twice at the end
    assert len(capped.numbers) == running.stored()
    done = running.round(80)
    assert len(done.kept) >= 80
    assert set(writer.asked.values()) == {1}


def test_all_paid_replies_are_used_if_the_goal_is_not_reached(pursuit):
    writer = Writer()
    running = pursuit(writer)
    whole = running.round(60)
    gap = running.series.request(2).completion_id
    with running.store.write() as connection:
        connection.execute("delete from completions where completion_id = ?", [gap])
        connection.execute("delete from completion_outcomes")  # as a kill would leave it
    broke = running.round(60, run_max_tokens=0, run_id="one")
    assert broke.tally.asked == 0
    assert broke.numbers == [n for n in whole.numbers if n != 2]
    assert broke.feed.kept == len(broke.kept)


def test_the_estimate_counts_what_is_stored_beyond_a_gap(pursuit):
    running = pursuit(Writer())
    whole = running.round(100)
    gap = running.series.request(2).completion_id
    with running.store.write() as connection:
        connection.execute("delete from completions where completion_id = ?", [gap])
    resumed = running.round(100)
    assert resumed.tally.asked == 1
    estimate = next(line for line in resumed.logged if line.startswith("Estimate"))
    requests = int(estimate.split(": ")[1].split(" requests")[0])
    assert 1 <= requests <= 0.2 * len(whole.numbers)


def test_with_controls_nothing_is_paid_twice(pursuit):
    writer = Writer(delay=0.02)
    running = pursuit(writer, controls=read_controls(INPUTS / "controls.yaml"), concurrency=20)
    first = running.round(150)
    asked = running.store.rows("select controls, messages::varchar as prompt from completions")
    assert all(len(json.loads(row["controls"])) == 5 for row in asked)
    assert all("Task 5: " in row["prompt"] for row in asked)
    assert running.round(150, concurrency=3).rows == first.rows
    running.round(400, concurrency=7)
    assert set(writer.asked.values()) == {1}
