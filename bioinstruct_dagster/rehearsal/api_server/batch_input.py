"""The input file of a batch: its lines, and every reason for which OpenAI would fail it.

Belongs here: reading the file. Does not: the batch's course, or its answers (batches).
"""

import json
from collections.abc import Iterator
from typing import Any

from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions

_MAX_ERRORS = 100
_FIELDS = {"custom_id": str, "method": str, "url": str, "body": dict}


def lines_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line that is not blank."""
    # Not splitlines(): it also splits at a lone carriage return.
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def errors_of(content: bytes, endpoint: str, options: ServerOptions) -> list[dict[str, Any]]:
    """What is wrong with an input file, in the form of a batch's `errors.data`; [] for nothing."""
    if len(content) > options.batch_max_bytes:
        message = (
            f"The batch input file is larger than the {options.batch_max_bytes} bytes allowed."
        )
        return [_error("file_too_large", message)]
    count = sum(1 for _ in lines_of(content))
    if not count:
        return [_error("empty_file", "The batch input file holds no request.")]
    if count > options.batch_max_lines:
        message = (
            f"The batch input file contains too many requests: {count}. "
            f"The maximum is {options.batch_max_lines}."
        )
        return [_error("too_many_tasks", message)]
    return list(_line_errors(content, endpoint))[:_MAX_ERRORS]


def _line_errors(content: bytes, endpoint: str) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    model: str | None = None
    for number, text in lines_of(content):
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
        asked = line["body"].get("model")
        if model is not None and asked != model:
            message = f"All requests of a batch must name one model; this one is not {model!r}."
            yield _error("model_mismatch", message, number, "body.model")
        model = model if model is not None else asked


def _field_error(line: dict[str, Any], endpoint: str, number: int) -> dict[str, Any] | None:
    for name, kind in _FIELDS.items():
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
