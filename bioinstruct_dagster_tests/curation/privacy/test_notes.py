"""How well identifiers are found in 400 notes whose sentences and names the patterns never saw."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.privacy.kinds import KINDS
from bioinstruct_dagster_tests.curation.privacy.note_sentences import HELD_OUT, TUNE
from bioinstruct_dagster_tests.curation.privacy.notes import Counts, Note, notes, score

SEED, COUNT = 4242, 400  # other notes than those of the figures in docs/privacy.md


@pytest.fixture(scope="module")
def held_out() -> list[Note]:
    return notes(SEED, "held_out", COUNT)


@pytest.fixture(scope="module")
def counts(held_out: list[Note]) -> dict[str, Counts]:
    return score(held_out)


def test_the_same_seed_writes_the_same_notes():
    assert notes(1, "tune", 5) == notes(1, "tune", 5)
    assert notes(1, "tune", 5) != notes(2, "tune", 5)


def test_the_halves_share_no_sentence_but_the_same_kinds():
    assert TUNE.keys() == HELD_OUT.keys() == {*KINDS, "none", "placeholder"}
    assert not {s for of_kind in TUNE.values() for s in of_kind} & {
        s for of_kind in HELD_OUT.values() for s in of_kind
    }


def test_planted_spans_stand_where_the_note_says(held_out):
    for note in held_out:
        for span in note.planted:
            text = note.text[span.start : span.end]
            assert text
            assert text == text.strip()


def test_nineteen_of_twenty_identifiers_are_found_whole(counts):
    assert counts["all"].planted > COUNT
    assert counts["all"].recall >= 0.95


def test_nineteen_of_twenty_findings_are_identifiers(counts):
    assert counts["all"].precision >= 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_found_badly(counts, kind):
    assert counts[kind].planted >= 20
    assert counts[kind].recall >= 0.85
    assert counts[kind].precision >= 0.9


def test_notes_without_identifiers_pass_whole(held_out):
    bare = [RowTexts("Summarise the note.", note.text, "") for note in held_out if not note.planted]
    assert len(bare) >= 90
    assert [checked.rejected for checked in PrivacyGate().check(bare)] == [False] * len(bare)


def test_redaction_leaves_no_planted_number_behind(held_out):
    kinds = {"ssn", "mrn", "phone", "fax", "email", "account", "ip"}
    left = total = 0
    for note in held_out:
        (checked,) = PrivacyGate("redact").check([RowTexts("", note.text, "")])
        after = checked.repairs.get("input", note.text)
        for span in note.planted:
            if span.kind in kinds:
                total += 1
                left += note.text[span.start : span.end] in after
    assert total > 100
    assert left <= 0.02 * total
