"""A request and its key: the key covers all that shapes the answer, and nothing else."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.generation.series.prompts import RESPONSE_FORMAT, template
from bioinstruct_dagster.generation.series.seed_draw import draw_seeds, sampling_seed
from bioinstruct_dagster.teacher.requests import TeacherRequest

REQUEST = TeacherRequest(
    purpose="generation",
    teacher="openai",
    model="gpt-4.1",
    parameters={"temperature": 1.0, "seed": 7},
    messages=[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
    template_id="t/1",
    template_sha256="a" * 64,
    run_seed=42,
    request_number=3,
    seed_ids=("a", "b", "c"),
)


@pytest.mark.parametrize(
    "changed",
    [
        {"teacher": "rehearsal"},
        {"model": "gpt-4.1-mini"},
        {"parameters": {"temperature": 0.9, "seed": 7}},
        {"parameters": {"temperature": 1.0, "seed": 8}},
        {"parameters": {"temperature": 1.0}},
        {"parameters": {"temperature": 1.0, "seed": 7, "top_p": 1.0}},
        {"messages": [{"role": "system", "content": "S"}, REQUEST.messages[1]]},
        {"messages": [REQUEST.messages[0], {"role": "user", "content": "u "}]},
        {"messages": REQUEST.messages[1:]},
        {"messages": list(reversed(REQUEST.messages))},
        {"template_sha256": "b" * 64},
        {"draw": 1},
    ],
)
def test_what_shapes_the_answer_changes_the_key(changed):
    assert replace(REQUEST, **changed).completion_id != REQUEST.completion_id


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"run_seed": 43},
        {"request_number": 4},
        {"seed_ids": ("c", "b", "a")},
        {"controls": ({"family": "ranking"},), "controls_sha256": "c" * 64},
        {"parameters": {"seed": 7, "temperature": 1.0}},
        {"messages": tuple(dict(reversed(message.items())) for message in REQUEST.messages)},
    ],
)
def test_what_does_not_shape_the_answer_leaves_the_key_alone(changed):
    assert replace(REQUEST, **changed).completion_id == REQUEST.completion_id


def test_a_request_can_be_rebuilt_from_what_is_stored_of_it(shipped_seeds, requests_of):
    by_id = {seed.id: seed for seed in shipped_seeds}
    for number, request in enumerate(requests_of(20, run_seed=5)):
        assert request.request_number == number
        shown = draw_seeds(shipped_seeds, 5, number)
        assert request.seed_ids == tuple(seed.id for seed in shown)
        assert request.messages == template().messages([by_id[i] for i in request.seed_ids], 5)
        assert request.parameters["seed"] == sampling_seed(5, number)
        assert request.parameters["response_format"] == RESPONSE_FORMAT
        assert request.template_sha256 == template().sha256


def test_more_requests_begin_with_the_same_ones(requests_of):
    keys = [request.completion_id for request in requests_of(30)]
    assert [request.completion_id for request in requests_of(10)] == keys[:10]
    assert len(set(keys)) == 30


def test_another_run_seed_shares_no_request(requests_of):
    one, other = ({r.completion_id for r in requests_of(30, run_seed=s)} for s in (1, 2))
    assert not one & other


@pytest.mark.parametrize("reply_format", ["json_schema", "json_object", "text"])
def test_a_request_asks_in_the_form_of_its_series(series_of, reply_format):
    request = series_of(reply_format=reply_format).request(0)
    form = template(reply_format)
    assert request.reply_format == reply_format
    assert request.parameters.get("response_format") == form.response_format
    assert ("response_format" in request.parameters) == (reply_format != "text")
    assert request.template_sha256 == form.sha256


def test_what_is_asked_of_each_task_is_in_prompt_and_key(series_of):
    series = series_of(controls_sha256="c" * 64)
    plain = series.request(3)
    asked = ({"family": "ranking"}, {"family": "dialogue"})
    lines = ["Task 1: rank.", "Task 2: talk."]
    steered = series.request(3, asked, lines)
    assert "\n".join(lines) in steered.messages[1]["content"]
    assert (steered.controls, steered.controls_sha256) == (asked, "c" * 64)
    assert (plain.controls, plain.controls_sha256) == ((), None)
    assert steered.seed_ids == plain.seed_ids
    assert steered.completion_id != plain.completion_id
    assert steered.template_sha256 == template(controlled=True).sha256


def test_a_second_draw_has_its_own_key_and_sampling_seed(requests_of):
    first = requests_of(200)
    again = [request.again() for request in first]
    assert {request.draw for request in again} == {1}
    assert len({request.completion_id for request in [*first, *again]}) == 400
    assert len({request.parameters["seed"] for request in [*first, *again]}) == 400
    assert all(0 <= request.parameters["seed"] < 2**31 for request in again)
    for one, other in zip(first, again, strict=True):
        assert replace(other, draw=0, parameters=one.parameters) == one


def test_a_second_draw_without_a_sampling_seed_differs_too():
    request = replace(REQUEST, parameters={"temperature": 0.0})
    assert request.again().parameters == request.parameters
    assert request.again().completion_id != request.completion_id
