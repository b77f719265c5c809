"""What a row's wording shows: signs, lengths, markers for nothing, repetition, broken endings.

Belongs here: the kinds of rule that look at words alone, and what they say of another field. Does
not: whether an input names a source or holds one (grounding), figures (arithmetic), or the words
that a rule looks for (data/quality_rules.yaml).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.rules import (
    LacksRule,
    LengthRule,
    MarkerRule,
    PatternRule,
    RepeatedRule,
    TruncatedRule,
    UntoldRule,
)
from bioinstruct_dagster.signs import SEARCHED_CHARACTERS, SignSearch

MOST_SHOWN = 80  # characters of a text that a verdict repeats
MOST_MARKER_WORDS = 12
MOST_MARKER_CHARS = 200
MOST_KNOWN = 50_000  # words of which it is remembered whether they are known
WORD = re.compile(r"[^\W_]+")
# A stop before a small letter, as in "vs. placebo", ends no sentence.
SENTENCES = re.compile(r"\n+|\\n|(?<=[.!?])[\"”’)]?\s+(?=[\"“(A-Z0-9])")
LEAST_LETTERS = 4  # of a sentence
ENDINGS = ",:-–—([{"


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """What a rule saw in a row. `emptied` is the field that a repair would empty."""

    evidence: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None
    emptied: str | None = None


RowCheck = Callable[[RowTexts], RuleMatch | None]


def shown(text: str) -> str:
    """As much of a text as a verdict repeats."""
    flat = " ".join(text[: 2 * MOST_SHOWN].split())
    return flat if len(flat) <= MOST_SHOWN else f"{flat[: MOST_SHOWN - 1]}…"


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return WORD.findall(text.lower())


def pattern_check(rule: PatternRule) -> RowCheck:
    """A sign in one of the fields."""
    sought, spared = SignSearch(rule.any), SignSearch(rule.unless)

    def look(task: RowTexts) -> RuleMatch | None:
        if rule.input_words is not None and len(task.input.split()) > rule.input_words:
            return None
        for name in rule.fields:
            text = getattr(task, name)
            found = sought.search(text)
            if found is not None and rule.unless:
                found = sought.search(spared.without(text))
            if found is not None:
                return RuleMatch({"field": name, "saw": shown(found)})
        return None

    return look


def length_check(rule: LengthRule) -> RowCheck:
    """Too few or too many words in a field."""

    def look(task: RowTexts) -> RuleMatch | None:
        words = len(getattr(task, rule.field).split())
        if rule.least is not None and words < rule.least:
            return RuleMatch({"words": words, "least": rule.least}, score=words)
        if rule.most is not None and words > rule.most:
            return RuleMatch({"words": words, "most": rule.most}, score=words)
        return None

    return look


def lacks_check(rule: LacksRule) -> RowCheck:
    """No word of any of the fields that is known, or begins or ends as a known one."""
    lengths = sorted({len(stem) for stem in rule.stems})
    tails = sorted({len(ending) for ending in rule.endings})
    stems, endings, whole = frozenset(rule.stems), frozenset(rule.endings), frozenset(rule.words)
    signs = SignSearch(rule.signs)

    @lru_cache(MOST_KNOWN)
    def known(word: str) -> bool:
        return (
            word in whole
            or any(word[:length] in stems for length in lengths)
            or any(word[-length:] in endings for length in tails)
        )

    def look(task: RowTexts) -> RuleMatch | None:
        count = 0
        for name in rule.fields:
            for found in WORD.finditer(getattr(task, name).lower(), 0, SEARCHED_CHARACTERS):
                if known(found.group(0)):
                    return None
                count += 1
        if count >= rule.sure_words:
            return RuleMatch({"saw": shown(getattr(task, rule.fields[0]))}, score=count)
        seen = (signs.search(getattr(task, name)) for name in rule.fields)
        sign = next((one for one in seen if one is not None), None)
        return None if sign is None else RuleMatch({"saw": shown(sign)}, score=count)

    return look


def marker_check(rule: MarkerRule) -> RowCheck:
    """Nothing in a field but words for nothing."""
    whole = frozenset(" ".join(words_of(marker)) for marker in rule.whole)
    first, nouns = frozenset(rule.first), frozenset(rule.nouns)
    known = first | nouns | frozenset(rule.rest)

    def look(task: RowTexts) -> RuleMatch | None:
        text = getattr(task, rule.field)
        if not text.strip():
            # Blanks alone are repaired as well, so that an input is either empty or a text.
            return RuleMatch({"saw": ""}, emptied=rule.field) if rule.empty or text else None
        if len(text) > MOST_MARKER_CHARS:
            return None
        words = words_of(text)
        if len(words) > MOST_MARKER_WORDS:
            return None
        is_marker = (
            # Signs of other scripts are words; what is left is punctuation.
            not any(character.isalnum() for character in text)
            or " ".join(words) in whole
            or (words[0] in first and nouns.intersection(words) and known.issuperset(words))
        )
        return RuleMatch({"saw": shown(text)}, emptied=rule.field) if is_marker else None

    return look


def repeated_check(rule: RepeatedRule) -> RowCheck:
    """A field that is another one's text again."""
    spared = SignSearch(rule.unless)

    def look(task: RowTexts) -> RuleMatch | None:
        text, other = getattr(task, rule.field), getattr(task, rule.of)
        if not rule.begins and abs(len(text) - len(other)) > max(len(text), len(other)) // 4:
            return None
        if text[:1].lower() != other[:1].lower():
            return None
        if rule.begins:
            text = text[: len(other) + len(other) // 4 + 1]
        words, others = words_of(text), words_of(other)
        if len(others) < rule.least_words:
            return None
        same = words[: len(others)] == others if rule.begins else words == others
        if not same or spared.search(task.instruction) is not None:
            return None
        return RuleMatch({"of": rule.of, "saw": shown(other)}, emptied=rule.field)

    return look


def untold_check(rule: UntoldRule) -> RowCheck:
    """Something told in the output that the instruction asks for and the input does not give."""
    asked, told, given = SignSearch(rule.asked), SignSearch(rule.told), SignSearch(rule.given)
    unless, about, each, mere = map(SignSearch, (rule.unless, rule.about, rule.each, rule.mere))

    def lacks(text: str) -> bool:
        said = [one for one in map(str.strip, SENTENCES.split(text)) if not one.endswith("?")]
        said = [one for one in said if not one.endswith(":") and len(one) >= LEAST_LETTERS]
        return (
            bool(said)
            and (not rule.each or all(each.search(one) is not None for one in said))
            and given.search(mere.without("\n".join(said))) is None
        )

    def look(task: RowTexts) -> RuleMatch | None:
        text = task.input
        if not text or len(text) > SEARCHED_CHARACTERS or len(text.split()) > rule.most_words:
            return None
        # The rarest first: few rows are searched for more than this.
        if rule.about and about.search(text) is None:
            return None
        if asked.search(task.instruction) is None or not lacks(text):
            return None
        saw = told.search(task.output)
        if saw is None:
            return None
        if unless.search(task.instruction) is not None or unless.search(task.output) is not None:
            return None
        return RuleMatch({"saw": shown(text), "told": shown(saw)})

    return look


def truncated_check(rule: TruncatedRule) -> RowCheck:
    """An ending after which more must come."""
    dangling = frozenset(rule.dangling)

    def look(task: RowTexts) -> RuleMatch | None:
        text = getattr(task, rule.field).rstrip()
        end = text[-MOST_SHOWN:]
        if not end or len(text.split(None, rule.least_words)) < rule.least_words:
            return None
        last = end.split()[-1]
        if end[-1] in ENDINGS or last in dangling:
            return RuleMatch({"ends": end[-40:]})
        return None

    return look
