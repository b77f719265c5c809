"""Which items a report shows: by licence, by the privacy gate, and only if they were scored."""

from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bioinstruct_dagster.eval_sets.catalogue import FIXTURES, read_tasks
from bioinstruct_dagster.eval_sets.items import items_of
from bioinstruct_dagster.evaluation.held_out import held_out_items
from bioinstruct_dagster.findings.study_report.blocks import ReportExamples
from bioinstruct_dagster.findings.study_report.example_items import (
    MOST_EXAMPLES,
    chosen_examples,
    predictions_of,
)
from bioinstruct_dagster.findings.study_report.examples import examples_section
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster_tests.findings.made_study import Study

EXPERIMENT = ("tiny", "all")
NOW = datetime.now(UTC)
CATALOGUE = read_tasks()
TASKS = {task.name: task for task in CATALOGUE.tasks}
SHARED = {"aci_bench", "craft_coreference", "medmcqa", "medqa", "mts_dialog", "phee", "pubmedqa"}


def test_a_set_may_be_passed_on_only_if_its_file_says_so():
    assert {name for name, task in TASKS.items() if task.source.redistributable} == SHARED


class OneTask:
    """A store in which an adapter is scored on a task, and on the test split."""

    def __init__(self, store):
        self.store = store
        self.tables = Study(store).tables | {"hf_dataset": []}
        for name in ("raw_instructions", "categorized_instructions", "verdicts"):
            self.tables[name] = []

    def scored(self, task, items, source, fingerprint=None):
        name = dict(zip(("base_model", "recipe"), EXPERIMENT, strict=True))
        self.tables["eval_scores"].append(
            name
            | {"task": task, "task_version": "1", "metric": "accuracy", "subject": "adapter"}
            | {"category": "all" if task == "held_out" else "extraction", "items": "all"}
            | {"score": 0.5, "method": "wilson", "n": len(items), "clusters": len(items)}
            | {"main": True, "prompt_version": "p", "dataset_fingerprint": "d"}
            | {"items_fingerprint": fingerprint or sha256_of([asdict(item) for item in items])}
            | {"items_source": source, "base_fingerprint": "b", "scored_from": "x"}
            | {"rehearsal": False, "scored_at": NOW}
        )
        self.tables["eval_predictions"] += [
            name
            | {
                "task": task,
                "subject": subject,
                "item_id": item.id,
                "prediction": f"{subject} & co",
            }
            | {"metric": "accuracy", "value": 1.0, "metrics": "{}", "ended": True}
            | {"tokens_lost": 0, "contaminated": False, "rehearsal": False}
            for item in items
            for subject in ("base", "adapter")
        ]
        return self

    def row(self, number, *, rule="no_identifier", verdict="keep", source="completion"):
        texts = {"instruction": f"Task {number}", "input": "", "output": f"Answer {number}"}
        row_id = f"row-{number}"
        same = {"row_id": row_id, "ordinal": number, "rehearsal": False} | texts
        self.tables["raw_instructions"].append(same | {"position": 0, "source": source})
        self.tables["categorized_instructions"].append(
            same | {"category": "other", "labelled_by": "person", "needs_review": False}
        )
        self.tables["hf_dataset"].append(
            {"row_id": row_id, "split": "test", "category": "other", "rehearsal": False}
            | {"dataset_fingerprint": "d"}
        )
        if rule:
            self.tables["verdicts"].append(
                {"row_id": row_id, "gate": "privacy", "place": 0, "rule": rule, "version": "1"}
                | {"verdict": verdict, "evidence": "{}", "gate_version": "1", "text_sha256": "x"}
                | {"judged_at": NOW, "rehearsal": False}
            )
        return {"row_id": row_id} | texts

    def chosen(self, settings):
        self.store.replace(self.tables)
        predictions = predictions_of(self.store, EXPERIMENT)
        return chosen_examples(self.store, settings, TASKS, EXPERIMENT, predictions)


