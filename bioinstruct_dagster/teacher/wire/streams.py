"""Streams: puts a reply together that a server sends in pieces, although no stream was asked for.

The pieces are server-sent events (`data: {...}`) or one JSON object a line. Belongs here: the two
APIs of OpenAI, and Ollama. Does not: reading the body that results (reply_body).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.teacher.reading.answer_text import BROKEN_OFF
from bioinstruct_dagster.teacher.wire.message_text import (
    MessageText,
    read_message,
    read_parts,
    read_said,
    structured_text,
)

_EVENT_FIELDS = ("data:", "event:", "id:", "retry:", ":")
_END = "[DONE]"
_COMMENTS = re.compile(r"\A(?:\s|:[^\n]*(?:\n|\Z))+")  # keep the connection alive before the reply
_FINAL_EVENTS = ("response.completed", "response.incomplete", "response.failed", "response.done")


def is_stream(text: str, content_type: str) -> bool:
    """Whether a text may be a stream."""
    return content_type.startswith(("text/event-stream", "application/x-ndjson")) or (
        text.lstrip().startswith(("{", *_EVENT_FIELDS))
    )


def put_together(text: str) -> dict[str, Any] | None:
    """The body of the whole reply, or None if the text is no stream."""
    joined = _Joined()
    for piece in _pieces(text):
        if piece == _END:
            joined.ended = True
        elif isinstance(piece, dict):
            joined.add(piece)
    return joined.body() if joined.pieces else None


def _pieces(text: str) -> Iterator[Any]:
    """The JSON values of a stream, and its end mark. Lines that hold neither are left out."""
    text = _COMMENTS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if text.startswith("{"):
        values, end = _values(text)
        yield from values
        text = text[end:]
    data: list[str] = []
    # Not `splitlines`, which also splits at U+2028, and that may stand inside JSON.
    for line in text.split("\n"):
        if line.startswith("data:"):
            value = line[5:].strip()
            if not data and (value == _END or (value.startswith("{") and value.endswith("}"))):
                yield from _values(value)[0]
            else:
                data.append(value)
        elif line.strip() and not line.startswith(_EVENT_FIELDS):
            yield from _values(line.strip())[0]
        elif not line.strip() and data:  # an event whose data takes several lines
            yield from _values("\n".join(data))[0]
            data = []
    if data:
        yield from _values("\n".join(data))[0]


def _values(text: str) -> tuple[list[Any], int]:
    """The JSON values that stand one after another at the beginning of a text, and their end."""
    if text == _END:
        return [text], len(text)
    decoder, values, place = json.JSONDecoder(strict=False), [], 0
    while place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            break  # a keep-alive, or a piece that was cut
        values.append(value)
        while place < len(text) and text[place].isspace():
            place += 1
    return values, place


@dataclass
class _Joined:
    """The pieces of a stream so far.

    Attributes:
        pieces: the number of pieces that hold a part of a reply.
        ended: whether the stream says that it ends.
    """

    pieces: int = 0
    ended: bool = False
    _texts: list[str] = field(default_factory=list)
    _called: list[str] = field(default_factory=list)  # arguments of a call
    _thoughts: list[str] = field(default_factory=list)
    _refusals: list[str] = field(default_factory=list)
    _fields: dict[str, Any] = field(default_factory=dict)
    _usage: dict[str, Any] = field(default_factory=dict)
    _finish: Any = None
    _whole: dict[str, Any] | None = None
    _error: Any = None

    def add(self, piece: dict[str, Any]) -> None:
        """Take a piece into account."""
        kind = piece.get("type")
        if isinstance(kind, str) and (kind.startswith("response.") or kind == "error"):
            self._add_event(kind, piece)
        elif "choices" in piece:
            self._add_choices(piece)
        elif "done" in piece or "message" in piece or "response" in piece:
            self._add_line(piece)
        elif not piece.get("error"):
            return
        self.pieces += 1
        self._error = piece.get("error") or self._error
        usage = piece.get("usage")
        if isinstance(usage, dict) and any(usage.values()):
            self._usage |= usage
        for name in ("model", "system_fingerprint", "service_tier", "id"):
            if piece.get(name) is not None:
                self._fields[name] = piece[name]

    def _add_choices(self, piece: Mapping[str, Any]) -> None:
        """Take a chunk of a chat completion into account. Only the first choice was asked for."""
        choices = piece["choices"]
        for choice in choices if isinstance(choices, list) else [choices]:
            if not isinstance(choice, dict) or choice.get("index") not in (None, 0, "0"):
                continue
            if choice.get("error"):
                self._error = choice["error"]
            if isinstance(choice.get("message"), dict):
                self._whole = {**piece, "choices": [choice]}  # all that came so far, or all
            if isinstance(choice.get("delta"), dict):
                self._say(read_said(choice["delta"]))
                self._called.append(structured_text(choice["delta"]))
            elif isinstance(choice.get("text"), str):
                self._texts.append(choice["text"])
            self._finish = choice.get("finish_reason") or self._finish

    def _add_line(self, piece: Mapping[str, Any]) -> None:
        """Take a line of Ollama into account."""
        message = piece.get("message")
        if isinstance(message, dict):
            self._say(read_message(message))
        elif isinstance(piece.get("response"), str):
            self._say(read_message({**piece, "content": piece["response"]}))
        if piece.get("done"):
            self.ended = True
            self._finish = piece.get("done_reason") or self._finish or "stop"
            self._usage |= {
                name: piece[name] for name in ("prompt_eval_count", "eval_count") if name in piece
            }

    def _add_event(self, kind: str, piece: Mapping[str, Any]) -> None:
        """Take an event of the Responses API into account."""
        delta = piece.get("delta")
        text = delta if isinstance(delta, str) else ""
        if kind == "response.output_text.delta":
            self._texts.append(text)
        elif kind == "response.function_call_arguments.delta":
            self._called.append(text)
        elif kind == "response.refusal.delta":
            self._refusals.append(text)
        elif kind.startswith("response.reasoning") and kind.endswith(".delta"):
            self._thoughts.append(text)
        elif kind == "error":
            self._error = piece.get("error") or {
                name: piece.get(name) for name in ("code", "message", "param")
            }
        response = piece.get("response")
        if isinstance(response, dict):
            if kind in _FINAL_EVENTS:
                self.ended, self._whole = True, response
            self._fields |= {
                name: response[name]
                for name in ("model", "service_tier")
                if response.get(name) is not None
            }

    def _say(self, said: MessageText) -> None:
        self._texts.append(said.content)
        self._thoughts.append(said.reasoning or "")
        self._refusals.append(said.refusal or "")

    def body(self) -> dict[str, Any]:
        """A body in the form of a chat completion, or the server's own if it sent a whole one."""
        text = "".join(self._texts) or "".join(self._called)
        whole = self._whole
        if whole is not None and len(_text_of(whole)) >= len(text):
            usage = {"usage": self._usage} if self._usage else {}
            return {**whole, **usage}
        finish = self._finish or (None if self.ended or not text else BROKEN_OFF)
        if whole is not None and "status" in whole:
            details = whole.get("incomplete_details")
            why = details.get("reason") if isinstance(details, dict) else None
            finish = "stop" if whole["status"] == "completed" else why or BROKEN_OFF
        if self._error and text:
            finish = BROKEN_OFF
        message = {
            "content": text,
            "reasoning_content": "".join(self._thoughts) or None,
            "refusal": "".join(self._refusals) or None,
        }
        return {
            **self._fields,
            "choices": [{"message": message, "finish_reason": finish}],
            "usage": self._usage or (whole or {}).get("usage"),
            **({"error": self._error} if self._error else {}),
        }


def _text_of(whole: Mapping[str, Any]) -> str:
    if "choices" in whole:
        return read_message(whole["choices"][0]["message"]).content
    output = whole.get("output")
    items = output if isinstance(output, list) else []
    return "".join(
        read_parts(item.get("content")).content
        for item in items
        if isinstance(item, dict) and item.get("type") == "message"
    )
