"""Inputs that are too long, shortened in the middle.

The instruction and the output are never cut. Words and numbers stay whole: half of "1200 mg" would
be another dose. Belongs here: which part of an input is kept. Does not: counting tokens
(models.encoding).
"""

import re

MARKER = " [...] "  # stands where the middle was
# A word or a number with the blanks before it. Text without blanks, such as Chinese, consists of
# longer runs; of these, each character is a part, and each number.
_LONGEST_WORD = 32  # characters
_RUN = re.compile(r"\s*\S+")
_PIECE = re.compile(r"\s*\d[\d.,/:%]*|\s*\S")


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
