"""The leaderboard: by task and equal items, the best first, each with what it rests on."""

import pytest

from bioinstruct_dagster.evaluation.ranking.leaderboard import groups_of_equals, leaderboard
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, OLD, placed, score


def scores_of(recipe, value, fingerprint=NEW, **change):
    found = [score(fingerprint, subject) for subject in ("base", "adapter", "difference")]
    return [row | {"recipe": recipe, "score": value} | change for row in found]


def board(store, *scores):
    rows = [row for group in scores for row in group]
    store.replace({"hf_dataset": placed(NEW), "eval_scores": rows})
    return leaderboard(store)


def test_among_equal_items_the_best_score_comes_first_whatever_its_data_set(store):
    found = board(
        store, scores_of("good", 0.7), scores_of("better", 0.8), scores_of("best", 0.9, OLD)
    )
    assert [row["experiment"] for row in found] == ["llama|best", "llama|better", "llama|good"]
    assert [row["data set"] for row in found] == [OLD[:12], NEW[:12], NEW[:12]]
    assert found[1]["score"] == "0.800"
    assert found[1]["difference to base"] == "+0.800"
    assert found[1]["n"] == "9"


def test_the_table_that_is_kept_says_nothing_of_the_present(store):
    """The data set can change afterwards, and nobody corrects a stored table."""
    rows = board(store, scores_of("good", 0.7), scores_of("old", 0.9, OLD))
    store.replace({"hf_dataset": placed("c" * 64)})
    assert leaderboard(store) == rows
    assert not any("present" in text or "older" in text for row in rows for text in row.values())


@pytest.mark.parametrize(
    "change",
    [{"items_fingerprint": "other"}, {"n": 12}, {"task_version": "2"}],
)
def test_only_scores_on_equal_items_are_ranked(store, change):
    found = board(
        store, scores_of("a", 0.5), scores_of("b", 0.6), scores_of("unlike", 0.9, **change)
    )
    (group,) = groups_of_equals(found)
    assert [row["experiment"] for row in group] == ["llama|b", "llama|a"]


def test_of_losses_the_lowest_is_the_best(store):
    loss = {"task": "held_out", "metric": "loss", "category": "all"}
    found = board(store, scores_of("low", 1.0, **loss), scores_of("high", 2.0, **loss))
    assert [row["experiment"] for row in found] == ["llama|low", "llama|high"]


def test_only_main_metrics_of_whole_tasks_are_compared(store):
    part = {"task": "held_out", "category": "generation"}
    clean = {"items": "without_contaminated"}
    found = board(
        store,
        scores_of("other", 0.5, main=False),
        scores_of("part", 0.5, **part),
        scores_of("clean", 0.5, **clean),
        scores_of("whole", 0.5, rehearsal=True),
    )
    assert [(row["experiment"], row["rehearsal"]) for row in found] == [("llama|whole", "yes")]


def test_the_average_of_a_category_is_named_by_it(store):
    average = {"task": "average", "metric": "main_metrics", "main": False}
    (row,) = board(store, scores_of("all", 0.5, **average))
    assert row["task"] == "average of answering"
