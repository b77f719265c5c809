"""Notes whose identifiers are marked inline: "Seen by [[name:Tobias]]".

Belongs here: reading the marks. Does not: the notes (data/identifier_notes.jsonl), or learning from
them (training).
"""

import re
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.kinds import Span

_MARK = re.compile(r"\[\[(\w+):(.+?)\]\]", re.DOTALL)


class MarkedNote(NamedTuple):
    """A text, and the identifiers that its writer marked in it."""

    text: str
    spans: tuple[Span, ...]


def read_marks(marked: str) -> MarkedNote:
    """The text without its marks, and where what they mark stands in it."""
    parts: list[str] = []
    spans = []
    length = end = 0
    for match in _MARK.finditer(marked):
        parts.append(marked[end : match.start()])
        length += len(parts[-1])
        parts.append(match[2])
        spans.append(Span(match[1], length, length + len(match[2]), 1.0))
        length += len(match[2])
        end = match.end()
    parts.append(marked[end:])
    return MarkedNote("".join(parts), tuple(spans))
