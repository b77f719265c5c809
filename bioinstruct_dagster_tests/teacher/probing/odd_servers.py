"""Servers as probes meet them in the world: a small model that answers, behind a gateway of a kind.

Belongs here: what the tests of probing share. Does not: what they assert.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.probe import with_dialect
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

Body = dict[str, Any]
Gateway = Callable[[Body], web.Response | None]
TASK = {"instruction": "Name one vitamin.", "input": "", "output": "Vitamin C."}
JSON = json.dumps({"tasks": [TASK]})
TEXT = "###\n1. Instruction: Name one vitamin.\n1. Input:\n<noinput>\n1. Output:\nVitamin C."
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
LONG_REPLY_TOKENS = 10_200  # of a server that ignores the limit, as ollama#7125 reports


def completion(text: str, tokens: int, finish_reason: str = "stop", **message: Any) -> web.Response:
    """A chat completion with this text and usage."""
    return web.json_response(
        {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, **message},
                    "finish_reason": finish_reason,
                }
            ],
            "model": "odd-model",
            "usage": {
                "prompt_tokens": 80,
                "completion_tokens": tokens,
                "total_tokens": 80 + tokens,
            },
        }
    )


def answer_to(body: Mapping[str, Any]) -> str:
    """What a willing model writes."""
    asked = body["messages"][-1]["content"]
    if "limit-probe" in asked:
        return "\n".join(str(number) for number in range(1, 201))
    return TEXT if "Instruction: ..." in asked else JSON


def written(body: Mapping[str, Any], heeds: tuple[str, ...] = LIMITS) -> web.Response:
    """The answer of a model whose tokens are four characters, cut at the limit that it heeds."""
    text = answer_to(body)
    limit = min((body[name] for name in heeds if name in body), default=10**9)
    if len(text) > 4 * limit:
        return completion(text[: 4 * limit], limit, "length")
    return completion(text, -(-len(text) // 4))


def behind(*gateways: Gateway, heeds: tuple[str, ...] = LIMITS):
    """A server whose gateways may refuse a request before the model answers."""

    async def answer(body: Body) -> web.Response:
        for gateway in gateways:
            if refused := gateway(body):
                return refused
        return written(body, heeds)

    return answer


def has_system(body: Mapping[str, Any]) -> bool:
    """Whether a request has a system message."""
    return any(message["role"] == "system" for message in body["messages"])


def probed(
    url: str,
    store: Store,
    terms: Terms | None = None,
    *,
    model: str = "odd-model",
    lines: list[str] | None = None,
    **changed: Any,
) -> Terms:
    """The terms with the dialect of the server at this address."""
    settings = Settings.of(teacher="openai", teacher_model=model, **changed)
    endpoint = Endpoint(url, "no-key-needed", rehearsal=False)
    log = [] if lines is None else lines
    return with_dialect(terms or Terms(), settings, endpoint, store, log.append)
