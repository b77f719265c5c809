"""Finds rows without the text that the instruction announces, or without the passage of a question.

Belongs here: both checks, by the form of instruction and input. Does not: the second of two things
(two_things), inputs that name a source (source_names) or stand for it (stand_ins), or the words
(words/sources.yaml, and the rule in data/quality_rules.yaml).
"""

import re

from bioinstruct_dagster.curation.quality.grounding.source_words import source_list
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import SignSearch, WordedPattern

MOST_ANNOUNCING_WORDS = 45  # of an instruction that holds no text itself
MOST_QUESTION_WORDS = 30

# A quotation, or a text after a colon, is the announced text.
OWN_TEXT = re.compile(r":\s*\S|[\"“'‘]\S+\s+\S+|\n\s*\S|:\s*\S+\s+\S+|…|\.\.\.")
QUESTION = re.compile(
    r"(?:question\s*(?:\d\s*)?[:.)-]\s*)?(?:[^?\n:.]|\.(?!\s)){3,300}\?", re.IGNORECASE
)
ANSWERS = WordedPattern(r"\banswer(?:s|ed|ing)?\b|\bquestions?\b", re.IGNORECASE)
# A mark in the instruction in place of the text.
UNFILLED = WordedPattern(
    r"@[A-Z_]{2,40}\$|\[(?:insert|paste|enter|provide)\b[^\[\]]{0,80}\]"
    r"|\{\{?\s?(?:note|text|report|article|abstract|input|passage|document)\w*\s?\}",
    re.IGNORECASE,
)


class MissingParts:
    """Finds what an instruction announces and the input lacks."""

    def __init__(self, rule: UngroundedRule) -> None:
        texts = alternatives(source_list("announced"))
        passages = alternatives(source_list("passages"))
        self._spares = SignSearch(rule.spares)
        points = "following|attached|enclosed|uploaded|above|below|provided|given|supplied"
        noun = rf"(?:[\w’'-]+ ){{0,3}}(?:{texts})s?"
        given = r"(?:the|this|these|an?|each)"
        self._announces = re.compile(
            rf"(?<!\bof )(?<!\ball )\b{given} (?:{points}) {noun}\b"
            rf"|\b(?:{texts})s? (?:that follows|below|above|provided|attached|given below)\b"
            r"|^(?:summari[sz]e|interpret|simplify|paraphrase|proofread|translate|rewrite"
            r"|analy[sz]e|classify|(?:extract|identify|find|list) [\w ,-]{3,60} (?:in|from))"
            rf" (?:the|this|these) {noun}(?:[.,]| (?:and|in|into|to) |$)"
            rf"|^given an? {noun},",
            re.IGNORECASE,
        )
        self._passage = re.compile(
            r"\b(?:based (?:up)?on|on the basis of|from|in|using|according to|given|read|with"
            rf"|within) (?:(?:the|an?|this|that|its|content|contents|information|data|facts|of|in"
            rf"|from|provided|following|given|above|below) ){{0,5}}(?:[\w-]+ ){{0,2}}"
            rf"(?:{passages})\b",
            re.IGNORECASE,
        )

    def has_no_text(self, instruction: str) -> bool:
        """Whether an instruction without input announces a text and holds none."""
        if UNFILLED.search(instruction):
            return self._spares.search(instruction) is None
        return (
            not instruction.rstrip().endswith("?")
            and self._announces.search(instruction) is not None
            and self._spares.search(instruction) is None
            and OWN_TEXT.search(instruction) is None
            and count_words(instruction).fewest <= MOST_ANNOUNCING_WORDS
        )

    def is_question_alone(self, text: str, instruction: str) -> bool:
        """Whether the input is a question about a passage that is not there."""
        return (
            text.endswith("?")
            and QUESTION.fullmatch(text) is not None
            and count_words(text).fewest <= MOST_QUESTION_WORDS
            and ANSWERS.search(instruction) is not None
            and self._passage.search(instruction) is not None
        )
