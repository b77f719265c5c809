"""Reading a reply in the body of an answer, whatever form the server gives it.

HTTP 200 with a body is a reply: it is paid for, so it is stored and never sent again because of its
form. Belongs here: finding text, reason of the end and usage in a body of either API, and in the
forms of other servers. Does not: sending the request, or error statuses (client). Its parts are a
message (message_text), a stream (streams), a body that breaks off (cut_json), an error inside
(error_bodies) and the tokens (usage).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bioinstruct_dagster.store.fingerprints import json_value
from bioinstruct_dagster.store.storable_text import storable
from bioinstruct_dagster.teacher.reading.answer_text import BROKEN_OFF
from bioinstruct_dagster.teacher.wire.cut_json import cut_body
from bioinstruct_dagster.teacher.wire.error_bodies import FailedReplyError, error_in_answer
from bioinstruct_dagster.teacher.wire.message_text import (
    MessageText,
    plain_text,
    read_message,
    read_parts,
    structured_text,
)
from bioinstruct_dagster.teacher.wire.reply import TeacherReply
from bioinstruct_dagster.teacher.wire.streams import is_stream, put_together
from bioinstruct_dagster.teacher.wire.usage import read_usage

__all__ = ["MAX_BODY_CHARACTERS", "TeacherReply", "read_body", "read_reply"]

MAX_BODY_CHARACTERS = 1_000_000  # of a stored body
# Other servers' names for the two reasons that the package knows.
_FINISH_REASONS = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "safety": "content_filter",
    "content_filtered": "content_filter",
}
# Keys of a reply that is no completion of either API, in the order in which they count.
_TEXT_KEYS = (
    "content",
    "text",
    "response",
    "generated_text",
    "output_text",
    "completion",
    "output",
)
_WRAPPERS = ("data", "result", "response", "body", "completion", "output")
_KNOWN_KEYS = ("choices", "output", "message", "candidates", "content", "generated_text")
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def read_reply(data: bytes, headers: Mapping[str, str], content_type: str = "") -> TeacherReply:
    """The reply in the bytes of a successful answer.

    Args:
        data: the bytes, which are not empty.
        headers: of the answer, by lower-case name.
        content_type: of the answer.

    Raises:
        FailedReplyError: the body holds an error and no answer.
    """
    try:
        value = json_value(data)
    except _UNREADABLE:
        value = None
    else:
        if isinstance(value, dict) and "choices" in value:  # the usual form
            return read_body(value, headers, data)
    text = _decoded(data, content_type)
    if value is None and is_stream(text, content_type):
        value = put_together(text) or cut_body(text)
    return read_body(value, headers, text)


def read_body(
    value: Any, headers: Mapping[str, str], original: bytes | str | None = None
) -> TeacherReply:
    """The reply in a JSON value.

    Args:
        value: the value; None if the body is no JSON.
        headers: of the answer, by lower-case name.
        original: the whole body, which is stored if it is no completion; None for the JSON of
            `value`.

    Raises:
        FailedReplyError: the body holds an error and no answer.
    """
    try:
        reply = _read(_unwrapped(value), headers)
    except _UNREADABLE:
        reply = None
    if reply is None or _is_no_completion(reply, value):
        reply = replace(reply or _empty(headers), body=_body_text(value, original))
    return reply


def _read(body: Any, headers: Mapping[str, str]) -> TeacherReply | None:
    if not isinstance(body, dict):
        return None
    choice = None
    if "choices" in body:
        choice = _choice(body["choices"])
        said, finish = _choice_text(choice)
    elif isinstance(body.get("output"), list):
        said, finish = _output_text(body)
    else:
        said, finish = _other_text(body)
    content = said.content
    prompt, cached, completion = read_usage(_usage(body), content, said.reasoning)
    reply = TeacherReply(
        content=content,
        refusal=said.refusal,
        finish_reason=_finish_reason(finish),
        model=_text(body.get("model")),
        system_fingerprint=_text(body.get("system_fingerprint")),
        service_tier=_text(body.get("service_tier")),
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=completion,
        request_id=headers.get("x-request-id"),
        reasoning=said.reasoning,
        headers=headers,
    )
    if not content or (choice and choice.get("error")):
        error = error_in_answer(body, choice) if not said.refusal else None
        if error and content:
            return replace(reply, finish_reason=BROKEN_OFF)
        if error:
            raise FailedReplyError(
                error.implied_status, error.message, error.code, error.param, headers, reply
            )
    return reply


def _choice(choices: Any) -> dict[str, Any] | None:
    """The choice with the lowest index that has a text, or else the one with the lowest index.

    Only one choice was asked for, and it has the index 0, wherever it stands.
    """
    if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict):
        return choices[0]
    if isinstance(choices, dict):
        # A choice without a list around it, or choices by number.
        choices = (
            [choices]
            if not all(isinstance(c, dict) for c in choices.values())
            else [*choices.values()]
        )
    if isinstance(choices, str):
        choices = [choices]
    if not isinstance(choices, list):
        return None
    found = [{"text": c} if isinstance(c, str) else c for c in choices]
    dicts = [choice for choice in found if isinstance(choice, dict)]
    if len(dicts) > 1:
        dicts.sort(key=_index)
        return next((one for one in dicts if _choice_text(one)[0].content), dicts[0])
    return dicts[0] if dicts else None


def _index(choice: Mapping[str, Any]) -> float:
    index = choice.get("index")
    return index if isinstance(index, int) else math.inf


def _choice_text(choice: dict[str, Any] | None) -> tuple[MessageText, Any]:
    if choice is None:
        return MessageText(), None
    finish = choice.get("finish_reason") or choice.get("stop_reason") or choice.get("finishReason")
    message = choice.get("message")
    if isinstance(message, dict):
        said = read_message(message)
        if said.content or "delta" not in choice:
            return said, finish
    if isinstance(message, str | list) and message:
        return read_parts(message), finish
    if isinstance(choice.get("delta"), dict):
        return read_message(choice["delta"]), finish
    text = choice.get("text")
    return read_message({**choice, "content": choice.get("content", text)}), finish


def _output_text(body: Mapping[str, Any]) -> tuple[MessageText, Any]:
    """The text of a reply of the Responses API."""
    texts, thoughts, refusals = [], [], []
    for item in body["output"]:
        if isinstance(item, str):
            texts.append(item)
        if not isinstance(item, dict):
            continue
        kind = item.get("type", "message")
        if kind == "reasoning":
            thoughts.append(plain_text(item.get("content")) or plain_text(item.get("summary")))
        elif kind == "message":
            said = read_message(item)
            texts.append(said.content)
            thoughts.append(said.reasoning or "")
            refusals.append(said.refusal or "")
        elif kind in {"output_text", "text"}:
            texts.append(read_parts([item]).content)
    content = (
        "".join(texts)
        or plain_text(body.get("output_text"))
        or structured_text({"tool_calls": [item for item in body["output"] if _is_call(item)]})
    )
    status = body.get("status")
    finish: Any = None
    if status == "incomplete":
        details = body.get("incomplete_details")
        finish = details.get("reason") if isinstance(details, dict) else details
    elif status in {"failed", "cancelled"}:
        finish = BROKEN_OFF if content else status
    elif status in {None, "completed"}:
        finish = "stop"
    return (
        MessageText(content, "\n".join(filter(None, thoughts)) or None, "".join(refusals) or None),
        finish,
    )


def _is_call(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "function_call"


def _other_text(body: Mapping[str, Any]) -> tuple[MessageText, Any]:
    """The text of a reply in the form of another API, such as Ollama's, Anthropic's or Gemini's."""
    finish = next(
        (body[k] for k in ("finish_reason", "done_reason", "stop_reason") if body.get(k)), None
    )
    candidates = body.get("candidates")
    if isinstance(candidates, list) and candidates and isinstance(candidates[0], dict):
        said = read_parts(candidates[0].get("content"))
        return said, candidates[0].get("finishReason")
    message = body.get("message")
    if isinstance(message, dict):
        return read_message(message), finish
    for key in _TEXT_KEYS:
        if isinstance(body.get(key), str | list) and body[key]:
            return read_message({**body, "content": body[key]}), finish
    return MessageText(), finish


