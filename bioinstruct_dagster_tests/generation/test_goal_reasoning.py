"""A teacher that reasons, over a real server: limits that are too low, and limits that change."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.teacher.output_limits import MOST_CUT_IN_A_ROW, OutputLimits
from bioinstruct_dagster_tests.generation.pursuits import Pursuit
from bioinstruct_dagster_tests.generation.writer import Writer

ROOM = OutputLimits(reasoning_tokens=8_000)


@pytest.fixture
def pursuit(store, serve, series_of):
    """Rounds over a server that reasons as the writer does."""

    def make(writer, **changed):
        store.replace({})
        series = series_of(teacher="openai", model="gpt-4.1-mini", **changed)
        return Pursuit(store, serve(writer).url, series, concurrency=4)

    return make


def under(running, limits):
    """The same pursuit under other limits."""
    return replace(running, series=replace(running.series, limits=limits))


def test_a_round_of_cut_replies_ends_early_and_names_the_setting(pursuit):
    writer = Writer(reasoning=5_000)
    done = pursuit(writer).round(2_000)
    assert MOST_CUT_IN_A_ROW <= writer.asked.total() <= MOST_CUT_IN_A_ROW + 10
    assert max(writer.asked.values()) == 1  # no second draw, which would be cut as well
    assert "were cut off by their limit of 3,000 output tokens" in done.tally.stopped
    assert "set BIOINSTRUCT_REASONING_TOKENS to 6000 or more" in done.tally.stopped
    assert "BIOINSTRUCT_REASONING_EFFORT" in done.tally.stopped


def test_a_round_that_ended_for_cut_replies_ends_again_without_a_request(pursuit):
    writer = Writer(reasoning=5_000)
    running = pursuit(writer)
    first = running.round(2_000)
    again = running.round(2_000)
    assert (again.tally.asked, again.tally.stopped) == (0, first.tally.stopped)


def test_after_the_limit_is_raised_only_cut_requests_are_sent_again(pursuit):
    writer = Writer(reasoning=5_000)
    running = pursuit(writer)
    running.round(60)
    cut = len(writer.bodies)
    done = under(running, ROOM).round(60)
    assert len(done.kept) >= 60
    assert done.feed.end < MOST_CUT_IN_A_ROW  # the cut numbers hold rows now
    assert {body["max_completion_tokens"] for body in writer.bodies[cut:]} == {11_000}
    assert max(writer.asked.values()) == 2
    paid = writer.asked.total()
    for limits in (ROOM, OutputLimits(), OutputLimits(1_200, 20_000, "high")):
        again = under(running, limits).round(60)
        assert (again.rows, writer.asked.total()) == (done.rows, paid)


def test_sound_replies_stay_in_use_under_every_limit(pursuit):
    writer = Writer()
    running = pursuit(writer)
    first = running.round(60)
    for limits in (ROOM, OutputLimits(tokens_per_task=100), OutputLimits(reasoning_effort="low")):
        again = under(running, limits).round(60)
        assert (again.tally.asked, again.rows) == (0, first.rows)
    grown = under(running, ROOM).round(first.feed.kept + 20)
    assert grown.rows[: len(first.rows)] == first.rows
    assert set(writer.asked.values()) == {1}


def test_a_lower_effort_asks_again_for_cut_replies(pursuit):
    writer = Writer(reasoning=9_000)
    running = under(pursuit(writer), OutputLimits(reasoning_effort="high"))
    assert running.round(30).kept == []
    high = len(writer.bodies)
    assert {body["reasoning_effort"] for body in writer.bodies} == {"high"}
    done = under(running, OutputLimits(reasoning_effort="low")).round(30)
    assert len(done.kept) >= 30
    assert {body["reasoning_effort"] for body in writer.bodies[high:]} == {"low"}
    asked = writer.asked.total()
    # Under limits that were tried, nothing is paid again.
    assert under(running, OutputLimits(reasoning_effort="high")).round(30).rows == done.rows
    assert writer.asked.total() == asked


def test_a_cut_reply_with_a_task_is_kept_and_not_sent_again(pursuit, series_of):
    cut = (
        '{"tasks": [{"instruction": "Explain the class of ramipril.", "input": "", '
        '"output": "It inhibits ACE."}, {"instruction": "Name'
    )
    first = series_of(teacher="openai", model="gpt-4.1-mini").request(0).parameters["seed"]
    writer = Writer(contents={first: cut})
    running = pursuit(writer)
    begun = running.round(5)
    done = under(running, ROOM).round(30)
    assert done.rows[0] == begun.rows[0]
    assert done.rows[0]["output"] == "It inhibits ACE."
    assert writer.asked[first] == 1


def test_a_second_draw_that_was_cut_is_sent_again_under_a_higher_limit(pursuit):
    class Rambling(Writer):
        async def __call__(self, body):
            draws = self.asked[body["seed"]]
            self.contents = {} if draws or body["seed"] >= 2**30 else {body["seed"]: "Let me see."}
            self.reasoning = 5_000 if body["seed"] >= 2**30 else 0
            return await super().__call__(body)

    writer = Rambling()
    running = pursuit(writer)
    assert running.round(5, limit=2).kept == []
    asked = writer.asked.total()
    done = under(running, ROOM).round(5, limit=2)
    assert len(done.kept) >= 5
    second = [body for body in writer.bodies[asked:] if body["seed"] >= 2**30]
    assert second == writer.bodies[asked:]
    assert under(running, ROOM).round(5, limit=2).rows == done.rows


def test_the_set_says_that_most_replies_were_cut_although_some_were_not(pursuit):
    writer = Writer(reasoning=5_000)
    running = pursuit(writer)
    running.round(5, limit=8)
    done = under(running, ROOM).round(5, limit=1)
    assert len(done.kept) >= 3
    assert "7 of 8 replies to generation requests were cut off" in done.feed.cut_advice()


def test_replies_that_were_cut_after_some_tasks_advise_longer_answers(pursuit):
    whole = Writer()
    cut = (
        '{"tasks": [{"instruction": "Explain the class of drug %d.", "input": "", '
        '"output": "It inhibits ACE."}, {"instruction": "Name'
    )
    running = pursuit(whole)
    for number in range(6):
        seed = running.series.request(number).parameters["seed"]
        whole.contents[seed] = cut % number
    done = running.round(5, limit=6)
    assert done.feed.cut_advice() is None  # the server does not say that it cut them
    with running.store.write() as connection:
        connection.execute("update completions set finish_reason = 'length'")
    advice = running.round(5, limit=6).feed.cut_advice()
    assert "6 of 6 replies" in advice
    assert "raise BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK" in advice
    assert "BIOINSTRUCT_REASONING_TOKENS" not in advice
