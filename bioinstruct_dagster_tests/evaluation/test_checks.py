"""The checks of `eval_scores`: predictions for each score, and a lower loss with the adapter."""

from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.evaluation.checks import (
    adapter_lowers_held_out_loss,
    every_score_has_its_items,
)

EXPERIMENT = {"base_model": "base", "recipe": "recipe", "task": "held_out", "rehearsal": True}


def score_row(subject, n=2, high=-0.1):
    texts = ("prompt_version", "dataset_fingerprint", "base_fingerprint")
    return (
        EXPERIMENT
        | dict.fromkeys(texts, "x")
        | {"metric": "loss", "category": "all", "subject": subject, "n": n}
        | {"score": -0.2, "ci_low": -0.3, "ci_high": high, "scored_at": datetime.now(UTC)}
    )


def prediction_row(subject, number):
    return EXPERIMENT | {
        "subject": subject,
        "row_id": f"row-{number}",
        "category": "other",
        "prediction": "text",
        "rouge_l": 0.5,
        "nll": 1.0,
        "output_tokens": 2,
    }


@pytest.mark.parametrize(("predictions", "passed"), [(2, True), (1, False), (3, False), (0, False)])
def test_each_score_needs_as_many_predictions_as_items(store, predictions, passed):
    items = [prediction_row("base", number) for number in range(predictions)]
    store.replace({"eval_scores": [score_row("base", n=2)], "eval_predictions": items})
    assert every_score_has_its_items(store=store).passed == passed


@pytest.mark.parametrize(("high", "passed"), [(-0.1, True), (0.0, False), (0.1, False)])
def test_the_interval_of_the_difference_must_be_below_zero(store, high, passed):
    store.replace({"eval_scores": [score_row("difference", high=high)]})
    assert adapter_lowers_held_out_loss(store=store).passed == passed
