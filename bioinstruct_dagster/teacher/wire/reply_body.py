"""A reply in the JSON body of either API, and the tokens that it states.

Belongs here: reading a body, and the form of a reply. Does not: sending the request, or error
statuses (client), or the cost of the tokens (money.settling).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MAX_TOKENS = 2**31  # of one reply; a server that states more is in error
_UNKNOWN_TOKENS = (None, 0, None)
_FINISH_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


@dataclass(frozen=True)
class TeacherReply:
    """A completion as the server sent it.

    Attributes:
        content: its text; empty if it has none.
        reasoning: the model's reasoning, if the server sends it apart from the text.
        body: the whole body, if its form is not that of a completion.
    """

    content: str
    refusal: str | None
    finish_reason: str | None
    model: str | None
    system_fingerprint: str | None
    service_tier: str | None
    prompt_tokens: int | None
    cached_tokens: int
    completion_tokens: int | None
    request_id: str | None
    reasoning: str | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> int | None:
        """The billed tokens; None if the server does not state them."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens


def read_body(body: Mapping[str, Any], headers: Mapping[str, str]) -> TeacherReply:
    """The reply in the JSON body of either API.

    Raises:
        TypeError, LookupError, AttributeError: the body is no completion.
    """
    if "choices" in body:
        choice = body["choices"][0]
        message = choice["message"]
        content, refusal = message.get("content"), message.get("refusal")
        finish = choice.get("finish_reason")
        sides = ("prompt", "completion")
    else:
        parts = [
            part
            for item in body["output"]
            if item.get("type") == "message"
            for part in item["content"]
        ]
        content = "".join(part["text"] for part in parts if part["type"] == "output_text")
        refusal = "".join(part["refusal"] for part in parts if part["type"] == "refusal") or None
        reason = (body.get("incomplete_details") or {}).get("reason")
        incomplete = body.get("status") == "incomplete"
        finish = _FINISH_REASONS.get(str(reason), reason) if incomplete else "stop"
        sides = ("input", "output")
    content, refusal = _text(content) or "", _text(refusal)
    # A refusal may be the server's own text, which takes no tokens of the model.
    prompt, cached, completion = _usage(body.get("usage"), sides, wrote=bool(content))
    return TeacherReply(
        content=content,
        refusal=refusal,
        finish_reason=_text(finish),
        model=_text(body.get("model")),
        system_fingerprint=_text(body.get("system_fingerprint")),
        service_tier=_text(body.get("service_tier")),
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=completion,
        request_id=headers.get("x-request-id"),
        headers=headers,
    )


def _usage(
    usage: Any, sides: tuple[str, str], *, wrote: bool
) -> tuple[int | None, int, int | None]:
    """The billed tokens: prompt, cached part of the prompt, and completion.

    No usage, whatever its form, makes a readable reply unreadable. If the usage states no plausible
    tokens, both sides are None. Some servers state the tokens of thinking apart from the completion
    and add them only to the total, or to nothing. They are billed, so the largest count is taken.

    Args:
        usage: of the reply.
        sides: the API's names of the prompt and of the completion.
        wrote: whether the model wrote a text, which takes at least one token.
    """
    if not isinstance(usage, dict):
        return _UNKNOWN_TOKENS
    prompt, stated = (_count(usage.get(f"{side}_tokens")) for side in sides)
    read, thought = (usage.get(f"{side}_tokens_details") or {} for side in sides)
    if not isinstance(read, dict) or not isinstance(thought, dict):
        return _UNKNOWN_TOKENS
    if not prompt or stated is None or (wrote and not stated):
        return _UNKNOWN_TOKENS  # every prompt and every text takes tokens
    thinking = _count(thought.get("reasoning_tokens")) or 0
    apart = thinking if thinking > stated else 0  # the completion can't contain it
    total = _count(usage.get("total_tokens")) or 0
    completion = _count(max(stated + apart, total - prompt))
    if completion is None:
        return _UNKNOWN_TOKENS
    return prompt, _count(read.get("cached_tokens")) or 0, completion


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"expected text, found {type(value).__name__}")
    return value


def _count(value: Any) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _MAX_TOKENS else None  # the store can't hold other numbers
