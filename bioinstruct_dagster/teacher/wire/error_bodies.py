"""Errors in the body of an answer: the server's own words, their code and their status.

Servers also answer HTTP 200 with an error in the body. Belongs here: whether a body holds an error,
and reading it. Does not: what an error means for later requests (errors), or for money
(money.settling).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.store.fingerprints import json_value
from bioinstruct_dagster.teacher.errors import FATAL_CODES, StatusError
from bioinstruct_dagster.teacher.wire.reply import TeacherReply

_HTTP_ERRORS = range(400, 600)
_KEPT_BYTES = 10_000  # of the body of a refusal, for the probe
_UNKNOWN_STATUS = 500  # the server says that it failed, and not why

# Words in a code, in a type or in a message, and the status that a server usually sends with them.
# The first that matches counts.
_CODE_WORDS: tuple[tuple[str, int], ...] = (
    (r"insufficient_?quota|quota_?exceeded|billing_hard_limit", 429),
    (r"rate_?limit|too_?many_?requests|resource_?exhausted|throttl", 429),
    (r"payment|insufficient_?(credit|balance|funds)|no_?credit|arrear", 402),
    (r"content_?(filter|policy)|moderation|safety|prompt_?blocked|data_?inspection", 400),
    (r"context_?length|invalid_?(request|argument|param|prompt|value)|bad_?request", 400),
    (r"api_?key|authenticat|unauthori[sz]ed", 401),
    (r"permission|forbidden|access_?denied", 403),
    (r"model_?not|not_?found|does_?not_?exist|no_?such", 404),
    (r"unprocessable|validation", 422),
    (r"overload|unavailable|capacity|busy", 503),
    (r"time_?d?_?out|deadline", 504),
    (r"bad_?gateway|upstream|provider", 502),
    (r"server_?error|internal|api_?error|engine", 500),
)  # fmt: skip
_MESSAGE_WORDS: tuple[tuple[str, int], ...] = (
    (r"exceeded your current quota", 429),
    (r"rate limit|too many requests", 429),
    (r"insufficient (credit|balance|funds|quota)|payment required|(more|no|out of) credits", 402),
    (r"(incorrect|invalid|missing) api key|unauthori[sz]ed", 401),
    (r"context length|maximum context|invalid request|bad request|not supported", 400),
    (r"model .{0,80}(not found|does not exist)", 404),
    (r"overload|unavailable|at capacity|too busy", 503),
    (r"timed out|timeout", 504),
    (r"bad gateway", 502),
)
_WORDS = tuple(
    tuple((re.compile(pattern, re.IGNORECASE), status) for pattern, status in words)
    for words in (_CODE_WORDS, _MESSAGE_WORDS)
)
# Codes of other servers, and the code of OpenAI that the rest of the package knows.
_KNOWN_CODES = (
    (re.compile(r"insufficient_?quota", re.IGNORECASE), "insufficient_quota"),
    (
        re.compile(r"content_?(filter|policy)|data_?inspection|prompt_?blocked", re.IGNORECASE),
        "content_filter",
    ),
)
_MESSAGE_KEYS = ("message", "msg", "error_msg", "errorMessage", "detail", "description", "reason")
_CODE_KEYS = ("code", "error_code", "errcode", "statusCode", "status_code", "status")
_NO_ERROR = (None, 0, 200, "", "0", "200", "ok", "OK", "success", "completed", "stop")
_GENERIC = re.compile(r"(?i)provider returned error|upstream error|internal error|error")


@dataclass
class FailedReplyError(StatusError):
    """The server answered HTTP 200, and the body holds an error and no answer.

    The status is that of the error inside.

    Attributes:
        reply: what the body states beside the error, such as the tokens that are billed.
    """

    reply: TeacherReply | None = None

    def __str__(self) -> str:
        """The status inside, the code and the server's message."""
        return f"HTTP 200 with an error inside, {super().__str__().removeprefix('HTTP ')}"


@dataclass(frozen=True)
class BodyError:
    """An error in a body.

    Attributes:
        message: the server's words.
        code: the server's code in words.
        param: the parameter that the server objects to.
        status: the status that the body names or implies; None if it implies none.
    """

    message: str
    code: str | None = None
    param: str | None = None
    status: int | None = None

    @property
    def implied_status(self) -> int:
        """The status of this error in an answer with HTTP 200."""
        return self.status or _UNKNOWN_STATUS


