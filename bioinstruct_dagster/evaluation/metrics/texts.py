"""Metrics of free text that is compared with a reference: ROUGE, the composite, length, loss.

Belongs here: values of items. Does not: BERTScore (evaluation.metrics.bertscore), which needs a
model, or the composite itself (evaluation.metrics.composite).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.eval_sets.scoring import TextScoring
from bioinstruct_dagster.evaluation.metrics.measured import Measured, measured_mean
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

Results = Mapping[str, Sequence[ItemResult]]

ROUGE = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}  # rouge_score's names
COMPOSITE = "composite"
FACTUAL_ERRORS = "factual_errors"
BERTSCORE = "bertscore"
LENGTH = "length_ratio"  # words of the answers, divided by words of the references
EMPTY = "empty_answers"
CUT = "cut_answers"  # answers that the model did not end itself
LOSS = "loss"  # nats per token of the references


def text_metrics(
    scoring: TextScoring,
    items: Sequence[EvaluationItem],
    results: Results,
    bertscores: Mapping[str, float] | None = None,
) -> list[Measured]:
    """The metrics of written answers.

    ROUGE is the F1 of rouge_score 0.1.2 without stemming. If an item has several references, the
    best one counts. An empty answer has the score 0, and `empty_answers` counts it.

    Args:
        scoring: of the task.
        items: with a reference; others are left out.
        results: of one subject by item.
        bertscores: by item, if they were computed.
    """
    pairs = {
        item.id: (item, answer)
        for item in items
        if item.answers and (answer := answer_of(results.get(item.id, ()))) is not None
    }
    if not pairs:
        return []
    found = _rouge(pairs)
    if bertscores:
        kept = {key: bertscores[key] for key in pairs if key in bertscores}
        found.append(measured_mean(BERTSCORE, kept, bounds=(-1.0, 1.0)))
    if scoring.composite:
        found += _composite(pairs)
    lengths = [
        (len(answer.answer.split()), len(item.answers[0].split()))
        for item, answer in pairs.values()
    ]
    empty = {key: float(not answer.answer.strip()) for key, (_, answer) in pairs.items()}
    cut = {key: float(not answer.ended) for key, (_, answer) in pairs.items()}
    return [
        *found,
        Measured(
            LENGTH,
            tuple(pairs),
            np.array(lengths, dtype=np.float64),
            "ratio",
            bounds=(0.0, float("inf")),
            higher_is_better=None,
        ),
        measured_mean(EMPTY, empty, higher_is_better=False, right_or_wrong=True),
        measured_mean(CUT, cut, higher_is_better=False, right_or_wrong=True),
    ]


def loss_metrics(items: Sequence[EvaluationItem], results: Results) -> list[Measured]:
    """The loss of the references in nats per token, where it was measured."""
    sums = {
        item.id: (-result.log_likelihoods[0], float(result.option_tokens[0]))
        for item in items
        for result in results.get(item.id, ())
        if result.measure == "reference" and result.asked and result.log_likelihoods
    }
    if not sums:
        return []
    values = np.array(list(sums.values()), dtype=np.float64)
    bounds = (0.0, float("inf"))
    return [Measured(LOSS, tuple(sums), values, "ratio", bounds=bounds, higher_is_better=False)]


def answer_of(results: Sequence[ItemResult]) -> ItemResult | None:
    """The written answer among the results of an item."""
    return next((one for one in results if one.measure == "answer" and one.asked), None)


def _rouge(pairs: Mapping[str, tuple[EvaluationItem, ItemResult]]) -> list[Measured]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(list(ROUGE), use_stemmer=False)
    scores = {
        key: scorer.score_multi(list(item.answers), answer.answer)
        for key, (item, answer) in pairs.items()
    }
    return [
        measured_mean(name, {key: score[kind].fmeasure for key, score in scores.items()})
        for kind, name in ROUGE.items()
    ]


def _composite(pairs: Mapping[str, tuple[EvaluationItem, ItemResult]]) -> list[Measured]:
    # Loaded for a task that needs it, and only then.
    from bioinstruct_dagster.evaluation.metrics.composite import composite

    scores = {
        key: composite("\n".join((item.question, *item.context)), item.answers[0], answer.answer)
        for key, (item, answer) in pairs.items()
    }
    return [
        measured_mean(COMPOSITE, {key: each.score for key, each in scores.items()}),
        measured_mean(
            FACTUAL_ERRORS,
            {key: each.factual_errors for key, each in scores.items()},
            bounds=(0.0, float("inf")),
            higher_is_better=False,
        ),
    ]
