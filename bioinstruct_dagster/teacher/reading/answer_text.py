"""The answer in a reply: its text without reasoning, special tokens, and echo of the prompt.

Every reader of replies begins here. The store keeps each reply as it was received, so a better rule
applies to stored replies too. The text of a usual reply is its answer, unchanged.

Inside a whole JSON value everything is data: a task about the token `<think>` keeps it.

Belongs here: what is the answer, and what is reasoning. Does not: how a mark looks (marks), or
reading tasks or answers from the text (generation.replies, answer_objects).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bioinstruct_dagster.teacher.reading.json_values import JsonScanner
from bioinstruct_dagster.teacher.reading.marks import (
    Mark,
    answer_start,
    channel_end,
    closing_mark,
    may_hold_marks,
    next_mark,
)

# The columns of `completions` that `answer_of` reads beside `content` and `finish_reason`. `echoed`
# is the user's message if the reply holds its beginning: all messages are much longer than a reply.
ANSWER_COLUMNS = """
    reasoning, body is not null as is_no_completion,
    case
        when contains(content, left(messages ->> '$[#-1].content', 30))
        then messages ->> '$[#-1].content'
    end as echoed
"""
# The finish reason of a reply whose end got lost on its way: its last task may be cut.
BROKEN_OFF = "broken_off"
CUT_REASONS = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
WORDS_OF_BROKEN_OFF = "the reply broke off on its way, so its end is missing"
CUT_IN_REASONING = (
    "the reply ends at the limit of output tokens before its answer: the model used them for "
    "reasoning. Raise BIOINSTRUCT_REASONING_TOKENS or lower BIOINSTRUCT_REASONING_EFFORT"
)
NO_ANSWER_BESIDE_REASONING = (
    "the reply has no text beside the model's reasoning, and the reasoning holds no whole answer. "
    "Check the server's reasoning parser for this model"
)

_ECHO_START = 30  # characters of the user's message that begin an echo
_ECHO_SLACK = 400  # characters that a chat template adds around the messages
_TOKEN_WINDOW = 200  # characters after a special token that tell what it ends
_ZERO_WIDTH = "\ufeff\u200b\u2060"
_ROLE_LINE = re.compile(
    r"\s*(?:(?:assistant|model)[ \t]*(?:\n|$)"
    r"|(?:ASSISTANT|Assistant|AI|\#{1,3} ?(?:Response|Assistant)):[ \t]*)"
)
# How reasoning begins and ends where it is marked by words: gpt-oss through a server that drops the
# special tokens of its channels, but not their names; ollama's terminal; Granite.
_WORDED = (
    (re.compile(r"\s{0,8}analysis(?=[A-Z\"'“])"), re.compile("assistantfinal")),
    (re.compile(r"\s{0,8}Thinking\.\.\.\n"), re.compile(r"\.\.\.done thinking\.")),
    (
        re.compile(r"\s{0,8}Here(?:'s| is) my thought process:"),
        re.compile(r"Here(?:'s| is) my response:"),
    ),
)
_FIRST_CHANNEL = re.compile(r"\s{0,8}(?:analysis|commentary|final)<\|message\|>")
_LIST_SIGN = re.compile(r'[{\[]\s{0,64}["{]|instruction[ #0-9*_]{0,12}:', re.IGNORECASE)
_LIST_START = re.compile(
    r"\s*(?:```\w{0,9}\s*)?(?:[{\[]|[#*]{0,6} ?(?:\d{1,4}[.):] ?)?\*{0,2}instruction)",
    re.IGNORECASE,
)
# How reasoning begins in models whose chat template opens it, so that only its end is marked.
_REASONING_START = re.compile(
    r"\s*(?:(?:okay|ok|alright|hmm|so|well|right|first)[,.]?\s+(?:so,?\s+)?)?"
    r"(?:let(?: me|'s| us) (?:think|start|break|see|tackle|look|figure|brainstorm)"
    r"|the user (?:is|wants|has|asks|asked|needs)|we (?:need|are asked|have) to"
    r"|i(?:'m| am| need| have)? (?:to |need to |should |must )|thinking process"
    r"|here(?:'s| is) (?:a|my) (?:thinking|thought) process|好的，|嗯，|用户)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class AnswerText:
    """The parts of a reply.

    Attributes:
        text: the answer; empty if the reply has none.
        reasoning: the model's reasoning, whether it was sent apart or in the text.
        cut_in_reasoning: whether the token limit ended the reply before its answer, or the reply
            broke off there.
        from_reasoning: whether `text` stood where reasoning stands. It is an answer only if a
            reader finds a whole list in it.
    """

    text: str
    reasoning: str = ""
    cut_in_reasoning: bool = False
    from_reasoning: bool = False


def ends_at_limit(finish_reason: str | None) -> bool:
    """Whether the token limit ended a reply."""
    return finish_reason is not None and finish_reason.lower() in CUT_REASONS


def is_no_completion(reply: Mapping[str, Any]) -> bool:
    """Whether a row of `completions` holds something else, such as a page or an empty body.

    Its request is not sent once more, because another reply would most likely be the same.
    """
    stored = reply.get("is_no_completion")
    return reply.get("body") is not None if stored is None else bool(stored)


def answer_of(reply: Mapping[str, Any]) -> AnswerText:
    """The answer in a completion, from the store with `ANSWER_COLUMNS` or from the journal."""
    return answer_from(
        reply["content"] or "",
        reply.get("reasoning"),
        reply.get("finish_reason"),
        prompt=prompt_of(reply),
    )


def answer_from(
    content: str,
    reasoning: str | None = None,
    finish_reason: str | None = None,
    *,
    prompt: str | None = None,
) -> AnswerText:
    """The answer in a reply. It raises nothing, and its time is linear in the reply's length.

    Args:
        content: the reply's text, as received.
        reasoning: the text of the reasoning, if the server sent it apart.
        finish_reason: why the teacher stopped.
        prompt: the user's message, which some servers put before the answer.
    """
    text, thought = _parts(_without_echo(_decoded(content), prompt))
    cut = ends_at_limit(finish_reason) or finish_reason == BROKEN_OFF
    if cut and not thought and not reasoning and _REASONING_START.match(text):
        text, thought = "", text
    apart = (reasoning or "").strip()
    said = "\n".join(part for part in (apart, thought) if part)
    if text.strip():
        return AnswerText(text, said)
    if cut:
        return AnswerText("", said, cut_in_reasoning=True)
    if thought or not apart:
        return AnswerText("", said)
    # The server took the answer for reasoning (vllm#17349), or it stands behind the end of it.
    after, _ = _parts(apart)
    return AnswerText(after if after.strip() else apart, said, from_reasoning=True)


def prompt_of(reply: Mapping[str, Any]) -> str | None:
    """The user's message, which a completion's text may begin with; None if it is not known."""
    if "messages" not in reply:  # a row of `ANSWER_COLUMNS`
        return reply.get("echoed")
    messages = reply["messages"]
    text = messages[-1].get("content") if isinstance(messages, list) and messages else None
    return text if isinstance(text, str) else None


def _decoded(content: str) -> str:
    """The text, if it is one JSON string that holds JSON; and without a byte-order mark."""
    if content[:1] in _ZERO_WIDTH or content[-1:] in _ZERO_WIDTH:
        content = content.strip(_ZERO_WIDTH + " \t\r\n")
    stripped = content.strip()
    if stripped.startswith(('"{', '"[', '"\\n{', '"\\n[')) and stripped.endswith('"'):
        try:
            inner = json.loads(stripped)
        except ValueError:
            return content
        return inner if isinstance(inner, str) else content
    return content


def _without_echo(text: str, prompt: str | None) -> str:
    """The text after the user's message, if the reply begins with it or with the whole chat."""
    prompt = (prompt or "").strip()
    if len(prompt) < _ECHO_START:
        return text
    place = text.find(prompt[:_ECHO_START])
    if place < 0:
        return text
    end: int | None = place + len(prompt)
    if not text.startswith(prompt, place):  # a tokenizer may change blanks
        end = _end_without_blanks(text, place, "".join(prompt.split()))
    if end is None:
        return text
    if _LIST_SIGN.search(text, 0, place) and place > _ECHO_SLACK:
        return text  # the answer stands before it
    role = _ROLE_LINE.match(text, end)
    return text[role.end() if role else end :]


