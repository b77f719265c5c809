"""The input file of a batch: its lines, and every fault for which OpenAI would fail the batch.

Belongs here: reading and checking the file. Does not: a batch's states or answers (batches).
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bioinstruct_dagster.rehearsal.api_server.openai_format import RequestError, read_request
from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions

_MAX_ERRORS = 100
_FIELD_TYPES = {"custom_id": str, "method": str, "url": str, "body": dict}


def input_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The number and text of each line that is not blank."""
    # Not splitlines(): it also splits at a lone carriage return.
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def input_errors(content: bytes, endpoint: str, options: ServerOptions) -> list[dict[str, Any]]:
    """The faults of an input file, in the form of a batch's `errors.data`; [] if it is valid."""
    if len(content) > options.batch_max_bytes:
        message = (
            f"The batch input file is larger than the {options.batch_max_bytes} bytes allowed."
        )
        return [_error("file_too_large", message)]
    count = sum(1 for _ in input_lines(content))
    if not count:
        return [_error("empty_file", "The batch input file holds no request.")]
    if count > options.batch_max_lines:
        message = (
            f"The batch input file contains too many requests: {count}. "
            f"The maximum is {options.batch_max_lines}."
        )
        return [_error("too_many_tasks", message)]
    return list(_line_errors(content, endpoint))[:_MAX_ERRORS]


def prompt_tokens(content: bytes, options: ServerOptions) -> tuple[str, int]:
    """The model of a valid input file, and the tokens of all its prompts."""
    model, tokens = "", 0
    for _, text in input_lines(content):
        line = json.loads(text)
        model = line["body"].get("model", "")
        with suppress(RequestError):  # an invalid request is answered with its error
            tokens += read_request(line["url"], line["body"], options).prompt_tokens
    return model, tokens


def queue_error(model: str, limit: int) -> dict[str, Any]:
    """The fault of a file whose tokens do not fit beside those of the open batches."""
    message = (
        f"Enqueued token limit reached for {model} in organization org-rehearsal. "
        f"Limit: {limit:,} enqueued tokens. "
        "Please try again once some in_progress batches have been completed."
    )
    return _error("token_limit_exceeded", message)


def _line_errors(content: bytes, endpoint: str) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    model: str | None = None
    for number, text in input_lines(content):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if not isinstance(line, dict):
            message = "This line is not parseable as valid JSON."
            yield _error("invalid_json_line", message, number)
            continue
        fault = _field_error(line, endpoint, number)
        if fault:
            yield fault
            continue
        if line["custom_id"] in seen:
            message = (
                "The custom_id for this request is a duplicate of another request. "
                "The custom_id parameter must be unique for each request in a batch."
            )
            yield _error("duplicate_custom_id", message, number, "custom_id")
        seen.add(line["custom_id"])
        requested_model = line["body"].get("model")
        if model is not None and requested_model != model:
            message = f"All requests of a batch must name one model; this one is not {model!r}."
            yield _error("model_mismatch", message, number, "body.model")
        model = model if model is not None else requested_model


def _field_error(line: dict[str, Any], endpoint: str, number: int) -> dict[str, Any] | None:
    for name, kind in _FIELD_TYPES.items():
        if not isinstance(line.get(name), kind):
            message = f"Missing or wrong required parameter: '{name}'."
            return _error("missing_required_parameter", message, number, name)
    if line["method"] != "POST":
        return _error("invalid_method", "The method must be POST.", number, "method")
    if line["url"] != endpoint:
        message = "The URL provided for this request does not match the batch endpoint."
        return _error("url_mismatch", message, number, "url")
    return None


def _error(
    code: str, message: str, line: int | None = None, param: str | None = None
) -> dict[str, Any]:
    return {"code": code, "message": message, "param": param, "line": line}
