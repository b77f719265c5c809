"""Whether a rule of English words can judge a row, by the row's script and language.

A rule that fires because words are missing, such as `off_domain`, would reject every row in another
language. Belongs here: this decision, and the words by which English is told. Does not: facts about
scripts (tokens.scripts), outputs in another language (outputs.other_language), or the rules that
say `language: en` (data/quality_rules.yaml).
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.grounding.source_words import QUALITY_PACKAGE
from bioinstruct_dagster.curation.quality.rule_settings import QualityRule
from bioinstruct_dagster.curation.quality.wording import words_of
from bioinstruct_dagster.curation.tokens.scripts import is_latin
from bioinstruct_dagster.curation.word_lists import word_list

LANGUAGE_LISTS = "languages.yaml"
# English prose has about 40 % such words, and lists of English terms have few. A text without any
# is too short to tell, or in another language.
LEAST_ENGLISH_SHARE = 0.04
LEAST_WORDS = 20
_MOST_CHARACTERS = 20_000

NotJudged = Literal["script", "language"]


class RuleLanguage:
    """The language of a rule, and the texts that the rule reads.

    Args:
        rule: a rule with a language of its own, or without.
    """

    def __init__(self, rule: QualityRule) -> None:
        self._fields = rule.read_fields if rule.language else ()
        self._misses_words = rule.misses_words

    def not_judged(self, row: RowTexts, *, fired: bool) -> NotJudged | None:
        """Why the rule can't judge the row; None if it can.

        The words that a rule finds are evidence in any row. Words that it misses are evidence only
        in the rule's own language.

        Args:
            row: the texts.
            fired: whether the rule found something.
        """
        if not self._fields or (fired and not self._misses_words):
            return None
        texts = [getattr(row, name) for name in self._fields]
        if not all(map(is_latin, texts)):
            return "script"
        return "language" if fired and not is_english(texts) else None


def is_english(texts: Sequence[str]) -> bool:
    """Whether texts in Latin letters are English; true if they are too short to tell."""
    words = [word for text in texts for word in words_of(text[:_MOST_CHARACTERS])]
    return len(words) < LEAST_WORDS or english_words(words) >= LEAST_ENGLISH_SHARE * len(words)


def english_words(words: Iterable[str]) -> int:
    """How many of these words are frequent in English and in few other languages.

    Args:
        words: in small letters.
    """
    return sum(map(language_list("function_words").__contains__, words))


def language_list(name: str) -> frozenset[str]:
    """The words of a list of `words/languages.yaml`."""
    return word_list(QUALITY_PACKAGE, LANGUAGE_LISTS, name)
