"""The statistics: means, bootstrap intervals, paired differences."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioinstruct_dagster.evaluation.statistics.intervals import (
    ALL_CATEGORIES,
    RESAMPLES,
    score_items,
)

NLL = st.floats(0, 1_000)
TOKENS = st.integers(1, 500)
ROUGE = st.floats(0, 1)
ITEMS = st.lists(
    st.tuples(st.sampled_from(["generation", "other"]), TOKENS, NLL, ROUGE, NLL, ROUGE),
    min_size=1,
    max_size=12,
)


def item(number, nll, tokens=10, rouge_l=0.5, category="other"):
    return {
        "row_id": f"row-{number}",
        "category": category,
        "nll": nll,
        "output_tokens": tokens,
        "rouge_l": rouge_l,
    }


def scored(base, adapter, seed=0):
    """Scores by (metric, category, subject)."""
    return {
        (score.metric, score.category, score.subject): score
        for score in score_items(base, adapter, seed)
    }


def noisy_items(count, seed=1):
    draw = random.Random(seed)
    return [item(n, draw.gauss(30, 6), rouge_l=draw.random()) for n in range(count)]


@settings(max_examples=40)
@given(ITEMS)
def test_every_interval_holds_its_score(drawn):
    base = [item(n, d[2], d[1], d[3], d[0]) for n, d in enumerate(drawn)]
    adapter = [item(n, d[4], d[1], d[5], d[0]) for n, d in enumerate(drawn)]
    scores = scored(base, adapter)
    assert {category for _, category, _ in scores} == {ALL_CATEGORIES, *(d[0] for d in drawn)}
    for score in scores.values():
        slack = 1e-9 * max(1.0, abs(score.score))  # a ratio of sums, summed in another order
        assert score.ci_low - slack <= score.score <= score.ci_high + slack
        members = [d for d in drawn if score.category in (ALL_CATEGORIES, d[0])]
        assert score.n == len(members)


def test_the_loss_is_per_token_and_rouge_per_item():
    base = [item(0, 2.0, tokens=1, rouge_l=1.0), item(1, 9.0, tokens=9, rouge_l=0.0)]
    adapter = [item(0, 1.0, tokens=1, rouge_l=0.5), item(1, 4.0, tokens=9, rouge_l=0.5)]
    scores = scored(base, adapter)
    # 11 nats over 10 tokens, not the mean of 2 and 1 nats a token.
    assert scores["loss", ALL_CATEGORIES, "base"].score == pytest.approx(1.1)
    assert scores["loss", ALL_CATEGORIES, "adapter"].score == pytest.approx(0.5)
    assert scores["loss", ALL_CATEGORIES, "difference"].score == pytest.approx(-0.6)
    assert scores["rouge_l", ALL_CATEGORIES, "base"].score == pytest.approx(0.5)
    assert scores["rouge_l", ALL_CATEGORIES, "difference"].score == pytest.approx(0.0)
    # Both items, either twice: the whole range of two items' resamples.
    loss = scores["loss", ALL_CATEGORIES, "base"]
    assert (loss.ci_low, loss.ci_high) == (pytest.approx(1.0), pytest.approx(2.0))


def test_a_category_is_scored_on_its_own_items():
    base = [item(0, 10.0, category="other"), item(1, 30.0, category="generation")]
    scores = scored(base, base)
    assert scores["loss", "other", "base"].score == pytest.approx(1.0)
    assert scores["loss", "generation", "base"].score == pytest.approx(3.0)
    assert scores["loss", ALL_CATEGORIES, "base"].score == pytest.approx(2.0)
    assert [scores["loss", c, "base"].n for c in ("other", "generation", ALL_CATEGORIES)] == [
        1,
        1,
        2,
    ]


def test_identical_items_differ_by_nothing_with_certainty():
    items = noisy_items(50)
    for (_, _, subject), score in scored(items, items).items():
        if subject == "difference":
            assert (score.score, score.ci_low, score.ci_high) == (0, 0, 0)
        else:
            assert score.ci_low < score.ci_high


def test_the_difference_is_paired_by_item():
    # Items differ widely among themselves, and each gains the same: the gain is certain.
    base = noisy_items(50)
    adapter = [row | {"nll": row["nll"] - 5.0} for row in base]
    difference = scored(base, adapter)["loss", ALL_CATEGORIES, "difference"]
    assert difference.score == pytest.approx(-0.5)
    assert difference.ci_low == pytest.approx(-0.5)
    assert difference.ci_high == pytest.approx(-0.5)


def test_the_interval_of_many_items_is_nearly_normal():
    items = noisy_items(400)
    values = [row["rouge_l"] for row in items]
    mean = sum(values) / 400
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / 400)
    score = scored(items, items)["rouge_l", ALL_CATEGORIES, "base"]
    half_width = 1.96 * deviation / math.sqrt(400)
    assert score.ci_high - score.score == pytest.approx(half_width, rel=0.1)
    assert score.score - score.ci_low == pytest.approx(half_width, rel=0.1)


@pytest.mark.parametrize("count", [2, 30])
def test_intervals_are_quantiles_of_resampled_scores(count):
    base, adapter = noisy_items(count, seed=1), noisy_items(count, seed=2)
    drawn = np.random.default_rng(9).integers(count, size=(RESAMPLES, count))
    loss = [np.array([row["nll"] for row in items])[drawn].sum(axis=1) for items in (base, adapter)]
    differences = (loss[1] - loss[0]) / (10 * count)
    found = scored(base, adapter, seed=9)["loss", ALL_CATEGORIES, "difference"]
    ends = np.quantile(differences, [0.025, 0.975])
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(ends), rel=1e-12)


def test_the_seed_decides_the_intervals_and_nothing_else():
    base, adapter = noisy_items(30, seed=1), noisy_items(30, seed=2)
    assert score_items(base, adapter, 5) == score_items(base, adapter, 5)
    one, other = scored(base, adapter, 5), scored(base, adapter, 6)
    assert [s.score for s in one.values()] == [s.score for s in other.values()]
    assert [s.ci_low for s in one.values()] != [s.ci_low for s in other.values()]


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items[:-1],
        lambda items: items[::-1],
        lambda items: [*items[:-1], item(9, 1.0)],
    ],
    ids=["one missing", "another order", "another row"],
)
def test_items_that_do_not_match_are_refused(change):
    items = noisy_items(3)
    with pytest.raises(ValueError, match="same items"):
        score_items(items, change(items), 0)
