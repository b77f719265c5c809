"""Ages over 89 of one person.

Belongs here: how such an age is written, and which words make it a limit or the age of a group.
Does not: dates (dates). The words are in `words/dates.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.vocabulary import DATES, any_of

_OLD_AGE_HINT = re.compile(r"9\d|1[01]\d")
_TENS = r"(?:9\d|1[01]\d)"
_AGES = re.compile(
    rf"(?<![\w.$€£<>≥≤/–-])(?P<v>{_TENS})(?:[- ]?(?:years?|yrs?)[- ]?old|[- ]?y\.?/?o\.?(?!\w)"
    r"|[- ]years?[- ]of[- ]age)"
    rf"|\b(?:[Aa]ge|AGE|[Aa]ged)[*_]{{0,2}}(?:\s(?:is|was|of)\s|\s?[:=]\s?|\s\(years\):?\s"
    rf"|\s)[*_]{{0,2}}"
    rf"(?P<a>{_TENS})\b(?!\s?[-–%/]\s?\d|\.\d|\s(?:to|or|and)\s|\s?(?:%|mg|kg|cm|min|hours|days"
    rf"|weeks|months))"
    r"|(?P<n>[Nn]inety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?)[- ]years?[- ]old"
    rf"|\b{any_of(DATES('age_verbs'))}\s(?P<t>{_TENS})\b(?=\s(?:years|this|last|in|on|and)|[,.])"
    rf"|(?<![\w.-])(?P<s>{_TENS})\s{any_of(DATES('aged_persons'))}\b(?!-)"
    rf"|(?:^|\(|[Pp]t\s|\b[Aa]\s)(?P<f>{_TENS})[FM]\b"
)
_GROUP_BEFORE = re.compile(
    rf"{any_of(DATES('not_one_age_before'))}\s{{0,2}}(?:the\s)?(?:age[ds]?\s)?(?:of\s)?$",
    re.IGNORECASE,
)
_GROUP_AFTER = re.compile(rf"\s?(?:s\b|{any_of(DATES('not_one_age_after'))})", re.IGNORECASE)


def age_spans(text: ScannedText) -> Iterator[Span]:
    """The ages over 89 in a text, without limits and ages of groups."""
    if "ninety" not in text.words and not (text.has_digit and _OLD_AGE_HINT.search(text.raw)):
        return
    for match in _AGES.finditer(text.raw):
        start, end = match.span(str(match.lastgroup))
        is_group = _GROUP_AFTER.match(text.raw, match.end())
        if not is_group and not _GROUP_BEFORE.search(text.raw[max(0, start - 40) : start]):
            yield Span("age_over_89", start, end, 0.85)
