"""The words of a noun phrase, up to its head noun.

Belongs here: adjectives, participles and joined words before and after a head. Does not: whether
the phrase is an object (objects).
"""

from bioinstruct_dagster.dataset.imperatives.lemmas import is_plural, is_verb
from bioinstruct_dagster.dataset.imperatives.words_of import Sentence, nouns, verbs

AND = frozenset({"and", "or", "&"})
QUOTE = '"'
_MARKS = frozenset(';:()[]{}—–/"')
_POINTING = frozenset({"given", "following", "above", "below"})  # before a noun, and after it
_JOINS_ADJECTIVES = AND | {",", "but", "yet"}
NOUNS_IN_LY = frozenset({"family", "assembly", "anomaly", "supply", "reply"})
_SUBJECTS = frozenset({"they", "you", "we", "he", "she", "it", "i"})


def noun_phrase(sentence: Sentence, place: int) -> list[str]:
    """The words of the noun phrase that begins at a place; the last is its head.

    Args:
        sentence: any.
        place: of the first word, or of a quotation mark before it.
    """
    place += sentence.at(place) == QUOTE
    phrase: list[str] = []
    while sentence.at(place):
        word = sentence.at(place)
        if word == "(" and phrase and is_adjective(phrase[-1]):
            place = _closed(sentence, place)
            continue
        if word in _JOINS_ADJECTIVES:
            if not _joins_adjectives(phrase, sentence, place):
                break
        elif over_at(sentence, place) or _follows_head(phrase, sentence, place):
            break
        else:
            phrase.append(word)
        place += 1
    return _trimmed(phrase)


def over_at(sentence: Sentence, place: int) -> bool:
    """Whether no noun phrase goes on at a place, whatever stands before it."""
    word = sentence.at(place)
    if word in _POINTING or (word in {"at", "up"} and sentence.at(place + 1) in {"least", "to"}):
        return False
    return not word or word in nouns("ends") or word in _MARKS or word == ","


def is_adjective(word: str) -> bool:
    """Whether a word looks like an adjective, or like a participle before a noun."""
    if word in nouns("adjectives") or word in _POINTING:
        return True
    if word in nouns("noun_like") or word in nouns("ing_nouns") or is_plural(word):
        return False
    endings = tuple(nouns("adjective_endings"))
    return word.endswith(endings) and not word.endswith(tuple(nouns("noun_endings")))


def _closed(sentence: Sentence, place: int) -> int:
    """The place after the bracket that closes; the end of the sentence if none does."""
    rest = range(place, len(sentence.words))
    return next((at + 1 for at in rest if sentence.at(at) == ")"), len(sentence.words))


def _is_plain(word: str) -> bool:
    """Whether a word can't be a head: a determiner, an adjective or a number."""
    return word in nouns("determiners") or word.isdigit() or is_adjective(word)


def _joins_adjectives(phrase: list[str], sentence: Sentence, place: int) -> bool:
    """Whether a word only joins adjectives before the head: `a clear, short summary`."""
    at = place + 1
    while sentence.at(at) in _JOINS_ADJECTIVES or sentence.at(at) == "/":
        at += 1
    after = sentence.at(at)
    if not phrase or not after or is_verb(after) or over_at(sentence, at):
        return False
    return _is_plain(phrase[-1])


def _follows_head(phrase: list[str], sentence: Sentence, place: int) -> bool:
    """Whether a word describes the noun before it: `the text provided`, `a plan addressing …`."""
    word, after = sentence.at(place), sentence.at(place + 1)
    if all(_is_plain(one) for one in phrase):
        return False
    over = after in AND | _POINTING or over_at(sentence, place + 1)
    if (
        word in verbs("particles")
        or word in _POINTING
        or word in _SUBJECTS
        or word in nouns("determiners")
    ):
        return True
    if word.endswith("ly"):
        return word not in NOUNS_IN_LY
    if word.endswith("ed") or word in nouns("participles"):
        return over or after.endswith("ly") or after in nouns("determiners")
    if word.endswith("ing") and word not in nouns("ing_nouns"):
        return not over or is_plural(phrase[-1]) or after == "to"
    # Help the patient understand the plan.
    return word.removeprefix("self-") in verbs("tasks") and after in nouns("determiners")


def _trimmed(phrase: list[str]) -> list[str]:
    """The phrase without adjectives that follow its head: `the specialist most appropriate`."""
    while len(phrase) > 1 and (phrase[-1] in nouns("late_adjectives") or phrase[-1].isdigit()):
        before = phrase[:-1]
        if all(_is_plain(one) for one in before):
            break
        phrase = before
    return [] if all(one in nouns("determiners") or one.isdigit() for one in phrase) else phrase
