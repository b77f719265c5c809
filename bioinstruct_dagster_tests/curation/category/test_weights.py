"""Counting features, and the fit on the counts."""

import numpy as np
import pytest

from bioinstruct_dagster.curation.category.weights import (
    FeatureWeights,
    count_matrix,
    vocabulary_of,
)

pytestmark = pytest.mark.usefixtures("one_blas_thread")

FOUND = [["b", "a", "b"], ["c"], [], ["a", "c", "c", "c"]]


def test_counts_are_by_text_and_feature():
    columns = vocabulary_of(FOUND)
    assert columns == {"a": 0, "b": 1, "c": 2}
    counts = count_matrix(FOUND, columns)
    assert counts.toarray().tolist() == [[1, 2, 0], [0, 0, 1], [0, 0, 0], [1, 0, 3]]


def test_features_without_a_column_are_left_out():
    counts = count_matrix(FOUND, {"c": 0})
    assert counts.toarray().tolist() == [[0], [1], [0], [3]]
    assert count_matrix([], {"c": 0}).shape == (0, 1)


def test_a_feature_of_one_example_is_not_used():
    counts = count_matrix(FOUND, vocabulary_of(FOUND))
    weights = FeatureWeights.fit(counts, np.array(["x", "y", "x", "y"]))
    assert weights.used.tolist() == [0, 2]
    assert weights.categories == ["x", "y"]


def test_scores_are_the_same_with_and_without_unused_columns():
    columns = vocabulary_of(FOUND)
    counts = count_matrix(FOUND, columns)
    weights = FeatureWeights.fit(counts, np.array(["x", "y", "z", "y"]))
    only_used = count_matrix(FOUND, {"a": 0, "c": 1})
    assert weights.scores(counts) == pytest.approx(weights.scores_of_used(only_used))
    assert weights.scores(counts).argmax(axis=1)[1] == weights.categories.index("y")
