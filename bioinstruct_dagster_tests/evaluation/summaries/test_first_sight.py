"""The summary of scores: what is better, tied or worse, and which numbers are plotted."""

from bioinstruct_dagster.evaluation.summaries.first_sight import (
    forest_plot,
    plotted_scores,
    scores_summary,
)


def rows(task, metric, difference, **other):
    """The three rows of a task's main metric."""
    shared = {"task": task, "metric": metric, "main": True, "items": "all", "category": "all"}
    shared |= {"items_source": "files"} | other
    values = {"base": (0.4, 0.3, 0.5), "adapter": (0.5, 0.41234567, 0.6), "difference": difference}
    return [
        shared | {"subject": name, "score": value, "ci_low": low, "ci_high": high}
        for name, (value, low, high) in values.items()
    ]


SCORES = [
    *rows("held_out", "loss", (-0.52, -0.66, -0.4)),
    *rows("medqa", "accuracy", (0.1, 0.05, 0.2)),
    *rows("mednli", "accuracy", (0.0, -0.1, 0.1)),
    *rows("phee", "span_f1_strict", (-0.2, -0.3, -0.1)),
    *rows("bioasq", "accuracy", (0.3, None, None)),
]


def test_the_sentence_counts_by_intervals_and_gives_the_held_out_loss():
    sentence, _, figure = scores_summary(SCORES).partition("\n\n")
    assert sentence.replace("\\\n", " ") == (
        "4 tasks: adapter better on 1, tied on 2, worse on 1. Held-out loss, difference: −0.52 "
        "[−0.66, −0.40] nats/token."
    )
    assert "medqa" in figure
    assert "held_out" not in figure  # a loss has another scale


def test_fixture_items_are_said_to_mean_nothing():
    said = scores_summary(rows("medqa", "accuracy", (0.1, 0.0, 0.2), items_source="fixture"))
    assert "Fixture items mean nothing." in said.replace("\\\n", " ")


def test_without_scores_the_summary_says_so():
    assert scores_summary([]) == "No score was computed."
    assert forest_plot([]) is None


def test_the_forest_has_all_tasks_but_the_loss():
    plot = forest_plot(SCORES)
    assert plot
    assert plot.count("circle") == 3 * 4


def test_the_base_model_s_scores_are_not_plotted():
    plotted = plotted_scores(SCORES)
    assert plotted["medqa accuracy adapter"] == 0.5
    assert plotted["held out loss difference"] == -0.52
    assert not [name for name in plotted if name.endswith("base")]
