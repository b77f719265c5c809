"""The search at servers whose largest limit of output is small."""

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster_tests.teacher.probing.odd_servers import (
    behind,
    completion,
    probed,
    written,
)
from bioinstruct_dagster_tests.teacher.probing.wordings import words
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column


def at_most(tokens, said):
    """A gateway that takes no larger limit of output."""

    def gateway(body):
        asked = body.get("max_completion_tokens") or body.get("max_tokens") or 0
        refusal = words(said.format(asked=asked, most=tokens), param="max_tokens")
        return web.json_response(refusal, status=400) if asked > tokens else None

    return gateway


TOO_LARGE = [
    # OpenAI
    (
        "max_completion_tokens is too large: {asked}. This model supports at most {most} completion"
        " tokens, whereas you provided {asked}."
    ),
    # Anthropic
    (
        "max_tokens: {asked} > {most}, which is the maximum allowed number of output tokens for "
        "claude-3-haiku-20240307"
    ),
    # DashScope
    "Range of max_tokens should be [1, {most}]",
    # Groq
    "`max_tokens` must be less than or equal to `{most}`, the maximum value for this model",
    # Fireworks
    "max_tokens must be between 1 and {most}, you sent {asked}",
    # without a number
    "max_tokens is too large.",
    # vLLM
    (
        "This model's maximum context length is {most} tokens. However, you requested {asked} "
        "output tokens."
    ),
]


@pytest.mark.parametrize("said", TOO_LARGE)
@pytest.mark.parametrize("most", [1024, 600])
def test_a_small_maximum_is_no_hindrance_to_requests_that_fit(serve, store, said, most):
    served = serve(behind(at_most(most, said)))
    dialect = probed(served.url, store, tasks_per_request=1, output_tokens_per_task=600).dialect
    assert (dialect.reply_format, dialect.left_out) == ("json_schema", frozenset())
    assert dialect.token_limit_name == "max_completion_tokens"  # noqa: S105
    asked = [body["max_completion_tokens"] for body in served.bodies]
    assert asked[0] > asked[1] >= 600
    assert column(store, "teacher_dialects", "output_limit") == ["heeded"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "BIOINSTRUCT_TASKS_PER_REQUEST=1, or BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK=204"),
        (
            {"reasoning_tokens": 900},
            (
                "BIOINSTRUCT_TASKS_PER_REQUEST=1, BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK=512 and "
                "BIOINSTRUCT_REASONING_TOKENS=512"
            ),
        ),
        ({"tasks_per_request": 1, "output_tokens_per_task": 1_500}, "PER_TASK=1024"),
    ],
)
def test_a_maximum_below_that_of_later_requests_is_named_with_what_fits(
    serve, store, changed, expected
):
    served = serve(behind(at_most(1024, TOO_LARGE[0])))
    with pytest.raises(TeacherError, match="1,024 at most") as refused:
        probed(served.url, store, **changed)
    assert expected in str(refused.value)
    assert "supports at most 1024" in str(refused.value)
    assert column(store, "completions", "completion_id") == []


def test_a_model_that_reasons_gets_no_more_room_than_the_server_has(serve, store):
    gateway = at_most(4096, TOO_LARGE[0])

    async def answer(body):
        limit = body["max_completion_tokens"]
        if limit > 4096:
            return gateway(body)
        if limit < 3000 and "limit-probe" not in body["messages"][-1]["content"]:
            return completion("", limit, "length", reasoning_content="Hm. " * limit)
        return written(body)

    served = serve(answer)
    assert probed(served.url, store).dialect.reply_format == "json_schema"
    assert [body["max_completion_tokens"] for body in served.bodies[:3]] == [2000, 8000, 4096]
