"""The file of the gate's numbers, and that it gives what the list of tasks gave before it."""

import pytest

from bioinstruct_dagster.curation.contamination.gate import ContaminationGate
from bioinstruct_dagster.curation.contamination.limits import (
    ComparedItems,
    ContaminationRulesError,
    OverlapLimits,
    compared_items,
    read_limits,
)
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.eval_sets.items import EvaluationItem, collect_items
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster_tests.eval_sets.task_files import LABELS, put, tasks_folder


def test_the_shipped_numbers_are_those_of_the_verdicts_so_far():
    assert read_limits().model_dump() == {
        "ngram": {"tokens": 13},
        "coverage": {"tokens": 8, "share": 0.5},
        "boilerplate": {"texts": 3},
        "rouge_l": {"f1": 0.7, "question": 5, "answer": 8},
        "reordered": {"dice": 0.8, "question": 5, "answer": 8},
        "whole_item": {"question": 5, "answer": 8, "passage": 8, "with_answer": 5},
    }


def test_a_number_that_the_file_leaves_out_has_its_default(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_text("limits: {ngram: {tokens: 9}}\n")
    limits = read_limits(path)
    assert limits.ngram.tokens == 9
    assert limits.coverage == OverlapLimits().coverage


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("limits: {ngram: {tokens: 1}}", "gate.yaml:1: limits.ngram.tokens: must be at least 2"),
        ("limits: {rouge_l: {f1: 1.5}}", "limits.rouge_l.f1: must be at most 1, not 1.5"),
        ("limits: {}\ntasks: []", "gate.yaml:2: tasks: unknown key 'tasks'"),
        ("ngram: {tokens: 9}", "limits: missing"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, content, said):
    path = tmp_path / "gate.yaml"
    path.write_text(content)
    with pytest.raises(ContaminationRulesError) as stated:
        read_limits(path)
    assert said in str(stated.value)


def test_a_file_that_is_not_there_is_named_with_its_setting(tmp_path):
    with pytest.raises(ContaminationRulesError, match="BIOINSTRUCT_CONTAMINATION_RULES"):
        read_limits(tmp_path / "gone.yaml")


@pytest.fixture
def settings(tmp_path):
    put(tmp_path / "eval", "quiz/a.jsonl", [{"q": "Which nerve moves the diaphragm?", "key": 1}])
    return Settings.of(
        evaluation_tasks=tasks_folder(tmp_path, quiz=LABELS), eval_dir=tmp_path / "eval"
    )


def test_the_settings_name_the_items_and_the_numbers(tmp_path, settings):
    items = compared_items(settings)
    assert items.counts == {"quiz": 1}
    assert items.limits == read_limits()
    (tmp_path / "gate.yaml").write_text("limits: {whole_item: {question: 6}}")
    changed = settings.changed(contamination_rules=tmp_path / "gate.yaml")
    row = RowTexts("Which nerve moves the diaphragm?", "", "The phrenic nerve.")
    assert ContaminationGate(items).check([row])[0].rejected
    assert not ContaminationGate(compared_items(changed)).check([row])[0].rejected


def test_the_version_of_the_gate_does_not_depend_on_what_evaluation_alone_reads():
    plain = EvaluationItem("quiz", "1", "Which nerve moves the diaphragm?")
    scored = EvaluationItem(
        "quiz", "1", "Which nerve moves the diaphragm?", gold=1, spans=(("a", "b"),), cluster="c"
    )
    gates = [
        ContaminationGate(ComparedItems.of(collect_items([item]), read_limits()))
        for item in (plain, scored)
    ]
    assert gates[0].version == gates[1].version
