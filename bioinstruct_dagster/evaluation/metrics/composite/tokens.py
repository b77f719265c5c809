"""The words of a text in one spelling, cut into sentences.

Belongs here: spelling, contractions, letters that are said one by one, and the ends of sentences.
Does not: numbers (numbers), or what words mean (concepts).
"""

import re
import unicodedata
from functools import cache

from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.evaluation.metrics.composite.lists import texts_in
from bioinstruct_dagster.evaluation.metrics.composite.numbers import (
    spoken_numbers,
    written_numbers,
)

# "E K G" is EKG. "I" and "A" may be words, so two letters that are only these are left.
_SPELLED = re.compile(r"(?<![A-Za-z'])[A-Z](?: [A-Z])+(?![A-Za-z'])")
_CONTRACTIONS = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\b(?:can't|cannot)\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\bma'am\b"), "maam"),
    (re.compile(r"'(?:s|re|ve|ll|d|m)\b"), ""),
    (re.compile(r"(?<=s)'(?!\w)"), ""),
)
_ABBREVIATED = re.compile(r"\b(dr|mr|mrs|ms|st|vs|approx|i\.e|e\.g)\.(?=\s+[a-z0-9])")
_BLANKS = re.compile(r"\s+")
_LIST_NUMBER = re.compile(r"(^\s*|[.!?,;:\n]\s*)\d{1,2}[.)](?:\s+(?=[a-z])|\s*$)")
# A sign after a finding or, in brackets, before it: "Diaphoresis +, SOB -", "(-) fever".
_SIGN_AFTER = re.compile(
    r"(?<=[\w)])( ?[+\u2212]| -|-(?=[,;]|$)| ?\([+\u2212-]\))(?= ?(?:[,;.)\n]|$))"
)
_SIGN_BEFORE = re.compile(r"\(([+\u2212-])\) ?(?=[a-z])")
_RATE = re.compile(r"(?<=\d) ?x ?/ ?(?=(?:d|day|wk|week|mo|month)\b)")
_JOINED = re.compile(r"(?<=\w)[-\u2010\u2011](?=\w)")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[a-z]+|[,;:/()]|[.!?\n]+")
HEADING_WORDS = 3  # before a colon; more words are a sentence
_TIMES = {"twice": "2", "thrice": "3"}
_BEFORE_RATES = frozenset({"a", "per", "each", "every", "daily", "weekly", "monthly"})
_UNIT_LETTERS = {"d": "day", "h": "hour", "y": "year"}
SENTENCE_ENDS = frozenset(".!?\n;")


def sentences_of(text: str) -> list[list[str]]:
    """The sentences of a text: words and commas in small letters, numbers as digits.

    The words of a question end with "?". Numbers that only count the items of a list are left out.
    """
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    # Long runs of blanks would cost the patterns below quadratic time.
    text = _BLANKS.sub(lambda run: "\n" if "\n" in run[0] else " ", text)
    text = _SPELLED.sub(_joined_letters, text).lower()
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    text = _marked().sub(lambda form: f" {texts_in('shorthand', 'marked')[form[0]]} ", text)
    text = _SIGN_AFTER.sub(lambda sign: " positive" if "+" in sign[0] else " negative", text)
    text = _SIGN_BEFORE.sub(lambda sign: "positive for " if "+" in sign[0] else "no ", text)
    text = _RATE.sub(" times a ", text)
    text = _ABBREVIATED.sub(r"\1", text)
    text = _LIST_NUMBER.sub(r"\1. ", text)
    text = _JOINED.sub(" ", written_numbers(text))
    text = (
        text.replace("%", " percent ").replace("follow up", "followup").replace("as well as", ",")
    )
    found: list[list[str]] = [[]]
    for piece in _TOKEN.findall(text):
        if piece[0] in SENTENCE_ENDS:
            if "?" in piece and found[-1]:
                found[-1].append("?")
            found.append([])
        elif piece == ":":
            # A heading, such as "GI:", says nothing itself. One that names a relative, such as
            # "Father:", says whose the findings are.
            if len(found[-1]) > HEADING_WORDS:
                found.append([])
            elif not any(word in texts_in("persons", "relatives") for word in found[-1]):
                found[-1].clear()
        else:
            found[-1].append("," if piece == "/" else piece)
    return [_twice_as_number(spoken_numbers(_in_full(words))) for words in found if words]


def _twice_as_number(words: list[str]) -> list[str]:
    """The words with "twice a day" as "2 times a day"."""
    made: list[str] = []
    for at, word in enumerate(words):
        rate = word in _TIMES and words[at + 1 : at + 2] and words[at + 1] in _BEFORE_RATES
        made += [_TIMES[word], "times"] if rate else [word]
    return made


def _in_full(words: list[str]) -> list[str]:
    """The words with short forms written out."""
    forms = texts_in("shorthand", "words")
    made: list[str] = []
    for at, word in enumerate(words):
        unit = _UNIT_LETTERS.get(word) if at and words[at - 1].isdigit() else None
        made += [unit] if unit else forms.get(word, word).split()
    return made


@cache
def _marked() -> re.Pattern[str]:
    """Finds the short forms with a mark. "w/" stands before a blank, "n/v" between others."""
    forms = alternatives(texts_in("shorthand", "marked"))
    return re.compile(rf"(?<![\w/.])(?:{forms})(?![\w/])")


def _joined_letters(match: re.Match[str]) -> str:
    letters = match[0].replace(" ", "")
    return match[0] if letters in {"IA", "AI"} else letters
