"""The command that measures a judge: its tables, and its errors."""

import json

import pytest

from benchmarks.judge.__main__ import main
from bioinstruct_dagster.evaluation.judge.grades import SHARES
from bioinstruct_dagster_tests.evaluation.judge.scored_answers import scored_answers


@pytest.fixture
def scores(tmp_path):
    """A file of made-up human scores."""
    path = tmp_path / "scores.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for score in scored_answers(4):
            shares = {name: score.share(name) for name in SHARES}
            file.write(json.dumps({**score.text.shown(), **shares}) + "\n")
    return path


def test_the_stand_in_judge_is_measured_and_marked(scores, tmp_path, capsys):
    figures = tmp_path / "figures.jsonl"
    few = ["--repeats", "2", "--pairs", "2", "--resamples", "50"]
    assert main(["--scores", str(scores), *few, "--json", str(figures)]) == 0
    shown = capsys.readouterr().out
    assert "16 answers to 4 sources" in shown
    assert "| judge: rehearsal-teacher |" in shown
    assert "State: `rehearsal`" in shown
    assert "own family was not measured" in shown
    assert {"spearman", "difference", "first_preferred", "repeat_equal", "tokens_per_grade"} <= {
        json.loads(line)["figure"] for line in figures.read_text("utf-8").splitlines()
    }


def test_without_a_judge_the_scores_that_need_none_are_shown(scores, capsys):
    assert main(["--scores", str(scores), "--resamples", "50", "--without-judge"]) == 0
    shown = capsys.readouterr().out
    assert "| composite |" in shown
    assert "| judge:" not in shown


def test_errors_name_what_is_missing(tmp_path, capsys, monkeypatch):
    assert main([]) == 1
    assert "--scores FILE" in capsys.readouterr().err
    assert main(["--scores", str(tmp_path / "none.jsonl")]) == 1
    assert "does not exist" in capsys.readouterr().err
    monkeypatch.setenv("BIOINSTRUCT_JUDGE", "perhaps")
    assert main([]) == 1
    assert "BIOINSTRUCT_JUDGE" in capsys.readouterr().err
