"""The verdict: by the whole interval, over items and seeds, and no alarm where nothing differs."""

import numpy as np
import pytest

from bioinstruct_dagster.evaluation.metrics.measured import Measured
from bioinstruct_dagster.findings.worth.verdict import compared_losses

ITEMS = tuple(f"row-{n}" for n in range(60))


def losses(rng, shift=0.0, seeds=3, own=0.02):
    """The losses of one arm: the rows differ much, the seeds a little."""
    hard = np.random.default_rng(0).normal(2.0, 0.5, len(ITEMS))
    found = []
    for _ in range(seeds):
        nats = hard + shift + rng.normal(0, own) + rng.normal(0, 0.05, len(ITEMS))
        tokens = np.full(len(ITEMS), 50.0)
        values = np.column_stack([nats * tokens, tokens])
        found.append(Measured("loss", ITEMS, values, "ratio", bounds=(0, float("inf"))))
    return found


def compared(shift, seed=1):
    rng = np.random.default_rng(seed)
    found = compared_losses(losses(rng), losses(rng, shift), ITEMS)
    assert found is not None
    return found


def test_a_clear_harm_is_worse_and_a_clear_gain_is_better():
    worse, better = compared(0.4), compared(-0.4)
    assert (worse.verdict, better.verdict) == ("worse", "better")
    assert worse.found.estimate.score == pytest.approx(0.4, abs=0.06)
    assert worse.loss_with - worse.loss_without == pytest.approx(worse.found.estimate.score)
    assert len(worse.by_seed) == worse.found.seeds == 3


def test_equal_arms_are_tied_in_nearly_all_trials():
    verdicts = [compared(0.0, seed).verdict for seed in range(60)]
    assert verdicts.count("tied") >= 56


def test_the_difference_that_is_said_to_be_detectable_is_detected():
    typical = float(np.median([compared(0.0, seed).detectable for seed in range(40)]))
    found = [compared(typical, seed).verdict for seed in range(40)]
    assert found.count("worse") >= 26


def test_only_the_rows_that_are_asked_for_count():
    rng = np.random.default_rng(5)
    found = compared_losses(losses(rng), losses(rng), ITEMS[:20])
    assert found is not None
    assert found.found.estimate.n == 20
    assert compared_losses(losses(rng), losses(rng), ["another"]) is None
