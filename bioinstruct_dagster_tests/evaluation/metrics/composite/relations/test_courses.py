"""Things that begin, go on, end, rise or fall."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.clauses import clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.relations.courses import (
    Courses,
    courses_of,
    wrong_courses,
)

REFERENCE = (
    "Former smoker. Stopped naproxen in May, acetaminophen helps. Plan: start ramipril, increase "
    "metoprolol. Restart prednisone, which she stopped. Lung cancer in 2010, in remission."
)


def wrong(summary, reference=REFERENCE, source=""):
    told = [Courses(clauses_of(text)) for text in (reference, source)]
    known = {one.name for clause in clauses_of(reference) for one in clause.concepts}
    return [one for clause in clauses_of(summary) for one in wrong_courses(clause, told, known)]


@pytest.mark.parametrize(
    "right",
    [
        REFERENCE,
        "Ex-smoker. Naproxen discontinued. Add ramipril.",
        "Quit smoking. Resume prednisone.",
        "Metoprolol raised. Lung cancer, resolved.",
        "Began ibuprofen.",
        "She has not stopped ramipril.",
    ],
)
def test_the_same_course_in_other_words_is_right(right):
    assert wrong(right) == []


@pytest.mark.parametrize(
    ("summary", "thing"),
    [
        ("Current smoker.", "smoker"),
        ("Still takes naproxen.", "naproxen"),
        ("Stop ramipril.", "ramipril"),
        ("Metoprolol was reduced.", "metoprolol"),
        ("Active lung cancer.", "lung cancer"),
        ("Acetaminophen was discontinued.", "acetaminophen"),
    ],
)
def test_the_opposite_course_is_wrong(summary, thing):
    assert wrong(summary) == [thing]


def test_the_source_counts_where_the_reference_is_silent():
    assert wrong("Stop ramipril.", "Cough.", "Start ramipril.") == ["ramipril"]
    assert wrong("Stop ramipril.", "Stop ramipril.", "Start ramipril.") == []


def test_denials_and_questions_have_no_course():
    assert [courses_of(one) for one in clauses_of("No current pain. Start ramipril?")] == [
        frozenset(),
        frozenset(),
    ]