def fixtures_of(task, tmp_path):
    return items_of(TASKS[task], tmp_path / "none", fixtures=CATALOGUE.fixtures).items


def test_fixtures_ship_with_the_project_so_five_are_shown(store, settings, tmp_path):
    assert CATALOGUE.fixtures.name == FIXTURES
    items = fixtures_of("bioasq", tmp_path)
    [one] = OneTask(store).scored("bioasq", items, "fixture").chosen(settings)
    assert len(one.items) == MOST_EXAMPLES
    assert "say nothing about medicine" in one.told
    again = OneTask(store).scored("bioasq", items, "fixture").chosen(settings)
    assert [item.id for item in again[0].items] == [item.id for item in one.items]


@pytest.mark.parametrize(("task", "shown"), [("bioasq", False), ("phee", True)])
def test_items_of_files_are_shown_only_if_they_may_be_passed_on(
    store, settings, tmp_path, task, shown
):
    """The fixtures stand for the files of a set here."""
    pattern = TASKS[task].source.files[0]
    target = tmp_path / "eval" / pattern.replace("*", "items")
    target.parent.mkdir(parents=True)
    target.write_bytes((CATALOGUE.fixtures / TASKS[task].fixture).read_bytes())
    settings = settings.changed(eval_dir=tmp_path / "eval")
    items = items_of(TASKS[task], tmp_path / "eval").items
    [one] = OneTask(store).scored(task, items, "files").chosen(settings)
    assert bool(one.items) == shown
    expected = f"Licence of the items: {TASKS[task].source.licence}." if shown else "not shown"
    assert one.told.startswith(expected)


def test_items_that_were_not_scored_are_not_shown(store, settings, tmp_path):
    items = fixtures_of("bioasq", tmp_path)
    [one] = OneTask(store).scored("bioasq", items, "fixture", fingerprint="other").chosen(settings)
    assert not one.items
    assert "not those that were scored" in one.told


def test_rows_that_the_privacy_gate_flagged_or_did_not_check_are_withheld(store, settings):
    made = OneTask(store)
    rows = [
        made.row(0),
        made.row(1, rule="placeholder_person", verdict="flag"),
        made.row(2, rule="date", verdict="repair"),
        made.row(3, rule="off"),
        made.row(4, rule=""),
    ]
    [one] = made.scored("held_out", held_out_items(rows), "own").chosen(settings)
    assert [item.id for item in one.items] == ["row-0"]
    assert "4 of 5 rows are withheld" in one.told


def test_imported_rows_are_shown_only_under_a_licence(store, settings):
    made = OneTask(store)
    rows = [made.row(number, source="import:set.jsonl@0123456789ab") for number in range(3)]
    made.scored("held_out", held_out_items(rows), "own")
    [one] = made.chosen(settings)
    assert not one.items
    assert "BIOINSTRUCT_DATASET_LICENCE" in one.told
    [one] = made.chosen(settings.changed(dataset_licence="cc-by-4.0"))
    assert len(one.items) == 3


def test_an_example_has_prompt_reference_and_both_answers(store, settings, tmp_path):
    items = fixtures_of("bioasq", tmp_path)
    OneTask(store).scored("bioasq", items, "fixture").chosen(settings)
    headline = SimpleNamespace(base_model="tiny", recipes=["all"])
    sources = SimpleNamespace(
        store=store,
        settings=settings,
        tasks=TASKS,
        tables={"leaderboard": []},
        headlines=[headline],
    )
    section = examples_section(sources)
    examples = [block for block in section.blocks if isinstance(block, ReportExamples)]
    assert [block.task for block in examples] == ["bioasq"]
    block = section.blocks[-1]
    example = block.examples[0]
    assert example.prompt.startswith("Snippets: ")
    assert example.reference in {"yes", "no"}
    assert [answer.who for answer in example.answers] == ["base model", "adapter"]
    assert example.answers[0].text == "base & co"
    assert example.answers[0].value == "accuracy 1.00"
    assert len(store.rows(block.source.sql)) == 2 * MOST_EXAMPLES
