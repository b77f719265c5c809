"""Finds an output in another language than its task: a Chinese answer to an English question.

Only tasks in English are judged. A row whose input is in another language passes too, as does a
task that speaks of a language or of a translation: there the other language may be meant.

Belongs here: this decision. Does not: the languages that a rule can judge (languages), facts about
scripts (tokens.scripts), or characters of a wrong encoding (mojibake).
"""

import re

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.languages import english_words, language_list
from bioinstruct_dagster.curation.quality.output_rules import OtherLanguageRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt, words_of
from bioinstruct_dagster.curation.tokens.scripts import LETTERLIKE, is_latin
from bioinstruct_dagster.sign_clauses import folded_words
from bioinstruct_dagster.signs import SignSearch

READ_CHARACTERS = 600  # of a text; a language shows in its first sentences
LEAST_WORDS = 5
LEAST_FOUND = 3  # words of another language
# Of the words; prose has about 40 %, terms such as "café au lait" stand in other words.
LEAST_SHARE = 0.2
# Words of another language to one of English; "has", "he" and "was" are of both.
ENGLISH_FOR_EACH = 4
LEAST_LETTERS = 4  # of another script; fewer are a symbol, as in "the µ-opioid receptor"
_SCRIPT_LETTER = re.compile(
    rf"(?![A-Za-z\u00aa-\u024f\u0370-\u03ff\u1e00-\u1eff{LETTERLIKE}])[^\W\d_]"
)
_GREEK_WORD = re.compile("[\u0370-\u03ff\u1f00-\u1fff]{3,}")


def other_language_check(rule: OtherLanguageRule) -> RowCheck:
    """A check for an output in a language that neither the task nor the input is in."""
    spared = SignSearch(rule.unless)

    def check(row: RowTexts) -> RuleMatch | None:
        if not _is_other(row.output):
            return None
        given = (row.instruction, row.input) if row.input else (row.instruction,)
        if not all(map(_is_surely_english, given)) or any(map(spared.search, given)):
            return None
        return RuleMatch({"saw": excerpt(row.output)})

    return check


def _is_surely_english(text: str) -> bool:
    """Whether a text is surely English; a short one in another language may not show it."""
    told = language_list("task_words")
    return not told.isdisjoint(words_of(text)) and not _is_other(text)


def _is_other(text: str) -> bool:
    """Whether a text is in another script, or clearly in another language than English."""
    text = text[:READ_CHARACTERS]
    return _in_other_script(text) or _in_other_words(text)


def _in_other_script(text: str) -> bool:
    if is_latin(text):
        return False
    letters = len(_SCRIPT_LETTER.findall(text))
    return letters >= LEAST_LETTERS or len(_GREEK_WORD.findall(text)) >= LEAST_FOUND


def other_words() -> frozenset[str]:
    """The words that are frequent in other languages; a text in one of them has several."""
    return language_list("other_function_words")


def _in_other_words(text: str) -> bool:
    # The words of a text without underscores are split once for all rules.
    words = folded_words(text) if text.isascii() and "_" not in text else words_of(text)
    if len(words) < LEAST_WORDS:
        return False
    english = english_words(words)
    if ENGLISH_FOR_EACH * english > len(words):
        return False
    of_others = other_words()
    found = [word for word in words if word in of_others]
    return (
        len(set(found)) >= LEAST_FOUND
        and len(found) >= LEAST_SHARE * len(words)
        and len(found) >= ENGLISH_FOR_EACH * english
    )
