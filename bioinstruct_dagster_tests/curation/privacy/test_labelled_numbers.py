"""Labelled numbers: strong and weak labels, and numbers that identify nobody."""

import pytest

from bioinstruct_dagster.curation.privacy.kinds import resolve_overlaps
from bioinstruct_dagster.curation.privacy.labelled_numbers import (
    PatternGroup,
    is_date,
    labelled_spans,
)
from bioinstruct_dagster.curation.privacy.labels import LABEL_PATTERNS, PLATE_PATTERNS
from bioinstruct_dagster.curation.privacy.pictures import BIOMETRIC_PATTERNS, PICTURE_PATTERNS
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def found(text: str) -> list[tuple[str, str]]:
    patterns = PatternGroup(
        *LABEL_PATTERNS, *BIOMETRIC_PATTERNS, *PLATE_PATTERNS, *PICTURE_PATTERNS
    )
    spans = resolve_overlaps(labelled_spans(ScannedText(text), patterns))
    return [(span.kind, text[span.start : span.end]) for span in spans]


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("mrn", "MRN"), ("mrn", "med. rec."), ("mrn", "pt. id"), ("mrn", "clinic charts"),
        ("mrn", "MR no."), ("health_plan", "Blue Cross Blue Shield policy no."),
        ("health_plan", "MBI"), ("account", "acct."), ("license", "driver’s licence"),
        ("license", "DL#"), ("vehicle", "vehicle id"), ("device", "pacemakers serial"),
        ("device", "SN:"), ("other_id", "prior authorization no."), ("other_id", "voter badge"),
    ],
)  # fmt: skip
def test_a_strong_label_stands_before_its_number(kind, label):
    assert found(f"{label} 4839201") == [(kind, "4839201")]


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("mrn", "chart"), ("health_plan", "subscriber"), ("account", "invoice"),
        ("license", "certificate of birth"), ("device", "transmitter"),
    ],
)  # fmt: skip
def test_a_weak_label_needs_a_word_for_number(kind, label):
    assert found(f"{label} 48392") == []
    assert found(f"{label} no. 4839201") == [(kind, "4839201")]
    assert found(f"{label}: 4839201") == [(kind, "4839201")]


@pytest.mark.parametrize(
    "value", ["NCT01234567", "GSE12345", "rs28934578", "2010-2015", "2021-03-04", "PMID23456789",
              "10.1056/NEJM", "NM_000546"],
)  # fmt: skip
def test_public_numbers_and_dates_identify_nobody(value):
    assert found(f"MRN {value}") == []


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("vehicle", "Number plate: AAB-123", "AAB-123"),
        ("biometric", "Palm print record FP-88123", "Palm print record FP-88123"),
        ("biometric", "Voiceprint on file.", "Voiceprint"),
        ("photo", "Full-face photo of the patient is on file.", "Full-face photo of the patient"),
        ("photo", "See finch_portrait.jpeg there", "finch_portrait.jpeg"),
        ("other_id", "Twitter handle: @hfinch61", "@hfinch61"),
        ("email", "e-mail: finch@nowhere", "finch@nowhere"),
    ],
)
def test_plates_pictures_and_user_names_are_found(kind, text, value):
    assert found(text) == [(kind, value)]


def test_dates_in_figures_are_dates():
    assert is_date("2021-03-04")
    assert is_date("2010-15")
    assert not is_date("2021-13-94")
