"""A completion as it is stored: the request, the reply, who answered, and what it cost.

Belongs here: from a reply to a row of `completions`, and from a request that is about to be sent to
a row of `presumed_spend`, which it becomes if no reply comes. Does not: writing them (journal).
"""

from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.rehearsal import FINGERPRINT
from bioinstruct_dagster.settings import DEFAULT_MODELS, Service
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.prices import Price, billed_service
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import Endpoint, TeacherReply


def cost_of(reply: TeacherReply, price: Price | None, service: Service) -> Amount | None:
    """What a reply was billed; None where the server reports no tokens."""
    tokens = reply.tokens
    if tokens is None or reply.prompt_tokens is None or reply.completion_tokens is None:
        return None
    if price is None:
        return Amount(None, tokens)
    usd = price.usd(
        reply.prompt_tokens,
        reply.completion_tokens,
        cached_tokens=min(reply.cached_tokens, reply.prompt_tokens),
        service=billed_service(reply.service_tier, service),
    )
    return Amount(usd, tokens)


def completion_of(
    request: TeacherRequest,
    reply: TeacherReply,
    endpoint: Endpoint,
    *,
    cost: Amount | None,
    service: Service,
    run_id: str | None,
) -> dict[str, Any]:
    """A row of `completions`, but for the time of asking."""
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
        # A rehearsal teacher that was reached as if it were a real one is still a rehearsal.
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
        "refusal": reply.refusal,
        "finish_reason": reply.finish_reason,
        "request_id": reply.request_id,
        "system_fingerprint": reply.system_fingerprint,
        "service": service,
        "service_tier": reply.service_tier,
        "prompt_tokens": reply.prompt_tokens,
        "cached_tokens": reply.cached_tokens,
        "completion_tokens": reply.completion_tokens,
        "usd": cost.usd if cost else None,
        "run_id": run_id,
        "completed_at": datetime.now(UTC).isoformat(),
    }


def reservation_of(
    reservation_id: str,
    request: TeacherRequest,
    most: Amount,
    *,
    endpoint: Endpoint,
    run_id: str | None,
) -> dict[str, Any]:
    """A row of `presumed_spend`: what the request may cost, until its reply says what it did."""
    return {
        "reservation_id": reservation_id,
        "completion_id": request.completion_id,
        "run_id": run_id,
        "usd": most.usd,
        "tokens": most.tokens,
        "rehearsal": endpoint.rehearsal,
        "reserved_at": datetime.now(UTC).isoformat(),
    }
