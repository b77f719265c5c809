"""The word lists of this reader, and the words and sentences of a text.

Belongs here: splitting a text, and the lists of the folder words. Does not: what a word means in
its sentence (clauses, objects).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from bioinstruct_dagster.curation.word_lists import word_list

# A word may hold hyphens, apostrophes and points: follow-up, patient's, e.g, 2.5.
_WORD = re.compile(
    r"[^\W_]+(?:[-'’.][^\W_]+)*(?:['’](?=\s))?|(?<!\w)['‘](?=\w)|[.,;:!?()\[\]{}\"“”…—–/]"
)  # fmt: skip
_STOPS = frozenset(".!?…")
_WRITTEN = {"WHO": "w.h.o", "'": '"', "‘": '"', "“": '"', "”": '"'}


class Sentence(NamedTuple):
    """A sentence.

    Attributes:
        words: words and marks, in small letters, without the mark at the end.
        asks: a question mark ends it.
    """

    words: tuple[str, ...]
    asks: bool

    def at(self, place: int) -> str:
        """The word at a place; empty outside the sentence."""
        return self.words[place] if 0 <= place < len(self.words) else ""


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a text that hold a word."""
    found = [(match.group(), match.end()) for match in _WORD.finditer(text)]
    words: list[str] = []
    for word, end in found:
        if word not in _STOPS:
            words.append(_WRITTEN.get(word) or word.lower().replace("’", "'"))
        elif _ends_here(text, end) and words:
            yield Sentence(tuple(words), word == "?")
            words = []
    if words:
        yield Sentence(tuple(words), asks=False)


def _ends_here(text: str, end: int) -> bool:
    """Whether a new sentence or nothing follows: `e.g. fever` goes on."""
    rest = text[end:].lstrip(" \t\"'”’)")
    return not rest or not rest[0].islower()


@cache
def verbs(name: str) -> frozenset[str]:
    """A list of verbs.yaml."""
    return word_list(__package__ or "", "verbs.yaml", name)


@cache
def nouns(name: str) -> frozenset[str]:
    """A list of nouns.yaml."""
    return word_list(__package__ or "", "nouns.yaml", name)
