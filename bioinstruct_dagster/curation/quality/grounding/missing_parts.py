"""Finds rows of which a part is missing: the whole text, the second of two things, the passage.

Belongs here: what the instruction announces and the input lacks, judged by the form of both. Does
not: inputs that name a source (source_names) or stand for it (stand_ins), or the words that name
sources (words/sources.yaml, and the rule in data/quality_rules.yaml).
"""

import re

from bioinstruct_dagster.curation.quality.grounding.source_words import source_list
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import SignSearch

MOST_ANNOUNCING_WORDS = 45  # of an instruction that holds no text itself
MOST_WORDS_OF_ONE = 14  # of an input that is one of two things
MOST_WORDS_OF_NAME = 5
MOST_QUESTION_WORDS = 30

# A quotation, or a text after a colon, is the announced text.
OWN_TEXT = re.compile(r":\s*\S|[\"“'‘]\S+\s+\S+|\n\s*\S|:\s*\S+\s+\S+|…|\.\.\.")
QUESTION = re.compile(
    r"(?:question\s*(?:\d\s*)?[:.)-]\s*)?(?:[^?\n:.]|\.(?!\s)){3,300}\?", re.IGNORECASE
)
ANSWERS = re.compile(r"\banswer(?:s|ed|ing)?\b|\bquestions?\b", re.IGNORECASE)
# Signs that an input holds more than one thing.
SEVERAL = re.compile(
    r"[,;/&|\n]|\\n|\b(?:and|or|vs|versus|with|to|between|but|whereas|while|than|from|both|plus)\b"
    r"|\b[2b][.):]|[.!?]\s+\S",
    re.IGNORECASE,
)
# Each task that needs two things has one of these words.
COMPARES = re.compile(r"compar|\btwo\b|\bpairs? of\b|\bgiven .{3,90} and |'s|’s", re.IGNORECASE)
# A mark in the instruction in place of the text.
UNFILLED = re.compile(
    r"@[A-Z_]{2,40}\$|\[(?:insert|paste|enter|provide)\b[^\[\]]{0,80}\]"
    r"|\{\{?\s?(?:note|text|report|article|abstract|input|passage|document)\w*\s?\}",
    re.IGNORECASE,
)
UNIT = re.compile(r"\b[a-zµμ]{1,5}/[A-Za-z]{1,4}\b")
TWO_THINGS = re.compile(
    r"\b(?:(?:the )?(?:following |given |provided |specified )two"
    r"|(?:the )?two (?:following |given |provided |specified |listed |mentioned )"
    r"|(?:the )?(?:given |following |provided )?pairs? of"
    r"|(?:the|these) two)\b(?! (?:main|most|major|types|kinds|ways|classes|forms|common))",
    re.IGNORECASE,
)
SENTENCES = re.compile(r"\b(?:sentences|statements|texts|claims|premise)\b", re.IGNORECASE)
JUDGES = re.compile(
    r"\b(?:compar\w+|contrast\w*|differ\w*|similar\w*|same|match\w*|contradict\w*|entail\w*"
    r"|interact\w*|relat\w+|agree\w*|consistent|paraphras\w+|equivalent|which|whether|distinguish)\b",
    re.IGNORECASE,
)
EARLIER = re.compile(
    r"\bcompar\w+\b.{0,80}\b(?:with|to|against|and)\b.{0,40}"
    r"\b(?:previous|prior|earlier|baseline|past|former|last)\b",
    re.IGNORECASE,
)
TIMES = re.compile(
    r"\b(?:previous|prior|earlier|baseline|before|last|past|former|ago|initial|then|now|follow-up"
    r"|today|first|second|increased|decreased|rose|fell|dropped)\b|→|->",
    re.IGNORECASE,
)
LISTED_IN = re.compile(
    r"\b(?:if|whether)\b.{3,80}\b(?:listed|found|included|recorded|documented|present|mentioned)"
    r" (?:in|on|among) (?:the )?(?:patient|person|individual)(?:'s|’s) (?P<record>[\w -]{3,40})",
    re.IGNORECASE,
)
BOTH_GIVEN = re.compile(
    r"\bgiven (?:an? |the |two )?(?P<first>[\w'’ -]{3,40}) and "
    r"(?:an? |the )(?P<second>[\w'’ -]{3,40}), (?:please )?"
    r"(?:determine|decide|assess|judge|evaluate|identify|state|classify|check|verify|predict)"
    r" (?:if|whether|how well|the relation\w*|the agreement)\b",
    re.IGNORECASE,
)


class MissingParts:
    """Finds what an instruction announces and the input lacks."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._texts = source_list("announced")
        texts = alternatives(self._texts)
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
            r"\b(?:based (?:up)?on|from|in|using|according to|given|read|with|within)"
            rf" (?:(?:the|an?|this|that|its|content|contents|information|data|facts|of|in|from"
            rf"|provided|following|given|above|below) ){{0,5}}(?:[\w-]+ ){{0,2}}(?:{passages})\b",
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

    def lacks_second(self, text: str, instruction: str) -> bool:
        """Whether the input is one of two things that the instruction compares."""
        if text.count(" ") >= MOST_WORDS_OF_ONE or COMPARES.search(instruction) is None:
            return False
        if found := LISTED_IN.search(instruction):
            own = found.group("record").split()[0].lower()
            return own not in text.lower() and "," not in text and "\n" not in text
        if EARLIER.search(instruction):
            one = text.lower().startswith("current") or not SEVERAL.search(UNIT.sub("", text))
            return one and TIMES.search(text) is None
        label, _, body = text.rpartition(":")
        if found := BOTH_GIVEN.search(instruction):
            first, second = (found.group(name).split()[-1].lower() for name in ("first", "second"))
            named = label.strip().lower()
            few = second in self._texts or count_words(body).fewest <= MOST_WORDS_OF_NAME
            return few and named in {first, second} and ":" not in label
        short = SENTENCES.search(instruction) or count_words(body).fewest <= MOST_WORDS_OF_NAME
        return bool(short) and (
            TWO_THINGS.search(instruction) is not None
            and JUDGES.search(instruction) is not None
            and ":" not in label
            and SEVERAL.search(body.strip().rstrip(".")) is None
        )
