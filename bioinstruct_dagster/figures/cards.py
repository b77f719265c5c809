"""Rows as cards that a person can read: a heading, the texts, and what was found.

Belongs here: Markdown that no text of a row can break. Does not: which rows are shown, or whether
their texts may be (each stage's module `assets`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bioinstruct_dagster.markdown import one_line

SHOWN_ROWS = 5
MOST_CHARACTERS = 700  # of each text
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&-])")


class RowCard(NamedTuple):
    """A row as it is shown."""

    heading: str
    texts: Mapping[str, str]  # by name, such as instruction; empty if they may not be shown
    note: str = ""


def card_of(row: Mapping[str, Any], heading: str, note: str = "") -> RowCard:
    """The card of a row with an instruction, an input and an output.

    Args:
        row: with these three texts.
        heading: what the row is, such as its category.
        note: what was found about it.
    """
    texts = {name: row[name] for name in ("instruction", "input", "output")}
    return RowCard(heading, texts, note)


def cards(shown: Sequence[RowCard]) -> str:
    """The cards as Markdown, one below the other."""
    return "\n\n---\n\n".join(map(_card, shown)) or "no rows"


def _card(card: RowCard) -> str:
    parts = [f"### {plain(card.heading)}"]
    for name, text in card.texts.items():
        parts.append(f"**{name}**\n\n{_quoted(text) if text.strip() else '> (empty)'}")
    if card.note:
        parts.append(f"*{plain(card.note)}*")
    return "\n\n".join(parts)


def _quoted(text: str) -> str:
    cut = text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
    return "\n>\n".join(f"> {plain(line)}" for line in cut.splitlines() if line.strip())


def plain(text: str) -> str:
    """A text on one line, in which no character means anything to Markdown."""
    return _SPECIAL.sub(r"\\\1", one_line(text))
