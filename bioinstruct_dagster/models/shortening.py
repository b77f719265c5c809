"""Inputs that are too long, shortened in the middle.

The instruction and the output are never cut. Words and numbers stay whole: half of "1200 mg" would
be another dose. Belongs here: which part of an input is kept, and the search for the longest that
fits. Does not: what fits, which callers count in tokens (models.encoding, evaluation.tasks).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

LEAST_PARTS = 2  # of a shortened input: one from either end
MARKER = " [...] "  # stands where the middle was
# A word or a number with the blanks before it. Text without blanks, such as Chinese, consists of
# longer runs; of these, each character is a part, and each number.
_LONGEST_WORD = 32  # characters
_RUN = re.compile(r"\s*\S+")
_PIECE = re.compile(r"\s*\d[\d.,/:%]*|\s*\S")

Made = TypeVar("Made")


class ShortenedInput:
    """An input as parts, of which the middle ones can be left out."""

    def __init__(self, text: str) -> None:
        self._parts = [
            part
            for run in _RUN.findall(text.strip())
            for part in ([run] if len(run.strip()) <= _LONGEST_WORD else _PIECE.findall(run))
        ]

    @property
    def most(self) -> int:
        """The number of parts that can be kept if one is left out."""
        return len(self._parts) - 1

    def keep(self, parts: int) -> str:
        """The input with this number of parts, half of them from either end, and the marker."""
        front = (parts + 1) // 2
        back = len(self._parts) - parts // 2
        return "".join(self._parts[:front]).rstrip() + MARKER + "".join(self._parts[back:]).lstrip()


def longest_that_fit(
    texts: Mapping[int, str],
    attempt: Callable[[Sequence[tuple[int, str]]], Sequence[Made | None]],
    *,
    may_vanish: bool = False,
) -> dict[int, Made]:
    """What the longest shortened texts that fit become; texts without one are missing.

    The tokens of a text are not the sum of those of its parts, so every candidate is tried as a
    whole. All texts are tried at once: one call for each halving.

    Args:
        texts: that do not fit, by their numbers.
        attempt: makes something, such as a prompt, of each (number, shortened text); None if it
            does not fit.
        may_vanish: whether nothing at all may be kept of a text.
    """
    inputs = {number: ShortenedInput(text) for number, text in texts.items()}
    found: dict[int, Made] = {}

    def attempted(candidates: Sequence[tuple[int, str]]) -> set[int]:
        made = zip(candidates, attempt(candidates), strict=True)
        fitting = {number: one for (number, _), one in made if one is not None}
        found.update(fitting)
        return set(fitting)

    trying = set(inputs)
    if may_vanish:
        trying = attempted([(number, "") for number in inputs])
    least = dict.fromkeys(inputs, LEAST_PARTS)  # the fewest parts that are still to be tried
    most = {number: one.most if number in trying else 0 for number, one in inputs.items()}
    first = True
    while left := [number for number in inputs if least[number] <= most[number]]:
        # The first attempt is the smallest one, so that hopeless texts are given up at once.
        parts = {
            number: LEAST_PARTS if first else (least[number] + most[number]) // 2 for number in left
        }
        first = False
        fitting = attempted([(number, inputs[number].keep(parts[number])) for number in left])
        for number in left:
            if number in fitting:
                least[number] = parts[number] + 1
            else:
                most[number] = parts[number] - 1
    return found
