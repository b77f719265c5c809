"""The verb that a sentence asks by.

Belongs here: leading phrases, main clauses, questions and passives. Does not: the object (objects).
"""

from typing import NamedTuple

from bioinstruct_dagster.dataset.imperatives.lemmas import base_verb, is_plural, is_verb
from bioinstruct_dagster.dataset.imperatives.phrases import is_adjective, noun_phrase
from bioinstruct_dagster.dataset.imperatives.words_of import Sentence, nouns, verbs

_MODALS = frozenset({"should", "must", "shall", "can", "could", "may", "might", "will", "would"})
_NEEDS = frozenset({"needs", "need", "has", "have", "is", "are", "ought"})
_BREAKS = frozenset(',;:)]}"—–')
# Words before `to` and a verb: your task is to identify, you are asked to identify.
_PURPOSES = frozenset(
    {"is", "are", "be", "asked", "tasked", "required", "need", "needs", "want", "you", "try"}
    | {"task", "job", "goal", "aim"}
)


class FoundVerb(NamedTuple):
    """A verb in its sentence.

    Attributes:
        verb: its base form.
        place: of the word.
        subject: where the noun phrase begins that a passive verb is about; None if it is active.
    """

    verb: str
    place: int
    subject: int | None = None


def verb_of(sentence: Sentence) -> FoundVerb | None:
    """The verb by which a sentence asks for something; None if there is none."""
    start = _skip(sentence, 0)
    word = sentence.at(start)
    if word in verbs("questions"):
        if word in _MODALS and sentence.at(start + 1) == "you":
            return _active(sentence, _skip(sentence, start + 2))
        if sentence.asks or word not in verbs("openers"):
            return None
    if word not in verbs("openers") and not _sets_scene(sentence, start):
        if is_verb(word):
            return _active(sentence, start)
        if word.endswith("ing") and base_verb(word):
            return _active(sentence, start)
        if _is_unknown_verb(sentence, start):
            return FoundVerb(word, start)
    return (
        _in_clause(sentence, start)
        or (_anywhere(sentence, start) if word in verbs("openers") else None)
        or _purpose(sentence)
        or _passive(sentence)
    )


def _active(sentence: Sentence, place: int) -> FoundVerb | None:
    verb = base_verb(sentence.at(place))
    return FoundVerb(verb, place) if verb else None


def _skip(sentence: Sentence, place: int) -> int:
    """The place after numbers, marks and words such as `please`."""
    while (word := sentence.at(place)) and (
        word in verbs("manners") or word.isdigit() or not word[0].isalnum()
    ):
        place += 1
    return place


def _sets_scene(sentence: Sentence, place: int) -> bool:
    return sentence.at(place) in verbs("preparing") and _in_clause(sentence, place) is not None


def _is_unknown_verb(sentence: Sentence, place: int) -> bool:
    """Whether an unlisted first word is a verb, as its determiner shows: `recast the sentence`."""
    word, after = sentence.at(place), sentence.at(place + 1)
    closed = word in nouns("determiners") or word in nouns("ends") or word in nouns("pronouns")
    return (
        not closed
        and word.isalpha()
        and not word.endswith(("ed", "ly"))
        and not is_plural(word)
        and after in nouns("determiners")
    )


def _in_clause(sentence: Sentence, start: int) -> FoundVerb | None:
    """The first verb right after a comma or another break."""
    for place in range(start + 1, len(sentence.words)):
        if sentence.at(place) not in _BREAKS:
            continue
        at = _skip(sentence, place + 1)
        if sentence.at(at) in {"and", "or", "please"} and sentence.at(at + 1) != "":
            at = _skip(sentence, at + 1)
        word = sentence.at(at)
        if sentence.asks and word in verbs("questions"):
            return None
        if _asks_by(sentence, at):
            return _active(sentence, at)
    return None


def _asks_by(sentence: Sentence, place: int) -> bool:
    """Whether the word at a place is a verb, and no noun that looks like one."""
    word, after = sentence.at(place), sentence.at(place + 1)
    if word not in verbs("nouns_too"):
        return word in verbs("tasks")
    if after in nouns("determiners") or after in nouns("clauses") or after in nouns("pronouns"):
        return True
    if word in verbs("compounds"):
        return False
    if after in {"and", "or"}:
        return is_verb(sentence.at(place + 2))
    return is_adjective(after) or is_plural(after) or after.isdigit()


def _anywhere(sentence: Sentence, start: int) -> FoundVerb | None:
    """A verb without a break before it: `given the history identify the diagnosis`."""
    for place in range(start + 1, len(sentence.words)):
        word, after = sentence.at(place), sentence.at(place + 1)
        before = sentence.at(place - 1)
        free = before not in _MODALS and before not in nouns("ends") | nouns("determiners")
        if word in verbs("tasks") and free and before not in {"and", "or", "you"}:
            opens = after in nouns("determiners") or after in nouns("clauses")
            if opens or is_adjective(after) or is_plural(after):
                return _active(sentence, place)
    return None


def _purpose(sentence: Sentence) -> FoundVerb | None:
    """A verb in `your task is to …`, `you are asked to …` or `you should …`."""
    for place in range(1, len(sentence.words)):
        before, word = sentence.at(place - 1), sentence.at(place)
        to = before == "to" and sentence.at(place - 2) in _PURPOSES
        if (to or before in _MODALS) and is_verb(word):
            return _active(sentence, place)
    return None


def _passive(sentence: Sentence) -> FoundVerb | None:
    """A participle in `… should be listed` or `… needs to be explained`."""
    for place in range(2, len(sentence.words)):
        if sentence.at(place - 1) != "be" or not base_verb(sentence.at(place)):
            continue
        at = place - 2
        if sentence.at(at) == "to":
            at -= 1
        if sentence.at(at) not in _MODALS | _NEEDS:
            continue
        breaks = [before for before in range(at) if sentence.at(before) in _BREAKS]
        subject = breaks[-1] + 1 if breaks else 0
        if noun_phrase(sentence, subject):
            return FoundVerb(base_verb(sentence.at(place)), place, subject)
    return None
