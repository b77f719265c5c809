"""The list of evaluation tasks: its limits, and how a fault in it is refused."""

import pytest

from bioinstruct_dagster.eval_sets.catalogue import EvaluationTasksError, OverlapLimits, read_tasks


def listed(tmp_path, task):
    path = tmp_path / "tasks.yaml"
    path.write_text(f"tasks:\n  - {{name: quiz, what: a quiz, files: ['quiz/*'], {task}}}\n")
    return path


def test_a_limit_that_the_list_leaves_out_has_its_default(tmp_path):
    path = tmp_path / "tasks.yaml"
    path.write_text("tasks: []\nlimits: {ngram: {tokens: 9}}\n")
    limits = read_tasks(path).limits
    assert limits.ngram.tokens == 9
    assert limits.coverage == OverlapLimits().coverage


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("question: 'a b'", "yaml:2: tasks.quiz.question: 'a b' is no path to a field"),
        ("question: q, anser: a", "tasks.quiz.anser: unknown key 'anser'; did you mean 'answer'?"),
        ("what_for: x", "tasks.quiz.question: missing"),
        (
            "question: q, answer: {letter: k}",
            "tasks.quiz.answer: picks an option, but the task has no `options`",
        ),
        (
            "question: q, options: o, answer: {}",
            "tasks.quiz.answer: must have either `letter` or `index`",
        ),
        (
            "question: q, format: xml",
            "tasks.quiz.format: must be one of jsonl, json, csv, parquet, not 'xml'",
        ),
    ],
)
def test_a_bad_entry_of_the_list_is_named(tmp_path, task, said):
    with pytest.raises(EvaluationTasksError) as stated:
        read_tasks(listed(tmp_path, task))
    assert str(tmp_path / "tasks.yaml") in str(stated.value)
    assert said in str(stated.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("tasks: [", "tasks.yaml:1: is not YAML"),
        ("[]", "must be names with values"),
        ("tasks: [{name: a, what: b, files: [../x], question: q}]", "relative to the evaluation"),
        (
            "tasks: []\nlimits: {ngram: {tokens: 1}}",
            "yaml:2: limits.ngram.tokens: must be at least 2, not 1",
        ),
        (
            "tasks: []\nlimits: {rouge_l: {f1: 1.5}}",
            "yaml:2: limits.rouge_l.f1: must be at most 1, not 1.5",
        ),
    ],
)
def test_a_bad_list_is_named(tmp_path, content, said):
    path = tmp_path / "tasks.yaml"
    path.write_text(content)
    with pytest.raises(EvaluationTasksError, match=r"tasks\.yaml") as stated:
        read_tasks(path)
    assert said in str(stated.value)


def test_two_tasks_of_one_name_are_refused(tmp_path):
    path = tmp_path / "tasks.yaml"
    entry = "  - {name: a, what: b, files: [x], question: q}\n"
    path.write_text("tasks:\n" + 2 * entry)
    with pytest.raises(
        EvaluationTasksError, match=r"yaml:3: tasks\.a\.name: a is there twice, first in line 2"
    ):
        read_tasks(path)


def test_a_list_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        EvaluationTasksError, match=r"nowhere\.yaml: can't be read.*BIOINSTRUCT_EVAL"
    ):
        read_tasks(tmp_path / "nowhere.yaml")
