"""The fields of a judgement, and their faults."""

import pytest

from bioinstruct_dagster.review.handed_in.judgements import JudgementFaultError, judgement_of

SOUND = {"item_id": "row-abc-12345678", "reviewer": "AB", "decision": "accept"}


def test_words_may_be_in_any_case_and_with_blanks():
    found = judgement_of(SOUND | {"decision": " Accept ", "category": "Question answering"}, "x")
    assert (found.decision, found.category, found.row_id) == ("accept", "question_answering", "abc")


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"item_id": "1.2E+15"}, "item_id", "no id of a row"),
        ({"reviewer": ""}, "reviewer", "write a name or initials"),
        ({"reviewer": "<b>"}, "reviewer", "no name"),
        ({"decision": ""}, "decision", "accept, reject or unsure"),
        ({"decision": "yes"}, "decision", "'yes' is unknown"),
        ({"category": "qa"}, "category", "information_extraction"),
        ({"decision": "reject"}, "reason", "needs a reason"),
        ({"decision": "reject", "reason": "bad"}, "reason", "'bad' is unknown"),
        ({"reason": "repeated"}, "reason", "the decision is accept"),
        ({"comment": "x" * 2001}, "comment", "2,000"),
        ({"comment": 7}, "comment", "must be text"),
        ({"judged_at": "yesterday"}, "judged_at", "no time; write it as 2026-11-30 14:05"),
        ({"judged_at": "05/11/2026 14:05"}, "judged_at", "5 November 2026"),
        ({"changed_after_verdict": "perhaps"}, "changed_after_verdict", "true, false"),
    ],
)
def test_a_fault_names_its_field_and_what_it_may_hold(fields, field, said):
    with pytest.raises(JudgementFaultError, match=said) as raised:
        judgement_of(SOUND | fields, "x")
    assert raised.value.field == field


def test_a_mark_against_formulas_is_no_part_of_the_comment():
    assert judgement_of(SOUND | {"comment": "'=1+1"}, "x").comment == "=1+1"
    assert judgement_of(SOUND | {"comment": "'tis"}, "x").comment == "'tis"


@pytest.mark.parametrize(
    ("word", "changed"),
    [("WAHR", True), ("VRAI", True), ("1", True), ("Falso", False), ("", False)],
)
def test_truth_as_spreadsheets_of_several_languages_write_it(word, changed):
    found = judgement_of(SOUND | {"changed_after_verdict": word}, "x")
    assert found.changed_after_verdict is changed
