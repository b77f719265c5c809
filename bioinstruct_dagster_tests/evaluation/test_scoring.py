"""Scores of a task: three subjects, contaminated items apart, and Holm's correction over tasks."""

import json

import pytest

from bioinstruct_dagster.evaluation import scoring as module
from bioinstruct_dagster.evaluation.scoring import (
    SubjectResults,
    TaskResults,
    class_count_rows,
    correct_over_tasks,
    is_task_wide,
    prediction_rows,
    score_task,
    scored_from,
)
from bioinstruct_dagster_tests.evaluation.made_results import choice_results, chosen_task


@pytest.fixture(scope="module")
def chosen():
    return chosen_task("medqa")


def names(chosen, count):
    return [item.id for item in chosen.items[:count]]


def results_of(chosen, base, adapter, contaminated=()):
    return TaskResults(
        chosen,
        SubjectResults(chosen, choice_results(chosen, names(chosen, base))),
        SubjectResults(chosen, choice_results(chosen, names(chosen, adapter))),
        contaminated,
    )


def by_subject(rows, metric="accuracy", items="all"):
    return {r["subject"]: r for r in rows if (r["metric"], r["items"]) == (metric, items)}


def test_base_adapter_and_difference_of_each_metric(chosen):
    rows = score_task(results_of(chosen, 8, 14), seed=1)
    found = by_subject(rows)
    assert found["base"]["score"] == pytest.approx(8 / 20)
    assert found["adapter"]["score"] == pytest.approx(14 / 20)
    assert found["difference"]["score"] == pytest.approx(6 / 20)
    # The options are shown in two orders, so an item's value may lie between: no proportion.
    assert found["difference"]["test"].startswith("permutation")
    assert found["difference"]["p_value"] == pytest.approx(2 * 0.5**6, rel=0.2)
    assert found["difference"]["detectable"] > 0
    assert {row["main"] for row in found.values()} == {True}
    generated = by_subject(rows, "accuracy_generated")
    assert generated["adapter"]["score"] == pytest.approx(14 / 20)
    assert generated["difference"]["test"] == "McNemar, exact"  # six discordant items
    assert generated["difference"]["p_value"] == pytest.approx(2 * 0.5**6)
    assert not generated["base"]["main"]
    assert {row["n"] for row in rows if row["items"] == "all"} == {20}


def test_without_contaminated_items_there_are_fewer_and_both_have_intervals(chosen):
    rows = score_task(results_of(chosen, 8, 14, set(names(chosen, 5))), seed=1)
    whole, clean = by_subject(rows), by_subject(rows, items="without_contaminated")
    assert whole["base"]["n"] == 20
    assert clean["base"]["n"] == 15
    assert clean["base"]["score"] == pytest.approx(3 / 15)
    assert clean["base"]["ci_low"] < 3 / 15 < clean["base"]["ci_high"]
    assert clean["adapter"]["score"] == pytest.approx(9 / 15)


def test_a_task_whose_items_are_all_contaminated_has_no_clean_score(chosen):
    rows = score_task(results_of(chosen, 8, 14, set(names(chosen, 20))), seed=1)
    assert {row["items"] for row in rows} == {"all"}


def row(task, p_value, *, metric="accuracy", main=True, category="question_answering", items="all"):
    return {
        "task": task, "metric": metric, "main": main, "category": category, "items": items,
        "subject": "difference", "p_value": p_value,
    }  # fmt: skip


def test_main_metrics_of_all_tasks_are_one_family():
    rows = [
        row("medqa", 0.01),
        row("phee", 0.02, metric="span_f1", category="extraction"),
        row("icliniq", 0.04, metric="rougeL", category="generation"),
        row("medqa", 0.01, metric="macro_f1", main=False),
        row("medqa", 0.03, items="without_contaminated"),
        row("held_out", 0.5, metric="loss", category="all"),
        row("held_out", 0.01, metric="loss", category="generation"),
        row("held_out", 0.02, metric="loss", category="other"),
    ]
    corrected = [each["p_holm"] for each in correct_over_tasks(rows)]
    assert corrected == pytest.approx([0.04, 0.06, 0.08, 0.01, 0.09, 0.5, 0.02, 0.02])


def test_scores_without_a_p_value_have_no_corrected_one():
    found = correct_over_tasks([row("medqa", None), row("phee", 0.2)])
    assert [each["p_holm"] for each in found] == [None, 0.2]


def test_a_category_of_the_test_split_is_not_the_whole_task():
    assert is_task_wide(row("icliniq", 0.1, category="generation"))
    assert is_task_wide(row("held_out", 0.1, category="all"))
    assert not is_task_wide(row("held_out", 0.1, category="generation"))


def test_predictions_hold_the_answer_the_choice_and_each_value(chosen):
    found = list(prediction_rows(results_of(chosen, 8, 14, {chosen.items[0].id})))
    assert len(found) == 40
    first = found[0]
    assert (first["subject"], first["item_id"]) == ("base", chosen.items[0].id)
    assert first["chosen"] == chosen.items[0].options[chosen.items[0].gold]
    assert first["contaminated"]
    assert not found[1]["contaminated"]
    assert first["value"] == json.loads(first["metrics"])["accuracy"] == 1.0
    assert found[19]["value"] == 0.0
    assert first["answer_key"] == f"{chosen.items[0].id}-a"


def test_counts_of_each_class_stand_behind_a_score_over_classes():
    nli = chosen_task("nli4ct")
    rows = list(class_count_rows(results_of(nli, 8, 20)))
    assert {row["metric"] for row in rows} == {"macro_f1", "macro_f1_generated"}
    options = nli.task.scoring.labels
    counted = [row for row in rows if row["metric"] == "macro_f1" and row["subject"] == "adapter"]
    assert [row["class"] for row in counted] == list(options)
    assert sum(row["true_positives"] for row in counted) == 20
    of_base = [row for row in rows if row["metric"] == "macro_f1" and row["subject"] == "base"]
    assert sum(row["true_positives"] for row in of_base) == 8
    assert sum(row["false_negatives"] for row in of_base) == 12


def test_scores_rest_on_results_items_contamination_and_code(chosen, monkeypatch):
    def made_of(**changed):
        values = {"keys": ["a", "b"], "chosen": chosen, "contaminated": ["1"], "more": [42]}
        return scored_from(**(values | changed))

    same = {made_of(), made_of(contaminated={"1"})}
    others = [
        made_of(keys=["b", "a"]), made_of(contaminated=[]), made_of(more=[43]),
        made_of(chosen=chosen_task("medqa", 19)), made_of(chosen=chosen_task("phee")),
    ]  # fmt: skip
    assert len(same) == 1
    monkeypatch.setattr(module, "code_sha256", lambda: "other code")
    assert len({*same, *others, made_of()}) == 7
