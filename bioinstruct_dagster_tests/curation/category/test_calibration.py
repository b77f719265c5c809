"""The measures of calibration, on predictions of known calibration."""

import random

import numpy as np
import pytest
from scipy.special import softmax

from bioinstruct_dagster.curation.category.calibration import (
    measure_calibration,
    temperature_scaling,
)


def predictions(pairs):
    """The truth, the predictions and their confidence, from (right, confidence) pairs."""
    truth = ["generation"] * len(pairs)
    predicted = ["generation" if right else "other" for right, _ in pairs]
    return truth, predicted, [confidence for _, confidence in pairs]


def test_accuracy_error_and_bins_match_a_hand_count():
    found = measure_calibration(
        *predictions([(True, 0.95), (True, 0.91), (False, 0.93), (False, 0.54), (True, 0.51)])
    )
    assert found.rows == 5
    assert found.accuracy == pytest.approx(0.6)
    low, high = found.bins
    assert (low.low, low.high, low.rows, low.accuracy) == (0.5, 0.6, 2, 0.5)
    assert (high.low, high.high, high.rows) == (0.9, 1.0, 3)
    assert high.accuracy == pytest.approx(2 / 3)
    assert high.confidence == pytest.approx(0.93)
    expected = (2 * abs(0.525 - 0.5) + 3 * abs(0.93 - 2 / 3)) / 5
    assert found.expected_calibration_error == pytest.approx(expected)
    assert found.by_category == {"generation": pytest.approx(0.6)}


def test_a_certain_prediction_is_in_the_last_bin():
    (only,) = measure_calibration(*predictions([(True, 1.0)])).bins
    assert (only.low, only.high, only.rows) == (0.9, 1.0, 1)


@pytest.mark.parametrize(("confidence", "high"), [(0.0, 0.1), (0.1, 0.1), (0.7, 0.7), (0.71, 0.8)])
def test_a_bin_holds_its_upper_end(confidence, high):
    (only,) = measure_calibration(*predictions([(False, confidence)])).bins
    assert (only.high, only.rows, only.confidence, only.accuracy) == (high, 1, confidence, 0.0)


def test_of_nothing_nothing_is_claimed():
    found = measure_calibration([], [], [])
    assert (found.rows, found.accuracy, found.bins) == (0, 0.0, ())


def test_overconfidence_is_a_large_calibration_error():
    draw = random.Random(0)
    honest = [(draw.random() < c, c) for c in (draw.uniform(0.3, 1) for _ in range(5_000))]
    boasting = [(draw.random() < 0.6, 0.95) for _ in range(5_000)]
    assert measure_calibration(*predictions(honest)).expected_calibration_error < 0.03
    assert measure_calibration(*predictions(boasting)).expected_calibration_error > 0.3


def test_each_threshold_has_a_share_and_an_accuracy():
    pairs = [(True, 0.9)] * 4 + [(False, 0.8)] * 1 + [(True, 0.6)] * 2 + [(False, 0.4)] * 3
    accepted = {one.threshold: one for one in measure_calibration(*predictions(pairs)).accepted}
    assert (accepted[0.9].share, accepted[0.9].accuracy) == (0.4, 1.0)
    assert (accepted[0.8].share, accepted[0.8].accuracy) == (0.5, 0.8)
    assert accepted[0.5].share == 0.7
    assert accepted[0.5].accuracy == pytest.approx(6 / 7)


def test_a_threshold_that_nothing_reaches_has_no_accuracy():
    last = measure_calibration(*predictions([(True, 0.4)])).accepted[-1]
    assert (last.share, last.accuracy) == (0.0, None)


@pytest.mark.parametrize("exaggeration", [0.5, 1, 3])
def test_probabilities_are_those_of_honest_scores(exaggeration):
    draw = np.random.default_rng(0)
    honest = draw.normal(0, 2, (4_000, 4))
    columns = np.array([draw.choice(4, p=row) for row in softmax(honest, axis=1)])
    probabilities = temperature_scaling(honest * exaggeration, columns)
    new = draw.normal(0, 2, (50, 4))
    found = probabilities(new * exaggeration)
    assert found == pytest.approx(softmax(new, axis=1), abs=0.03)
    assert (found.argmax(axis=1) == new.argmax(axis=1)).all()
    assert probabilities(new[:1] * exaggeration)[0] == pytest.approx(found[0])


def test_the_probability_of_a_huge_score_is_finite():
    scores = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0], [0.0, -1.0, 1.0]] * 5)
    probabilities = temperature_scaling(scores, np.array([0, 1, 1] * 4 + [2, 1, 2]))
    assert probabilities(np.array([[1e4, 0.0, -1e4]])).tolist() == [[1.0, 0.0, 0.0]]
