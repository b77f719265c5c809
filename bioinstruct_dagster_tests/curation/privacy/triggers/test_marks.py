"""Triggers of the privacy gate: which marks a text has, and that none of them hides a finding."""

import re
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy import texts
from bioinstruct_dagster.curation.privacy.scan import scan
from bioinstruct_dagster.curation.privacy.texts import GIVEN, ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import ANYTHING, CAPITAL, trigger

HERE = Path(__file__).parents[1]
MARK = re.compile(r"\[\w+\|([^\]]*)\]")  # what is to be found in a line
LINES = [
    MARK.sub(r"\1", line.replace("\\n", "\n"))
    for file in sorted(HERE.rglob("*_lines.txt"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
WIFE, SAYS, NURSE = trigger(("wife",)), trigger(("says",)), trigger(("nurse",))


def test_marks_tell_what_stands_beside_a_capital():
    marks = ScannedText("His wife Oonagh says that the nurse left.").marks
    assert marks.held & WIFE
    assert marks.held & NURSE
    assert marks.before_capital & WIFE
    assert not marks.before_capital & NURSE
    assert marks.after_capital & SAYS
    assert not marks.after_capital & NURSE
    assert marks.capitalized & CAPITAL
    assert not marks.capitalized & WIFE


def test_a_known_name_in_small_letters_has_marks_beside_it():
    marks = ScannedText("the nurse dolores says").marks
    assert marks.held & GIVEN
    assert not marks.capitalized & GIVEN
    assert marks.before_known & NURSE
    assert marks.after_given & SAYS


def test_equal_lists_have_equal_bits_and_entries_of_several_words_have_none():
    assert trigger(("wife",)) == trigger(frozenset(("wife",)))
    assert not ScannedText("next of kin").marks.held & trigger(("next of kin",))


@pytest.mark.parametrize("sign", ["\u017f", "\u0130", "\uff21", "\u00d7", "\u00f7"])
def test_a_text_with_letters_that_are_not_told_apart_may_hold_anything_beside_capitals(sign):
    marks = ScannedText(f"his wife {sign} says").marks
    assert marks == ANYTHING._replace(held=marks.held)
    assert marks.held & WIFE
    assert not marks.held & NURSE


def test_a_description_with_a_capital_hides_no_name():
    found = scan(RowTexts("", "Dyspnea on exertion, Karen Holloway, Age 47", ""))
    assert [span.kind for spans in (*found.found, *found.placeholders) for span in spans] == [
        "name"
    ]


@pytest.mark.parametrize("change", [str, str.upper, str.title])
def test_no_trigger_and_no_shape_hides_a_finding(change, monkeypatch):
    rows = [RowTexts("Summarise.", change(line), "") for line in LINES]
    found = [scan(row) for row in rows]
    assert sum(any(one.found) for one in found) > len(LINES) // 10
    marks_of = texts.marks_of

    def without_places(*given):
        return ANYTHING._replace(held=marks_of(*given).held)

    monkeypatch.setattr(texts, "marks_of", without_places)
    monkeypatch.setattr(ScannedText, "has_shape", lambda *_: True)
    monkeypatch.setattr(ScannedText, "may_match", lambda *_: True)
    for line, row, before in zip(LINES, rows, found, strict=True):
        assert scan(row) == before, line
