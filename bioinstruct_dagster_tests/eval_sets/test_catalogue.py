"""The list of evaluation tasks: its limits, and how a fault in it is refused."""

import json

import pytest

from bioinstruct_dagster.eval_sets.catalogue import EvaluationTasksError, OverlapLimits, read_tasks
from bioinstruct_dagster.eval_sets.items import load_items


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


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "must be relative to the evaluation folder"),
        (".", "must be relative to the evaluation folder"),
        ("/abs/*.jsonl", "must be relative to the evaluation folder"),
        ("medqa/**.jsonl", "has ** beside other characters"),
        ("a**/x.jsonl", "has ** beside other characters"),
        ("***/x.jsonl", "has ** beside other characters"),
        ("**", "matches folders only"),
        ("medqa/", "matches folders only"),
        ("a\0b", "holds a control character"),
        ("a\nb", "holds a control character"),
        ("~/x", "begins with ~"),
        ("~user/x", "begins with ~"),
        (" medqa/x", "has blanks around it"),
        ("medqa/[.jsonl", "has a [ without its ]"),
        ("medqa/[!]x", "has a [ without its ]"),
        ("medqa/[]x", "has a [ without its ]"),
        ("medqa/[a/b].jsonl", "has a [ without its ]"),
    ],
)
def test_a_pattern_that_can_match_no_file_is_refused(tmp_path, pattern, said):
    path = tmp_path / "tasks.yaml"
    task = {"name": "quiz", "what": "a quiz", "files": ["x", pattern], "question": "q"}
    path.write_text(f"tasks:\n- {json.dumps(task)}\n")
    with pytest.raises(EvaluationTasksError) as stated:
        read_tasks(path)
    assert str(stated.value).startswith(f"{path}:2: tasks.quiz.files.2: {pattern!r} {said}")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("**/*.jsonl", "a/b/x.jsonl"),
        ("a/[[]x].jsonl", "a/[x].jsonl"),
        ("a/[!b-z]?.jsonl", "a/ax.jsonl"),
        ("a/[]x].jsonl", "a/].jsonl"),
        ("./a/x~.jsonl", "a/x~.jsonl"),
    ],
)
def test_a_pattern_that_can_match_a_file_matches_it(tmp_path, pattern, name):
    path = tmp_path / "tasks.yaml"
    task = {"name": "quiz", "what": "a quiz", "files": [pattern], "question": "q"}
    path.write_text(f"tasks:\n- {json.dumps(task)}\n")
    file = tmp_path / "eval" / name
    file.parent.mkdir(parents=True)
    file.write_text('{"q": "Which drug?"}\n')
    assert load_items(path, tmp_path / "eval").counts == {"quiz": 1}


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
        EvaluationTasksError, match=r"nowhere\.yaml does not exist.*BIOINSTRUCT_EVAL"
    ):
        read_tasks(tmp_path / "nowhere.yaml")