def error_in_answer(body: Mapping[str, Any], choice: Mapping[str, Any] | None) -> BodyError | None:
    """The error in the body of a successful answer, or None."""
    error = body.get("error") or (choice or {}).get("error")
    if error:
        return _read(error, body)
    if "choices" in body or "output" in body:
        return None
    base = body.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return _read({"message": base.get("status_msg"), "code": base["status_code"]}, body)
    if body.get("errors") or (body.get("detail") and "message" not in body):
        return _read(body.get("errors") or body["detail"], body)
    says_error = (
        any(body.get(key) == "error" for key in ("object", "type", "status"))
        or body.get("success") is False
        or (
            any(body.get(key) not in _NO_ERROR for key in _CODE_KEYS)
            and any(isinstance(body.get(key), str) for key in _MESSAGE_KEYS)
        )
    )
    return _read(body, body) if says_error and _message(body) else None


def status_error(status: int, data: bytes, headers: Mapping[str, str]) -> StatusError:
    """The error of an answer with an error status. Its texts hold whatever the server sent.

    Args:
        status: the HTTP status.
        data: the body.
        headers: of the answer, by lower-case name.
    """
    try:
        value = json_value(data)
    except (ValueError, RecursionError):
        value = None
    found = error_of_body(value, data.decode("utf-8", "replace"))
    text = data[:_KEPT_BYTES].decode("utf-8", "replace")
    return StatusError(status, found.message, found.code, found.param, headers, text=text)


def error_of_body(value: Any, text: str) -> BodyError:
    """The error in the body of an answer with an error status.

    Args:
        value: the body's JSON value; None if it is no JSON.
        text: the whole body, which is the message if no other is found.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        error = value.get("error") or value.get("errors") or value.get("detail") or value
        found = _read(error, value)
        if found.message:
            return found
    return BodyError(text)


def _read(error: Any, body: Mapping[str, Any]) -> BodyError:
    message = _message(error) or (_message(body) if error is True else "") or _as_text(error)
    fields = error if isinstance(error, dict) else {}
    code, kind = fields.get("code"), fields.get("type")
    word = code if isinstance(code, str) and not code.isdecimal() else None
    if word is None and isinstance(kind, str) and (kind in FATAL_CODES or _known(kind)):
        word = kind
    param = fields.get("param")
    status = _numeric_status(fields) or _numeric_status(body)
    return BodyError(
        message,
        _known(word) or word if word else None,
        param if isinstance(param, str) else None,
        status or _implied(f"{word or ''} {kind or ''} {fields.get('status') or ''}", message),
    )


def _message(error: Any) -> str:
    """The server's words: the first text that says something."""
    if isinstance(error, str):
        return error
    if isinstance(error, list):
        return "; ".join(filter(None, (_message(one) for one in error[:5])))
    if not isinstance(error, dict):
        return ""
    said = ""
    place = error.get("loc")  # of FastAPI: the path to the field
    for key in _MESSAGE_KEYS:
        if said := _message(error.get(key)):
            break
    if said and isinstance(place, list):
        said = f"{'.'.join(map(str, place))}: {said}"
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if raw and (not said or _GENERIC.fullmatch(said.strip(" ."))):
        # A gateway that only says that its provider failed passes the provider's words on here.
        said = f"{said}: {_inner(raw)}" if said else _inner(raw)
    return said


def _inner(raw: Any) -> str:
    if isinstance(raw, str):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            return raw
        inner = value.get("error") or value if isinstance(value, dict) else value
        return _message(inner) or raw
    return _message(raw) or _as_text(raw)


def _numeric_status(fields: Mapping[str, Any]) -> int | None:
    for key in _CODE_KEYS:
        value = fields.get(key)
        if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 6:  # noqa: PLR2004
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value in _HTTP_ERRORS:
            return value
    return None


def _implied(code: str, message: str) -> int | None:
    for words, text in zip(_WORDS, (code, message), strict=True):
        for pattern, status in words:
            if pattern.search(text):
                return status
    return None


def _known(code: str) -> str | None:
    return next((name for pattern, name in _KNOWN_CODES if pattern.search(code)), None)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
