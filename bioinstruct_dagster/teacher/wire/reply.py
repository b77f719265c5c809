"""A reply of a teacher, whatever API and form it came in.

Belongs here: the fields of a reply. Does not: reading a body (reply_body).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class TeacherReply:
    """A completion as the server sent it.

    Attributes:
        content: its text; empty if it has none.
        reasoning: the model's reasoning, if the server sends it apart from the text.
        body: the whole body, if its form is not that of a completion.
    """

    content: str = ""
    refusal: str | None = None
    finish_reason: str | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    completion_tokens: int | None = None
    request_id: str | None = None
    reasoning: str | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> int | None:
        """The billed tokens; None if the server does not state them."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens

    def cut_at(self, limit: int | None) -> "TeacherReply":
        """The reply, marked as cut if it has exactly as many tokens as its limit allows.

        llama.cpp's server and `transformers serve` say of a cut reply that it is complete, in the
        Responses API. A reply with more tokens comes from a server that ignores the limit.
        """
        if limit and self.completion_tokens == limit and self.finish_reason in {None, "stop"}:
            return replace(self, finish_reason="length")
        return self
