"""Names of persons in running text: where they begin and end, and what only looks like one."""

import pytest

from bioinstruct_dagster.curation.privacy.entities.confirmed import repeated_name_spans
from bioinstruct_dagster.curation.privacy.kinds import resolve_overlaps
from bioinstruct_dagster.curation.privacy.names.persons import name_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def named(text: str) -> list[str]:
    spans = resolve_overlaps(name_spans(ScannedText(text)))
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The case went to Judge Amelia Thornton.", "Amelia Thornton"),
        ("Señor Vargas was seen.", "Vargas"),
        ("Her fiancé, Tomasz Zielak, called.", "Tomasz Zielak"),
        ("Name: Haddad, Leila", "Haddad, Leila"),
        ("Patient Name: ZYLA ORNOK", "ZYLA ORNOK"),
        ("Zyla van der Ornok Jr., 45, has asthma.", "Zyla van der Ornok Jr."),
        ("Harold Finch has asthma.", "Harold Finch"),
        ("She named her son Teodor.", "Teodor"),
    ],
)
def test_what_announces_a_name_finds_it_whole(text, name):
    assert named(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Harold Finch's disease", "Harold Finch et al.", "The book by Harold Finch",
        "developed by Harold Finch", "Patient Name: Unknown", "Mr. X", "Harold Hospital",
    ],
)  # fmt: skip
def test_eponyms_authors_and_other_words_are_no_names(text):
    assert named(text) == []


def test_the_words_of_a_name_are_found_again():
    text = "Mr. Finch, and Finch's disease; harold, Finchley."
    spans = [text[span.start : span.end] for span in repeated_name_spans(text, ["Harold J. Finch"])]
    assert spans == ["Finch"]
