"""Chats: rows that hold a list of messages, by OpenAI's names or ShareGPT's.

Of each chat, the first question and its answer become a row. Belongs here: finding that pair, and
counting what is left out. Does not: rows with columns of text (columns).
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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
}  # fmt: skip
_NAMES_OF_ROLE = ("role", "from", "speaker")
_NAMES_OF_TEXT = ("content", "value", "text")
_PREFERRED_COLUMNS = ("messages", "conversations", "conversation")


class ChatFaultError(Exception):
    """A chat is malformed; the message says how."""


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
        self._without: list[str] = []
        self._others: Counter[str] = Counter()
        self.chats = 0

    def pair(self, place: str, value: Any, system: Any = None) -> Pair | None:
        """The first pair of a chat. None if no answer follows a question directly.

        Args:
            place: where the chat stands, for the notes.
            value: the list of messages.
            system: what ShareGPT's files keep beside the messages for the system.

        Raises:
            ChatFaultError: the value is no list of messages.
        """
        self.chats += 1
        messages = _messages(value)
        systems = [system] if isinstance(system, str) and system.strip() else []
        questions: list[str] = []
        for at, (role, text) in enumerate(messages):
            kind = _ROLES.get(role.strip().lower())
            if kind is None:
                self._others[role] += 1
            if kind == "system" and text and not questions:
                systems.append(text)
            elif kind == "user" and text:
                questions.append(text)
            elif questions:
                if kind != "assistant" or not text:
                    break
                further = len(messages) - at - 1
                self._further += further
                self._chats_with_further += further > 0
                self._with_system += bool(systems)
                return Pair("\n\n".join([*systems, *questions]), text)
        self._without.append(place)
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
        if self._without:
            others = ", ".join(repr(role) for role, _ in self._others.most_common(5))
            notes.append(
                f"{len(self._without)} of {self.chats} chats are not imported, because no answer "
                f"follows a question: {shown_places(self._without, len(self._without))}"
                + (f" (other speakers: {others})" if others else "")
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


def _messages(value: Any) -> list[tuple[str, str]]:
    """The role and the text of each message; no text if it holds none, or holds a picture."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ChatFaultError("expected a list of messages, found text") from None
    if isinstance(value, Mapping) and is_chat(value):
        value = [dict(zip(value, one, strict=False)) for one in zip(*value.values(), strict=False)]
    if not isinstance(value, list):
        found = "nothing" if value is None else type(value).__name__
        raise ChatFaultError(f"expected a list of messages, found {found}")
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
        made.append((role, _text(content)))
    return made


def _text(content: str | Sequence[Any] | None) -> str:
    """The text of a content, which may come in parts; empty if a part is no text."""
    if content is None or isinstance(content, str):
        return (content or "").strip()
    parts = [
        part if isinstance(part, str) else part.get("text") if isinstance(part, Mapping) else None
        for part in content
    ]
    if not all(isinstance(part, str) for part in parts):
        return ""
    return "\n".join(str(part) for part in parts).strip()


def _name_in(record: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((name for name in names if name in record), "")
