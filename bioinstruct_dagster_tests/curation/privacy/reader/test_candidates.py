"""Candidates: runs in capitals and numbers that no value explains, and nothing else."""

import pytest

from bioinstruct_dagster.curation.privacy.reader.candidates import candidates, tells_little
from bioinstruct_dagster.curation.privacy.reader.weights import shipped_weights
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def found(text: str, *, told: bool = True) -> list[tuple[str, str]]:
    known = shipped_weights().known
    seen = candidates(ScannedText(text), known, told=told)
    return [(text[one.start : one.end], one.form) for one in seen]


@pytest.mark.parametrize(
    ("text", "wanted", "form"),
    [
        ("She was treated at Corvane Mobility Hub last week.", "Corvane Mobility Hub", "words"),
        ("He lives near St. Oswin with a dog.", "St. Oswin", "words"),
        ("Copied to Ruairi de la Cruz today.", "Ruairi de la Cruz", "words"),
        ("The form is filed under KX-4471-02.", "KX-4471-02", "figures"),
        ("Dictated on 14 Oktober 2003 by phone.", "14 Oktober 2003", "figures"),
        ("She turned ninety-four in spring.", "ninety-four", "age"),
        ("Photo stored as face_left_2.jpg today.", "face_left_2.jpg", "web"),
        ("name: orlaith quibell, seen today", "orlaith quibell", "words"),
        ("Intake at Osgarby Row: calm.", "Osgarby Row", "words"),
        ("Ask Parveenah to come.", "Parveenah", "words"),
        ("On the list: CHUA, Meilin.", "CHUA", "words"),
        ("Seen and examined, dr p. nwachukwu", "nwachukwu", "words"),
        ("Her grandmother is 97 and well.", "97", "figures"),
    ],
)
def test_what_may_be_an_identifier_is_a_candidate(text, wanted, form):
    assert (wanted, form) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The patient was given 250 mg of the drug twice a day.",
        "Blood pressure was 120/80, pulse 72, temperature 37.5.",
        "Treatment lasted 12-16 weeks in 12,500 patients.",
        "Metformin 500-1000 mg twice daily; see PMC7654321 and NCT01234567.",
        "Pain was 7/10, the MMSE was 27/30, and GCS 14/15.",
        "Weight 97 kg, 100 mg a day, saturation 98 % or 98 percent, pressure 105 mmHg.",
        "The code is ICD 10 and the article is at 10.1234/abcd.5678.",
        "In the morning they took aspirin with water.",
        "",
        "\u0130\u017f \uff21\uff22 \ufb01",
    ],
)
def test_values_and_known_words_are_none(text):
    assert [one for one, form in found(text) if form in {"figures", "age", "web"}] == []


def test_places_are_those_of_the_text_whatever_letters_it_holds():
    text = "\u0130zmir: seen by Wendeline Korstjens, \u017f."
    assert "Wendeline Korstjens" in " ".join(one for one, _ in found(text))


def test_a_name_in_small_letters_counts_where_something_tells_of_a_person_or_a_label_stands_there():
    bare, labelled = "the plan was made with tobias today", "pt: tobias, seen today"
    assert ("tobias", "words") in found(bare)
    assert found(bare, told=False) == []
    assert ("tobias", "words") in found(labelled, told=False)


def test_a_common_word_in_capitals_counts_where_something_tells_of_a_person():
    text = "It was agreed with Chase to wait. Chase the result."
    assert found(text) == [("Chase", "words")]
    assert found(text, told=False) == []


@pytest.mark.parametrize("text", ["1st seen in the morning", "response in 17/65 (26.15%)"])
def test_counts_and_ranks_are_none(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "little"),
    [
        ("He was referred to Physical Therapy.", True),
        ("He was referred to Kinver Physical Therapy.", False),
    ],
)
def test_a_department_tells_little(text, little):
    known = shipped_weights().known
    seen = candidates(ScannedText(text), known, told=False)
    assert [tells_little(text, one, known) for one in seen] == [little]
