"""What is concluded from the findings on a row."""

import pytest

from bioinstruct_dagster.curation.explanation import REMEDIES, UNCHECKED, conclusion
from bioinstruct_dagster.store.gate_order import DROPPING_GATES

ROW = {
    "is_kept": True, "repaired": [], "category": None, "labelled_by": None, "split": None,
    "decision": None, "excluded": False, "why_rejected": None,
}  # fmt: skip


def finding(gate, verdict, rule):
    return {"gate": gate, "verdict": verdict, "rule": rule}


def test_without_findings_it_says_what_to_materialize():
    assert conclusion(ROW, []) == UNCHECKED


@pytest.mark.parametrize("gate", DROPPING_GATES)
def test_a_rejection_names_gate_and_rule_and_what_to_do(gate):
    said = conclusion(ROW, [finding("quality", "keep", "sound"), finding(gate, "reject", "a_rule")])
    assert said.startswith(f"Rejected by the gate {gate}, rule a_rule")
    assert REMEDIES[gate] in said
    assert said.endswith("Then materialize key:deduplicated_instructions again.")


def test_the_first_rejection_decides():
    found = [finding("privacy", "reject", "mrn"), finding("novelty", "reject", "repeats_kept_row")]
    assert "rule mrn" in conclusion(ROW, found)
    assert "repeats_kept_row" not in conclusion(ROW, found)


def test_a_kept_row_is_told_with_its_repairs_marks_category_and_split():
    row = ROW | {
        "repaired": ["input"],
        "category": "generation",
        "labelled_by": "teacher",
        "split": "train",
    }
    found = [finding("privacy", "flag", "email"), finding("novelty", "keep", "novel")]
    assert conclusion(row, found) == (
        "Kept: no gate rejected the row. A gate repaired its input. It is marked (privacy: email). "
        "Read it before you publish the set. Its category is generation, by teacher. It is in the "
        "data set, in the split train."
    )


def test_a_row_that_was_only_checked_during_generation_is_not_kept_yet():
    said = conclusion(ROW | {"is_kept": False}, [finding("quality", "keep", "sound")])
    assert said.endswith("Materialize key:deduplicated_instructions.")


def test_a_row_that_reviewers_reject_is_told_as_such():
    found = [finding("novelty", "keep", "novel")]
    rejected = ROW | {"decision": "reject", "excluded": True, "why_rejected": "wrong_answer"}
    said = conclusion(rejected, found)
    assert "reviewers reject it (wrong_answer)" in said
    assert "It is in the data set" not in said
    disputed = conclusion(ROW | {"decision": "disputed", "excluded": True}, found)
    assert "review_adjudication" in disputed


def test_a_rejected_row_that_reviewers_accept_stays_out():
    found = [finding("quality", "reject", "a_rule")]
    assert conclusion(ROW | {"decision": "accept"}, found).endswith("but the row stays out.")
    assert "Reviewers" not in conclusion(ROW | {"decision": "reject"}, found)
