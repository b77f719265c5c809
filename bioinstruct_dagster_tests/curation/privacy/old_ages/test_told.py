"""Ages over 89 that relatives, answers and labels tell, without "years old"."""

import pytest

from bioinstruct_dagster.curation.privacy.old_ages.told import told_age_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def ages(text):
    return [text[span.start : span.end] for span in told_age_spans(ScannedText(text))]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("Mother is alive, 94, and well.", "94"),
        ("My grandmother lived to 101 and never smoked.", "101"),
        ("Dad, Horace Mullins, was ninety eight.", "ninety eight"),
        ("I am going to be ninety-three next month.", "ninety-three"),
        ("How old is the patient?\nDoctor: Ninety seven.", "Ninety seven"),
        ("Age at onset 90 years", "90"),
        ("At ninety-three you expect some aches.", "ninety-three"),
        ("She looks good for ninety-six.", "ninety-six"),
        ("A pleasant nonagenarian with gout.", "nonagenarian"),
        ("Her father died in his late nineties.", "nineties"),
    ],
)
def test_an_age_is_found_by_what_tells_it(text, age):
    assert age in ages(text)


def test_two_patients_have_two_ages():
    assert ages("To report two cases (aged 91 and 95 years) of warfarin therapy.") == ["91", "95"]


@pytest.mark.parametrize(
    "text",
    [
        "Her pulse was 92 beats a minute.", "He was 95 percent on room air.",
        "She is 98% saturated.",
        "He takes 100 mg.", "Adults over 90 were excluded.", "His mother weighs 95 kg.",
        "A study of centenarian families.", "Men aged 90 or older.",
    ],
)  # fmt: skip
def test_numbers_of_other_things_are_no_ages(text):
    assert ages(text) == []
