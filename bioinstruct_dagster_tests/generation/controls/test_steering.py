"""Steering: requests ask for values that kept rows lack, and equal replies give equal requests."""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
import yaml

from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.controls.steering import BLOCK_REQUESTS, ControlSteering
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.generation.pursuits import Pursuit
from bioinstruct_dagster_tests.generation.writer import Writer

TWO = {
    "version": 1,
    "dimensions": [
        {
            "id": "kind",
            "measure": "signs",
            "values": [
                {"id": "ask", "share": 1, "ask": "a question", "signs": ["question"]},
                {"id": "order", "share": 1, "ask": "an order", "signs": ["order"]},
            ],
        },
        {
            "id": "level",
            "measure": "asked",
            "values": [
                {"id": "low", "share": 3, "ask": "easy"},
                {"id": "high", "share": 1, "ask": "hard"},
            ],
        },
    ],
}


@pytest.fixture
def controls_file(tmp_path):
    """Write a controls file; the controls that it holds."""
    path = tmp_path / "controls.yaml"

    def write(content):
        path.write_text(yaml.safe_dump(content), "utf-8")
        return read_controls(path)

    return write


@pytest.fixture
def shipped():
    return read_controls(INPUTS / "controls.yaml")


@pytest.fixture
def pursuit(serve, series_of, tmp_path):
    """Rounds in a store of their own."""

    def make(writer, controls, name="s", concurrency=8):
        store = Store(tmp_path / name / "s.duckdb")
        store.replace({})
        series = series_of(teacher="openai", model="m", controls_sha256=controls.sha256)
        return Pursuit(store, serve(writer).url, series, controls, concurrency)

    return make


def drive(steering, requests, is_kept, lateness):
    """Draw and check as a round does; each request is checked `lateness` requests later.

    Returns the controls of each request.
    """
    asked, checked = [], 0
    for number in range(requests):
        asked.append(steering.draw(number))
        steering.note_requested(number, asked[-1])
        while checked <= number - lateness(number):
            kept = [({"instruction": "x", "input": "", "output": "y"}, task)
                    for task in asked[checked] if is_kept(task)]  # fmt: skip
            steering.note_kept(checked, kept)
            checked += 1
    return asked


def test_draws_do_not_depend_on_how_late_the_replies_come(shipped):
    def is_kept(task):
        return random.Random(json.dumps(task)).random() < 0.7

    drawn = random.Random(1)
    found = [
        drive(ControlSteering(shipped, 42, 5, 64), 400, is_kept, lateness)
        for lateness in (lambda _: 1, lambda _: 60, lambda _: drawn.randrange(1, 64))
    ]
    assert found[1] == found[0]
    assert found[2] == found[0]


def test_another_run_seed_asks_otherwise(shipped):
    one, other = (ControlSteering(shipped, seed, 5, 8).draw(0) for seed in (1, 2))
    assert one != other
    assert len(one) == 5


def test_what_is_seldom_kept_is_asked_for_more(controls_file):
    controls = controls_file(TWO)

    steering = ControlSteering(controls, 42, 5, 8)
    asked = drive(steering, 400, lambda task: task["level"] == "low", lambda _: 4)
    levels = Counter(task["level"] for tasks in asked[200:] for task in tasks)
    assert levels["high"] / levels.total() > 0.4  # its share is a quarter


def test_a_reply_that_never_comes_holds_up_nothing(shipped):
    steering = ControlSteering(shipped, 42, 5, 8)
    for number in range(10 * BLOCK_REQUESTS):  # nothing is checked
        steering.note_requested(number, steering.draw(number))
    assert steering.draw(10 * BLOCK_REQUESTS)


def test_values_that_the_file_no_longer_has_are_not_known(controls_file):
    steering = ControlSteering(controls_file(TWO), 42, 5, 8)
    assert steering.has_values([{"kind": "ask", "level": "low"}])
    assert not steering.has_values([{"kind": "ask", "level": "middle"}])
    assert not steering.has_values([{"kind": "ask"}])
    assert not steering.has_values([{"kind": "ask", "level": "low", "more": "x"}])


