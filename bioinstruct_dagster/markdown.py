"""Texts from elsewhere within Markdown, which no character of them can break.

Belongs here: a text on one line, and as inline code. Does not: the cards (dataset.card,
training.card, models.card_text).
"""

import re


def one_line(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def code(text: str) -> str:
    """A text as inline code on one line, which no character of it can end."""
    ticks = "`" * (longest_run(text) + 1)
    space = " " if "`" in text else ""
    return f"{ticks}{space}{one_line(text)}{space}{ticks}"


def longest_run(text: str) -> int:
    """The length of the longest run of backticks in a text."""
    return max(map(len, re.findall("`+", text)), default=0)
