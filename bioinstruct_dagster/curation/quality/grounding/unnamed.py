"""Finds sentences that say that something exists, and not what it is: "She takes two drugs".

Belongs here: results that were measured or filed but are not told, members that are counted but not
named, and calculations without a figure. Does not: noun phrases that name a material (mentions),
or the words (words/mentions.yaml).
"""

import re

from bioinstruct_dagster.curation.quality.grounding.mention_signs import mention_list
from bioinstruct_dagster.curation.quality.grounding.overlap import Overlap
from bioinstruct_dagster.curation.quality.grounding.source_words import (
    has_measurement,
    singular,
    source_list,
)
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import WordedPattern, WordTest

PLAIN_WORD = re.compile(r"[\w-]+")
NAMES_MORE = re.compile(r" (?:of|for|that|which|in the|against)\b")
STEM_LETTERS = 7
DEFINITE = (
    r"\b(?:the|these|those|which|what|each|every|both|his|her|their|any|listed|mentioned|given"
    r"|specified)"
)
LEAST_NEW_SHARE = 0.6  # of the words of an output that the row does not give

# What was done to get results, or where they are.
EXISTS = WordedPattern(
    r"\b(?:is|are|was|were|(?:has|have|had) (?:just |now |already )?been)"
    r" (?:now |again |also |all |already |both |recently |just )?"
    r"(?:available|stored|kept|filed|ready|back|measured|drawn|tested|checked|repeated|completed"
    r"|performed|done|taken|obtained|collected|recorded|documented|listed|summari[sz]ed|reported"
    r"|attached|sent|uploaded|enclosed"
    r"|archived|saved|submitted|reviewed|examined|analy[sz]ed|evaluated|assessed|ordered"
    r"|carried out|weighed|counted|scanned|swabbed|biopsied|interviewed|surveyed|determined"
    r"|calculated|established|written down|noted down|entered|printed|included|provided|shared"
    r"|described|explained)\b"
    r"(?!:| (?:by|with|as|that|to be|high|low|normal|positive|negative|because|when|where|if"
    r"|for signs))"
    r"|\b(?:researchers|investigators|scientists|authors|psychologists|we|team|stud(?:y|ies)|trial"
    r"|experiment|survey|project)\b.{0,40}\b(?:compared|examined|studied|tested|investigated"
    r"|evaluated|assessed|analy[sz]ed|measured|looked at|explored|asked|followed|observed)\b"
    r"|\b(?<!cancer )(?<!tumor )(?<!tumour )(?<!pain )(?<!disease )(?<!fever )(?<!symptoms )"
    r"(?:has|have) (?:just )?(?:come back|come in|arrived|returned)\b"
    r"|\bcame (?:back|in)\b(?! (?:positive|negative|normal|abnormal|high|low|elevated|clear|with))",
    re.IGNORECASE,
)
HAD_MEASURED = WordedPattern(
    r"\bhad (?:[\w,-]+ ){1,6}(?:measured|checked|tested|drawn)\b", re.IGNORECASE
)
EXIST_WORDS = frozenset(
    {
        "is",
        "are",
        "was",
        "were",
        "been",
        "has",
        "have",
        "came",
        "researchers",
        "investigators",
        "scientists",
        "authors",
        "psychologists",
        "we",
        "team",
        "study",
        "studies",
        "trial",
        "experiment",
        "survey",
        "project",
    }
)
NAMED = re.compile(r"[:(]|\b(?:such as|including|namely|called|named|like|e\.g|i\.e)\b|\"")
FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty"
    r"|fifty|sixty|hundred|half|third|quarter|double|twice|triple|dozen|first|second|zero)\b",
    re.IGNORECASE,
)
AGED = re.compile(r"\b\d{1,3}[- ](?:years?|months?)[- ]olds?\b", re.IGNORECASE)
CALCULATES = WordedPattern(
    r"(?:^|[.,;]\s|\b(?:and|then|please)\s)(?:\w+ly\s)?(?:calculate|compute|work out|add up)\b"
    r"(?!.{0,60}\b(?:probabilit\w+|risks?|chances?|odds|genotyp\w+|likelihood|scores?|scale|apgar"
    r"|molar|molecular|gcs|how to)\b)",
    re.IGNORECASE,
)
HOW_MUCH = WordedPattern(r"\bhow (?:much|many|often)\b|\bwhat dos(?:e|age)\b", re.IGNORECASE)
DEPENDS = WordedPattern(
    r"\bdepends? (?:up)?on\b|\bvar(?:y|ies)\b|\bshould be (?:calculated|determined)\b",
    re.IGNORECASE,
)
# Patients of whom only the number is told, and a task that puts them into an order.
COUNTS = frozenset({"two", "three", "four", "five", "six", "seven", "eight", "ten", "several"})
PATIENTS = WordedPattern(
    r"\w+ (?:[\w-]+ )?patients(?!.*\b(?:with|aged|respectively)\b)(?: [^.,:;\d\n]{0,90})?\.?",
    re.IGNORECASE,
)
ARRANGES = WordedPattern(
    r"(?:please )?(?:sort|rank|order|prioriti[sz]e|triage|arrange)"
    r" (?:the|these|the following|the given|the listed) (?:[\w-]+ )?(?:patients|cases)\b",
    re.IGNORECASE,
)
# Each such task has one of these parts. They are quick to search for.
CALCULATION_HINTS = ("alculate", "ompute", "ork out", "dd up")
AMOUNT_HINTS = ("ow much", "ow many", "ow often", "hat dos")
QUANTITY = WordedPattern(
    r"\b(?:doses?|dosages?|mean|average|median|bmi|body mass|rates?|percentages?|volumes?|gap"
    r"|clearance|e?gfr|area|weights?|sum|total|ratios?|sensitivity|specificity|levels?"
    r"|concentrations?|intervals?|prevalence|incidence|pressures?|age|number|amount|deficit"
    r"|requirements?|calories|intake)\b",
    re.IGNORECASE,
)


