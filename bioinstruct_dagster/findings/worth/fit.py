"""How well outputs fit their own prompts: a fault that a small model can't notice.

A small base model hardly uses the prompt, so its loss changes little if outputs belong to other
instructions. This measure needs no model. The fit of a row is the share of other rows' prompts with
which its output has less text in common than with its own prompt: 1 if it is closest to its own,
0.5 on average for an output that belongs to another row.

Belongs here: the fit of rows, and the difference between two groups. Does not: the held-out loss
(findings.worth.verdict).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE, t_quantile
from bioinstruct_dagster.store.fingerprints import sha256_of

MOST_ROWS = 500  # of each group, drawn by hash; the time grows with their product
# A fit that is lower by less is no fault: kinds of task differ by up to 0.08 on the shipped
# recordings (question answering 0.92, information extraction 1.00), so a refresh of another
# mixture may move it that far.
LEAST_DIFFERENCE = 0.1
_NGRAMS = (3, 5)  # characters within words; they need no word list, and suit any language

Row = Mapping[str, Any]


@dataclass(frozen=True)
class FitComparison:
    """The fit of the rows of a refresh, beside that of the rows before it.

    Attributes:
        before: the mean fit of rows from before the refresh.
        added: the mean fit of its rows.
        ci_low: of the difference, added minus before: the lower end of the 95 % interval.
        ci_high: the upper end.
        rows: how many rows of the refresh were read.
    """

    before: float
    added: float
    ci_low: float
    ci_high: float
    rows: int

    @property
    def difference(self) -> float:
        """Added minus before."""
        return self.added - self.before

    @property
    def is_worse(self) -> bool:
        """Whether the whole interval is below -LEAST_DIFFERENCE."""
        return self.ci_high < -LEAST_DIFFERENCE


def compared_fits(before: Sequence[Row], added: Sequence[Row], seed: int) -> FitComparison:
    """Compare the fit of two groups of rows. Both are compared with prompts of the first group.

    Args:
        before: rows with their texts, at least two.
        added: likewise.
        seed: of the draw, if a group has more than MOST_ROWS rows.
    """
    pool = _drawn(before, seed)
    first, second = _fits(pool, pool), _fits(_drawn(added, seed), pool)
    means, errors, degrees = zip(*(_mean(values) for values in (first, second)), strict=True)
    # Welch's interval of the difference of two independent means.
    variance = sum(errors)
    below = sum(error**2 / df for error, df in zip(errors, degrees, strict=True))
    df = variance**2 / below if below else math.inf
    quantile = float(t_quantile((1 + COVERAGE) / 2, df)) if math.isfinite(df) else 0.0
    half = quantile * math.sqrt(variance)
    difference = means[1] - means[0]
    return FitComparison(means[0], means[1], difference - half, difference + half, len(second))


def _drawn(rows: Sequence[Row], seed: int) -> list[Row]:
    return sorted(rows, key=lambda row: sha256_of(["fit", seed, row["row_id"]]))[:MOST_ROWS]


def _mean(values: Sequence[float]) -> tuple[float, float, int]:
    """The mean, the variance of the mean, and its degrees of freedom."""
    n = len(values)
    mean = sum(values) / n
    spread = sum((value - mean) ** 2 for value in values) / max(1, n - 1)
    return mean, spread / n, max(1, n - 1)


def _fits(rows: Sequence[Row], pool: Sequence[Row]) -> list[float]:
    """The fit of each row among the prompts of the pool; its own prompt is none of the others."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    prompts, outputs = [_prompt(row) for row in rows], [row["output"] for row in rows]
    others = [_prompt(row) for row in pool]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=_NGRAMS, sublinear_tf=True)
    vectorizer.fit([*prompts, *outputs, *others])
    of_outputs = vectorizer.transform(outputs)
    own = np.asarray(of_outputs.multiply(vectorizer.transform(prompts)).sum(axis=1)).ravel()
    shared = (of_outputs @ vectorizer.transform(others).T).toarray()
    places = {row["row_id"]: place for place, row in enumerate(pool)}
    found = []
    for number, row in enumerate(rows):
        rest = (
            np.delete(shared[number], places[row["row_id"]])
            if row["row_id"] in places
            else (shared[number])
        )
        equal = np.isclose(rest, own[number], rtol=0, atol=1e-12)
        found.append(float(((rest < own[number]) & ~equal).mean() + equal.mean() / 2))
    return found


def _prompt(row: Row) -> str:
    return f"{row['instruction']}\n{row['input']}"
