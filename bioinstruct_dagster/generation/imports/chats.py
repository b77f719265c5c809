"""Chats: rows that hold a list of messages, by OpenAI's names or ShareGPT's.

Of each chat, the first question and its answer become a row. Belongs here: finding that pair, and
counting what is left out. Does not: rows with columns of text (columns).
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bioinstruct_dagster.generation.imports.cells import trimmed
from bioinstruct_dagster.generation.imports.faults import shown_places

# The names of the speakers, in small letters.
_ROLES = {
    **dict.fromkeys(("user", "human", "prompter", "patient", "question", "usr"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "chatgpt", "model", "bot", "ai", "doctor", "answer", "bard", "bing",
         "claude", "chatbot", "helper"),
        "assistant",
    ),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(
        ("tool", "function", "function_call", "tool_call", "tool_calls", "tool_response",
         "tool_result", "observation", "ipython"),
        "tool",
    ),
}  # fmt: skip
_NAMES_OF_ROLE = ("role", "from", "speaker")
_NAMES_OF_TEXT = ("content", "value", "text")
_NAMES_OF_CALLS = ("tool_calls", "function_call")
_TYPES_OF_TOOL_PARTS = ("tool_use", "tool_call", "tool_result", "function_call")
_MOST_TYPE_CHARACTERS = 40
_PREFERRED_COLUMNS = ("messages", "conversations", "conversation")


class ChatFaultError(Exception):
    """A chat is malformed; the message says how."""


_TOOL = "the first answer comes after a tool call, whose result a row can't hold"
_NO_PAIR = "no answer follows a question"
_NULL = "the chat is null or empty"


class _Message(NamedTuple):
    """One message: who speaks, its text, and why it can't be a part of a row; empty if it can."""

    role: str
    text: str
    fault: str

    @property
    def kind(self) -> str | None:
        return _ROLES.get(self.role.strip().lower())


class Pair(NamedTuple):
    """The first question and answer of a chat; empty if it has none."""

    instruction: str
    output: str


class Chats:
    """The chats of a set, read one by one, and the counts of what was left out."""

    def __init__(self) -> None:
        self._further = 0
        self._chats_with_further = 0
        self._with_system = 0
        self._without: dict[str, list[str]] = {}
        self._others: Counter[str] = Counter()
        self.chats = 0

    def pair(self, place: str, value: Any, system: Any = None) -> Pair | None:
        """The first pair of a chat. None if no answer follows a question directly.

        Args:
            place: where the chat stands, for the notes.
            value: the list of messages; a null is a chat without messages.
            system: what ShareGPT's files keep beside the messages for the system.

        Raises:
            ChatFaultError: the value is no list of messages.
        """
        messages = [] if _is_null(value) else _messages(value)
        self.chats += 1
        systems = [system.strip()] if isinstance(system, str) and system.strip() else []
        reason = _NO_PAIR if messages else _NULL
        questions: list[str] = []
        for at, message in enumerate(messages):
            kind = message.kind
            if kind is None:
                self._others[message.role] += 1
            # What the assistant says before the first question belongs to no row.
            if message.fault and (questions or kind in ("user", "system")):
                reason = message.fault
                break
            if kind == "system" and message.text and not questions:
                systems.append(message.text.strip())
            elif kind == "user" and message.text:
                questions.append(message.text.strip())
            elif questions:
                if kind != "assistant" or not message.text:
                    break
                further = len(messages) - at - 1
                self._further += further
                self._chats_with_further += further > 0
                self._with_system += bool(systems)
                return Pair("\n\n".join([*systems, *questions]), message.text)
        self._without.setdefault(reason, []).append(place)
        return None

    @property
    def notes(self) -> list[str]:
        """What was left out or put together, for the user to check."""
        notes = []
        if self._further:
            notes.append(
                f"{self._chats_with_further} of {self.chats} chats go on after the first question "
                f"and answer: {self._further} messages are not imported"
            )
        if self._with_system:
            notes.append(
                f"{self._with_system} rows begin with a system message, which stands before the "
                "question in the instruction"
            )
        for reason, places in self._without.items():
            others = ", ".join(repr(role) for role, _ in self._others.most_common(5))
            notes.append(
                f"{len(places)} of {self.chats} chats are not imported, because {reason}: "
                f"{shown_places(places, len(places))}"
                + (f" (other speakers: {others})" if others and reason == _NO_PAIR else "")
            )
        return notes


def is_chat(value: Any) -> bool:
    """Whether a value is a list of messages."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return False
    if isinstance(value, Mapping):  # as `datasets` stores a list of objects
        return (
            _name_in(value, _NAMES_OF_ROLE) != ""
            and _name_in(value, _NAMES_OF_TEXT) != ""
            and (all(isinstance(part, list) for part in value.values()))
        )
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(one, Mapping)
            and isinstance(one.get(_name_in(one, _NAMES_OF_ROLE)), str)
            and _name_in(one, _NAMES_OF_TEXT) != ""
            for one in value
        )
    )


def chat_columns(record: Mapping[str, Any]) -> list[str]:
    """The columns of a record that hold a list of messages; the usual name alone if it is there."""
    found = [name for name, value in record.items() if is_chat(value)]
    usual = [name for name in _PREFERRED_COLUMNS if name in found]
    return usual[:1] or found


def _is_null(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and value.strip() in ("", "null"))
    )


def _messages(value: Any) -> list[_Message]:
    """The messages of a chat."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ChatFaultError("expected a list of messages, found text") from None
    if isinstance(value, Mapping) and is_chat(value):
        value = [dict(zip(value, one, strict=False)) for one in zip(*value.values(), strict=False)]
    if not isinstance(value, list):
        raise ChatFaultError(f"expected a list of messages, found {type(value).__name__}")
    made = []
    for number, message in enumerate(value, start=1):
        if not isinstance(message, Mapping):
            raise ChatFaultError(f"message {number} is no object with a role and a content")
        role = message.get(_name_in(message, _NAMES_OF_ROLE))
        name = _name_in(message, _NAMES_OF_TEXT)
        if not isinstance(role, str):
            raise ChatFaultError(f"message {number} has no role (role or from)")
        content = message.get(name)
        if content is not None and not isinstance(content, str | list):
            found = type(content).__name__
            raise ChatFaultError(f"message {number}: expected text as its content, found {found}")
        calls = any(message.get(name) for name in _NAMES_OF_CALLS)
        text, fault = _text(content)
        is_tool = calls or _ROLES.get(role.strip().lower()) == "tool"
        made.append(_Message(role, text, _TOOL if is_tool else fault))
    return made


def _text(content: str | Sequence[Any] | None) -> tuple[str, str]:
    """The text of a content, which may come in parts; or no text, and why not."""
    if content is None or isinstance(content, str):
        return trimmed(content or ""), ""
    parts = []
    for part in content:
        text = part.get("text") if isinstance(part, Mapping) else part
        if isinstance(text, str):
            parts.append(text)
            continue
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind in _TYPES_OF_TOOL_PARTS:
            return "", _TOOL
        named = kind[:_MOST_TYPE_CHARACTERS] if isinstance(kind, str) else type(part).__name__
        return "", f"a message has a part that is no text, such as an image ({named!r})"
    return trimmed("\n".join(parts)), ""


def _name_in(record: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((name for name in names if name in record), "")
