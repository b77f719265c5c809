"""An expression that is tried only where a match may begin finds what the plain one finds."""

import random
import re

import pytest

from bioinstruct_dagster.curation.privacy.scan import _NUMBERED_PATTERNS, _WORDED_PATTERNS
from bioinstruct_dagster.sign_beginnings import BegunPattern, beginnings_of

GROUPS = (_NUMBERED_PATTERNS, _WORDED_PATTERNS)
LABELLED = [one.pattern.pattern for group in GROUPS for one in group._patterns]
# Pieces of identifiers, and characters in which a search by small letters may go wrong.
PIECES = (
    *("patient", "Pt.", "MRN", "chart", "file no", "hospital number", "ID", "SSN", "policy #"),
    *("DL", "licence", "plate", "serial number", "lot", "case", "card", "is", "no.", "ends in"),
    *(" ", "  ", ": ", "#", "-", "/", "\n", "\n‖\n", ". ", "?", "(", ")", "A", "x", "KXR"),
    *("4", "88123", "123-45-6789", "(01)12345678901234", "İ", "ı", "ſ", "K", "é", "ß", "漢", ""),
)


def found(pattern, text, begin, end):
    return [match.span() for match in pattern.finditer(text, begin, end)]


def random_texts(number):
    draw = random.Random(5)
    for _ in range(number):
        text = "".join(draw.choice(PIECES) for _ in range(draw.randint(0, 60)))
        yield draw.choice((text, text.upper(), text.lower(), text.title()))


def test_the_beginnings_of_most_labelled_patterns_are_known():
    known = [one for one in LABELLED if beginnings_of(one)]
    assert len(known) > 0.8 * len(LABELLED)


def test_a_begun_pattern_finds_what_its_expression_finds():
    draw = random.Random(6)
    texts = [*random_texts(400), "", "patient number 88123 " * 500]
    matches = 0
    for one in LABELLED:
        begun = BegunPattern(one)
        for text in texts:
            begin = draw.choice((0, draw.randint(0, len(text))))
            end = draw.choice((len(text), draw.randint(begin, len(text))))
            expected = found(one, text, begin, end)
            assert found(begun, text, begin, end) == expected, (one.pattern, text)
            matches += len(expected)
    assert matches > 100


@pytest.mark.parametrize(
    ("expression", "flags", "beginnings"),
    [
        (r"\b(?:patient|chart) no", 0, {"patien", "chart "}),
        (r"(?<!\w)(?:the )?file\b", re.IGNORECASE, {"the fi", "file"}),
        (r"[Pp]atient|PT\d", 0, {"patien", "pt"}),
        (r"colou?rs?\w+", 0, {"colour", "color"}),
        (r"(?:ab){2,3}c", 0, {"ab"}),
        (r"\d{3}-\d", 0, set()),
        (r"(?:aa)?\w", 0, set()),
        (r"x|yy", 0, set()),
        (r"é\w+", 0, set()),
    ],
)
def test_beginnings_are_read_off_an_expression(expression, flags, beginnings):
    assert set(beginnings_of(re.compile(expression, flags))) == beginnings


def test_matches_do_not_overlap():
    assert found(BegunPattern(re.compile("abab")), "ababababab", 0, 10) == [(0, 4), (4, 8)]
