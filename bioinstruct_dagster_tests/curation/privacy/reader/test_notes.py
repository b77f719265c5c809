"""Marks in notes: the text without them, and where what they mark stands."""

from bioinstruct_dagster.curation.privacy.reader.notes import read_marks


def test_marks_are_taken_out_and_their_places_kept():
    note = read_marks("Seen by [[name:Tobias]] at [[facility:Holm Road Surgery]].")
    assert note.text == "Seen by Tobias at Holm Road Surgery."
    assert [(span.kind, note.text[span.start : span.end]) for span in note.spans] == [
        ("name", "Tobias"),
        ("facility", "Holm Road Surgery"),
    ]


def test_a_text_without_marks_is_itself():
    assert read_marks("Fever for [two] days.") == ("Fever for [two] days.", ())
