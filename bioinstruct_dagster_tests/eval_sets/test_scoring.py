"""The declaration of scoring: labels that could not be told apart are refused."""

import re

import pytest

from bioinstruct_dagster.eval_sets.catalogue import EvaluationTasksError, read_tasks
from bioinstruct_dagster_tests.eval_sets.task_files import (
    LABELS,
    SPANS,
    changed,
    read_task,
    tasks_folder,
)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (
            changed(LABELS, scoring={"labels": {"a": "yes", "b": "yes"}}),
            "labels.b: has the word 'yes', as 'a' has; give each label its own word",
        ),
        (
            changed(LABELS, scoring={"labels": {"a": "not sure", "b": " not  sure "}}),
            "labels.b: has the word ' not  sure ', as 'a' has",
        ),
        (
            changed(SPANS, fields={"spans": {"a": "x"}}, scoring={"labels": ["a", "a"]}),
            "labels.2: is the label 'a' again; keep one",
        ),
        (
            changed(
                SPANS,
                fields={"spans": {"Old_drug": "x"}},
                scoring={"labels": ["Old_drug", "old drug"]},
            ),
            "labels.2: is the label 'Old_drug' again",
        ),
        (
            changed(SPANS, fields={"spans": {"Dose": "x"}}, scoring={"labels": ["Dose", "dose:"]}),
            "labels.2: is the label 'Dose' again",
        ),
    ],
)
def test_labels_that_could_not_be_told_apart_are_refused(tmp_path, task, said):
    with pytest.raises(EvaluationTasksError, match=re.escape(said)) as stated:
        read_tasks(tasks_folder(tmp_path, quiz=task))
    assert "quiz.yaml:" in str(stated.value)


def test_labels_that_differ_in_case_may_be_options(tmp_path):
    task = changed(LABELS, scoring={"labels": {"m": "mg", "M": "Mg"}})
    read = read_task(tmp_path, task)
    assert read.scoring.labels == {"m": "mg", "M": "Mg"}
