"""The card's table and model-index: scores with intervals, and marks of what they do not mean."""

from huggingface_hub.repocard_data import eval_results_to_model_index

from bioinstruct_dagster.evaluation.exchange.card_scores import (
    model_index,
    scores_text,
    sorted_by_task,
)
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import made_scores, rows_of

HELD_OUT = rows_of("held_out", "loss", "own")


def test_the_table_shows_main_metrics_with_intervals():
    text = scores_text(made_scores(HELD_OUT, rows_of(), rows_of(metric="invalid_answers")))
    assert (
        "| medqa | accuracy | 0.400 [0.300, 0.500] | 0.612 [0.500, 0.700] | "
        "+0.200 [+0.050, +0.400] | 0.03 | 100 |" in text
    )
    assert "invalid_answers" not in text
    assert "scored on 2026-03-01" in text
    assert "mean nothing" not in text


def test_repeated_items_and_fixtures_are_said():
    clean = rows_of(items="without_contaminated", n=80)
    text = scores_text(made_scores(rows_of(), clean, rows_of("medmcqa", source="fixture")))
    assert "medqa: training rows repeat 20 of 100 items." in text
    assert "mean nothing: medmcqa." in text


def test_no_scores_are_said():
    assert "No main metric was scored" in scores_text([])
    assert model_index([]) == []


def test_the_model_index_holds_intervals_and_pins_the_items():
    (entry,) = model_index(made_scores(rows_of()))
    (found,) = eval_results_to_model_index("m|all", [entry])
    (result,) = found["results"]
    assert result["dataset"]["type"] == "GBaker/MedQA-USMLE-4-options"
    assert result["dataset"]["split"] == "test"
    assert len(result["dataset"]["revision"]) == 40
    (metric,) = result["metrics"]
    assert (metric["type"], metric["value"]) == ("accuracy", 0.6123)
    assert (metric["args"]["ci_low"], metric["args"]["ci_high"], metric["args"]["n"]) == (
        0.5,
        0.7,
        100,
    )
    assert metric["args"]["difference"] == 0.2
    assert "rehearsal" not in metric["args"]


def test_a_fixture_does_not_pass_for_the_task():
    (entry,) = model_index(made_scores(rows_of(source="fixture")))
    assert entry.dataset_type == "medqa-fixture"
    assert entry.dataset_name.endswith("(rehearsal)")
    assert entry.metric_args["rehearsal"] is True


def test_a_score_without_an_interval_has_none():
    (entry,) = model_index(made_scores(rows_of(ci_low=None, ci_high=None)))
    assert "ci_low" not in entry.metric_args


def test_the_held_out_split_comes_first():
    found = sorted_by_task(made_scores(rows_of("medmcqa"), rows_of(), HELD_OUT))
    assert [one.task.name for one in found] == ["held_out", "medqa", "medmcqa"]
