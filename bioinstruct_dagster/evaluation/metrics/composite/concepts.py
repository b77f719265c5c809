"""The concepts of a clause: what its words mean, whatever words say it.

Belongs here: synonyms, words without content, numbers with their units, and the weight of a
concept. Does not: negation and owners (clauses), or the words themselves (the folder `words`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from bioinstruct_dagster.evaluation.metrics.composite.lists import texts_in, words_in
from bioinstruct_dagster.evaluation.metrics.composite.numbers import NUMBER
from bioinstruct_dagster.evaluation.metrics.composite.stems import stem

Kind = Literal["finding", "medicine", "term", "body", "number", "word"]

# In the order in which a phrase of two lists is looked up.
SYNONYM_LISTS: dict[str, Kind] = {
    "conditions": "finding",
    "symptoms": "finding",
    "procedures": "finding",
    "body": "body",
    "habits": "finding",
    "brands": "medicine",
    "modifiers": "word",
    "everyday": "word",
}
RATES = frozenset({"daily", "weekly", "monthly"})
VAGUE_WEIGHT = 0.5  # a word such as "good" says about half of what a finding says
LEAST_OF_A_NAME = 6  # letters of a medicine's name; shorter words share endings by chance
LEAST_OF_A_TERM = 8  # letters; a word so long that no list has is mostly a clinical term


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that a clause says.

    Attributes:
        name: of the concept, or the stem of the word, or the digits of a number.
        kind: findings (with treatments and habits), medicines and terms (long words of no list) can
            be affirmed or denied. Parts of the body, numbers and other words only say what is
            spoken of.
        parts: names of the concepts of which it consists, such as pain and abdomen.
        weight: how much it counts.
        words: as they stand in the text.
        unit: of a number, or "".
    """

    name: str
    kind: Kind
    parts: tuple[str, ...]
    weight: float
    words: tuple[str, ...]
    unit: str = ""

    @property
    def deniable(self) -> bool:
        """Whether it makes a difference that the concept is denied."""
        return self.kind in {"finding", "medicine", "term"}


def concepts_of(words: list[str]) -> list[Concept]:
    """The concepts of some words, in their order. The longest phrase of the lists wins."""
    stems = [stem(word) for word in words]
    found: list[Concept] = []
    at = 0
    while at < len(words):
        concept, used = _phrase_at(words, stems, at)
        if concept:
            found.append(concept)
        at += used
    return found


def _phrase_at(words: list[str], stems: list[str], at: int) -> tuple[Concept | None, int]:
    """The concept that begins here, if any, and how many words it takes."""
    word = words[at]
    if NUMBER.fullmatch(word):
        unit, used = _unit_after(words, stems, at)
        return Concept(word, "number", (), 1.0, tuple(words[at : at + used]), unit), used
    least = 1 if word in words_in("function", "boilerplate") else 0  # "admits" is no admission
    for length in range(min(_longest(), len(words) - at), least, -1):
        if known := _phrases().get(tuple(stems[at : at + length])):
            name, kind = known
            weight = VAGUE_WEIGHT if length == 1 and _is_vague(word) else 1.0
            return Concept(name, kind, _parts(name), weight, tuple(words[at : at + length])), length
    if word == "may" and _is_month(words, at):
        return Concept(word, "word", (), 1.0, (word,)), 1
    if word in without_content() or not word.isalpha() or len(word) == 1:
        return None, 1
    return Concept(
        stems[at], _unlisted(word), (), VAGUE_WEIGHT if _is_vague(word) else 1.0, (word,)
    ), 1


def _is_month(words: list[str], at: int) -> bool:
    """Whether the "may" here is the month."""
    before, after = words[max(0, at - 1) : at], words[at + 1 : at + 2]
    beside = any(NUMBER.fullmatch(word) for word in before + after)
    return beside or any(word in words_in("numbers", "before_month") for word in before)


def _unit_after(words: list[str], stems: list[str], at: int) -> tuple[str, int]:
    """The unit of the number here, or "", and how many words both take."""
    following = words[at + 1] if at + 1 < len(words) else ""
    if following in {"times", "time", "x"}:  # "2 times a day" and "2 times daily" are one rate
        for length in range(min(_longest(), len(words) - at - 2), 0, -1):
            name, _ = _phrases().get(tuple(stems[at + 2 : at + 2 + length]), ("", ""))
            if name in RATES:
                return name, 2 + length
    unit = texts_in("numbers", "units").get(following, "")
    return unit, 2 if unit else 1


def _unlisted(word: str) -> Kind:
    if named_like_medicine(word):
        return "medicine"
    return "term" if len(word) >= LEAST_OF_A_TERM and not _is_vague(word) else "word"


def phrase_words(words: list[str], at: int) -> int:
    """How many words the longest phrase of the synonym lists takes that begins here."""
    stems = [stem(word) for word in words[at : at + _longest()]]
    lengths = range(len(stems), 0, -1)
    return next((length for length in lengths if tuple(stems[:length]) in _phrases()), 0)


def named_like_medicine(word: str) -> bool:
    """Whether the form of a word says that it is the name of a medicine."""
    if word in words_in("drugs", "named"):
        return True
    return (
        len(word) >= LEAST_OF_A_NAME
        and word.endswith(tuple(words_in("drugs", "stems")))
        and word not in words_in("drugs", "not_drugs")
    )


@cache
def without_content() -> frozenset[str]:
    """Words that are no concepts."""
    return words_in("function", "empty") | words_in("function", "boilerplate")


def _is_vague(word: str) -> bool:
    return word in words_in("function", "vague")


@cache
def _parts(name: str) -> tuple[str, ...]:
    """The concepts in the words of a concept's name, if there is more than one."""
    words = [word for word in name.split() if word not in without_content()]
    if len(words) < 2:  # noqa: PLR2004
        return ()
    return tuple(_phrases().get((stem(word),), (stem(word), "word"))[0] for word in words)


@cache
def _phrases() -> dict[tuple[str, ...], tuple[str, Kind]]:
    """The concept and kind of each phrase of the synonym lists, by the stems of its words."""
    made: dict[tuple[str, ...], tuple[str, Kind]] = {}
    for name, kind in SYNONYM_LISTS.items():
        for concept, phrases in texts_in("synonyms", name).items():
            for phrase in (concept, *phrases.split(",")):
                made.setdefault(tuple(stem(word) for word in phrase.split()), (concept, kind))
    return made


@cache
def _longest() -> int:
    return max(len(phrase) for phrase in _phrases())
