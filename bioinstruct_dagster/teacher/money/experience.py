"""The tokens and seconds that earlier requests of one template took, read from the store.

A server counts reasoning among the output tokens, and often sends none of its text. So a reply that
took far more tokens than its text has is taken for one with reasoning.

Belongs here: the first values of a round. Does not: learning while the round runs (tokens), or the
estimate that the user sees (estimates).
"""

import json
from typing import Any, NamedTuple

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.money.estimates import FIRST_LATENCY
from bioinstruct_dagster.teacher.money.tokens import (
    BYTES_PER_TOKEN,
    FIRST_OUTPUT_SHARE,
    TokenForecast,
    prompt_bytes_of,
    size_of,
)
from bioinstruct_dagster.teacher.requests import TeacherRequest

# The first expected share of the tokens that are allowed for reasoning. A user allows for the
# longest reasoning, and most replies take much less.
FIRST_REASONING_SHARE = 0.5
# A reply has reasoning if it took this many times the tokens of its text, and some more. Languages
# other than English take up to three times the tokens of the rule of thumb.
_FAR_ABOVE = 3.5
_SOME_MORE = 50

# The newest replies are enough, and the most like the next ones.
EARLIER_REPLIES = """
    with newest as (
        select
            *,
            (parameters ->> 'max_completion_tokens')::bigint as output_limit,
            coalesce(parameters ->> 'reasoning_effort', '') = $effort as same_effort,
            finish_reason = 'length' as is_cut,
            strlen(regexp_replace(content, '^.*</think>', '', 's')) / $bytes_per_token as text
        from completions
        where teacher = $teacher and model_asked = $model and template_id = $template_id
        order by completed_at desc
        limit 300
    ),
    divided as (
        select
            *,
            case
                when completion_tokens > $far_above * text + $some_more
                then completion_tokens - text
                else 0
            end as reasoned
        from newest
    )
    select
        count(*) as replies,
        avg((completion_tokens - reasoned) / output_limit) filter (where text > 0) as answer_share,
        avg(reasoned) filter (where same_effort and not coalesce(is_cut, false)) as reasoned,
        avg(reasoned) filter (where same_effort and is_cut) as reasoned_until_cut,
        median(epoch(completed_at) - epoch(requested_at)) filter (where service != 'batch')
            as latency
    from divided
"""
EARLIER_PROMPTS = """
    select messages, parameters, prompt_tokens
    from completions
    where teacher = $teacher and model_asked = $model and template_id = $template_id
        and prompt_tokens > 0
    order by completed_at desc
    limit 20
"""


class Experience(NamedTuple):
    """What a request will probably take.

    Attributes:
        forecast: its tokens.
        latency: the seconds until its reply.
        replies: how many earlier replies these come from.
        reasoning_tokens: the part of its output tokens that is reasoning.
    """

    forecast: TokenForecast
    latency: float
    replies: int
    reasoning_tokens: float


def experience(store: Store, example: TeacherRequest) -> Experience:
    """What such a request will probably take, by earlier replies or else by rules of thumb."""
    known: dict[str, Any] = {}
    bytes_per_token = BYTES_PER_TOKEN
    if store.path.exists():
        kind = {
            "teacher": example.teacher,
            "model": example.model,
            "template_id": example.template_id,
        }
        measures = {
            "effort": example.parameters.get("reasoning_effort") or "",
            "bytes_per_token": BYTES_PER_TOKEN,
            "far_above": _FAR_ABOVE,
            "some_more": _SOME_MORE,
        }
        known = store.rows(EARLIER_REPLIES, {**kind, **measures})[0]
        bytes_per_token = _bytes_per_token(store.rows(EARLIER_PROMPTS, kind))
    limit = size_of(example).max_output
    share = FIRST_OUTPUT_SHARE if known.get("answer_share") is None else known["answer_share"]
    answer = share * (limit - example.reasoning_tokens)
    reasoning = min(_reasoning(known, example.reasoning_tokens), max(limit - answer, 0.0))
    return Experience(
        TokenForecast(
            output_share=(answer + reasoning) / limit if limit else share,
            bytes_per_token=bytes_per_token,
        ),
        FIRST_LATENCY if known.get("latency") is None else known["latency"],
        known.get("replies") or 0,
        reasoning,
    )


def _reasoning(known: dict[str, Any], allowed: int) -> float:
    """The expected tokens of reasoning of a request that allows so many for it."""
    if known.get("reasoned") is not None:
        return float(known["reasoned"])
    # If every reply was cut, its reasoning would have taken more than was allowed then.
    return max(known.get("reasoned_until_cut") or 0.0, FIRST_REASONING_SHARE * allowed)


def _bytes_per_token(rows: list[dict[str, Any]]) -> float:
    prompt_bytes = sum(
        prompt_bytes_of(json.loads(row["messages"]), json.loads(row["parameters"])) for row in rows
    )
    tokens = sum(row["prompt_tokens"] for row in rows)
    return prompt_bytes / tokens if prompt_bytes and tokens else BYTES_PER_TOKEN
