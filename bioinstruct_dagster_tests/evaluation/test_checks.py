"""The checks of `eval_scores`: items of each score, a lower loss, items that were trained on."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from bioinstruct_dagster.evaluation.checks import (
    adapter_lowers_held_out_loss,
    adapter_lowers_no_score,
    every_score_has_its_items,
    no_scored_item_was_trained_on,
    scores_are_of_the_present_data_set,
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
    found = every_score_has_its_items(store=store)
    assert found.passed == passed
    assert (f"counts 2 items, and {predictions} predictions" in (found.description or "")) != passed


@pytest.mark.parametrize(
    ("high", "passed"), [(-0.1, True), (0.0, False), (0.1, False), (None, False)]
)
def test_the_interval_of_the_difference_must_be_below_zero(store, high, passed):
    rows = [score_row("difference", high=high), score_row("difference", metric="rouge_l", high=1)]
    store.replace({"eval_scores": rows})
    assert adapter_lowers_held_out_loss(store=store).passed == passed


def test_a_loss_without_an_interval_is_not_judged(store):
    store.replace({"eval_scores": [score_row("difference", high=None)]})
    found = adapter_lowers_held_out_loss(store=store)
    assert found.description == (
        "Not judged: These differences have no interval, because the items allow none: "
        "base|recipe, held_out: loss."
    )


@pytest.mark.parametrize(
    ("task", "metric", "category", "main"),
    [
        ("held_out", "rouge_l", "all", False),
        ("summaries", "rouge_l", "generation", False),
        ("medqa", "accuracy", "answering", True),
    ],
)
@pytest.mark.parametrize(
    ("low", "high", "passed"), [(-0.3, -0.1, False), (-0.3, 0.0, True), (0.1, 0.2, True)]
)
def test_answers_that_get_worse_beyond_the_interval_are_a_warning(
    store, task, metric, category, main, low, high, passed
):
    row = score_row("difference", high=high, task=task, metric=metric, main=main)
    store.replace({"eval_scores": [row | {"category": category, "ci_low": low}]})
    found = adapter_lowers_no_score(store=store)
    assert found.passed is passed
    assert found.metadata["judged"].value
    assert found.severity == dg.AssetCheckSeverity.WARN
    if not passed:
        assert f"base|recipe, {task}: {metric}: -0.200 [-0.300, -0.100]" in found.description


@pytest.mark.parametrize(
    "change",
    [
        {"category": "generation"},  # of the test split: a part of the whole
        {"items": "without_contaminated"},
        {"subject": "adapter"},
        {"metric": "empty_answers"},
        {"metric": "loss", "main": True},
    ],
)
def test_what_is_no_score_of_answers_is_not_judged(store, change):
    row = score_row("difference", high=-0.1, metric="rouge_l", main=False)
    store.replace({"eval_scores": [row | change]})
    found = adapter_lowers_no_score(store=store)
    assert not found.passed
    assert found.description.startswith("Not judged: No answers were scored.")


@pytest.mark.parametrize(
    "check",
    [
        adapter_lowers_held_out_loss,
        adapter_lowers_no_score,
        every_score_has_its_items,
        no_scored_item_was_trained_on,
        scores_are_of_the_present_data_set,
    ],
)
def test_without_scores_nothing_is_judged(store, check):
    store.replace({})
    found = check(store=store)
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN
    assert found.description.startswith("Not judged: ")
    assert not found.metadata["judged"].value


@pytest.mark.parametrize(("trained_on", "passed"), [("a" * 64, True), ("b" * 64, False)])
def test_scores_of_an_older_data_set_are_a_warning(store, trained_on, passed):
    placed = {"row_id": "1", "split": "test", "category": "other", "rehearsal": False}
    store.replace(
        {
            "hf_dataset": [placed | {"dataset_fingerprint": "a" * 64}],
            "eval_scores": [score_row("base", dataset_fingerprint=trained_on)],
        }
    )
    found = scores_are_of_the_present_data_set(store=store)
    assert found.passed is passed
    assert ("base|recipe: of an older data set" in (found.description or "")) is not passed


@pytest.mark.parametrize("contaminated", [True, False])
def test_an_item_that_was_trained_on_is_a_warning(store, contaminated):
    store.replace({"eval_predictions": [prediction_row("base", 1, contaminated=contaminated)]})
    found = no_scored_item_was_trained_on(store=store)
    assert found.passed is not contaminated
    assert ("held_out" in found.metadata["repeated_items"].md_str) is contaminated
    said = "base|recipe, held_out: rows that the adapter was trained on repeat 1 of 1 scored items."
    assert (said in (found.description or "")) is contaminated
