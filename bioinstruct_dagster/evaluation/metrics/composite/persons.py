"""The sex of the patient, and the sides of the body that a text names.

Belongs here: reading them. Does not: comparing two texts (coverage, support).
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause, relatives
from bioinstruct_dagster.evaluation.metrics.composite.lists import stems_in, words_in
from bioinstruct_dagster.evaluation.metrics.composite.stems import stem
from bioinstruct_dagster.evaluation.metrics.composite.tokens import sentences_of

LEFT, RIGHT, BOTH = "left", "right", "both"
_SINGULAR = {"feet": "foot"}
_REACH_AFTER, _REACH_BEFORE = 3, 2  # words between a side and its part of the body


class SidedPart(NamedTuple):
    """A part of the body and its side."""

    part: str
    side: str


def sided_parts(clause: Clause) -> list[SidedPart]:
    """The parts of the body in a clause that have a side there."""
    found: list[SidedPart] = []
    for at, word in enumerate(clause.words):
        side = _sides().get(word)
        if not side:
            continue
        after = clause.words[at + 1 : at + 1 + _REACH_AFTER]
        before = clause.words[max(0, at - _REACH_BEFORE) : at][::-1]
        for near in (*after, *before):
            if near in _sides():
                break
            if stem(near) in stems_in("persons", "sided"):
                found.append(SidedPart(_SINGULAR.get(near, stem(near)), side))
                break
    return found


def sides_by_part(clauses: Iterable[Clause]) -> dict[str, set[str]]:
    """The sides named for each part of the body."""
    made: dict[str, set[str]] = {}
    for clause in clauses:
        for one in sided_parts(clause):
            made.setdefault(one.part, set()).update(sides_of(one))
    return made


def sides_of(one: SidedPart) -> frozenset[str]:
    """The sides that a part has: both are left and right."""
    return frozenset({LEFT, RIGHT} if one.side == BOTH else {one.side})


def sexes(text: str) -> frozenset[str]:
    """The sexes that a note gives the patient: "male", "female", both or none.

    A pronoun that may stand for a relative does not count: after a relative is named, "he" and
    "she" are not read until "patient" comes again. The owner of a relative is the patient: "her
    son" tells the sex.
    """
    found: set[str] = set()
    relative = False
    for words in sentences_of(text):
        for at, word in enumerate(words):
            following = words[at + 1] if at + 1 < len(words) else ""
            if word == "patient":
                relative = False
            elif word in relatives():
                relative = True
            sex = _sex_words().get(word)
            if sex and (not relative or (word in _POSSESSIVES and following in relatives())):
                found.add(sex)
            if not relative:
                found |= {sex for sex in ("male", "female") if stem(word) in _organs(sex)}
    return frozenset(found)


def spoken_sexes(text: str) -> frozenset[str]:
    """The sexes that a dialogue gives the patient: only from forms of address and organs.

    The pronouns of a dialogue are mostly for others.
    """
    found: set[str] = set()
    for words in sentences_of(text):
        for word in words:
            sex = _sex_words().get(word)
            if sex and word in words_in("persons", "addresses"):
                found.add(sex)
            found |= {sex for sex in ("male", "female") if stem(word) in _organs(sex)}
    return frozenset(found)


_POSSESSIVES = frozenset({"his", "her"})


def _organs(sex: str) -> frozenset[str]:
    return stems_in("persons", f"{sex}_only")


@cache
def _sex_words() -> dict[str, str]:
    return {word: sex for sex in ("male", "female") for word in words_in("persons", sex)}


@cache
def _sides() -> dict[str, str]:
    return {word: side for side in (LEFT, RIGHT, BOTH) for word in words_in("persons", side)}
