"""Averages over tasks: which tasks count, and the rows."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.evaluation.held_out import HELD_OUT
from bioinstruct_dagster.evaluation.scoring import SubjectResults, TaskResults
from bioinstruct_dagster.evaluation.summaries.averages import average_rows, averaged_tasks
from bioinstruct_dagster_tests.evaluation.made_results import choice_results, chosen_task


def names(tasks):
    return {name: [one.task.name for one in found] for name, found in averaged_tasks(tasks).items()}


def test_a_substitute_counts_only_without_its_original():
    medqa, medmcqa, mednli, nli4ct, phee = (
        chosen_task(name, 2) for name in ("medqa", "medmcqa", "mednli", "nli4ct", "phee")
    )
    own = replace(medqa, task=HELD_OUT)
    assert names([own, medqa, medmcqa, mednli, nli4ct, phee]) == {
        "question_answering": ["medqa", "medmcqa"],
        "extraction": ["mednli", "phee"],
    }
    assert names([nli4ct, phee]) == {"extraction": ["nli4ct", "phee"]}
    assert names([own, medqa]) == {}


def test_each_task_counts_alike_and_the_gain_is_relative():
    def results(name, count, base, adapter):
        chosen = chosen_task(name, count)
        first = [item.id for item in chosen.items]
        return TaskResults(
            chosen,
            SubjectResults(chosen, choice_results(chosen, first[:base])),
            SubjectResults(chosen, choice_results(chosen, first[:adapter])),
        )

    tasks = [results("medqa", 20, 10, 15), results("medmcqa", 10, 5, 5)]
    rows = {
        (row["metric"], row["subject"]): row
        for row in average_rows("question_answering", tasks, seed=1)
    }
    assert rows["main_metrics", "base"]["score"] == pytest.approx(0.5)
    assert rows["main_metrics", "adapter"]["score"] == pytest.approx((0.75 + 0.5) / 2)
    assert rows["main_metrics", "difference"]["score"] == pytest.approx(0.125)
    assert rows["relative_gain", "difference"]["score"] == pytest.approx(0.25)
    assert {row["n"] for row in rows.values()} == {30}
    assert not any(row["main"] for row in rows.values())
    assert list(average_rows("question_answering", tasks[:1], seed=1)) == []
