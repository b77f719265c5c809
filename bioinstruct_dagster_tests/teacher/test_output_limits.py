"""The limits of output: a request's key, cut replies, and what a user can do about them."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.output_limits import (
    MOST_CUT_IN_A_ROW,
    CutReply,
    CutWatch,
    OutputLimits,
    advice_if_most,
    covers_limits,
    cut_advice,
    is_cut,
    is_reply_to,
    with_own_key,
)

ROOM = OutputLimits(tokens_per_task=900, reasoning_tokens=8_000, reasoning_effort="low")


def stored(request, **changed):
    """The row of a reply to a request, as the store gives it."""
    return {
        "completion_id": request.completion_id, "content": "", "finish_reason": "stop",
        "completion_tokens": 10, "refusal": None,
        "output_limit": request.parameters["max_completion_tokens"],
        "reasoning_effort": request.parameters.get("reasoning_effort"), **changed,
    }  # fmt: skip


def test_the_usual_limits_leave_a_request_as_it_is(requests_of):
    (request,) = requests_of(1)
    assert OutputLimits().applied_to(request, 5) is request
    assert request.key_parameters is None


def test_other_limits_change_what_is_sent_and_not_the_key(requests_of):
    (usual,), (roomy,) = requests_of(1), requests_of(1, limits=ROOM)
    assert roomy.parameters["max_completion_tokens"] == 5 * 900 + 8_000
    assert roomy.parameters["reasoning_effort"] == "low"
    assert roomy.completion_id == usual.completion_id
    assert roomy.again().completion_id == usual.again().completion_id
    assert roomy.again().parameters["seed"] == usual.again().parameters["seed"]
    assert with_own_key(roomy).completion_id != usual.completion_id
    assert size_of(roomy).max_output == size_of(usual).max_output + 5 * 300 + 8_000
    # The limits of a question's answers are its own.
    assert ROOM.applied_to(usual).parameters["max_completion_tokens"] == 3_000 + 8_000


def test_a_reply_under_a_key_of_its_own_is_found_under_every_limit(requests_of):
    (usual,), (roomy,) = requests_of(1), requests_of(1, limits=ROOM)
    own = stored(with_own_key(roomy))
    for request in (usual, roomy, *requests_of(1, limits=OutputLimits(reasoning_tokens=1))):
        assert is_reply_to(request, own)
        assert is_reply_to(request, stored(usual))
        assert not is_reply_to(request.again(), own)
    (other,) = requests_of(1, run_seed=7)
    assert not is_reply_to(other, own)


@pytest.mark.parametrize(
    ("changed", "cut"),
    [
        ({"finish_reason": "length"}, True),
        ({"finish_reason": "length", "content": "Let me"}, True),
        ({"completion_tokens": 3_000}, True),  # no reason, no text, and the whole limit
        ({"completion_tokens": 3_000, "finish_reason": None, "content": " \n"}, True),
        ({"completion_tokens": 3_000, "content": "All of it."}, False),
        ({"completion_tokens": 3_000, "refusal": "No."}, False),
        ({"completion_tokens": None}, False),
        ({"finish_reason": "broken_off", "content": "Let me"}, False),  # no limit did that
        ({}, False),
    ],
)
def test_a_cut_is_told_by_its_reason_or_by_its_tokens(requests_of, changed, cut):
    (request,) = requests_of(1)
    assert is_cut(stored(request, **changed)) is cut
    row = {name: v for name, v in stored(request, **changed).items() if name != "output_limit"}
    assert is_cut({**row, "parameters": request.parameters}) is cut  # as it comes from the server


def test_a_reply_covers_limits_that_are_no_higher_with_its_effort(requests_of):
    (roomy,) = requests_of(1, limits=ROOM)
    reply = stored(roomy)
    assert covers_limits(reply, roomy)
    for changed, covered in (
        ({"reasoning_tokens": 7_999}, True),
        ({"reasoning_tokens": 8_001}, False),
        ({"tokens_per_task": 901}, False),
        ({"reasoning_effort": ""}, False),
        ({"reasoning_effort": "high"}, False),
    ):
        (request,) = requests_of(1, limits=replace(ROOM, **changed))
        assert covers_limits(reply, request) is covered


BLANK, LONG = CutReply(3_000, wrote=False), CutReply(3_000, wrote=True)


def test_the_advice_suggests_twice_the_limit_that_was_too_low():
    advice = cut_advice([BLANK] * 12, 12)
    assert advice.startswith("12 of 12 replies to generation requests were cut off by their limit")
    assert "of 3,000 output tokens" in advice
    assert "set BIOINSTRUCT_REASONING_TOKENS to 6000 or more" in advice
    assert "BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK" in advice
    assert "to 4000 or more" in cut_advice([CutReply(100, wrote=False)], 1)
    assert "to 18000 or more" in cut_advice([CutReply(8_900, wrote=False)], 1)


def test_the_advice_for_long_answers_and_for_questions():
    assert "If the model reasons before it answers, set" in cut_advice([LONG] * 3, 5)
    usable = cut_advice([CutReply(3_000, wrote=True, is_usable=True)] * 3, 5)
    assert "before the last answer was written" in usable
    assert "raise BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK" in usable
    asked = cut_advice([CutReply(None, wrote=False)], 4, "categorization")
    assert "1 of 4 replies to categorization requests" in asked
    assert "BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK" not in asked


def test_only_cut_replies_in_a_row_end_a_round():
    watch = CutWatch()
    for _ in range(3):
        for _ in range(MOST_CUT_IN_A_ROW - 1):
            watch.add(BLANK)
        assert watch.reason() is None
        watch.add(CutReply(3_000, wrote=True, is_usable=True))
    for _ in range(MOST_CUT_IN_A_ROW):
        watch.add(BLANK)
    assert f"{MOST_CUT_IN_A_ROW} of {MOST_CUT_IN_A_ROW} replies" in watch.reason()


def test_the_advice_is_given_if_most_replies_were_cut():
    assert advice_if_most([]) is None
    assert advice_if_most([BLANK, None]) is None
    assert "2 of 3 replies" in advice_if_most([BLANK, None, BLANK])
