"""A request and its answer, independent of the endpoint and of the form of the answer.

Belongs here: the two records, and the items that a message numbers. Does not: reading or writing
their bodies (openai_format), or choosing an answer (answers).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ApiRequest:
    """A request to either endpoint.

    Attributes:
        url: the endpoint.
        prompt: the text of all messages, with a line break between them.
        last: the text of the last message.
        number: selects the recording.
        form: json_schema, json_object or text.
        schema: the name of the response format.
        service_tier: the tier that serves the request.
        prompt_digest: sha256 of the prompt; the reply's ids are made from it.
        prompt_tokens: tokens of the prompt.
        extras: parts of the request that the reply repeats (Responses only).
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
    """The text or refusal of a teacher, and the reason why it stopped.

    Attributes:
        content: the text.
        refusal: the refusal.
        finish_reason: the reason.
        tokens: its tokens; None to count the text or to follow the server's options.
    """

    content: str | None
    refusal: str | None
    finish_reason: str
    tokens: int | None = None


def numbered_items(content: str) -> Iterator[dict[str, Any]]:
    """The numbered items of a message, one JSON object a line; other lines are its prose."""
    if '"number"' not in content:
        return
    for line in content.split("\n"):
        try:
            item = json.loads(line)
        except ValueError:
            continue
        if isinstance(item, dict) and "number" in item:
            yield item
