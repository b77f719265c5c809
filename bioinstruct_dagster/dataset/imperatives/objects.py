"""The object that follows a verb: the head noun of its noun phrase.

Belongs here: where the object begins, and when it is a clause or a pronoun. Does not: the words of
a noun phrase (phrases), finding the verb (clauses), or singulars (lemmas).
"""

from bioinstruct_dagster.dataset.imperatives.lemmas import is_verb, singular
from bioinstruct_dagster.dataset.imperatives.phrases import (
    AND,
    NOUNS_IN_LY,
    QUOTE,
    noun_phrase,
    over_at,
)
from bioinstruct_dagster.dataset.imperatives.words_of import Sentence, nouns, verbs

_PERSONS = frozenset({"me", "us", "you", "him", "her", "them", "it", "they"})
_NO_ADVERBS = NOUNS_IN_LY | {"only", "early", "daily", "weekly", "monthly"}
# Words in `explain in simple terms the difference`, between the verb and the object, at most.
_ASIDE_WORDS = 6


def object_after(sentence: Sentence, place: int) -> str:
    """The head noun of the object that begins at a place, in the singular; empty if there is none.

    Args:
        sentence: of the verb.
        place: of the first word after the verb.
    """
    place = _after_aside(sentence, _start(sentence, place))
    first, after = sentence.at(place), sentence.at(place + 1)
    if first in _PERSONS:
        # Give me a list: the person is no direct object.
        if after not in {"a", "an", "the"}:
            return ""
        place += 1
    elif first in nouns("pronouns") and (after in AND or over_at(sentence, place + 1)):
        return ""
    if _begins_clause(sentence, place):
        return ""
    phrase = noun_phrase(sentence, place)
    return singular(phrase[-1]) if phrase else ""


def _start(sentence: Sentence, place: int) -> int:
    """Where the object begins: after adverbs, particles and the second of two joined verbs."""
    while word := sentence.at(place):
        at = place + 1
        if word in verbs("particles") or (word.endswith("ly") and word not in _NO_ADVERBS):
            place = at
            continue
        if word not in AND and word not in {",", "/"}:
            break
        while (
            sentence.at(at) in AND or sentence.at(at) in verbs("manners") or sentence.at(at) == "/"
        ):
            at += 1
        if not is_verb(sentence.at(at)):
            break
        place = at + 1
    return place


def _after_aside(sentence: Sentence, place: int) -> int:
    """The place after a phrase before the object: `explain in simple terms the difference`."""
    if sentence.at(place) in {"in", "to", "for", "from"}:
        inside = range(place + 2, place + _ASIDE_WORDS)
        first = next((at for at in inside if sentence.at(at) in {"the", "a", "an"}), place)
        aside = sentence.words[place + 1 : first]
        if not any(word in nouns("ends") or not word[0].isalnum() for word in aside):
            return first
    return place


def _begins_clause(sentence: Sentence, place: int) -> bool:
    word, after = sentence.at(place), sentence.at(place + 1)
    if word in nouns("clauses"):
        # `that statement` and `that the statement …` differ: only a clause has a determiner there.
        return not (word == "that" and after and after not in nouns("determiners"))
    return word != QUOTE and over_at(sentence, place) and word != "using"
