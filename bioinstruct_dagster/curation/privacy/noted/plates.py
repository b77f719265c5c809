"""Number plates by their form in a text that speaks of a vehicle: "his van, KT19 WRF".

Belongs here: the forms of plates, and the words for vehicles. Does not: plates after a label
(labels, loose_numbers). The words are in `words/labels.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import LABELS, NOTED, any_of, cues

_VEHICLES = trigger(cues(LABELS("vehicle_words"), NOTED("vehicles")))
_VEHICLE = re.compile(rf"\b{any_of(LABELS('vehicle_words'), NOTED('vehicles'))}\b", re.IGNORECASE)
_PLATE = re.compile(
    r"(?<![\w/.-])(?:[A-Z]{2}\d{2}\s?[A-Z]{3}|[A-Z]{2}[ -]?\d{1,2}[ -]?[A-Z]{1,3}[ -]?\d{3,4}"
    r"|\d?[A-Z]{3}[\s-]?\d{3,4}|\d{3,4}[\s-]?[A-Z]{3}|[A-Z]{1,3}[\s-]\d{1,4}[\s-][A-Z]{1,3}|[A-Z]\d{1,3}[\s-]?[A-Z]{3}"
    r"|\d{2,3}-[A-Z]{1,2}-\d{2,6}|[A-Z]{1,3}-[A-Z]{1,2}\s\d{1,4}|\d[A-Z]{2}[\s-]?[A-Z]\d{2,3})(?![\w/-]|\.\d)"
)
_NO_PLATE = re.compile(
    r"(?:ICD|CPT|BMI|CPK|LDH|WBC|RBC|PSA|TSH|BUN|MRI|GCS|INR|PTT|HCT|HGB|PLT|BNP|AST|ALT|CKD|PMH|STD|MVA|RTA)"
)
_NEAR = 70  # characters on either side in which a vehicle stands


def noted_plate_spans(text: ScannedText) -> Iterator[Span]:
    """The number plates beside a word for a vehicle."""
    if not text.marks.held & _VEHICLES:
        return
    for match in _PLATE.finditer(text.raw):
        if not _NO_PLATE.match(match[0].lstrip("0123456789")) and _VEHICLE.search(
            text.raw, max(0, match.start() - _NEAR), match.end() + _NEAR
        ):
            yield Span("vehicle", *match.span(), DOUBTFUL_SCORE)