class Unnamed:
    """Finds such sentences by the word lists."""

    def __init__(self) -> None:
        members = mention_list("members") - {"patient", "information", "history", "detail", "plan"}
        self._forms = (
            members
            | {f"{one}s" for one in members}
            | {"comorbidities", "therapies", "allergies", "procedures", "diagnoses"}
        )
        self._counted = re.compile(
            r"\b(?:(?:an?|had|has|her|his|their|with)(?: (?:new|certain|specific|particular|single"
            r"|prescribed|medical|current|given|other))?|(?:two|three|four|five|six|several"
            r"|multiple|some"
            r"|various|certain|different|few|many|both|other)(?: [\w-]+)?) "
            rf"(?P<noun>{alternatives(members)}|comorbiditie|therapie|allergie|procedure)(?:s"
            rf"|es)?\b",
            re.IGNORECASE,
        )
        told = source_list("says") | source_list("finding_adjectives")
        self._told = told - {"reported", "prescribed"}
        self._forms_test = WordTest(self._forms)

    def has_sign(self, text: str, instruction: str) -> bool:
        """Whether input or instruction has a word that each such row has: a quick test."""
        return (
            CALCULATES.may_match(instruction)
            or HOW_MUCH.may_match(instruction)
            or self._forms_test.may_hold(text)
            or EXISTS.may_match(text)
            or HAD_MEASURED.may_match(text)
            or PATIENTS.may_match(text)
        )

    def holds_no_figure(self, text: str, instruction: str) -> bool:
        """Whether the task calculates, and neither input nor instruction has a figure."""
        return (
            any(hint in instruction for hint in CALCULATION_HINTS)
            and CALCULATES.search(instruction) is not None
            and QUANTITY.search(instruction) is not None
            and FIGURE.search(AGED.sub(" ", text)) is None
            and FIGURE.search(instruction) is None
        )

    def depends(self, text: str, instruction: str, output: str) -> bool:
        """Whether the task asks for an amount, and the answer is that it depends."""
        return (
            any(hint in instruction for hint in AMOUNT_HINTS)
            and HOW_MUCH.search(instruction) is not None
            and FIGURE.search(output) is None
            and FIGURE.search(text) is None
            and DEPENDS.search(output) is not None
        )

    def only_exists(self, text: str, words: list[str]) -> bool:
        """Whether the text says that results exist, and tells none.

        Args:
            text: the input.
            words: of the input, in small letters.
        """
        exists = not EXIST_WORDS.isdisjoint(words) and EXISTS.search(text) is not None
        had = not exists and "had" in words and HAD_MEASURED.search(text) is not None
        return (exists or had) and self._is_silent(text)

    def counts(self, text: str, words: list[str], instruction: str) -> bool:
        """Whether the text counts members without a name, and the task is about these members.

        Args:
            text: the input.
            words: of the input, in small letters.
            instruction: of the task.
        """
        if words[0] in COUNTS and "patients" in words:
            return PATIENTS.fullmatch(text) is not None and ARRANGES.match(instruction) is not None
        held = self._forms.intersection(words)
        folded = instruction.lower()
        if not any(one[:STEM_LETTERS].removesuffix("s") in folded for one in held):
            return False
        found = self._counted.search(text)
        if found is None or NAMED.search(text) or not self._is_silent(text):
            return False
        if text.count(",") > 1:
            return False
        if found.group(0)[:2].lower() in {"a ", "an"} and NAMES_MORE.match(text, found.end()):
            return False  # "A disease of the thyroid"
        noun = re.escape(singular(found.group("noun").lower())[:STEM_LETTERS])
        definite = re.compile(rf"{DEFINITE} (?:(?!an?\b)[\w-]+ ){{0,3}}{noun}\w*", re.IGNORECASE)
        return definite.search(instruction) is not None

    def _is_silent(self, text: str) -> bool:
        """Whether no word or figure tells a finding."""
        words = PLAIN_WORD.findall(text.lower())
        return self._told.isdisjoint(words) and not has_measurement(text)


def invents(told: Overlap) -> bool:
    """Whether an output tells what such a sentence leaves out."""
    return told.figures or (told.told > 0 and told.new >= LEAST_NEW_SHARE * told.told)
