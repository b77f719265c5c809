"""Measured values for the tests of statistics."""

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import SHARE, UNBOUNDED, Measured


def ids_of(n):
    return tuple(f"item-{number:05}" for number in range(n))


def shares(values):
    """Right or wrong, one value an item."""
    column = np.array(values, dtype=np.float64)
    return Measured("accuracy", ids_of(len(column)), column, proportion=True, bounds=SHARE)


def means(values, bounds=UNBOUNDED):
    column = np.array(values, dtype=np.float64)
    return Measured("rouge_l", ids_of(len(column)), column, bounds=bounds)


def ratios(values):
    return Measured("loss", ids_of(len(values)), np.array(values, dtype=np.float64), "ratio")


def f1(values, combine="micro_f1"):
    """Counts of shape (n, classes, 3)."""
    counts = np.array(values, dtype=np.float64)
    classes = tuple(f"class-{place}" for place in range(counts.shape[1]))
    return Measured("span_f1", ids_of(len(counts)), counts, combine, classes=classes, bounds=SHARE)


def in_clusters(measured, count):
    """The items in so many clusters, in turn."""
    return {item: f"cluster-{place % count}" for place, item in enumerate(measured.item_ids)}


def clustered_answers(rng, share, likeness, samples, *, clusters=20, each=5):
    """Right and wrong answers of shape (samples, items), alike within clusters.

    The share of each cluster is drawn from a beta distribution whose intraclass correlation is
    `likeness`. Item k is in cluster k % clusters.
    """
    scale = (1 - likeness) / likeness
    of_cluster = rng.beta(share * scale, (1 - share) * scale, (samples, clusters))
    return (rng.random((samples, each * clusters)) < np.tile(of_cluster, each)).astype(np.float64)
