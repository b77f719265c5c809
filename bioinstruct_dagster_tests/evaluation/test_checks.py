"""The checks of `eval_scores`: items of each score, a lower loss, items that were trained on."""

from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.evaluation.checks import (
    adapter_lowers_held_out_loss,
    every_score_has_its_items,
    no_scored_item_was_trained_on,
)

EXPERIMENT = {"base_model": "base", "recipe": "recipe", "task": "held_out", "rehearsal": True}
TEXTS = (
    "task_version", "prompt_version", "dataset_fingerprint", "base_fingerprint", "method",
    "items_fingerprint", "scored_from",
)  # fmt: skip


def score_row(subject, n=2, high=-0.1, **more):
    return (
        EXPERIMENT
        | dict.fromkeys(TEXTS, "x")
        | {"metric": "loss", "category": "all", "subject": subject, "items": "all", "n": n}
        | {"clusters": n, "main": True, "items_source": "own", "scored_at": datetime.now(UTC)}
        | {"score": -0.2, "ci_low": -0.3, "ci_high": high}
        | more
    )


def prediction_row(subject, number, **more):
    return EXPERIMENT | {
        "subject": subject,
        "item_id": f"row-{number}",
        "prediction": "text",
        "metric": "loss",
        "value": 0.5,
        "metrics": "{}",
        "ended": True,
        "tokens_lost": 0,
        "contaminated": False,
        **more,
    }


@pytest.mark.parametrize(("predictions", "passed"), [(2, True), (1, False), (3, True), (0, False)])
def test_each_score_needs_as_many_predictions_as_items(store, predictions, passed):
    items = [prediction_row("base", number) for number in range(predictions)]
    store.replace({"eval_scores": [score_row("base", n=2)], "eval_predictions": items})
    assert every_score_has_its_items(store=store).passed == passed


@pytest.mark.parametrize(
    ("high", "passed"), [(-0.1, True), (0.0, False), (0.1, False), (None, False)]
)
def test_the_interval_of_the_difference_must_be_below_zero(store, high, passed):
    rows = [score_row("difference", high=high), score_row("difference", metric="rouge_l", high=1)]
    store.replace({"eval_scores": rows})
    assert adapter_lowers_held_out_loss(store=store).passed == passed


@pytest.mark.parametrize("contaminated", [True, False])
def test_an_item_that_was_trained_on_is_a_warning(store, contaminated):
    store.replace({"eval_predictions": [prediction_row("base", 1, contaminated=contaminated)]})
    found = no_scored_item_was_trained_on(store=store)
    assert found.passed is not contaminated
    assert ("held_out" in found.metadata["repeated_items"].md_str) is contaminated
