"""Counts features and learns their weights: a logistic regression on tf-idf values.

Belongs here: the matrix of counts, and the fit on such a matrix. Does not: the features (phrasing,
inputs), or the quality of the fit (classifier).
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# A feature of one example alone says nothing about other rows.
LEAST_EXAMPLES = 2  # that have a feature
REGULARIZATION = 16.0  # inverse strength; 8, 16 and 32 differ by less than a point


def vocabulary_of(found: Iterable[Sequence[str]]) -> dict[str, int]:
    """The column of each feature, in alphabetical order."""
    return {name: column for column, name in enumerate(sorted(set().union(*found)))}


def count_matrix(found: Iterable[Sequence[str]], columns: Mapping[str, int]) -> Any:
    """How often each text has each feature that has a column.

    Args:
        found: the features of each text.
        columns: as of `vocabulary_of`; other features are left out.

    Returns:
        A sparse matrix, (texts, columns).
    """
    from scipy.sparse import csr_matrix

    indices, ends = array("i"), array("i", [0])
    for features in found:
        indices.extend([place for place in map(columns.get, features) if place is not None])
        ends.append(len(indices))
    # Equal entries of a row are summed.
    counts = csr_matrix(
        (np.ones(len(indices)), np.asarray(indices), np.asarray(ends)),
        shape=(len(ends) - 1, len(columns)),
    )
    counts.sum_duplicates()
    return counts


@dataclass(frozen=True)
class FeatureWeights:
    """A fit on counts.

    Attributes:
        used: the columns of the counts that the fit uses.
        scaling: scikit-learn's tf-idf of these columns.
        model: scikit-learn's logistic regression.
    """

    used: NDArray[np.intp]
    scaling: Any
    model: Any

    @classmethod
    def fit(cls, counts: Any, labels: NDArray[np.str_]) -> Self:
        """Fit to the counts and category of each example."""
        from sklearn.feature_extraction.text import TfidfTransformer
        from sklearn.linear_model import LogisticRegression

        used = np.flatnonzero(counts.getnnz(axis=0) >= LEAST_EXAMPLES)
        scaling = TfidfTransformer(sublinear_tf=True)
        values = scaling.fit_transform(counts[:, used])
        # With many features and few examples, this solver takes a tenth of the default's time.
        model = LogisticRegression(C=REGULARIZATION, solver="newton-cg").fit(values, labels)
        return cls(used, scaling, model)

    def scores(self, counts: Any) -> NDArray[np.float64]:
        """The decision values, (texts, categories), of counts with the columns of `fit`."""
        return self.scores_of_used(counts[:, self.used])

    def scores_of_used(self, counts: Any) -> NDArray[np.float64]:
        """The decision values, (texts, categories), of counts that have only the used columns."""
        scores: NDArray[np.float64] = self.model.decision_function(self.scaling.transform(counts))
        return scores

    @property
    def categories(self) -> list[str]:
        """The categories in the order of the scores."""
        return [str(name) for name in self.model.classes_]
