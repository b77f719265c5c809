"""Finds inputs whose every word is general, such as "The patient has several symptoms".

Belongs here: this check, and inputs that only repeat the noun for a thing such as a code. Does not:
noun phrases that name one source (source_phrases), or the words (source_words).
"""

import re

from bioinstruct_dagster.curation.quality.grounding.source_words import (
    TOKEN,
    SourceWords,
    noun_forms,
    nouns_of,
    singular,
    source_list,
)
from bioinstruct_dagster.signs import WordTest

MOST_VAGUE_TOKENS = 30
MOST_TOKEN_CHARS = 60


class VagueInputs:
    """Finds general inputs by the rule's lists and `words/sources.yaml`."""

    def __init__(self, words: SourceWords) -> None:
        self._words = words
        self._pictures, self._tokens = source_list("pictures"), source_list("tokens")
        self._known = (
            words.holders
            | words.kinds
            | words.articles
            | words.about
            | words.joints
            | words.verbs
            | source_list("vague_verbs")
        )
        recordings = {noun for noun, kind in words.class_of.items() if kind == "recording"}
        self._sources = WordTest(
            noun_forms(self._pictures.union(self._tokens, words.class_of.keys() - recordings))
        )

    def is_vague(self, text: str) -> bool:
        """Whether each word names a source or its kind, as in "several symptoms and results"."""
        if "?" in text or not self._sources.may_hold(text):
            return False
        sources = 0
        for count, found in enumerate(TOKEN.finditer(text.lower())):
            word = found.group(0)
            noun = singular(word)
            if self._is_source(noun):
                sources += 1
            elif word[0].isalnum() and word not in self._known and noun not in self._known:
                return False
            if count > MOST_VAGUE_TOKENS:
                return False
        return sources > 0

    def _is_source(self, noun: str) -> bool:
        # The name of a test, such as "Biopsy", may be a topic.
        return (
            noun in self._pictures
            or noun in self._tokens
            or self._words.class_of.get(noun, "recording") != "recording"
        )

    def is_token(self, text: str, instruction: str) -> bool:
        """Whether the text repeats the noun for a thing such as a code, and gives none."""
        if len(text) > MOST_TOKEN_CHARS:
            return False
        nouns = nouns_of(text)
        if not nouns or nouns[-1] not in self._tokens:
            return False
        pointed = re.compile(
            r"\b(?:the|this|an?|given|following|provided) "
            rf"(?:[\w-]+ ){{0,4}}{re.escape(nouns[-1])}s?\b"
        )
        return pointed.search(instruction.lower()) is not None and all(
            noun in self._words.kinds or noun in self._words.articles for noun in nouns[:-1]
        )
