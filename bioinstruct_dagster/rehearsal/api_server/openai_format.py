"""The bodies of OpenAI's two endpoints, Chat Completions and Responses.

Belongs here: reading a request's body, and writing the body of a reply. Does not: choosing an
answer (answers), or sending it (app, transport).
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
_BODY_NAMES = {CHAT_URL: "chat completion", RESPONSES_URL: "responses"}


class RequestError(Exception):
    """The body is not a request, or asks for something that the server does not support."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.body = error_body(message, "invalid_request_error", None, param)


def read_request(url: str, body: Any, options: ServerOptions) -> ApiRequest:
    """The request that a body holds.

    Raises:
        RequestError: the body is not a request, or asks for something that the options exclude.
    """
    try:
        return (_read_chat if url == CHAT_URL else _read_responses)(body, options)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        raise RequestError(f"The body is not a {_BODY_NAMES[url]} request.") from None


def parse_body(raw: bytes) -> Any:
    """The JSON of a body; None if it is not JSON. No endpoint accepts None as a request."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _read_chat(body: Any, options: ServerOptions) -> ApiRequest:
    texts = [_text_of(message["content"]) for message in body["messages"]]
    requested_format = body.get("response_format") or {}
    schema = (requested_format.get("json_schema") or {}).get("name")
    prompt = "\n".join(texts)
    form = _response_form(requested_format, "response_format", prompt, options)
    return ApiRequest(
        url=CHAT_URL,
        prompt=prompt,
        last=texts[-1],
        number=int(body.get("seed") or 0),
        form=form,
        schema=schema,
        service_tier=_service_tier(body, options),
        prompt_digest=_sha256(prompt),
        prompt_tokens=_token_count(prompt, options.prompt_tokens),
    )


def _read_responses(body: Any, options: ServerOptions) -> ApiRequest:
    given = body["input"]
    items = [{"content": given}] if isinstance(given, str) else given
    texts = [_text_of(item["content"]) for item in items]
    instructions = body.get("instructions")
    prompt = "\n".join([_text_of(instructions), *texts] if instructions else texts)
    text = body.get("text") or {}
    metadata = body.get("metadata") or {}
    requested_format = text.get("format") or {}
    form = _response_form(requested_format, "text.format", prompt, options)
    digest = _sha256(prompt)
    seed = metadata.get("seed")
    return ApiRequest(
        url=RESPONSES_URL,
        prompt=prompt,
        last=texts[-1],
        # This endpoint has no seed parameter, so the prompt selects the recording.
        number=int(digest[:16], 16) if seed is None else int(seed),
        form=form,
        schema=requested_format.get("name"),
        service_tier=_service_tier(body, options),
        prompt_digest=digest,
        prompt_tokens=_token_count(prompt, options.prompt_tokens),
        extras={
            "instructions": instructions,
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": metadata,
            "temperature": body.get("temperature", 1.0),
            "text": {"format": requested_format or {"type": "text"}},
            "top_p": body.get("top_p", 1.0),
        },
    )


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)


def _response_form(
    requested: Mapping[str, Any], param: str, prompt: str, options: ServerOptions
) -> str:
    form: str = requested.get("type", "json_schema" if "json_schema" in requested else "text")
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


def _service_tier(body: Mapping[str, Any], options: ServerOptions) -> str:
    tier = body.get("service_tier")
    return "flex" if tier == "flex" and "flex" in options.service_tiers else "default"


def answer_tokens(answer: Completion, options: ServerOptions) -> int:
    """The tokens of an answer that count for limits and bills."""
    if answer.tokens is not None:
        return answer.tokens
    return _token_count(answer.content or "", options.answer_tokens)


def _token_count(text: str, fixed: int | None) -> int:
    # OpenAI's rule of thumb for English: four characters a token. A rehearsal needs no more.
    return -(-len(text) // 4) if fixed is None else fixed


def reply_body(request: ApiRequest, answer: Completion, tokens: int) -> dict[str, Any]:
    """The body of a successful reply, in the form of the request's endpoint."""
    return (_chat_reply if request.url == CHAT_URL else _responses_reply)(request, answer, tokens)


def request_id(request: ApiRequest) -> str:
    """The value of the header `x-request-id`."""
    return f"req_{request.prompt_digest[:32]}"


def _chat_reply(request: ApiRequest, answer: Completion, tokens: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    return {
        "id": f"chatcmpl-{request.prompt_digest[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "system_fingerprint": FINGERPRINT,
        "service_tier": request.service_tier,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": answer.finish_reason,
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": request.prompt_tokens,
            "completion_tokens": tokens,
            "total_tokens": request.prompt_tokens + tokens,
        },
    }


def _responses_reply(request: ApiRequest, answer: Completion, tokens: int) -> dict[str, Any]:
    content: dict[str, Any]
    if answer.refusal:
        content = {"type": "refusal", "refusal": answer.refusal}
    else:
        text = answer.content or ""
        content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    whole = answer.finish_reason != "length"
    status = "completed" if whole else "incomplete"
    return {
        "id": f"resp_{request.prompt_digest[:24]}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": None if whole else {"reason": "max_output_tokens"},
        "model": MODEL,
        # OpenAI sends no fingerprint here. With it, a client recognizes a rehearsal by its reply.
        "system_fingerprint": FINGERPRINT,
        "output": [
            {
                "id": f"msg_{request.prompt_digest[:24]}",
                "type": "message",
                "role": "assistant",
                "status": status,
                "content": [content],
            }
        ],
        "parallel_tool_calls": True,
        "service_tier": request.service_tier,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage_of(request.prompt_tokens, tokens),
        **(request.extras or {}),
    }


def usage_of(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """The usage object of the Responses endpoint and of batches."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> bytes:
    """The body of a reply that reports an error."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return json.dumps({"error": error}).encode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
