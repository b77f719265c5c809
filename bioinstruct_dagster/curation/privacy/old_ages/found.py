"""All ages over 89 in a text; most texts hold no number that could be one.

Belongs here: this first test. Does not: how such an age is written (ages) or told (told).
"""

from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.old_ages.ages import OLD_NUMBER, age_spans
from bioinstruct_dagster.curation.privacy.old_ages.told import (
    DECADES,
    WRITTEN_HELD,
    told_age_spans,
)
from bioinstruct_dagster.curation.privacy.texts import ScannedText

_WORDED = DECADES | WRITTEN_HELD


def old_age_spans(text: ScannedText) -> Iterator[Span]:
    """The ages over 89 of one person, by all patterns."""
    numbered = text.has_digit and OLD_NUMBER.search(text.raw) is not None
    if numbered or text.marks.held & _WORDED:
        yield from age_spans(text)
        yield from told_age_spans(text)