def _usage(body: Mapping[str, Any]) -> Any:
    usage = body.get("usage") or body.get("usageMetadata")
    if usage is None and "prompt_eval_count" in body:
        return body
    return usage


def _unwrapped(value: Any) -> Any:
    """The reply inside a gateway's wrapping: a list, a text of JSON, or an object around it."""
    for _ in range(3):
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            value = value[0]
        elif isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            value = json.loads(value)
        elif isinstance(value, dict) and not any(key in value for key in ("choices", "candidates")):
            inner = next((found for k in _WRAPPERS if (found := _inner_reply(value.get(k)))), None)
            if inner is None:
                return value
            value = inner
        else:
            return value
    return value


def _inner_reply(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and value.lstrip().startswith("{") and '"choices"' in value:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, dict) and any(value.get(key) for key in _KNOWN_KEYS[:3]):
        return value
    return None


def _is_no_completion(reply: TeacherReply, value: Any) -> bool:
    """Whether the body holds something other than a text, a reasoning or a refusal.

    A reply that is empty in the form of a completion says all that it has to say.
    """
    if reply.content or reply.refusal or reply.reasoning:
        return False
    if not isinstance(value, dict):
        return True
    output = value.get("output")
    if isinstance(output, list):
        return not output or any(
            not isinstance(item, dict) or item.get("type") not in {"message", "reasoning"}
            for item in output
        )
    choice = _choice(value.get("choices"))
    message = choice.get("message") if choice else None
    if not isinstance(message, dict):
        return True
    return not isinstance(message.get("content"), str | None) or any(
        message.get(key) for key in ("tool_calls", "function_call")
    )


def _empty(headers: Mapping[str, str]) -> TeacherReply:
    return TeacherReply(request_id=headers.get("x-request-id"), headers=headers)


def _body_text(value: Any, original: bytes | str | None) -> str:
    if isinstance(original, bytes):
        original = _decoded(original, "")
    # Without escapes of letters, in which a key could be hidden.
    if original is None or (value is not None and "\\u" in original):
        original = json.dumps(value, ensure_ascii=False)
    text = storable(original)
    left = len(text) - MAX_BODY_CHARACTERS
    if left > 0:
        return f"{text[:MAX_BODY_CHARACTERS]}\n[{left:,} more characters were not stored]"
    return text


def _decoded(data: bytes, content_type: str) -> str:
    """The text of a body, in the encoding that it names if UTF-8 can't be read."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = content_type.partition("charset=")[2].partition(";")[0].strip(" \"'")
        try:
            return data.decode(encoding or "utf-8", "replace")
        except LookupError:
            return data.decode("utf-8", "replace")


def _finish_reason(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("type") or value.get("reason")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    reason = str(value)
    return _FINISH_REASONS.get(reason.lower(), reason)


def _text(value: Any) -> str | None:
    """A by-the-way field: a text, or a number as text; anything else is left out."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None
