"""The text, the reasoning and the refusal of a message, in whatever form a server sends them.

A message may be a text, a list of parts, one part, or a value that the server has already parsed
from the model's JSON. Belongs here: one message. Does not: the body around it (reply_body), or
reasoning inside a text, such as between tags.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_REASONING_TYPES = frozenset(
    {
        "analysis",
        "reasoning",
        "reasoning.summary",
        "reasoning.text",
        "reasoning_content",
        "reasoning_text",
        "redacted_thinking",
        "summary_text",
        "thinking",
        "thought",
    }
)
# Keys under which a part holds its text. The first that has a text counts.
_TEXT_KEYS = ("text", "output_text", "content", "parts", "value")
_REASONING_KEYS = ("thinking", "reasoning", "text", "summary", "content", "value")
# Keys of a message that hold the reasoning apart. Servers repeat it under several of them.
_REASONING_FIELDS = (
    "reasoning_content",
    "reasoning",
    "thinking",
    "reasoning_text",
    "reasoning_details",
    "thoughts",
)
_ODD_FIELDS = frozenset(_REASONING_FIELDS)
_PART_KEYS = frozenset({"type", "text", "output_text", "parts"})


@dataclass(frozen=True)
class MessageText:
    """What a message says.

    Attributes:
        content: the answer.
        reasoning: the reasoning that the server sends apart from the answer.
        refusal: the refusal.
    """

    content: str = ""
    reasoning: str | None = None
    refusal: str | None = None


def read_message(message: Mapping[str, Any]) -> MessageText:
    """The text of a message, or the answer that it holds in another form."""
    said = read_said(message)
    if said.content or said.refusal:
        return said
    return replace(said, content=structured_text(message))


def structured_text(message: Mapping[str, Any]) -> str:
    """The answer in the arguments of a call, or as a value that the server has parsed.

    Gateways for models without a response format make the format a tool of the model.
    """
    if message.get("parsed"):
        return _as_text(message["parsed"])
    calls = message.get("tool_calls")
    called = [
        call.get("function") or call
        for call in (calls if isinstance(calls, list) else [])
        if isinstance(call, dict)
    ]
    arguments = [
        _as_text(one["arguments"])
        for one in (*called, message.get("function_call"))
        if isinstance(one, dict) and one.get("arguments")
    ]
    return "\n".join(text for text in arguments if text.strip() != "{}")


def read_said(message: Mapping[str, Any]) -> MessageText:
    """The text that a message states as such."""
    content = message.get("content")
    if isinstance(content, str) and not _ODD_FIELDS & message.keys() and not message.get("refusal"):
        return MessageText(content)  # the usual form
    texts: list[str] = []
    thoughts: list[str] = []
    refusals: list[str] = []
    _collect(content, texts, thoughts, refusals)
    for name in _REASONING_FIELDS:
        if name in message and (thought := plain_text(message[name])):
            if thought not in thoughts:
                thoughts.insert(0, thought)
            break
    refusal = message.get("refusal")
    if refusal is True:
        refusals.append("The server marks this reply as a refusal.")
    elif refusal:
        refusals.append(plain_text(refusal))
    return MessageText(
        "".join(texts), "\n".join(thoughts) or None, "".join(filter(None, refusals)) or None
    )


def read_parts(parts: Any) -> MessageText:
    """The text of a list of parts."""
    texts: list[str] = []
    thoughts: list[str] = []
    refusals: list[str] = []
    _collect(parts, texts, thoughts, refusals)
    return MessageText("".join(texts), "\n".join(thoughts) or None, "".join(refusals) or None)


def plain_text(value: Any) -> str:
    """All text in a value of unknown form, such as a list of reasoning parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(filter(None, map(plain_text, value)))
    if isinstance(value, dict):
        for key in _REASONING_KEYS:
            if text := plain_text(value.get(key)):
                return text
    return ""


def _collect(value: Any, texts: list[str], thoughts: list[str], refusals: list[str]) -> None:
    if value is None:
        return
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list):
        if value and all(_is_data(part) for part in value):
            texts.append(_as_json(value))  # the server has parsed the model's JSON
        else:
            for part in value:
                _collect_part(part, texts, thoughts, refusals)
    elif isinstance(value, dict) and not _is_data(value):
        _collect_part(value, texts, thoughts, refusals)
    else:
        texts.append(_as_json(value))


def _collect_part(part: Any, texts: list[str], thoughts: list[str], refusals: list[str]) -> None:
    if not isinstance(part, dict):
        _collect(part, texts, thoughts, refusals)
        return
    kind = str(part.get("type", "")).lower()
    if kind in _REASONING_TYPES or part.get("thought") is True:
        if thought := plain_text(part):
            thoughts.append(thought)
    elif kind == "refusal":
        refusals.append(plain_text(part.get("refusal")) or plain_text(part))
    else:
        for key in _TEXT_KEYS:
            if part.get(key) is not None:
                _collect(part[key], texts, thoughts, refusals)
                return


def _is_data(value: Any) -> bool:
    """Whether a value is data of the answer, and not a part that holds a text."""
    if isinstance(value, dict):
        return not _PART_KEYS & value.keys() and not ({"content", "value"} >= value.keys())
    return value is not None and not isinstance(value, str | list)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