def test_replies_in_any_order_give_the_same_requests(pursuit, shipped):
    found = []
    for shuffle in range(3):
        writer = Writer(delay=0.03, shuffle=shuffle, lost=0.1 * shuffle)
        done = pursuit(writer, shipped, str(shuffle), concurrency=16).round(120)
        found.append((done.rows, done.feed.completion_ids()))
    assert found[1:] == found[:1] * 2


@pytest.fixture
def change(pursuit, controls_file):
    """Rounds to 40 rows with one controls file, another one, and the first one again.

    Returns the rounds, the first round's controls by request, and the requests paid twice.
    """

    def run(before, after):
        writer = Writer(tasks=2)
        running = pursuit(writer, controls_file(before))
        running.series = replace(running.series, tasks_per_request=2)
        rounds = [running.round(40)]
        asked = {
            row["request_number"]: json.loads(row["controls"])
            for row in running.store.rows("select request_number, controls from completions")
        }
        for content in (after, before):
            running.controls = controls_file(content)
            running.series = replace(running.series, controls_sha256=running.controls.sha256)
            rounds.append(running.round(40))
        again = {n for n in asked if writer.asked[running.series.request(n).parameters["seed"]] > 1}
        return rounds, asked, again

    return run


def altered(change_level):
    content = json.loads(json.dumps(TWO))
    change_level(content["dimensions"][1]["values"])
    return content


def test_a_reworded_value_pays_again_only_for_prompts_with_it(change):
    after = altered(lambda values: values[1].update(ask="very hard"))
    (first, again, back), asked, paid_again = change(TWO, after)
    touched = {n for n, tasks in asked.items() if any(t["level"] == "high" for t in tasks)}
    assert again.numbers == first.numbers
    assert set() < touched & set(first.numbers) <= paid_again <= touched < set(asked)
    assert (back.rows, back.tally.asked) == (first.rows, 0)  # what was paid for is found again


def test_a_removed_value_pays_again_only_for_prompts_with_it(change):
    before = altered(lambda values: values.append({"id": "odd", "share": 1, "ask": "odd"}))
    (first, again, back), asked, paid_again = change(before, TWO)
    touched = {n for n, tasks in asked.items() if any(t["level"] == "odd" for t in tasks)}
    assert again.numbers == first.numbers
    assert set() < touched & set(first.numbers) <= paid_again <= touched < set(asked)
    assert not [row for row in again.rows if json.loads(row["controls"])["level"] == "odd"]
    assert back.tally.asked == 0


def test_a_value_put_in_pays_for_nothing_again(change):
    after = altered(lambda values: values.append({"id": "odd", "share": 1, "ask": "odd"}))
    (first, again, _), _, paid_again = change(TWO, after)
    assert (again.rows, again.tally.asked, paid_again) == (first.rows, 0, set())


def test_controls_off_and_on_again_find_each_set_unchanged(pursuit, controls_file):
    writer = Writer()
    running = pursuit(writer, controls_file(TWO))
    steered, controls, series = running.round(30), running.controls, running.series
    running.controls, running.series = None, replace(series, controls_sha256=None)
    plain = running.round(30)
    assert plain.tally.reused == 0
    assert {row["controls"] for row in plain.rows} == {None}
    running.controls, running.series = controls, series
    again = running.round(30)
    assert (again.rows, again.tally.asked) == (steered.rows, 0)


def test_replies_without_controls_are_used(pursuit, controls_file):
    running = pursuit(Writer(), controls_file(TWO))
    controls, series = running.controls, running.series
    running.controls, running.series = None, replace(series, controls_sha256=None)
    plain = running.round(30)
    running.controls, running.series = controls, series
    assert running.round(30).tally.asked == 0
    grown = running.round(len(plain.kept) + 20)
    assert grown.rows[: len(plain.rows)] == plain.rows
    assert all(row["controls"] for row in grown.rows[len(plain.rows) :])


def test_each_row_knows_what_was_asked_of_it(pursuit, controls_file):
    running = pursuit(Writer(), controls_file(TWO))
    done = running.round(20)
    asked = {
        row["completion_id"]: json.loads(row["controls"])
        for row in running.store.rows("select completion_id, controls from completions")
    }
    for row in done.rows:
        assert json.loads(row["controls"]) == asked[row["completion_id"]][row["position"]]
