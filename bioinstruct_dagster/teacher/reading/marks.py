"""The marks in a reply that are not text: tags of reasoning, channels, turns and special tokens.

Each family of models has its own. The names are those of the published chat templates; a tag of
reasoning may have any case, a prefix and attributes. Belongs here: what each mark looks like. Does
not: what follows from a mark (answer_text).
"""

import re
from dataclasses import dataclass
from typing import Literal

from bioinstruct_dagster.teacher.reading.json_values import VALUE_START

MarkKind = Literal[
    "json",  # no mark: here a JSON value begins, whose strings are data
    "open",  # reasoning begins
    "close",  # reasoning ends
    "answer",  # the answer begins after a tag of its own
    "answer_end",  # it ends
    "channel",  # a channel of harmony, the format of gpt-oss
    "turn",  # a turn of a chat begins
    "end",  # the turn ends
    "short_end",  # the turn ends, in a token so short that a text may hold it too
    "drop",  # a token without a meaning for the reader
    "next",  # a line that begins another turn in words
]

_THINK = r"(?:think(?:ing)?|thoughts?|thought_process|reasoning|reasoning_content|reflection"
_THINK += r"|scratchpad|inner_monologue|chain_of_thought|cot|analysis|draft)"
_ANSWER = r"(?:answer|final_answer|solution|response|final_response)"
_ROLE = r"(?:system|developer|user|human|assistant|model|bot|chatbot|gpt|tool|observation)"
_PATTERNS: dict[MarkKind, str] = {
    "open": rf"""
        <(?:[a-z][a-z0-9]{{0,15}}:)? {_THINK} (?:\s[^<>\n]{{0,200}})?>
        | <details[ ][^<>\n]{{0,60}}reasoning[^<>\n]{{0,200}}>
        | \[THINK\] | ◁think▷ | <\|channel>thought
        | <\|(?:begin_of_thought|begin_of_thinking|start_thinking|think_start|thought_start
            |think(?:ing)?)\|>
        """,
    "close": rf"""
        </(?:[a-z][a-z0-9]{{0,15}}:)? {_THINK} \s{{0,4}}> | </details>
        | \[/THINK\] | ◁/think▷ | <channel\|>
        | <\|(?:end_of_thought|end_of_thinking|end_thinking|think_end|thought_end
            |/think(?:ing)?)\|>
        """,
    "answer": rf"""
        <{_ANSWER}> | <\|(?:begin_of_solution|start_response|start_text)\|>
        """,
    "channel": r"""
        <\|channel\|> \s{0,4} (?:analysis|commentary|final|thought|[a-z]{1,20}(?=<\|message\|>))
        (?:[^<|>\n]{0,80} (?:<\|constrain\|>[^<|>\n]{0,80})? <\|message\|>)?
        """,
    "turn": rf"""
        <\|im_start\|>[ ]{{0,4}} [a-z]{{0,20}} (?:<\|im_sep\|>)?
        | <\|start_header_id\|> \s{{0,4}} [a-z]{{1,20}} \s{{0,4}} <\|end_header_id\|>
        | <start_of_turn>[ ]{{0,4}} [a-z]{{0,20}} | <\|turn>[ ]{{0,4}} [a-z]{{1,20}}
        | <\|start\|>[ ]{{0,4}} [a-z]{{1,20}} (?:[ ]to=[^<|>\n]{{0,80}})?
        | <\|start_of_role\|> [a-z]{{1,20}} [^<|>\n]{{0,80}} <\|end_of_role\|>
        | <\|{_ROLE}\|> | <｜{_ROLE}｜> | \[\|{_ROLE}\|\] | \[/?INST\] | \[/?SYSTEM_PROMPT\]
        | <\|start_of_turn_token\|><\|[a-z]{{1,20}}_token\|>
        """,
    "end": r"""
        <\|(?:im_end|eot_id|eom_id|end_of_text|endoftext|end|return|call|end_of_turn
            |end_of_turn_token|eot|eos|endofturn|endofassistant|role_end)\|>
        | <end_of_turn> | <turn\|> | \[\|endofturn\|\] | <｜end▁of▁sentence｜>
        """,
    "short_end": r"</s> | <eos> | \[EOS\]",
    "answer_end": rf"</{_ANSWER}>",
    "drop": r"""
        <s> | <bos> | \[BOS\] | <pad> | <unk> | <</?SYS>>
        | <\|(?:begin_of_text|startoftext|message|constrain|im_sep|begin_of_sentence
            |end_of_solution|end_response|end_text|begin_of_box|end_of_box)\|>
        | <｜begin▁of▁sentence｜>
        """,
    "next": r"^[ ]{0,4}(?:\#{1,4}[ ]{1,2})?(?:Human|User)[ ]?:",
}
_FLAGS = re.VERBOSE | re.IGNORECASE | re.MULTILINE
_MARK = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _PATTERNS.items()), _FLAGS)
_CLOSE = re.compile(_PATTERNS["close"], _FLAGS)
_ANSWER_START = re.compile(_PATTERNS["answer"], _FLAGS)
_CHANNEL_END = re.compile(r"<\|(?:end|start|channel|return|call)\|>", re.IGNORECASE)
# Where a mark may begin. This is fast to search, and few places of a text pass it.
_BEGIN = r"<(?=[a-zA-Z/|｜]|</?SYS)|◁|\[(?=[/|A-Za-z])|^(?=[ #]{0,9}(?:Human|User)[ ]?:)"
_MARK_BEGIN = re.compile(_BEGIN, re.MULTILINE)
_MARK_OR_VALUE_BEGIN = re.compile(rf"(?P<json>{VALUE_START.pattern})|{_BEGIN}", re.MULTILINE)
# Each mark holds one of these. Most replies hold none, so they are answers as they stand.
_SIGNS = ("<", "◁", "[THINK]", "[/", "[INST]", "[EOS]", "[BOS]", "[|", "Human:", "User:")
_OTHER_ROLE = re.compile(
    r"system|developer|user|human|tool|observation|function|ipython|environment|\[INST",
    re.IGNORECASE,
)
_QUOTES = frozenset("`'\"“”‘’«»")
_SENTENCE_BEFORE = re.compile(r"[a-z,][ ]\Z")
_SENTENCE_AFTER = re.compile(r"[ ][a-z]|[,.;:?!)]")
_TAG_NAME = re.compile(r"</?(?:[a-z0-9]+:)?([a-z_]+)")


