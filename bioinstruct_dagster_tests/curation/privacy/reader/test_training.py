"""Learning the reader's weights: they fit the shipped notes, and find what other writers mark."""

import json

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy import scan as scanning
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.privacy.reader import found
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
from bioinstruct_dagster.curation.privacy.reader.notes import MarkedNote, read_marks
from bioinstruct_dagster.curation.privacy.reader.training import kind_of, learned, without_marked
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
    note = read_marks("He saw [[name:Osgarby]], then [[facility:Carnmore Mobility Hub]] called.")
    text = ScannedText(note.text)
    kinds = {
        note.text[one.start : one.end]: kind_of(note, one)
        for one in candidates(text, domain_words())
    }
    assert kinds["Osgarby"] == "name"
    assert kinds["Carnmore Mobility Hub"] == "facility"


def test_what_is_marked_makes_no_word_known():
    note = read_marks("name: [[name:orlaith]], seen today")
    assert without_marked(note) == "name:        , seen today"
    _, known = learned([note, *marked_notes()["b"]], domain_words())
    assert "orlaith" not in known.small
    assert "seen" in known.small


def covered(note: MarkedNote) -> tuple[set[int], set[str]]:
    """The places of a note that the gate covers, and the rules that it names."""
    (result,) = PrivacyGate().check([RowTexts("Summarize the note.", note.text, "A summary.")])
    spans = [
        span
        for finding in result.findings
        for span in finding.evidence.get("found", ())
        if span["field"] == "input"
    ]
    places = {place for span in spans for place in range(span["start"], span["end"])}
    return places, {finding.rule for finding in result.findings}


def spans_found(note: MarkedNote) -> int:
    """How many marked identifiers of a note the gate covers by half or more."""
    places, _ = covered(note)
    return sum(
        2 * len(places.intersection(range(span.start, span.end))) >= span.end - span.start
        for span in note.spans
    )


def is_flagged(note: MarkedNote) -> bool:
    return not covered(note)[1] <= {"no_identifier", "placeholder_person"}


@pytest.fixture(scope="module")
def held_out():
    """Weights learned without two writers."""
    notes = [
        note for writer, own in marked_notes().items() if writer not in HELD_OUT for note in own
    ]
    return learned([*notes, *(MarkedNote(text, ()) for text in plain_texts())], domain_words())


def test_identifiers_of_writers_whom_it_did_not_learn_from_are_found(held_out, monkeypatch):
    fit, known = held_out
    weights, signs = fit.used_with(known), WordSigns(known)
    notes = [note for writer in HELD_OUT for note in marked_notes()[writer]]
    total = sum(len(note.spans) for note in notes)
    monkeypatch.setattr(found, "shipped_weights", lambda: weights)
    monkeypatch.setattr(found, "_signs", lambda: signs)
    with_reader = sum(map(spans_found, notes))
    flagged = [is_flagged(note) for note in notes if not note.spans]
    monkeypatch.setattr(scanning, "read_spans", lambda text, told, seen: [])
    by_patterns = sum(map(spans_found, notes))
    assert total > 500
    assert with_reader >= 0.9 * total
    assert by_patterns < 0.7 * total
    assert len(flagged) >= 90
    assert sum(flagged) <= 0.1 * len(flagged)


def test_learning_twice_gives_the_same_file(tmp_path):
    notes = marked_notes()["b"]
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for file in files:
        write(*learned(notes, domain_words()), made_of(notes), file)
    assert files[0].read_bytes() == files[1].read_bytes()
