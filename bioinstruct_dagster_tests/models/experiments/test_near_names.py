"""A suggested name means the same as the name that was written, or is one slip away from it."""

import pytest

from bioinstruct_dagster.models.experiments.near_names import hint

RECIPES = ["all", "all-s2", "all-s3", "all-1k", "all-1k-s2", "all-old", "generation+other",
           "generation+other-s2", "other"]  # fmt: skip
KEYS = [f"{base}|{recipe}" for base in ("tiny", "llama-2-7b") for recipe in RECIPES]
UNWRITTEN = ["all", "s1", "modern"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tiny|all-s1", "tiny|all"),
        ("tiny|all-modern", "tiny|all"),
        ("tiny|all-all-modern-s1", "tiny|all"),
        ("tiny|all-1k-modern-s2", "tiny|all-1k-s2"),
        ("*|all-1k-s1", "*|all-1k"),
    ],
)
def test_what_names_leave_out_is_said(written, meant):
    found = hint(written, KEYS, UNWRITTEN)
    assert "seed 1 have no part in a name" in found
    assert found.endswith(f"write {meant!r}.")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tiny|other+generation", "tiny|generation+other"),
        ("tiny|other+generation-s2", "tiny|generation+other-s2"),
        ("tiny/all", "tiny|all"),
        ("tiny__all", "tiny|all"),
        (" tiny | all ", "tiny|all"),
        ("Tiny|ALL", "tiny|all"),
        ("tinny|all-1k", "tiny|all-1k"),
        ("llama-2-7|all-s2", "llama-2-7b|all-s2"),
    ],
)
def test_another_spelling_is_suggested(written, meant):
    assert hint(written, KEYS, UNWRITTEN) == f"; did you mean {meant!r}?"


@pytest.mark.parametrize("written", ["tiny|all-s9", "tiny|all-3k", "tiny|all-2k", "tiny|all-1k-s3"])
def test_another_size_or_seed_is_never_suggested(written):
    found = hint(written, KEYS, UNWRITTEN)
    assert "did you mean" not in found
    assert found.endswith("of 'all' there are all, all-s2, all-s3, all-1k, all-1k-s2, all-old.")


def test_the_part_that_is_unknown_is_named():
    assert hint("big|all", KEYS, []) == ": there is no base model 'big', only tiny, llama-2-7b."
    found = hint("tiny|unheard_of", KEYS, [])
    assert found.startswith(": there is no recipe 'unheard_of', only all, all-s2, ")
    assert found.endswith(" and 3 more.")


def test_a_name_without_two_parts_is_explained():
    assert hint("tiny", KEYS, []).endswith("such as 'tiny|*'.")
    assert "an entry of its own" in hint("tiny|all,tiny|other", KEYS, [])
    assert hint(" ", KEYS, []) == ": write base model and recipe, such as 'tiny|all'."
