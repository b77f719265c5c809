"""Lengths and diversity: by hand on few rows, and exactly those of the published set."""

import json

import numpy as np
import pytest

from bioinstruct_dagster.dataset.card import statistics
from bioinstruct_dagster.dataset.card.published import published_set
from bioinstruct_dagster.dataset.card.statistics import (
    diversity_of,
    lengths_of,
    sample_of,
    tenths,
    text_statistics,
)
from bioinstruct_dagster.settings import PROJECT_ROOT

SAMPLE = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"


def row(instruction="Name the drug.", given="", output="Aspirin."):
    return {"instruction": instruction, "input": given, "output": output}


def test_lengths_are_those_of_words():
    found = lengths_of(["one", "one two three", "one two"])
    assert (found.mean, found.median, found.least, found.most) == (2, 2, 1, 3)
    assert found.sd == 1
    assert found.half_width == pytest.approx(1.96 / 3**0.5, rel=1e-3)
    assert found.characters == pytest.approx((3 + 13 + 7) / 3)


def test_a_single_text_has_no_interval():
    found = lengths_of(["one two"])
    assert found.half_width is None
    assert found.sd is None


@pytest.mark.parametrize(
    "marker",
    ["N/A", "none", "(None)", "NA", "Not applicable.", "(no input required)", "null", "-n/a-"],
)
def test_an_input_that_says_there_is_none_is_counted_apart(marker):
    found = text_statistics([row(given=marker), row(given=""), row(given="Sodium 130, none else.")])
    assert found.shares["input_marker"] == pytest.approx(1 / 3)
    assert found.shares["empty_input"] == pytest.approx(1 / 3)


def test_shares_are_counted_from_rows():
    found = text_statistics(
        [row("Given a list, sort it."), row("Is it benign?", output="Yes"), row(output="x " * 101)]
    )
    for name in ("begins_with_given", "is_question", "long_output"):
        assert found.shares[name] == pytest.approx(1 / 3)
    assert found.shares["short_output"] == pytest.approx(2 / 3)


def test_diversity_by_hand():
    found = diversity_of(["a b c", "a b d"])
    assert found.distinct == (4 / 6, 3 / 4, 1.0)
    assert found.openings == 2
    assert found.pair_mean == pytest.approx(2 / 3)
    assert sum(found.nearest) == 2
    assert found.nearest[6] == 2
    assert diversity_of(["a b c"] * 50).compression > diversity_of(["a b c"]).compression


def test_no_rows_have_no_statistics_and_one_row_has_no_neighbour():
    assert text_statistics([]) is None
    found = text_statistics([row()])
    assert found.diversity.pair_mean is None
    assert found.diversity.nearest == ()


def test_a_bound_of_a_tenth_belongs_above_however_it_was_rounded():
    counts = tenths(np.array([0.7, 0.7000000000000001, 0.6999999, 1.0, 0.0]))
    assert counts[7] == 2
    assert (counts[0], counts[6], counts[9]) == (1, 1, 1)


def test_a_sample_is_drawn_by_content_and_not_by_order():
    rows = [row(f"Task {n}.") for n in range(50)]
    chosen = {one["instruction"] for one in sample_of(rows, 10)}
    assert len(chosen) == 10
    assert chosen == {one["instruction"] for one in sample_of(rows[::-1], 10)}
    assert sample_of(rows, 50) is rows


def test_a_large_set_is_searched_for_nearer_neighbours(monkeypatch):
    monkeypatch.setattr(statistics, "SAMPLE_ROWS", 10)
    monkeypatch.setattr(statistics, "_SEARCHED_AT_ONCE", 7)
    rows = [row(f"alpha{n} beta{n} gamma{n} delta{n // 2}x kappa{n // 2}") for n in range(40)]
    found = text_statistics(rows).diversity
    # Each row has one neighbour in the set that shares two of its five words.
    assert found.rows == 10
    assert found.nearest_in_set[4] == 40
    assert sum(found.nearest_in_set) == 40


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the real sample is not at hand")
def test_the_real_sample_measures_like_the_published_figures():
    """The sample is a random half of the rows that the published figures were measured on."""
    rows = [json.loads(line) for line in SAMPLE.read_text("utf-8").splitlines()]
    found, published = text_statistics(rows), published_set().measured
    for name, lengths in published.lengths.items():
        assert abs(found.lengths[name].mean - lengths.mean) < 2 * lengths.half_width
    for name, share in published.shares.items():
        assert abs(found.shares[name] - share) < 0.02
    assert found.diversity.pair_mean == pytest.approx(published.diversity.pair_mean, abs=0.002)
    # What depends on the size of a set differs as it must for half of the rows.
    assert found.diversity.distinct[0] > published.diversity.distinct[0]
    assert found.diversity.openings < published.diversity.openings
