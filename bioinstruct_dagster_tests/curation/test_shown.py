"""Cards of rows: the same rows for the same content, and no text that may identify a person."""

import pytest

from bioinstruct_dagster.curation.shown import (
    NO_REJECTED_ROWS,
    NOT_SHOWN,
    funnel_sentence,
    kept_cards,
    rejected_cards,
)
from bioinstruct_dagster_tests.curation.imports import SOUND, Imported

PERSON = ("Read the note.", "Maria Keller, born 12 March 1961, MRN 4471193, has gout.", "Gout.")
REFUSED = ("Compare beta blockers in angina.", "", "I'm sorry, but as an AI I cannot do that.")


@pytest.fixture
def project(settings, tmp_path):
    return Imported(settings, tmp_path)


def test_kept_rows_are_shown_with_their_texts(project):
    project.run(SOUND)
    shown = kept_cards(project.store, "a")
    assert shown.count("### kept: ") == 5
    assert shown == kept_cards(project.store, "a")
    assert shown != kept_cards(project.store, "another content")
    assert SOUND[0][2] in "".join(kept_cards(project.store, seed) for seed in "abcdefgh")
    assert rejected_cards(project.store, "a") == NO_REJECTED_ROWS


def test_a_rejected_row_has_its_gate_and_reason_and_no_text_that_identifies(project):
    project.run([*SOUND, PERSON, REFUSED])
    shown = rejected_cards(project.store, "a")
    assert "### rejected by privacy: " in shown
    assert "### rejected by quality: cannot do" in shown
    assert NOT_SHOWN in shown
    assert "Keller" not in shown
    assert "beta blockers in angina" in shown


def test_the_funnel_in_words_names_the_gates_that_rejected_rows():
    said = funnel_sentence("8 kept rows", 10, 8, {"quality": 2, "privacy": 0})
    assert said == "8 kept rows: 80.0\N{NO-BREAK SPACE}% of 10 raw rows. Rejected by quality 2."
    assert funnel_sentence("1 kept row", 1, 1, {}).endswith("No row was rejected.")
