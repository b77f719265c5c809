"""A request and its answer, whatever the endpoint and the form they came in.

Belongs here: the two records. Does not: reading or writing them (wire), or what is answered
(answers).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ApiRequest:
    """A request of either endpoint.

    Attributes:
        url: the endpoint.
        prompt: all messages' text, a line break between them.
        last: the last message's text.
        number: which recording it points to.
        form: json_schema, json_object or text.
        schema: the name of the response format.
        service_tier: the tier that will serve it.
        prompt_digest: sha256 of the prompt, which the reply's ids are made of.
        prompt_tokens: tokens of the prompt.
        extras: what the reply repeats of the request (Responses only).
    """

    url: str
    prompt: str
    last: str
    number: int
    form: str
    schema: str | None
    service_tier: str
    prompt_digest: str
    prompt_tokens: int
    extras: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Completion:
    """What the teacher says, and why it stopped."""

    content: str | None
    refusal: str | None
    finish_reason: str
