"""Learning the reader's weights: the shipped ones fit the shipped notes, and other writers' notes."""

import json

import pytest

from bioinstruct_dagster.curation.privacy.reader.__main__ import (
    WRITTEN,
    domain_words,
    examples,
    made_of,
    marked_notes,
    plain_texts,
    write,
)
from bioinstruct_dagster.curation.privacy.reader.candidates import candidates
from bioinstruct_dagster.curation.privacy.reader.features import facts_of, features_of
from bioinstruct_dagster.curation.privacy.reader.notes import MarkedNote, read_marks
from bioinstruct_dagster.curation.privacy.reader.training import kind_of, learned
from bioinstruct_dagster.curation.privacy.reader.weights import NONE
from bioinstruct_dagster.curation.privacy.reader.word_features import WordSigns
from bioinstruct_dagster.curation.privacy.texts import ScannedText

ANEW = "python -m bioinstruct_dagster.curation.privacy.reader"
HELD_OUT = ("e", "h")  # two writers whose notes are left out at once, because a fit takes seconds


def test_shipped_weights_are_those_of_the_shipped_texts():
    shipped = json.loads(WRITTEN.read_text("utf-8"))
    assert shipped["made_of"] == made_of(examples()), f"run {ANEW}"


def test_another_note_changes_the_hash():
    note = read_marks("Seen by [[name:Tobias]].")
    assert made_of([note]) != made_of([MarkedNote(note.text, ())])


def test_a_candidate_is_what_covers_half_of_it():
    note = read_marks("He saw [[name:Osgarby]] at [[facility:Carnmore Mobility Hub]] in March.")
    text = ScannedText(note.text)
    kinds = {
        note.text[one.start : one.end]: kind_of(note, one)
        for one in candidates(text, domain_words())
    }
    assert kinds["Osgarby"] == "name"
    assert kinds["Carnmore Mobility Hub"] == "facility"


@pytest.fixture(scope="module")
def held_out():
    """Weights learned without two writers."""
    notes = [
        note for writer, own in marked_notes().items() if writer not in HELD_OUT for note in own
    ]
    return learned([*notes, *(MarkedNote(text, ()) for text in plain_texts())], domain_words())


def test_identifiers_of_writers_whom_it_did_not_learn_from_are_found(held_out):
    fit, known = held_out
    weights, signs = fit.used_with(known), WordSigns(known)
    found = marked = alarms = plain = 0
    for writer in HELD_OUT:
        for note in marked_notes()[writer]:
            text = ScannedText(note.text)
            facts = facts_of(text)
            for one in candidates(text, known):
                is_one = weights.read(features_of(text, one, facts, signs)).margin > 0
                if kind_of(note, one) == NONE:
                    plain, alarms = plain + 1, alarms + is_one
                else:
                    marked, found = marked + 1, found + is_one
    assert marked > 400
    assert found >= 0.9 * marked
    assert alarms <= 0.12 * plain


def test_learning_twice_gives_the_same_file(tmp_path):
    notes = marked_notes()["b"]
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for file in files:
        write(*learned(notes, domain_words()), made_of(notes), file)
    assert files[0].read_bytes() == files[1].read_bytes()
