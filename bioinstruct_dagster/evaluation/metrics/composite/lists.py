"""The composite's word lists, read once from the folder `words`.

Belongs here: which file holds a list, and the stems of its words. Does not: the words (the YAML
files), or what a list is used for (the other modules).
"""

from collections.abc import Mapping
from functools import cache

from bioinstruct_dagster.curation.word_lists import word_list, word_texts, word_values
from bioinstruct_dagster.evaluation.metrics.composite.stems import stem

PACKAGE = "bioinstruct_dagster.evaluation.metrics.composite"


def words_in(file: str, name: str) -> frozenset[str]:
    """The words of a list.

    Args:
        file: a file of the folder without its ending, such as "cues".
        name: of the list.
    """
    return word_list(PACKAGE, f"{file}.yaml", name)


@cache
def stems_in(file: str, name: str) -> frozenset[str]:
    """The stems of the single words of a list."""
    return frozenset(stem(word) for word in words_in(file, name))


@cache
def phrases_in(file: str, name: str) -> frozenset[tuple[str, ...]]:
    """The words and phrases of a list, each as the tuple of its words."""
    return frozenset(tuple(phrase.split()) for phrase in words_in(file, name))


def texts_in(file: str, name: str) -> Mapping[str, str]:
    """The text after each word of a list."""
    return word_texts(PACKAGE, f"{file}.yaml", name)


def numbers_in(file: str, name: str) -> Mapping[str, float]:
    """The number after each word of a list."""
    return word_values(PACKAGE, f"{file}.yaml", name)
