"""Clauses of a text: what is said, of whom, and whether it is affirmed or denied.

Belongs here: cutting sentences into clauses, the reach of a negation, and the owner of a finding.
Does not: questions and answers of a dialogue (dialogue), or comparing texts (coverage, support).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bioinstruct_dagster.evaluation.metrics.composite.concepts import (
    Concept,
    concepts_of,
    phrase_words,
)
from bioinstruct_dagster.evaluation.metrics.composite.lists import phrases_in, texts_in
from bioinstruct_dagster.evaluation.metrics.composite.tokens import sentences_of

PATIENT = "patient"
LONGEST_CUE = 4  # words
BRACKETS = frozenset("()")
_SEPARATORS = BRACKETS | frozenset(
    {",", "and", "or", "but", "?", "with", "who", "which", "because", "while"}
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence between commas and conjunctions, wholly affirmed or wholly denied.

    Attributes:
        words: in small letters.
        concepts: what it says.
        negated: whether it denies that.
        owner: PATIENT, or the relative that it is about.
        topic: it only says that there is nothing to report, such as "noncontributory".
        question: it is part of a question.
        certain: whether `negated` is known. A question without a plain answer is not certain.
    """

    words: tuple[str, ...]
    concepts: tuple[Concept, ...]
    negated: bool = False
    owner: str = PATIENT
    topic: bool = False
    question: bool = False
    certain: bool = True


def clauses_of(text: str) -> list[Clause]:
    """The clauses of a text in their order; those that say nothing are left out."""
    return [clause for words in sentences_of(text) for clause in clauses_in(words)]


def clauses_in(words: list[str]) -> list[Clause]:
    """The clauses of one sentence."""
    question = words[-1] == "?"
    marks = _negation_marks(words)
    words = [_own_denials().get(word, word) for word in words]
    cuts = _cuts(words)
    found: list[Clause] = []
    owner, start = PATIENT, 0
    for end in range(len(words) + 1):
        # A negation that begins or ends within a part of the sentence cuts it too.
        turns = start < end < len(words) and marks[end] != marks[end - 1]
        if end < len(words) and not cuts[end] and not turns:
            continue
        part, denied = words[start:end], any(marks[start:end])
        start = end + (not turns)
        if not part:
            continue
        owner = _owner(part, owner)
        topic = tuple(part) in phrases_in("cues", "topic_answers")
        concepts = tuple(concepts_of(part))
        if topic:  # "No known allergies" denies something, "noncontributory" nothing in particular
            concepts = tuple(concept for concept in concepts if concept.kind == "finding")
            denied = True
        if concepts or topic:
            found.append(Clause(tuple(part), concepts, denied, owner, topic, question))
    return found


def _cuts(words: list[str]) -> list[bool]:
    """Which words separate clauses. In "pain with urination" and "pins and needles" none does."""
    made = [word in _SEPARATORS for word in words]
    for at in range(len(words)):
        if any(made[at : at + LONGEST_CUE]):
            for place in range(at, at + phrase_words(words, at)):
                made[place] = False
    return made


def _owner(part: list[str], before: str) -> str:
    for word in part:
        if relative := relatives().get(word):
            return relative
    return PATIENT if "patient" in part or "i" in part else before


def _negation_marks(words: list[str]) -> list[bool]:
    """For each word, whether a negation reaches it."""
    marks = [False] * len(words)
    masked = _masked(words)
    reach = forward = False  # a negation of the rest of the sentence, or of the rest of the clause
    start = 0
    before_bracket = False
    for at, word in enumerate(words):
        if word in _SEPARATORS:
            start, forward = at + 1, False
        # What stands in brackets is said anew: "not pregnant (tubes tied)".
        if word == "(" and at and not _ends_with_cue(words, at):
            before_bracket, reach = reach, False
        elif word == ")":
            before_bracket, reach = False, before_bracket
        if (word,) in phrases_in("cues", "ends_negation"):
            reach = False
        if not masked[at] and _cue_at(words, at, "negates_after"):
            reach = True
        elif not masked[at] and not reach and (used := _cue_at(words, at, "negates_before")):
            forward = at == start  # "negative pregnancy test", but "pregnancy test negative"
            marks[start : at + used] = [True] * (at + used - start)
        marks[at] = marks[at] or reach or forward or word in _own_denials()
    return marks


def _ends_with_cue(words: list[str], at: int) -> bool:
    """Whether a negation stands just before: "denies (fever, chills)"."""
    return any(
        tuple(words[max(0, at - length) : at]) in phrases_in("cues", "negates_after")
        for length in range(1, LONGEST_CUE + 1)
    )


def _masked(words: list[str]) -> list[bool]:
    """The words of phrases such as "not only", which negate nothing."""
    made = [False] * len(words)
    for at in range(len(words)):
        for place in range(at, at + _cue_at(words, at, "not_negations")):
            made[place] = True
    return made


def _cue_at(words: list[str], at: int, name: str) -> int:
    """How many words the longest phrase of a list takes that begins here; 0 if none does."""
    phrases = phrases_in("cues", name)
    for length in range(min(LONGEST_CUE, len(words) - at), 0, -1):
        if tuple(words[at : at + length]) in phrases:
            return length
    return 0


def _own_denials() -> Mapping[str, str]:
    return texts_in("cues", "denied_in_itself")


def relatives() -> Mapping[str, str]:
    """The relative that each word of a family names."""
    return texts_in("persons", "relatives")
