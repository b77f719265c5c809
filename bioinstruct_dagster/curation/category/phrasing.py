"""Splits an instruction into its parts, and makes the features that show the kind of task.

"Given a discharge note, list the doses." asks to list doses. The main clause shows the kind of task
better than the given part. Belongs here: the parts and the features. Does not: learning from them
(classifier), or the words (words/phrasing.yaml). Every step is linear in the length of the text.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from bioinstruct_dagster.curation.word_lists import word_list

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_OBJECT_WORDS = 4  # content words after the verb
_PAIR_WORDS = 12  # words of the main clause that may pair with its verb
_OPENING_WORDS = 3  # longest opening that is a feature


class _PhrasingLists(NamedTuple):
    """The word lists that split an instruction; words/phrasing.yaml explains each."""

    preambles: frozenset[str]
    questions: frozenset[str]
    stop: frozenset[str]
    verbs: frozenset[str]
    texts: frozenset[str]
    pointers: frozenset[str]


@cache
def _phrasing_lists() -> _PhrasingLists:
    package = "bioinstruct_dagster.curation.category"
    return _PhrasingLists(
        *(word_list(package, "phrasing.yaml", name) for name in _PhrasingLists._fields)
    )


def clauses(instruction: str) -> tuple[str, str]:
    """The given part and the main clause of an instruction, both in lower case.

    The given part may hold commas. The main clause begins after the first comma that is followed by
    a verb or a question word.
    """
    lists = _phrasing_lists()
    lowered = " ".join(instruction.lower().split())
    if lowered.partition(" ")[0] not in lists.preambles:
        return "", lowered
    parts = lowered.split(", ")
    for place, part in enumerate(parts[1:], start=1):
        first = _WORD.match(part)
        if first and (first.group() in lists.verbs or first.group() in lists.questions):
            return ", ".join(parts[:place]), ", ".join(parts[place:])
    given, comma, rest = lowered.partition(", ")
    return (given, rest) if comma else ("", lowered)


def features(instruction: str) -> list[str]:
    """The features of an instruction, each as a text such as `word=list`.

    The first one is the first word of the main clause, if the clause has a word.
    """
    given, main = clauses(instruction)
    words, given_words = _WORD.findall(main), _WORD.findall(given)
    found = [f"word={word}" for word in words]
    found += [f"two={one} {two}" for one, two in pairwise(words)]
    found += [f"opening={' '.join(words[:length])}" for length in range(1, _OPENING_WORDS + 1)]
    if words:
        found += _verb_features(words, given_words)
    found += [f"given={word}" for word in _content_of(given_words)]
    found += _sign_features(instruction, given, words, given_words)
    return found


def _content_of(words: list[str]) -> list[str]:
    """The distinct words that are not small words."""
    stop = _phrasing_lists().stop
    return [word for word in dict.fromkeys(words) if word not in stop]


def _verb_features(words: list[str], given_words: list[str]) -> Iterator[str]:
    lists = _phrasing_lists()
    verb, *after = words
    content = [word for word in after if word not in lists.stop]
    yield from [f"object={word}" for word in content[:_OBJECT_WORDS]]
    yield from [f"pair={verb} {word}" for word in _content_of(after[: _PAIR_WORDS - 1])]
    yield from [f"source={verb} {word}" for word in _content_of(given_words)]
    # "identify ... and explain ..." is another task than "identify ...".
    if "and" in after or "then" in after:
        for joint, second in pairwise(words):
            if joint in {"and", "then"} and second in lists.verbs:
                yield f"joined={second}"
                yield f"verbs={verb} {second}"


def _sign_features(
    instruction: str, given: str, words: list[str], given_words: list[str]
) -> Iterator[str]:
    lists = _phrasing_lists()
    if instruction.rstrip().endswith("?"):
        yield "sign=question"
    if given:
        yield "sign=given"
    if not lists.texts.isdisjoint(words) or not lists.texts.isdisjoint(given_words):
        yield "sign=text"
    if not lists.pointers.isdisjoint(words):
        yield "sign=pointer"