@dataclass(frozen=True)
class Mark:
    """A mark in a text, and its place."""

    kind: MarkKind
    start: int
    end: int
    text: str = ""

    @property
    def is_assistant(self) -> bool:
        """Whether a turn is the model's own."""
        return not _OTHER_ROLE.search(self.text)

    @property
    def is_final(self) -> bool:
        """Whether a channel holds the answer."""
        return bool(re.match(r"<\|channel\|>\s*final", self.text, re.IGNORECASE))

    @property
    def is_plain_word(self) -> bool:
        """Whether a tag has an everyday word as its name, so that an answer may hold it too."""
        return "|" not in self.text and self.family != "think"

    @property
    def family(self) -> str:
        """The name of a tag of reasoning; tags with one name belong together."""
        letters = self.text.lower()
        if "channel" in letters:
            return "channel"
        name = _TAG_NAME.match(letters)
        if name and not name[1].startswith(("think", "thought")):
            return name[1]
        return "think"


def may_hold_marks(text: str) -> bool:
    """Whether a text holds a sign of a mark. It is a quick test, which most replies fail."""
    return any(sign in text for sign in _SIGNS)


def next_mark(text: str, place: int, *, values: bool) -> Mark | None:
    """The next mark from a place on; None if there is none.

    A mark that the text only names, in quotation marks or inside a sentence, is no mark.

    Args:
        text: the text.
        place: where the search begins.
        values: whether the beginning of a JSON value is found too.
    """
    begin = _MARK_OR_VALUE_BEGIN if values else _MARK_BEGIN
    while found := begin.search(text, place):
        if values and found["json"]:
            return Mark("json", found.start(), found.end())
        mark = _MARK.match(text, found.start())
        if mark and mark.lastgroup and not _is_named(text, mark.start(), mark.end()):
            kind: MarkKind = mark.lastgroup  # type: ignore[assignment]  # the names of the groups
            return Mark(kind, mark.start(), mark.end(), mark[0])
        place = mark.end() if mark else found.start() + 1
    return None


def closing_mark(text: str, opening: Mark) -> Mark | None:
    """The tag that ends the reasoning which a tag has opened; None if it has no end."""
    place = opening.end
    while found := _CLOSE.search(text, place):
        mark = Mark("close", found.start(), found.end(), found[0])
        if mark.family == opening.family and not _is_named(text, mark.start, mark.end):
            return mark
        place = found.end()
    return None


def answer_start(text: str, place: int) -> int:
    """Where a tag begins the answer; -1 if no tag does."""
    while found := _ANSWER_START.search(text, place):
        if not _is_named(text, found.start(), found.end()):
            return found.start()
        place = found.end()
    return -1


def channel_end(text: str, place: int) -> int | None:
    """Where the message of a channel ends; None if it has no end."""
    found = _CHANNEL_END.search(text, place)
    return found.start() if found else None


def _is_named(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before[-1:] in _QUOTES and after[:1] in _QUOTES:
        return True
    return bool(_SENTENCE_BEFORE.search(before) and _SENTENCE_AFTER.match(after))
