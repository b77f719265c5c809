"""Telephone numbers: which are found, how far they go, and which are nobody's."""

import pytest

from bioinstruct_dagster.curation.privacy.kinds import resolve_overlaps
from bioinstruct_dagster.curation.privacy.telephones import telephone_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def found(text: str) -> list[tuple[str, str]]:
    spans = resolve_overlaps(telephone_spans(ScannedText(text)))
    return [(span.kind, text[span.start : span.end]) for span in spans]


@pytest.mark.parametrize(
    "number",
    [
        "(937) 555-0142", "937-555-0142", "937.555.0142", "937/555-0142", "9375550142", "555-0142",
        "1-937-555-0142", "+1 (937) 555-0142", "937-555-0142 x123", "937-555-0142, ext 12",
        "937-555-0142 extension 7", "020 7946 0958", "07700 900123", "030/1234567",
        "030 1234567-22", "98765 43210", "0412 345 678", "1234 5678", "+44 (0)20 7946 0958",
        "+33 1 23 45 67 89", "808-555-0142",
    ],
)  # fmt: skip
@pytest.mark.parametrize("frame", ["Tel. {}.", "Call her at {} (home).", "Cell {}\nMRN"])
def test_a_labelled_number_is_found_whole(frame, number):
    assert found(frame.format(number)) == [("phone", number)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("He gave (937) 555-0142 as his own.", "(937) 555-0142"),
        ("He gave +49 30 1234567. 3 days later", "+49 30 1234567"),
        ("He gave +44 20 7946 0958 20 times.", "+44 20 7946 0958"),
        ("Call 937-555-0142 20 times.", "937-555-0142"),
        ("Tel. 020 7946 0958/020 7946 0959", "020 7946 0958"),
    ],
)
def test_a_number_ends_where_the_library_says(text, number):
    assert found(text) == [("phone", number)]


@pytest.mark.parametrize("label", ["Fax: ", "Please fax the records to ", "Facsimile "])
def test_a_label_of_a_fax_makes_it_a_fax(label):
    assert found(f"{label}+33 1 23 45 67 89") == [("fax", "+33 1 23 45 67 89")]


@pytest.mark.parametrize(
    "number",
    ["1-800-222-1222", "800-123-4567", "+1 800 222 1222", "0800 1111", "+44 800 1111",
     "1-900-555-0142", "0800 123 4567"],
)  # fmt: skip
def test_a_hotline_is_nobodys(number):
    assert found(f"Call {number} at any time.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Contact 2021-03-04", "Call 03/14/1961", "Phone 988", "Text: 12345",
        "pH 7.12 (7.32-7.42), pCO2 61", "Phone: 1234567890123456789", "4111 1111 1111 1111",
        "gain of +1.5 1.25 2.50 3.75", "culture shows 3100000 colonies", "150,000-400,000/uL",
        "3ed188d6-3605-4419-b71e-118167218468",
    ],
)  # fmt: skip
def test_dates_codes_and_values_are_no_numbers(text):
    assert found(text) == []


def test_a_country_code_makes_a_number_without_a_label():
    assert found("+49 30 1234567") == [("phone", "+49 30 1234567")]
    assert found("+999 30 1234567") == []  # no country has this code
