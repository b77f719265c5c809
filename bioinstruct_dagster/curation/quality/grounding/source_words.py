"""The words by which an input is read as the name of a source, and the name itself.

Belongs here: nouns in the singular, the class of each noun, the parts of an input, measured
content, and the word lists of the rule and of `words/sources.yaml`. Does not: reading a noun phrase
(source_phrases) or a title (source_names).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache

from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.word_lists import alternatives, word_list
from bioinstruct_dagster.sign_clauses import folded_text

QUALITY_PACKAGE = "bioinstruct_dagster.curation.quality"  # the package of the word lists
SOURCE_LISTS = "sources.yaml"
MOST_REMEMBERED_NOUNS = 20_000  # nouns whose singular is cached
MOST_REMEMBERED_TEXTS = 16  # several readers ask about each text of a row

TOKEN = re.compile(r"\w[\w’'-]*|[,:;()\"“”/&]")
DIGIT = re.compile(r"\d")
PART_EDGES = " \t-•*"  # white space and bullets around a part of an input
LETTERS = re.compile(r"[^\W\d_](?:[\w-]*[^\W_])?")
# A time, as in "results from the past 24 hours", is no result.
TIME = re.compile(
    r"\b(?:(?:over|for|from|during|in|within|of) )?(?:the )?(?:past|last|previous) "
    r"(?:(?:\d+|few|several|two|three|six|twelve) )?(?:hours?|days?|weeks?|months?|years?)\b"
    r"|\b(?:yesterday|recently)\b",
    re.IGNORECASE,
)
TIME_WORDS = ("past", "last", "previous", "yesterday", "recently")  # a time has one of them


@lru_cache(MOST_REMEMBERED_NOUNS)
def singular(word: str) -> str:
    """The approximate singular of a noun, without a possessive ending."""
    word = word.removesuffix("'s").removesuffix("’s").removesuffix("'").removesuffix("’")
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - not "dies"
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-1]
    return word


def noun_forms(nouns: Iterable[str]) -> frozenset[str]:
    """The nouns, and every other word whose `singular` is one of them, besides possessives."""
    known = frozenset(nouns)
    plurals = {f"{noun}s" for noun in known}
    return known.union(plurals, {f"{noun[:-1]}ies" for noun in known if noun.endswith("y")})


def nouns_of(text: str) -> list[str]:
    """The words of a text in small letters, in the singular."""
    return [singular(word) for word in LETTERS.findall(text.lower())]


def parts_between(breaks: re.Pattern[str], text: str) -> Iterator[str]:
    """The parts of an input, one after the other: most inputs are content in the first part.

    Args:
        breaks: the pattern of what stands between two parts.
        text: the input.
    """
    end = 0
    for found in breaks.finditer(text):
        yield text[end : found.start()].strip(PART_EDGES)
        end = found.end()
    yield text[end:].strip(PART_EDGES)


def source_list(name: str) -> frozenset[str]:
    """The words of a list of `words/sources.yaml`."""
    return word_list(QUALITY_PACKAGE, SOURCE_LISTS, name)


def source_classes(rule: UngroundedRule) -> dict[str, str]:
    """The class of each noun that the rule lists as a source."""
    lists = {
        "particular": rule.particulars,
        "recording": rule.recordings,
        "record": rule.records,
        "work": rule.works,
        "norm": rule.norms,
    }
    return {noun: name for name, nouns in lists.items() for noun in nouns}


@lru_cache(MOST_REMEMBERED_TEXTS)
def has_measurement(text: str) -> bool:
    """Whether a text holds measured content: a figure with a unit, a ratio, a percentage."""
    if DIGIT.search(text) is None:
        return False  # most names; each measurement has a figure
    if any(word in folded_text(text) for word in TIME_WORDS):
        text = TIME.sub("", text)
    return _measurement_pattern().search(text) is not None


@cache
def _measurement_pattern() -> re.Pattern[str]:
    units, words = (alternatives(source_list(name)) for name in ("measures", "measure_words"))
    return re.compile(
        rf"\d[\d,.]{{0,12}}\s?(?:{units}|(?:{words})\b)|\d\.\d|/\d|[<>=≥≤]\s?\d", re.IGNORECASE
    )


@dataclass(frozen=True)
class SourceName:
    """The source that an input names, and the form of the name.

    Attributes:
        noun: the class of the source, as in the rule.
        bare: whether the name gives neither a person nor a topic.
        titled: whether the name is a title, or gives the topic of a work.
        unlabelled: whether a title stands without a label.
        is_sentence: whether the name is a whole sentence, such as "This study compares …".
        loose: whether the same words may also be a topic, such as "Chest X-ray".
        word: the noun itself, such as "article"; empty for a title.
        members: the members of a list that the name announces, such as "code"; else empty.
    """

    noun: str
    bare: bool = False
    titled: bool = False
    unlabelled: bool = False
    is_sentence: bool = False
    loose: bool = False
    members: str = ""
    word: str = field(default="", compare=False)


class SourceWords:
    """The words of the rule and of the lists, by what they say about a source."""

    def __init__(self, rule: UngroundedRule) -> None:
        self.class_of = source_classes(rule)
        self.holders = frozenset(rule.holders)
        self.people = self.holders.difference(rule.points)
        self.tells = frozenset(rule.tells)
        self.about, self.verbs, self.joints = map(source_list, ("about", "verbs", "joints"))
        self.says, self.articles, self.kinds = map(source_list, ("says", "articles", "kinds"))

    def sources_in(self, text: str) -> dict[str, str]:
        """The nouns for sources in a text, and the class of each."""
        return {one: self.class_of[one] for one in nouns_of(text) if one in self.class_of}

    def is_held(self, text: str) -> bool:
        """Whether the text speaks of a person, such as a patient."""
        return not self.people.isdisjoint(nouns_of(text))
