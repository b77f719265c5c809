"""The form of measured values: what is refused, subsets, values of items."""

import numpy as np
import pytest

from bioinstruct_dagster.evaluation.metrics.measured import (
    Measured,
    MeasuredError,
    measured_mean,
)


def counts(*rows):
    return Measured(
        "span_f1", tuple("abc"[: len(rows)]), np.array(rows, float), "micro_f1", classes=("x", "y")
    )


@pytest.mark.parametrize(
    ("ids", "values", "combine", "proportion", "fault"),
    [
        ("ab", [1.0], "mean", False, "shape"),
        ("ab", [[1.0], [2.0]], "ratio", False, "shape"),
        ("ab", [1.0, np.nan], "mean", False, "NaN"),
        ("aa", [1.0, 0.0], "mean", False, "twice"),
        ("ab", [1.0, 0.5], "mean", True, "not all 0 or 1"),
        ("ab", [[[1, 2, 3]], [[1, 2, 3]]], "macro_f1", False, "shape"),
    ],
)
def test_malformed_values_are_refused(ids, values, combine, proportion, fault):
    with pytest.raises(MeasuredError, match=fault):
        Measured("accuracy", tuple(ids), np.array(values), combine, proportion=proportion)


def test_some_items_keep_their_values_and_order():
    measured = Measured("loss", ("a", "b", "c"), np.array([[1.0, 2], [3, 4], [5, 6]]), "ratio")
    some = measured.for_items({"c", "a", "unknown"})
    assert some.item_ids == ("a", "c")
    assert some.values.tolist() == [[1, 2], [5, 6]]
    assert measured.for_items(()).values.shape == (0, 2)


def test_each_item_has_its_own_value():
    assert measured_mean("rouge_l", {"a": 0.25, "b": 1.0}).item_values() == {"a": 0.25, "b": 1.0}
    ratio = Measured("loss", ("a", "b"), np.array([[3.0, 2], [1, 4]]), "ratio")
    assert ratio.item_values() == {"a": 1.5, "b": 0.25}
    # An item with neither a right nor a listed span has no F1.
    f1 = counts([[1, 0, 0], [0, 1, 1]], [[0, 0, 0], [0, 0, 0]])
    assert f1.item_values() == {"a": 0.5}


def test_counts_are_added_up_by_class():
    f1 = counts([[1, 0, 0], [0, 1, 1]], [[2, 1, 0], [0, 0, 0]])
    assert f1.counts_by_class() == {"x": (3, 1, 0), "y": (0, 1, 1)}
    assert measured_mean("rouge_l", {"a": 0.5}).counts_by_class() == {}


def test_means_of_right_and_wrong_are_proportions():
    assert measured_mean("accuracy", {"a": 1.0, "b": 0.0}, right_or_wrong=True).proportion
    assert not measured_mean("accuracy", {"a": 1.0, "b": 0.5}, right_or_wrong=True).proportion
    assert not measured_mean("composite", {"a": 0.0, "b": 0.0}).proportion
