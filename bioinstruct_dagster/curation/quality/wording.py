"""Checks of a row's words: signs, openings, lengths, markers for no text, repeated fields.

Belongs here: the kinds of rule that only compare words, within a field or between fields. Does not:
how a reply went wrong (outputs), whether an input only names its source (grounding), figures
(arithmetic), or the words that a rule searches for (data/quality_rules.yaml).
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
    OpeningRule,
    PatternRule,
    RepeatedRule,
    UntoldRule,
)
from bioinstruct_dagster.curation.quality.wordless import is_wordless
from bioinstruct_dagster.curation.tokens.scripts import WordCount, count_words
from bioinstruct_dagster.sign_clauses import SEARCHED_CHARACTERS
from bioinstruct_dagster.signs import SignSearch, pattern

MOST_EXCERPT_CHARS = 80  # of a text that a verdict shows
MOST_MARKER_WORDS = 12
MOST_MARKER_CHARS = 200
MOST_DASHES = 2  # that may be a sign with a meaning, such as a negative result; more are a line
# The marks that people write where there is no text. Other signs, as +, ++, ?, ♂ and ↓, are data,
# and so is a slash between signs (-/-).
MARKS_FOR_NOTHING = frozenset("-‐‑‒–—―−.…·_*,:;~()[]{}<>\"'`“”‘’ \t\n\r")
MOST_REMEMBERED_WORDS = 50_000  # words whose lookup is cached
WORD = re.compile(r"[^\W_]+")
_NO_WORD = bytes(code if WORD.fullmatch(chr(code)) else ord(" ") for code in range(256))
# A period before a small letter, as in "vs. placebo", ends no sentence.
SENTENCES = re.compile(r"\n+|\\n|(?<=[.!?])[\"”’)]?\s+(?=[\"“(A-Z0-9])")
NO_WORDS = WordCount(0, 0)
LEAST_LETTERS = 4  # that make a sentence
QUESTION_MARKS = ("?", "？", "؟", "\u037e", "\u055e")  # Latin, Chinese, Arabic, Greek, Armenian


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """The match of a rule in a row; `corrected` is a field with the text that a repair gives it."""

    evidence: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None
    corrected: tuple[str, str] | None = None


RowCheck = Callable[[RowTexts], RuleMatch | None]


@dataclass(frozen=True, slots=True)
class PatternCheck:
    """The check of a pattern rule, with what tells quickly that a row cannot match.

    Attributes:
        fields: the fields that are searched.
        telling: bits of which each field that matches has one (see signs.clause_bits).
    """

    check: RowCheck
    fields: tuple[str, ...]
    telling: int

    def __call__(self, row: RowTexts) -> RuleMatch | None:
        """The match in one of the fields."""
        return self.check(row)


def with_plain_apostrophes(text: str) -> str:
    """The text as signs are searched for in it."""
    return text.replace("’", "'")


def excerpt(text: str) -> str:
    """The beginning of a text, as a verdict shows it."""
    flat = " ".join(text[: 2 * MOST_EXCERPT_CHARS].split())
    return flat if len(flat) <= MOST_EXCERPT_CHARS else f"{flat[: MOST_EXCERPT_CHARS - 1]}…"


def words_of(text: str) -> list[str]:
    """The words of a text in small letters."""
    if text.isascii():
        # A fifth of the time of the expression: bytes are translated in one pass.
        return text.lower().encode().translate(_NO_WORD).decode().split()
    return WORD.findall(text.lower())


def pattern_check(rule: PatternRule) -> RowCheck:
    """A check for a sign in one of the fields."""
    sought, spared = SignSearch(rule.any), SignSearch(rule.unless)
    asked, unless_asked = SignSearch(rule.asked), SignSearch(rule.unless_asked)
    unless_given = SignSearch(rule.unless_given)

    def is_meant(row: RowTexts) -> bool:
        return (
            (rule.input_words is None or count_words(row.input).most <= rule.input_words)
            and (not rule.asked or asked.search(row.instruction) is not None)
            and unless_asked.search(row.instruction) is None
            and unless_given.search(row.input) is None
        )

    def check(row: RowTexts) -> RuleMatch | None:
        for name in rule.fields:
            text = getattr(row, name).replace("’", "'")  # see with_plain_apostrophes
            found = sought.search(text)
            if found is not None and rule.unless:
                found = sought.search(spared.without(text))
            if found is not None:
                # Few rows hold a sign, so what is asked is looked at last.
                return RuleMatch({"field": name, "saw": excerpt(found)}) if is_meant(row) else None
        return None

    return PatternCheck(check, rule.fields, sought.telling)


def opening_check(rule: OpeningRule) -> RowCheck:
    """A check for the way a field opens."""
    openings = [pattern(sign) for sign in rule.any]

    def check(row: RowTexts) -> RuleMatch | None:
        text = getattr(row, rule.field)
        for one in openings:
            found = one.match(text)
            if found is not None and text[found.end() :].strip():
                rest = text[found.end() :].strip()
                return RuleMatch({"saw": excerpt(found.group(0))}, corrected=(rule.field, rest))
        return None

    return check


def length_check(rule: LengthRule) -> RowCheck:
    """A check for too few or too many words in a field."""
    least_imported = rule.least if rule.least_imported is None else rule.least_imported
    least_asked = rule.least if rule.least_asked is None else rule.least_asked
    verbs, empty_words = frozenset(rule.verbs), frozenset(rule.names_nothing)

    def is_told(text: str) -> bool:
        """Whether the text is a verb of a task and what it is about."""
        first, *rest = words_of(text) or [""]
        return first in verbs and not empty_words.issuperset(rest)

    def check(row: RowTexts) -> RuleMatch | None:
        text = getattr(row, rule.field)
        words = count_words(text) if any(map(str.isalnum, text)) else NO_WORDS
        least = least_imported if row.imported else rule.least
        if least is not None and words.most < least:  # few texts are so short
            if least_asked is not None and text.rstrip().endswith(QUESTION_MARKS):
                least = min(least, least_asked)
            if rule.least_told is not None and words.most < least and is_told(text):
                least = min(least, rule.least_told)
        if least is not None and words.most < least:
            return RuleMatch({"words": _shown(words), "least": least}, score=words.most)
        if rule.most is not None and words.fewest > rule.most:
            return RuleMatch({"words": _shown(words), "most": rule.most}, score=words.fewest)
        return None

    return check


def _shown(words: WordCount) -> int | str:
    """A count of words as a verdict shows it: a number, or the range of an estimate."""
    if words.fewest == words.most:
        return words.most
    return f"estimated {words.fewest} to {words.most}"


def lacks_check(rule: LacksRule) -> RowCheck:
    """A check for fields without any known word, stem or ending."""
    lengths = sorted({len(stem) for stem in rule.stems})
    tails = sorted({len(ending) for ending in rule.endings})
    stems, endings, whole = frozenset(rule.stems), frozenset(rule.endings), frozenset(rule.words)
    signs = SignSearch(rule.signs)

    @lru_cache(MOST_REMEMBERED_WORDS)
    def known(word: str) -> bool:
        return (
            word in whole
            or any(word[:length] in stems for length in lengths)
            or any(word[-length:] in endings for length in tails)
        )

    def check(row: RowTexts) -> RuleMatch | None:
        count, longest, most = 0, rule.fields[0], 0
        for name in rule.fields:
            before = count
            for found in WORD.finditer(getattr(row, name).lower(), 0, SEARCHED_CHARACTERS):
                if known(found.group(0)):
                    return None
                count += 1
            if count - before > most:
                longest, most = name, count - before
        for name in rule.fields:
            if (sign := signs.search(getattr(row, name))) is not None:
                return RuleMatch({"field": name, "saw": excerpt(sign)}, score=count)
        if count < rule.sure_words:
            return None
        # The longest field says best what the row is about: the instruction of a whole set may be
        # one sentence, such as "Answer this question."
        evidence = {"field": longest, "saw": excerpt(getattr(row, longest)), "words": count}
        return RuleMatch(evidence, score=count)

    return check


def marker_check(rule: MarkerRule) -> RowCheck:
    """A check for a field that only says that there is no text."""
    is_marker, is_answer = _marker_test(rule), _answer_test(rule)
    emptied = (rule.field, "")

    def check(row: RowTexts) -> RuleMatch | None:
        text = getattr(row, rule.field)
        if not text.strip():
            # A text of blanks is repaired too, so that an input is either empty or a text.
            return RuleMatch({"saw": ""}, corrected=emptied) if rule.empty or text else None
        if rule.empty and is_wordless(text):
            return RuleMatch({"saw": excerpt(text)}, corrected=emptied)
        if len(text) > MOST_MARKER_CHARS:
            return None
        words = words_of(text)
        if len(words) > MOST_MARKER_WORDS:
            return None
        if not is_marker(text, words) or is_answer(row, text, words):
            return None
        return RuleMatch({"saw": excerpt(text)}, corrected=emptied)

    return check


def _marker_test(rule: MarkerRule) -> Callable[[str, list[str]], bool]:
    """Whether a text with its words is a marker."""
    whole = frozenset(" ".join(words_of(marker)) for marker in rule.whole)
    first, nouns = frozenset(rule.first), frozenset(rule.nouns)
    known = first | nouns | frozenset(rule.rest)

    def is_marker(text: str, words: list[str]) -> bool:
        if not words:
            # Letters of other scripts make words; a text without any is punctuation.
            return rule.empty or MARKS_FOR_NOTHING.issuperset(text)
        if " ".join(words) in whole:
            return True
        return words[0] in first and not nouns.isdisjoint(words) and known.issuperset(words)

    return is_marker


def _answer_test(rule: MarkerRule) -> Callable[[RowTexts, str, list[str]], bool]:
    """Whether a marker is what the task asks for or about."""
    answers = frozenset(rule.answers)
    unless_asked, unless_sign = SignSearch(rule.unless_asked), SignSearch(rule.unless_sign)

    def is_answer(row: RowTexts, text: str, words: list[str]) -> bool:
        if text.strip(" \t\n.\"'") in answers:
            return True
        if not words:
            is_short = len(text.strip()) <= MOST_DASHES
            return is_short and unless_sign.search(row.instruction) is not None
        if unless_asked.search(row.instruction) is not None:
            return True
        named = re.compile(r"(?<!\w)" + r"\W{0,2}".join(map(re.escape, words)) + r"(?!\w)")
        return (
            rule.unless_named
            and named.search(f"{row.instruction}\n{row.input}".lower(), 0, SEARCHED_CHARACTERS)
            is not None
        )

    return is_answer


def repeated_check(rule: RepeatedRule) -> RowCheck:
    """A check for a field that repeats another field."""
    spared = SignSearch(rule.unless)

    def check(row: RowTexts) -> RuleMatch | None:
        text, other = getattr(row, rule.field), getattr(row, rule.of)
        if abs(len(text) - len(other)) > max(len(text), len(other)) // 4:
            return None
        if text[:1].lower() != other[:1].lower():
            return None
        words, others = words_of(text), words_of(other)
        if len(others) < rule.least_words or words != others:
            return None
        if spared.search(row.instruction) is not None:
            return None
        return RuleMatch({"of": rule.of, "saw": excerpt(other)}, corrected=(rule.field, ""))

    return check


def untold_check(rule: UntoldRule) -> RowCheck:
    """A check for facts that the instruction asks for, the output states and the input lacks."""
    asked, told, given = SignSearch(rule.asked), SignSearch(rule.told), SignSearch(rule.given)
    unless, about, each, mere = map(SignSearch, (rule.unless, rule.about, rule.each, rule.mere))

    def lacks_facts(text: str) -> bool:
        sentences = [one.strip() for one in SENTENCES.split(text)]
        stated = [one for one in sentences if not one.endswith(("?", ":"))]
        stated = [one for one in stated if len(one) >= LEAST_LETTERS]
        return (
            bool(stated)
            and (not rule.each or all(each.search(one) is not None for one in stated))
            and given.search(mere.without("\n".join(stated))) is None
        )

    def check(row: RowTexts) -> RuleMatch | None:
        text = row.input
        if (
            not text
            or len(text) > SEARCHED_CHARACTERS
            or count_words(text).fewest > rule.most_words
        ):
            return None
        # The rarest sign is searched first, so most rows need no further search.
        if rule.about and about.search(text) is None:
            return None
        if asked.search(row.instruction) is None or not lacks_facts(text):
            return None
        saw = told.search(row.output)
        if saw is None:
            return None
        if unless.search(row.instruction) is not None or unless.search(row.output) is not None:
            return None
        return RuleMatch({"saw": excerpt(text), "told": excerpt(saw)})

    return check
