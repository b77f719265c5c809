"""The bodies of OpenAI's wire format: requests read into one form, answers written in two.

Belongs here: what a Chat Completions or Responses body looks like. Does not: what is answered
(answers), or when (server).
"""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.rehearsal import FINGERPRINT
from bioinstruct_dagster.rehearsal.api_server.messages import ApiRequest, Completion
from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions

MODEL = "rehearsal-teacher"
CHAT_URL = "/v1/chat/completions"
RESPONSES_URL = "/v1/responses"
_BODY = {CHAT_URL: "chat completion", RESPONSES_URL: "responses"}


class RequestError(Exception):
    """A request that OpenAI would refuse with HTTP 400."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.body = error_body(message, "invalid_request_error", None, param)


def read_request(url: str, body: Any, options: ServerOptions) -> ApiRequest:
    """Read a request's body for the endpoint.

    Raises:
        RequestError: it is none, or asks for what the options do not offer.
    """
    try:
        return (_read_chat if url == CHAT_URL else _read_responses)(body, options)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        raise RequestError(f"The body is not a {_BODY[url]} request.") from None


def decoded(raw: bytes) -> Any:
    """The JSON of a body; None where it is none, which no endpoint takes for a request."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _read_chat(body: Any, options: ServerOptions) -> ApiRequest:
    texts = [_text_of(message["content"]) for message in body["messages"]]
    asked_format = body.get("response_format") or {}
    schema = (asked_format.get("json_schema") or {}).get("name")
    prompt = "\n".join(texts)
    form = _form(asked_format, "response_format", prompt, options)
    return ApiRequest(
        url=CHAT_URL,
        prompt=prompt,
        last=texts[-1],
        number=int(body.get("seed") or 0),
        form=form,
        schema=schema,
        service_tier=_tier(body, options),
        prompt_digest=_sha256(prompt),
        prompt_tokens=_count(prompt, options.prompt_tokens),
    )


def _read_responses(body: Any, options: ServerOptions) -> ApiRequest:
    given = body["input"]
    items = [{"content": given}] if isinstance(given, str) else given
    texts = [_text_of(item["content"]) for item in items]
    instructions = body.get("instructions")
    prompt = "\n".join([_text_of(instructions), *texts] if instructions else texts)
    text = body.get("text") or {}
    metadata = body.get("metadata") or {}
    asked_format = text.get("format") or {}
    form = _form(asked_format, "text.format", prompt, options)
    digest = _sha256(prompt)
    seed = metadata.get("seed")
    return ApiRequest(
        url=RESPONSES_URL,
        prompt=prompt,
        last=texts[-1],
        # This endpoint has no seed: the prompt itself points to a recording.
        number=int(digest[:16], 16) if seed is None else int(seed),
        form=form,
        schema=asked_format.get("name"),
        service_tier=_tier(body, options),
        prompt_digest=digest,
        prompt_tokens=_count(prompt, options.prompt_tokens),
        extras={
            "instructions": instructions,
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": metadata,
            "temperature": body.get("temperature", 1.0),
            "text": {"format": asked_format or {"type": "text"}},
            "top_p": body.get("top_p", 1.0),
        },
    )


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)


def _form(asked: Mapping[str, Any], param: str, prompt: str, options: ServerOptions) -> str:
    form: str = asked.get("type", "json_schema" if "json_schema" in asked else "text")
    if form == "text":
        return form
    if form not in options.formats:
        message = f"Invalid parameter: '{param}' of type '{form}' is not supported with this model."
        raise RequestError(message, param)
    if form == "json_object" and "json" not in prompt.lower():
        where = "messages" if param == "response_format" else "input"
        message = (
            f"'{where}' must contain the word 'json' in some form, "
            f"to use '{param}' of type 'json_object'."
        )
        raise RequestError(message, where)
    return form


def _tier(body: Mapping[str, Any], options: ServerOptions) -> str:
    tier = body.get("service_tier")
    return "flex" if tier == "flex" and "flex" in options.service_tiers else "default"


def answer_tokens(answer: Completion, options: ServerOptions) -> int:
    """Tokens of an answer, as they are limited and billed."""
    return _count(answer.content or "", options.answer_tokens)


def _count(text: str, fixed: int | None) -> int:
    # Four characters a token is OpenAI's rule of thumb for English; a rehearsal costs nothing.
    return -(-len(text) // 4) if fixed is None else fixed


def reply(asked: ApiRequest, answer: Completion, tokens: int) -> dict[str, Any]:
    """The body of a successful reply, in the form of the endpoint that was asked."""
    return (_chat_reply if asked.url == CHAT_URL else _responses_reply)(asked, answer, tokens)


def request_id(asked: ApiRequest) -> str:
    """The value of the header `x-request-id`."""
    return f"req_{asked.prompt_digest[:32]}"


def _chat_reply(asked: ApiRequest, answer: Completion, tokens: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    return {
        "id": f"chatcmpl-{asked.prompt_digest[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "system_fingerprint": FINGERPRINT,
        "service_tier": asked.service_tier,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": answer.finish_reason,
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": asked.prompt_tokens,
            "completion_tokens": tokens,
            "total_tokens": asked.prompt_tokens + tokens,
        },
    }


def _responses_reply(asked: ApiRequest, answer: Completion, tokens: int) -> dict[str, Any]:
    content: dict[str, Any]
    if answer.refusal:
        content = {"type": "refusal", "refusal": answer.refusal}
    else:
        text = answer.content or ""
        content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    whole = answer.finish_reason != "length"
    status = "completed" if whole else "incomplete"
    return {
        "id": f"resp_{asked.prompt_digest[:24]}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": None if whole else {"reason": "max_output_tokens"},
        "model": MODEL,
        # OpenAI sends none here; it lets a client tell a rehearsal by its reply, as in a chat.
        "system_fingerprint": FINGERPRINT,
        "output": [
            {
                "id": f"msg_{asked.prompt_digest[:24]}",
                "type": "message",
                "role": "assistant",
                "status": status,
                "content": [content],
            }
        ],
        "parallel_tool_calls": True,
        "service_tier": asked.service_tier,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage_of(asked.prompt_tokens, tokens),
        **(asked.extras or {}),
    }


def usage_of(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """Usage as the Responses endpoint and batches count it."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> bytes:
    """The body of every reply that is no success."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return json.dumps({"error": error}).encode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
