"""Dates in context: a person's, a study's, or nobody's."""

import pytest

from bioinstruct_dagster.curation.privacy.dates import date_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def scored(text: str) -> list[tuple[str, float]]:
    return [
        (text[span.start : span.end], span.score) for span in date_spans(ScannedText(text), (), ())
    ]


@pytest.mark.parametrize(
    ("text", "date", "score"),
    [
        ("Born 5 May 1980.", "5 May 1980", 0.85),
        ("DOB: March 3, 2021", "March 3, 2021", 0.85),
        ("Discharged on 03-MAR-21.", "03-MAR-21", 0.75),
        ("The patient fell on Sept 3, 2021.", "Sept 3, 2021", 0.75),
        ("The biopsy was on March 3, 2021.", "March 3, 2021", 0.55),
        ("She was seen on 3/14 again.", "3/14", 0.5),
        ("The patient was admitted in May 2019.", "May 2019", 0.5),
    ],
)
def test_a_birth_is_surer_than_a_visit(text, date, score):
    assert scored(text) == [(date, score)]


@pytest.mark.parametrize(
    "text",
    [
        "The guideline was updated on March 3, 2021.", "Approved by the FDA on 3 March 2021.",
        "Patients were admitted between March 3, 2021 and later.",
        "A pH of 3/14 was read.", "The study began in May 2019.",
    ],
)  # fmt: skip
def test_dates_of_the_world_are_nobodys(text):
    assert scored(text) == []
