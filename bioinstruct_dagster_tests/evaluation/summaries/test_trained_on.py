"""Items that an adapter was trained on are counted by task, and for averages."""

from bioinstruct_dagster.evaluation.ranking.leaderboard import leaderboard
from bioinstruct_dagster.evaluation.summaries.trained_on import items_trained_on
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, placed
from bioinstruct_dagster_tests.evaluation.ranking.test_leaderboard import scores_of


def test_items_that_were_trained_on_are_counted(store):
    item = {
        "base_model": "llama", "recipe": "all", "task": "medqa", "subject": "adapter",
        "prediction": "x", "metric": "accuracy", "value": 1.0, "metrics": "{}", "ended": True,
        "tokens_lost": 0, "rehearsal": False,
    }  # fmt: skip
    items = [item | {"item_id": str(n), "contaminated": n == 1} for n in range(3)]
    average = {"task": "average", "metric": "main_metrics", "main": False}
    scores = scores_of("all", 0.5) + scores_of("all", 0.5, **average)
    store.replace({"hf_dataset": placed(NEW), "eval_scores": scores, "eval_predictions": items})
    assert items_trained_on(store) == {
        ("llama|all", "medqa", ""): 1,
        ("llama|all", "average", "answering"): 1,
    }
    assert [row["items trained on"] for row in leaderboard(store)] == ["1", "1"]
