"""Finds an output that begins with its instruction, and cuts this echo off.

A model that repeats the question and then answers it has done the task, so the answer is kept.
Belongs here: where an echo ends, and what remains. Does not: an output that is another field's text
and nothing else (wording), or an output that is empty afterwards (the rule `empty_output`).
"""

import re

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.output_rules import EchoRule
from bioinstruct_dagster.curation.quality.wording import (
    WORD,
    RowCheck,
    RuleMatch,
    excerpt,
    words_of,
)
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.signs import SignSearch

MOST_ECHOES = 3  # a longer chain of echoes is a loop
LEAST_WORDS_AGAIN = 3  # with which a second echo begins
# A label for an input that is not there, between the echo and the answer's label.
NO_INPUT = re.compile(
    r"[\W_]*input[\W_]*(?:none|n/?a|no ?input)?[\W_]*?\n"
    r"(?=[\W_]*(?:output|answer|response)\b)",
    re.IGNORECASE,
)
# A text that ends so is complete. One that ends in a gap ("is ...", "is ____") is to be completed.
CLOSED = re.compile(r"[?!:。？！；؟۔।]\W*$|(?<!\.)(?<!_)\.[\s\"'”’»)*]*$")
# Between an echo and the answer: the end of a sentence or line, or a dash.
BREAK = re.compile(r"[?!.:;\n。？！；؟۔।]|\\n|\s[-–—|]+\s")
# Marks that belong to the echo: its own punctuation, closing quotes and markup, and a dash after.
ECHO_END = re.compile(
    r"[?!.:;,。？！；：؟۔।\"'”’»*_`)\]>]*(?:\s|\\n)*(?:[-–—|]+[ \t]+(?=\S))?(?:\s|\\n)*"
)


def echo_check(rule: EchoRule) -> RowCheck:
    """A check for a field that begins with another field's text."""
    return _EchoCheck(rule).check


class _EchoCheck:
    """Compares the beginning of a field with another field, and cuts it off."""

    def __init__(self, rule: EchoRule) -> None:
        self._rule = rule
        self._spared = SignSearch(rule.unless)
        self._label = _label_of((*rule.labels, *rule.answers))
        self._answer_label = _label_of(rule.answers)

    def check(self, row: RowTexts) -> RuleMatch | None:
        """The match for an echo, with what remains of the field."""
        rest, echo = getattr(row, self._rule.field), getattr(row, self._rule.of)
        found = False
        for _ in range(MOST_ECHOES if self._is_long(echo) else 0):
            after = self._rest_after(rest, echo)
            if after is None:
                break
            found, rest = True, after
        if not found or self._spared.search(row.instruction) is not None:
            return None
        then = getattr(row, self._rule.then) if self._rule.then else ""
        if self._is_long(then) and (after := self._rest_after(rest, then)) is not None:
            rest = after
        if not any(map(str.isalnum, rest)) or _begins_again(rest, echo):
            rest = ""
        evidence = {"of": self._rule.of, "saw": excerpt(echo)}
        return RuleMatch(evidence, corrected=(self._rule.field, rest))

    def _is_long(self, text: str) -> bool:
        words = count_words(text).most
        return words >= self._rule.least_words or (words > 1 and CLOSED.search(text) is not None)

    def _rest_after(self, text: str, echo: str) -> str | None:
        """What follows the echo at the beginning of a text; None if there is no such echo."""
        end = _end_of_echo(text, echo)
        if end is None and _may_be_labelled(text) and (found := self._label.match(text)):
            text = text[found.end() :]
            end = _end_of_echo(text, echo)
        if end is None:
            return None
        rest = text[end:]
        first = WORD.search(rest)
        if first is not None and not CLOSED.search(echo) and not BREAK.search(rest, 0, first.end()):
            return None  # the text is the beginning of a sentence, such as its subject
        ended = ECHO_END.match(rest)
        rest = rest[ended.end() if ended else 0 :]
        # The label of another task ("### Instruction:") stays, so that the rules find it.
        return _without(self._answer_label, _without(NO_INPUT, rest)).strip()


def _label_of(labels: tuple[str, ...]) -> re.Pattern[str]:
    """An expression for any of these labels with its colon and markup."""
    words = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    return re.compile(rf"[\W_]*(?:{words or '(?!)'})\s*\d*\s*[*_]*[:：][*_]*\s*", re.IGNORECASE)


def _may_be_labelled(text: str) -> bool:
    """Whether a text has a colon, as each label has. It is quick, and most outputs have none."""
    return ":" in text or "：" in text


def _without(label: re.Pattern[str], text: str) -> str:
    found = label.match(text)
    return text[found.end() :] if found else text


def _begins_again(rest: str, echo: str) -> bool:
    """Whether what remains is the beginning of a second echo, which was cut off."""
    again, first = words_of(rest), words_of(echo)
    return LEAST_WORDS_AGAIN <= len(again) < len(first) and again == first[: len(again)]


def _end_of_echo(text: str, echo: str) -> int | None:
    """Where the words of an echo end at the beginning of a text; None if the text has others."""
    first, of_echo = text[:1], echo[:1]
    if first.isalnum() and of_echo.isalnum() and first.lower()[0] != of_echo.lower()[0]:
        return None  # most texts; the same follows below, but takes longer
    end, words = 0, WORD.finditer(text)
    for wanted in WORD.finditer(echo):
        found = next(words, None)
        if found is None or found.group(0).lower() != wanted.group(0).lower():
            return None
        end = found.end()
    return end or None
