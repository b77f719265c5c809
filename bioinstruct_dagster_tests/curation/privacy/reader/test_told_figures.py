"""Codes and dates in further forms are candidates; values, ratios and years are not."""

import pytest

from bioinstruct_dagster.curation.privacy.reader.told_figures import told_figures
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in told_figures(ScannedText(text))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Sent under number KM 77/4093 last week.", "KM 77/4093"),
        ("Registered as ORN/NEP/3317 with the board.", "ORN/NEP/3317"),
        ("The booklet QRH 2019-3356 was shown.", "QRH 2019-3356"),
        ("He came in a white car, YK07 QXJ, alone.", "YK07 QXJ"),
        ("Seen by us on 30 IX 1950 for the first time.", "30 IX 1950"),
        ("The letter of 22/xi/2003 was lost.", "22/xi/2003"),
        ("Off work since 29.3. with back pain.", "29.3."),
        ("She has had the pain since Saturday the ninth.", "Saturday the ninth"),
        ("It is dated the fourth of the tenth.", "the fourth of the tenth"),
        ("Born eleven, nineteen, fifty two.", "eleven, nineteen, fifty two"),
        ("The number is C dash 3391.", "C dash 3391"),
    ],
)
def test_codes_and_dates_are_found(text, wanted):
    assert wanted in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "BP 120/80, HR 72, stage IV disease, 20 mg.",
        "The CA 19-9 was 40 and HLA B27 was negative.",
        "The register covers 2010-2015 and 3.5 visits on average.",
        "Someone had to look after her twenty four seven after a stroke at 70.",
        "In the second of the two groups, 1.5 mg was given.",
        "",
    ],
)
def test_values_are_not(text):
    assert found(text) == []


def test_places_are_those_of_the_text_whatever_letters_it_holds():
    assert found("\u0130\u0130: the number is C dash 3391.") == ["C dash 3391"]
