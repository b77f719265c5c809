"""The parts of a text that could hold a full name, and where in them a name could begin.

Most texts name nobody: two words in capitals, one after the other, are rare. A pattern that begins
with a name is tried only where a word in capitals begins, which is far quicker than to try it at
each character. Belongs here: these parts and places. Does not: any pattern of a name (patterns).
"""

import re
from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.names.forms import PARTICLE, UPPER
from bioinstruct_dagster.curation.privacy.vocabulary import pieces

_CAPITALIZED_WORDS = re.compile(
    rf"[{UPPER}][\w'’.-]{{0,22}}[,:]?[ ](?:[A-Z]\.?[ ])?{PARTICLE}[{UPPER}][\w'’.]"
)
# The same in the shape of a text, which is quicker to search for.
TWO_CAPITALS_SHAPE = re.compile(rf"A[^ ]{{0,23}} (?:A\.? )?{PARTICLE}A".encode("latin-1"))
_WORD_BEGINS = re.compile(rf"[{UPPER}](?<!\w[{UPPER}])")
_AROUND = 90  # characters on either side of two words in capitals


class Stretch(NamedTuple):
    """A part of a text around two words in capitals.

    Attributes:
        begin: where it begins.
        end: where it ends.
        starts: where its words in capitals begin.
    """

    begin: int
    end: int
    starts: tuple[int, ...]

    def matches(self, pattern: re.Pattern[str], raw: str) -> Iterator[re.Match[str]]:
        """The matches of a pattern that begins with a word in capitals, without overlaps.

        Args:
            pattern: the pattern.
            raw: the text.
        """
        free = self.begin
        for start in self.starts:
            if start >= free and (match := pattern.match(raw, start, self.end)):
                yield match
                free = match.end()


def parts_with_names(text: str) -> list[tuple[int, int]]:
    """The parts of a text around two words in capitals, which could be a name; starts and ends."""
    return list(pieces(_CAPITALIZED_WORDS, text, _AROUND, _AROUND, inf))


def stretches_of(text: str) -> list[Stretch]:
    """The same parts, each with the places where a name could begin."""
    return [
        Stretch(
            begin, end, tuple(match.start() for match in _WORD_BEGINS.finditer(text, begin, end))
        )
        for begin, end in parts_with_names(text)
    ]
