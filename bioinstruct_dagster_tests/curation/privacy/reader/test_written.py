"""Addresses of the web, files and written ages are candidates; public sites and amounts are not."""

import pytest

from bioinstruct_dagster.curation.privacy.reader.written import written
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def found(text: str) -> list[tuple[str, str]]:
    return [(text[start:end], form) for start, end, _, form in written(ScannedText(text))]


@pytest.mark.parametrize(
    ("text", "wanted", "form"),
    [
        ("It is at lab.osgarby.example/r/5kd02 when back.", "lab.osgarby.example/r/5kd02", "web"),
        ("Kept at ftp://osgarby.example/03/0417.avi.", "ftp://osgarby.example/03/0417.avi", "web"),
        ("Write to desk@osgarby.example for help.", "desk@osgarby.example", "web"),
        ("It is osgarby dot example slash me.", "osgarby dot example slash me", "web"),
        ("Photo stored as face_left_2.jpg today.", "face_left_2.jpg", "web"),
        ("She turned ninety-four in spring.", "ninety-four", "age"),
    ],
)  # fmt: skip
def test_they_are_found_without_the_full_stop(text, wanted, form):
    assert (wanted, form) in found(text)


@pytest.mark.parametrize(
    "text",
    ["See www.cdc.gov/flu for more.", "It was 2.5 mg/kg, i.v./p.o.", "Ninety percent agreed.", ""],
)
def test_public_sites_and_amounts_are_not(text):
    assert found(text) == []
