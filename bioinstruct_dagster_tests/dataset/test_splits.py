"""The split of a row: a function of its instruction that must never change."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.dataset.splits import SPLITS, split_of


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
