"""The row of a completion: the request, the reply, the model that replied, and the cost.

Belongs here: the columns of `completions`, and who replied in words. Does not: the cost of a reply
(money.settling), or writing the row (store.journal).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.rehearsal import FINGERPRINT
from bioinstruct_dagster.settings import DEFAULT_MODELS, Service
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply import TeacherReply

REHEARSAL_TEACHER = "rehearsal"  # the name in the settings and in `completions`


def answered_by(row: Mapping[str, Any]) -> str:
    """Who answered a request, such as `openai: gpt-4.1-2025-04-14`.

    The rehearsal server also answers under the address of another teacher. It is named as what it
    is, and the name by which it was asked is added.

    Args:
        row: with teacher, model_asked, model_answered and rehearsal of `completions`.
    """
    if row["rehearsal"] and row["teacher"] != REHEARSAL_TEACHER:
        return f"{REHEARSAL_TEACHER} (asked as {row['teacher']}: {row['model_asked']})"
    return f"{row['teacher']}: {row['model_answered'] or row['model_asked']}"


def completion_of(
    request: TeacherRequest,
    reply: TeacherReply,
    endpoint: Endpoint,
    *,
    usd: float | None,
    service: Service,
    run_id: str | None,
) -> dict[str, Any]:
    """A row of `completions`, without the time at which the request was sent."""
    rehearsed = (
        endpoint.rehearsal
        or reply.system_fingerprint == FINGERPRINT
        or reply.model == DEFAULT_MODELS["rehearsal"]
    )
    return {
        "completion_id": request.completion_id,
        "purpose": request.purpose,
        "teacher": request.teacher,
        "endpoint": endpoint.address,
        # A rehearsal teacher behind the address of a real one is still a rehearsal.
        "rehearsal": rehearsed,
        "model_asked": request.model,
        "model_answered": reply.model,
        "parameters": dict(request.parameters),
        "messages": [dict(message) for message in request.messages],
        "reply_format": request.reply_format,
        "template_id": request.template_id,
        "template_sha256": request.template_sha256,
        "draw": request.draw,
        "run_seed": request.run_seed,
        "request_number": request.request_number,
        "seed_ids": list(request.seed_ids),
        "controls": [dict(task) for task in request.controls] or None,
        "controls_sha256": request.controls_sha256,
        "content": reply.content,
        "reasoning": reply.reasoning,
        "body": reply.body,
        "refusal": reply.refusal,
        "finish_reason": reply.finish_reason,
        "request_id": reply.request_id,
        "system_fingerprint": reply.system_fingerprint,
        "service": service,
        "service_tier": reply.service_tier,
        "prompt_tokens": reply.prompt_tokens,
        "cached_tokens": reply.cached_tokens,
        "completion_tokens": reply.completion_tokens,
        "usd": usd,
        "run_id": run_id,
        "completed_at": datetime.now(UTC).isoformat(),
    }
