"""Ages over 89: of one person, or of a group."""

import pytest

from bioinstruct_dagster.curation.privacy.old_ages.ages import age_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("A 93-year-old man", "93-year-old"), ("aged 101, lives alone", "101"),
        ("She turned 92 last week", "92"),
        ("a 95 lady was seen", "95"), ("Pt 94F", "94"),
        ("ninety-two year old", "ninety-two year old"),
    ],
)  # fmt: skip
def test_an_age_over_89_is_found(text, age):
    assert [text[span.start : span.end] for span in age_spans(ScannedText(text))] == [age]


@pytest.mark.parametrize(
    "text",
    ["A 89-year-old man", "adults over 90 years old", "aged 90 or older", "≥ 95 years old",
     "patients 92 years of age", "a 95-year-old hospital", "aged 90-95", "weight 93 kg"],
)  # fmt: skip
def test_limits_groups_and_things_are_no_persons_age(text):
    assert list(age_spans(ScannedText(text))) == []
