"""The scores that need no judge, which a judge is compared with.

Belongs here: text lengths, ROUGE-1 and the composite of answers that people scored, and people's
score, to which lengths are fitted. Does not: how far they agree with people (measured), or the
composite itself (evaluation.metrics.composite).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.evaluation.judge.agreement import fitted_out_of_fold, length_of
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore

Floats = NDArray[np.float64]

LENGTH_RATIO = "summary_length_by_reference_length"
REFERENCE_LENGTH = "minus_reference_length"
BOTH_LENGTHS = "both_lengths_fitted"
ROUGE = "rouge_1"
COMPOSITE = "composite"


def scores_without_judge(scores: Sequence[HumanScore]) -> dict[str, tuple[Floats, Floats]]:
    """The scores that need no judge: by name, the score and how likely an error is.

    The composite says by itself how likely an error is. Of the others, it is the score with its
    sign changed.
    """
    from rouge_score.rouge_scorer import RougeScorer

    from bioinstruct_dagster.evaluation.metrics.composite import composite

    own, reference = lengths_of(scores).T
    sources = [score.text.source for score in scores]
    scorer = RougeScorer(["rouge1"], use_stemmer=True)
    rouge = [
        scorer.score(score.text.reference, score.text.answer)["rouge1"].fmeasure for score in scores
    ]
    texts = [score.text for score in scores]
    parts = [composite(text.source, text.reference, text.answer) for text in texts]
    lengths = np.log1p(np.column_stack([own, reference]))
    plain = {
        LENGTH_RATIO: own / np.maximum(reference, 1),
        REFERENCE_LENGTH: -reference,
        BOTH_LENGTHS: fitted_out_of_fold(lengths, people_s_f1(scores), sources),
        ROUGE: np.array(rouge),
    }
    return {name: (values, -values) for name, values in plain.items()} | {
        COMPOSITE: (
            np.array([part.score for part in parts]),
            np.array([part.factual_errors for part in parts]),
        )
    }


def people_s_f1(scores: Sequence[HumanScore]) -> Floats:
    """The factual F1 that people gave each answer, of shape (n,)."""
    return np.array([score.share("factual_f1") for score in scores], dtype=np.float64)


def lengths_of(scores: Sequence[HumanScore]) -> Floats:
    """Words of each answer and of its reference, of shape (n, 2)."""
    return np.array(
        [[length_of(score.text.answer), length_of(score.text.reference)] for score in scores],
        dtype=np.float64,
    )
