"""The leaderboard: by task, results on the present data set first, each with what it rests on."""

from bioinstruct_dagster.evaluation.leaderboard import PRESENT, leaderboard
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, OLD, placed, score


def scores_of(recipe, value, fingerprint=NEW, **change):
    found = [score(fingerprint, subject) for subject in ("base", "adapter", "difference")]
    return [row | {"recipe": recipe, "score": value} | change for row in found]


def board(store, *scores):
    rows = [row for group in scores for row in group]
    store.replace({"hf_dataset": placed(NEW), "eval_scores": rows})
    return leaderboard(store)


def test_the_best_score_comes_first_and_older_results_last(store):
    found = board(
        store, scores_of("good", 0.7), scores_of("better", 0.8), scores_of("best", 0.9, OLD)
    )
    assert [row["experiment"] for row in found] == ["llama|better", "llama|good", "llama|best"]
    assert [row["rests on"] == PRESENT for row in found] == [True, True, False]
    assert found[2]["rests on"].startswith("of an older data set")
    assert found[0]["score"] == "0.800"
    assert found[0]["difference to base"] == "+0.800"


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
