"""The file of published figures: read, checked, and quoted beside real scores only."""

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.evaluation.metrics.paper import QUOTED_GAINS
from bioinstruct_dagster.findings.published import PublishedFiguresError, read_published

GOOD = """
sources:
  paper: {title: A paper, id: "arXiv:1", read: table 2}
gains:
  - {source: paper, category: generation, gain: 0.5, measured: a judge}
scores:
  - {source: paper, model: M, task: medqa, metric: accuracy, score: 0.4, measured: test split}
"""
REAL = {"task": "average", "category": "generation", "metric": "main_metrics",
        "rehearsal": False, "items_source": "files"}  # fmt: skip


def file_of(tmp_path, text):
    path = tmp_path / "figures.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_file_is_sound_and_names_tasks_that_exist():
    found, tasks = read_published(), {task.name for task in read_tasks().tasks}
    assert {one.task for one in found.scores} <= tasks
    for one in (*found.gains, *found.scores):
        assert found.sources[one.source].title in found.told(one)
        assert one.measured in found.told(one)


def test_its_gains_are_those_that_the_scores_quote():
    assert {one.category: one.gain for one in read_published().gains} == {
        one.category: one.gain for one in QUOTED_GAINS
    }


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("score: 0.4", "score: 40%", "scores"),
        ("score: 0.4", "score: -1", "scores"),
        ("source: paper, model", "source: other, model", "there is no source 'other'"),
        ("metric: accuracy", "metrics: accuracy", "metrics"),
        ("category: generation", "category: others", "category"),
        ("measured: a judge", "measured: ''", "measured"),
    ],
)
def test_a_malformed_figure_is_refused_with_its_line(tmp_path, wrong, right, message):
    path = file_of(tmp_path, GOOD.replace(wrong, right))
    with pytest.raises(PublishedFiguresError) as error:
        read_published(path)
    line = 1 + GOOD[: GOOD.index(wrong)].count("\n")
    assert f"{path}:{line}: " in str(error.value)
    assert message in str(error.value)


def test_a_figure_stands_beside_real_items_only(tmp_path):
    found = read_published(file_of(tmp_path, GOOD))
    task = REAL | {"task": "medqa", "metric": "accuracy"}
    assert found.gain_beside(REAL).gain == 0.5
    assert [one.model for one in found.scores_beside(task)] == ["M"]
    for change in ({"rehearsal": True}, {"items_source": "fixture"}):
        assert found.gain_beside(REAL | change) is None
        assert found.scores_beside(task | change) == []
    assert found.gain_beside(REAL | {"task": "medqa"}) is None
    assert found.scores_beside(task | {"metric": "rouge_l"}) == []


def test_a_quotation_of_a_quotation_names_both(tmp_path):
    text = GOOD.replace("read: table 2", "read: table 2, as_quoted_by: a survey")
    found = read_published(file_of(tmp_path, text))
    assert "as quoted by a survey" in found.told(found.gains[0])
