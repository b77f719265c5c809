"""Addresses, homes and postal codes."""

import pytest

from bioinstruct_dagster.curation.privacy.kinds import IDENTIFYING_SCORE, resolve_overlaps
from bioinstruct_dagster.curation.privacy.places.found import place_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def found(text: str) -> list[tuple[str, bool]]:
    spans = resolve_overlaps(place_spans(ScannedText(text)))
    return [(text[span.start : span.end], span.score >= IDENTIFYING_SCORE) for span in spans]


@pytest.mark.parametrize(
    "place",
    [
        "12 Oak Street", "4 W. Elm St., Apt 4, Dayton, OH 45402", "P.O. Box 4471",
        "Fargo, North Dakota 58102", "San Juan, PR 00901",
    ],
)  # fmt: skip
def test_an_address_identifies_by_itself(place):
    assert found(f"She is at {place}") == [(place, True)]


@pytest.mark.parametrize(
    "text",
    [
        "She lives in Dayton, Ohio", "He moved here from Dayton, Ohio", "Hometown: Dayton, Ohio",
        "a teacher from Dayton, Ohio", "Born and raised in rural Dayton, Ohio",
    ],
)  # fmt: skip
def test_a_home_counts_only_beside_a_name(text):
    assert found(text) == [("Dayton, Ohio", False)]


@pytest.mark.parametrize(
    "text",
    ["She lives in Ohio", "a man from New Zealand", "Born in March", "Address: Ohio",
     "the trial in Dayton", "factor VI 45402", "5 OAK 12"],
)  # fmt: skip
def test_states_and_towns_without_a_cue_pass(text):
    assert found(text) == []


def test_a_label_makes_a_postal_code():
    assert found("Zip code: 45402-1234") == [("45402-1234", True)]
    assert found("postcode is NW1 6XE") == [("NW1 6XE", True)]
