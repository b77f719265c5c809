"""The split of a row: a function of its texts that must never change."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.dataset.splits import SPLITS, split_of, split_of_row, suitable_rule


# A row that moved would carry training data into the test split of sets already published.
@pytest.mark.parametrize(
    ("instruction", "split"),
    [
        ("List the drugs named in the note.", "train"),
        ("Rank these tests by radiation dose.", "validation"),
        ("Write a referral letter to cardiology.", "validation"),
        ("Ποια είναι η διάγνωση;", "train"),
        ("Correct the spelling of the drug names.", "test"),
    ],
)
def test_known_instructions_stay_in_their_split(instruction, split):
    assert split_of(instruction) == split


def test_shares_are_near_eighty_ten_ten():
    counts = Counter(split_of(f"Explain laboratory finding number {n}.") for n in range(5_000))
    assert set(counts) == set(SPLITS)
    assert counts["train"] / 5_000 == pytest.approx(0.8, abs=0.02)
    assert counts["validation"] / 5_000 == pytest.approx(0.1, abs=0.015)
    assert counts["test"] / 5_000 == pytest.approx(0.1, abs=0.015)


@given(st.lists(st.text("abcdefghijk0123456789", min_size=1), min_size=1, max_size=8))
def test_case_and_blanks_do_not_matter(words):
    plain = split_of(" ".join(words))
    assert split_of("  " + " \n\t ".join(words).upper() + "\n") == plain


@pytest.mark.parametrize(
    ("task_input", "split"),
    [
        ("", "test"),
        ("What is gout?", "validation"),
        ("What is scurvy?", "train"),
        ("什么是哮喘？", "train"),
    ],
)
def test_known_rows_of_one_instruction_stay_in_their_split(task_input, split):
    row = {"instruction": "Answer the question.", "input": task_input}
    assert split_of_row(row, "instruction_and_input") == split
    assert split_of_row(row, "instruction") == split_of("Answer the question.")
    spaced = {"instruction": " ANSWER  the question.", "input": f"{task_input}\n"}
    assert split_of_row(spaced, "instruction_and_input") == split


def rows_of(*counts):
    return [
        {"instruction": f"Do task {task}.", "input": str(n)}
        for task, count in enumerate(counts)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("counts", "rule"),
    [
        ([1] * 100, "instruction"),
        ([100], "instruction_and_input"),
        ([50, 50], "instruction_and_input"),
        ([2] * 50, "instruction_and_input"),
        ([2] * 25 + [1] * 50, "instruction"),
        ([30] + [1] * 200, "instruction_and_input"),
        ([19] + [1] * 100, "instruction"),
        ([20] + [1] * 200, "instruction"),
        ([], "instruction"),
    ],
)
def test_the_rule_follows_from_how_often_instructions_repeat(counts, rule):
    assert suitable_rule(rows_of(*counts)) == rule


def test_the_rows_of_one_instruction_are_split_eighty_ten_ten():
    counts = Counter(split_of_row(row, "instruction_and_input") for row in rows_of(5_000))
    assert counts["train"] / 5_000 == pytest.approx(0.8, abs=0.02)
    assert counts["test"] / 5_000 == pytest.approx(0.1, abs=0.015)