def _end_without_blanks(text: str, place: int, letters: str) -> int | None:
    """Where the text has passed these letters, blanks apart; None if it differs."""
    passed = 0
    for position in range(place, len(text)):
        if text[position].isspace():
            continue
        if text[position] != letters[passed]:
            return None
        passed += 1
        if passed == len(letters):
            return position + 1
    return None


def _parts(text: str) -> tuple[str, str]:
    """The answer and the reasoning in a text."""
    for opening, closing in _WORDED:
        if opening.match(text):
            ends = [found.span() for found in closing.finditer(text)]
            return (text[ends[-1][1] :], text[: ends[-1][0]]) if ends else ("", text)
    if _FIRST_CHANNEL.match(text):  # the chat template holds the token before it
        text = f"<|channel|>{text.lstrip()}"
    if not may_hold_marks(text) or next_mark(text, 0, values=False) is None:
        return text, ""
    splitter = _Splitter(text)
    splitter.run()
    return splitter.answer, splitter.reasoning


class _Splitter:
    """Passes a text once, from left to right, and sorts its parts.

    Attributes:
        answer: the text of the model's turn.
        reasoning: its reasoning.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._scanner = JsonScanner(text)
        self._said: list[str] = []
        self._thought: list[str] = []
        self._is_own_turn = True
        self._has_text = False  # whether this turn has said more than blanks
        self._has_list = False  # whether it has said what may be a list of tasks
        self._has_value = False  # whether a whole JSON object was passed in this turn
        self._has_answer_tag = False
        self._closings: dict[str, Mark | None] = {}  # the next one of each family of tags
        self._answer_tag = answer_start(text, 0)  # the next place of such a tag, or -1

    @property
    def answer(self) -> str:
        return "".join(self._said) if self._is_own_turn else ""

    @property
    def reasoning(self) -> str:
        return "\n".join(part.strip() for part in self._thought if part.strip())

    def run(self) -> None:
        """Sort the whole text."""
        place: int | None = 0
        while place is not None:
            mark = next_mark(self._text, place, values=True)
            self._say(place, mark.start if mark else len(self._text))
            place = self._after(mark) if mark else None

    def _say(self, start: int, end: int) -> int:
        """Take a part of the text as said; its end."""
        part = self._text[start:end]
        if part:
            self._said.append(part)
            self._has_text = self._has_text or not part.isspace()
            self._has_list = self._has_list or bool(_LIST_SIGN.search(part))
        return end

    def _forget(self) -> None:
        """Begin the answer anew."""
        self._said.clear()
        self._has_text = self._has_list = self._has_value = False

    def _after(self, mark: Mark) -> int | None:
        """Process a mark; where the text goes on, or None if the answer ends here."""
        if mark.kind in {"open", "close", "answer"} and mark.is_plain_word and self._has_list:
            return self._say(mark.start, mark.end)  # a part of a task
        process: Callable[[Mark], int | None] = getattr(self, f"_{mark.kind}", self._token)
        return process(mark)

    def _json(self, mark: Mark) -> int | None:
        whole = self._scanner.pass_value(mark.start)
        self._has_value = self._has_value or (whole and self._scanner.has_key)
        return self._say(mark.start, max(self._scanner.place, mark.start + 1))

    def _open(self, mark: Mark) -> int | None:
        closing = self._closings.get(mark.family, mark)
        if closing and closing.start < mark.end:  # each part of the text is searched once
            closing = self._closings[mark.family] = closing_mark(self._text, mark)
        if -1 < self._answer_tag < mark.end:
            self._answer_tag = answer_start(self._text, mark.end)
        answer = self._answer_tag
        if answer >= 0 and not (closing and closing.start < answer):
            self._think(mark.end, answer)
            return answer
        self._think(mark.end, closing.start if closing else None)
        return closing.end if closing else None

    def _channel(self, mark: Mark) -> int | None:
        if mark.is_final:
            return self._answer(mark)
        end = channel_end(self._text, mark.end)
        self._think(mark.end, end)
        return end

    def _think(self, start: int, end: int | None) -> None:
        """Take a part of the text as reasoning; without an end, the rest of it."""
        self._thought.append(self._text[start:end])
        if self._said and not self._said[-1].endswith("\n"):
            self._said.append("\n")  # so that the text after it begins a line

    def _close(self, mark: Mark) -> int | None:
        """End reasoning that the prompt's template has opened."""
        is_last = not self._text[mark.end : mark.end + _TOKEN_WINDOW].strip()
        begins_with_list = _LIST_START.match("".join(self._said[:3]))
        if not (is_last and begins_with_list):  # no reasoning, but a tag too many
            self._said_was_thought()
        return mark.end

    def _answer(self, mark: Mark) -> int | None:
        self._said_was_thought()
        self._has_answer_tag = True
        return mark.end

    def _answer_end(self, mark: Mark) -> int | None:
        return mark.end if self._has_answer_tag else self._say(mark.start, mark.end)

    def _next(self, mark: Mark) -> int | None:
        return None if self._has_value else self._say(mark.start, mark.end)

    def _said_was_thought(self) -> None:
        self._thought.append("".join(self._said))
        self._forget()

    def _turn(self, mark: Mark) -> int | None:
        """Begin a turn; None if the model has invented it after its answer."""
        prompted = mark.text.upper() == "[/INST]" and self._is_own_turn
        if prompted and self._has_list and self._last_sign < mark.end:
            return None  # the token stands behind the answer, not behind the prompt
        if self._is_own_turn and self._has_text and not prompted:
            if not mark.is_assistant or self._has_list:
                return None
            self._said_was_thought()  # only words of introduction
        self._forget()
        self._is_own_turn = mark.is_assistant
        return mark.end

    @cached_property
    def _last_sign(self) -> int:
        """Where the last sign of a list in the whole text stands."""
        return max((sign.start() for sign in _LIST_SIGN.finditer(self._text)), default=-1)

    def _token(self, mark: Mark) -> int | None:
        """Pass a special token; None if the answer ends with it."""
        following = self._text[mark.end : mark.end + _TOKEN_WINDOW].lstrip()
        next_one = next_mark(following, 0, values=False)
        if next_one and next_one.start:
            next_one = None
        is_at_edge = not following or next_one or not self._has_text
        if mark.kind in {"short_end", "drop"} and not is_at_edge:
            return self._say(mark.start, mark.end)  # the text holds it
        if mark.kind == "drop" or not (self._is_own_turn and self._has_text):
            return mark.end
        if next_one and next_one.is_assistant and not self._has_list:
            return mark.end  # only words of introduction
        return None
