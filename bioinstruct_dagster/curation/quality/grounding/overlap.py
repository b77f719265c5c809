"""Compares an output with its row: does it tell specifics that neither input nor instruction gives?

Belongs here: this count. Does not: what counts as a mention (mentions), or the words
(words/mentions.yaml).
"""

import re
from typing import NamedTuple

from bioinstruct_dagster.curation.quality.grounding.mention_signs import mention_list

LEAST_LETTERS = 4
STEM_LETTERS = 5
MOST_OUTPUT_CHARS = 1_500
MOST_NEW_SHARE = 0.2  # of the words of an output that is taken from its row
LEAST_FOREIGN_SHARE = 0.75  # of the words of an output that has nothing of its row
LEAST_HELD_SHARE = 0.4  # of the words of an output that is taken from its input
LEAST_NEW_WORDS = 2  # of an output that tells more than a mention gives
WORD = re.compile(r"[^\W\d_][\w-]*")
FIGURE = re.compile(r"\b\d[\d.,]*\b(?![.)]\s)")  # but not the number of an item


class Overlap(NamedTuple):
    """How much of an output stands in its row.

    Attributes:
        told: number of words of the output that the instruction has not said, each counted once.
        new: number of these that the input lacks.
        held: share of all words of the output that the input has.
        figures: whether the output has a figure that the input and the instruction lack.
    """

    told: int
    new: int
    held: float
    figures: bool

    @property
    def is_invented(self) -> bool:
        """Whether the output tells specifics that the row does not give."""
        return self.figures or self.new >= LEAST_NEW_WORDS or 0 < self.told == self.new

    @property
    def is_foreign(self) -> bool:
        """Whether next to nothing of the output stands in the row."""
        return (self.told > 1 or self.figures) and (self.new >= LEAST_FOREIGN_SHARE * self.told)

    @property
    def is_all_new(self) -> bool:
        """Whether the output tells something, and nothing of it stands in the input."""
        return self.figures if self.told == 0 else self.told == self.new

    @property
    def is_taken(self) -> bool:
        """Whether most of the output's words stand in the row."""
        return (
            not self.figures
            and self.new <= MOST_NEW_SHARE * self.told
            and self.held >= LEAST_HELD_SHARE
        )


def overlap(text: str, instruction: str, output: str) -> Overlap:
    """Compare an output with what its row gives.

    Args:
        text: the input.
        instruction: of the task. Its words tell nothing in the output.
        output: of the row.
    """
    output = output[:MOST_OUTPUT_CHARS]
    plain = mention_list("plain_output")
    words = {
        word[:STEM_LETTERS]
        for word in WORD.findall(output.lower())
        if len(word) >= LEAST_LETTERS and word not in plain
    }
    held = words & _stems(text)
    told = words - _stems(instruction)
    figures = set(FIGURE.findall(output)) - set(FIGURE.findall(f"{text} {instruction}"))
    share = len(held) / len(words) if words else 0.0
    return Overlap(len(told), len(told - held), share, bool(figures))


def _stems(text: str) -> set[str]:
    return {word[:STEM_LETTERS] for word in WORD.findall(text.lower())}
