"""Later verdicts of the comparison of meanings, as a user switches it on and off.

Those by a teacher's checks are tested in quality/test_teacher_verdicts.py.
"""

import pytest

from bioinstruct_dagster_tests.curation.imports import SOUND, Imported, checked, shown
from bioinstruct_dagster_tests.curation.novelty.test_meaning import build_model

# Equal for the tiny model, which knows no digits, but different in their words.
NUMBERED_ROWS = [
    ("Explain the dose of the drug in 11 12 13 14 15 16 17 18.", "", "By weight."),
    ("Explain the dose of the drug in 21 22 23 24 25 26 27 28.", "", "By weight, too."),
]


@pytest.fixture
def project(settings, tmp_path):
    return Imported(settings, tmp_path)


def test_rows_that_mean_the_same_are_dropped_and_come_back(project, tmp_path):
    folder = build_model(tmp_path / "meaning")
    rows = [*NUMBERED_ROWS, SOUND[0]]
    project.run(rows)
    words = project.store.rows("from verdicts where gate = 'novelty' order by row_id")
    assert project.kept() == [row[0] for row in rows]

    on = {"meaning_model": folder, "meaning_threshold": 0.9999}
    result = project.run(**on)
    assert project.kept() == [NUMBERED_ROWS[0][0], SOUND[0][0]]
    assert project.dropped() == {NUMBERED_ROWS[1][0]: "novelty: meaning"}
    assert shown(result)["repeats in meaning"] == 1
    [first] = project.values("select row_id from raw_instructions where ordinal = 0")
    assert project.values("select nearest_id from rejected_instructions") == [first]
    # The verdicts by words do not change.
    assert (
        project.store.rows("from verdicts where gate = 'novelty' and place = 0 order by row_id")
        == words
    )

    before = project.store.rows("from verdicts order by all")
    again = project.run([*rows, SOUND[1]], **on)
    assert checked(again)["novelty"] == 1
    after = project.store.rows("from verdicts order by all")
    assert all(verdict in after for verdict in before)  # added to, and not written anew

    project.run(rows)
    assert project.kept() == [row[0] for row in rows]
    assert "meaning" not in project.values("select rule from verdicts")
    assert len(project.values("select model from embeddings")) == 4
