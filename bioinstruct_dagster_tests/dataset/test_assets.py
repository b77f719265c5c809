"""The data set of an import, through the real graph: its splits stay when the set grows."""

import json

import dagster as dg
import pytest

from bioinstruct_dagster.dataset.older_results import OLDER_RESULT_CHECKS
from bioinstruct_dagster.rehearsal.api_server.app import serve_recordings
from bioinstruct_dagster_tests.curation.imports import Imported, found_faults, shown
from bioinstruct_dagster_tests.dataset.test_older_results import adapter, score

ASSETS = ("deduplicated_instructions", "categorized_instructions", "hf_dataset")
TASK = "Answer this question of a patient truthfully."
SPLITS = "select row_id, split from hf_dataset"


def questions(count, task=TASK):
    return [
        (task, f"Does gout hurt in joint number {n}?", f"Yes, gout hurts in joint number {n}.")
        for n in range(count)
    ]


def built(project, rows):
    """Build the data set of an import; returns the split of each row."""
    result = project.run(rows, ASSETS, checked=True, novelty="auto")
    assert result.success
    failed = {c.check_name for c in found_faults(result)}
    # A set of questions alone has one category, as the other warning says.
    assert failed - {"category_shares_are_within_bounds"} == {"evaluation_sets_are_at_hand"}
    return {row["row_id"]: row["split"] for row in project.store.rows(SPLITS)}


def card_of(project):
    return (project.settings.store.data_dir / "hf_dataset" / "README.md").read_text("utf-8")


def test_a_set_of_one_instruction_keeps_its_rows_and_their_splits(settings, tmp_path, hugging_face):
    project = Imported(settings, tmp_path)
    before = built(project, questions(60))
    assert len(before) == 60
    assert set(before.values()) == {"train", "validation", "test"}
    assert project.values("select split_by from dataset_split_rule") == ["instruction_and_input"]
    others = [
        (f"Explain cause{n} of illness{n} in organ{n}.", "", f"Illness {n} has one cause.")
        for n in range(700)
    ]
    grown = built(project, [*questions(60), *others])
    assert len(grown) == 760
    assert {row_id: grown[row_id] for row_id in before} == before


def test_a_renamed_file_gives_the_same_data_set_without_its_folder(
    settings, tmp_path, hugging_face
):
    project = Imported(settings, tmp_path)
    rows = questions(40)
    built(project, rows)
    (before,) = project.values("select distinct dataset_fingerprint from hf_dataset")
    moved = tmp_path / "elsewhere" / "other name.jsonl"
    moved.parent.mkdir()
    names = ("instruction", "input", "output")
    moved.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows))
    assert project.run(
        assets=("raw_instructions", *ASSETS), import_=str(moved), novelty="auto"
    ).success
    assert project.values("select distinct dataset_fingerprint from hf_dataset") == [before]
    card = card_of(project)
    assert "other name.jsonl" in card
    assert str(tmp_path) not in card
    assert "method of BioInstruct" not in card


def last_result(project, asset):
    """The last evaluation of the check of an asset's older results, as its page shows it."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), OLDER_RESULT_CHECKS[asset])
    history = project.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    return history[0].event.dagster_event.asset_check_evaluation_data if history else None


def test_a_rebuilt_set_marks_older_results_on_their_pages(settings, tmp_path, hugging_face):
    project = Imported(settings, tmp_path)
    built(project, questions(40))
    assert last_result(project, "lora_adapter") is None  # there is no adapter yet
    (before,) = project.values("select distinct dataset_fingerprint from hf_dataset")
    project.store.replace({"lora_adapter": [adapter(before)], "eval_scores": [score(before)]})
    for rows, passed in ((40, True), (41, False), (40, True)):
        result = project.run(questions(rows), ASSETS, novelty="auto")
        for asset in ("lora_adapter", "eval_scores"):
            found = last_result(project, asset)
            assert found.passed is passed
            assert found.severity == dg.AssetCheckSeverity.WARN
            assert ("llama|all: of an older data set" in (found.description or "")) is not passed
        assert ("older results" in shown(result, "hf_dataset")) is not passed
        assert last_result(project, "judged_answers") is None


def test_a_failed_run_does_not_hide_the_warning_of_an_older_result(
    settings, tmp_path, hugging_face
):
    """The run plans its checks, and never comes to them. The last record must have the verdict."""
    project = Imported(settings, tmp_path)
    built(project, questions(40))
    project.store.replace({"lora_adapter": [adapter("0" * 64)], "eval_scores": [score("0" * 64)]})
    with project.store.write() as connection:
        connection.execute("delete from categorized_instructions")
    assert not project.run(assets=("hf_dataset",), novelty="auto").success
    for asset in ("lora_adapter", "eval_scores"):
        found = last_result(project, asset)
        assert found is not None
        assert "llama|all: of an older data set" in found.description


@pytest.mark.parametrize("teacher", ["rehearsal", "openai"])
def test_a_rehearsal_s_card_names_the_rehearsal_under_any_teacher(
    settings, tmp_path, hugging_face, teacher
):
    project = Imported(settings, tmp_path)
    assets = ("seed_tasks", "raw_instructions", *ASSETS)
    changed = {"import_": "", "requests": 4, "novelty": "auto", "teacher": teacher}
    with serve_recordings() as url:
        if teacher == "openai":
            changed |= {"openai_base_url": url, "openai_api_key": "k", "teacher_model": "gpt-4.1"}
        result = project.run(assets=assets, **changed)
    assert result.success
    card = card_of(project)
    (rows,) = project.values("select count(*) from hf_dataset")
    assert f"**Rehearsal.** All {rows} rows of this set were made with" in card
    asked = " (asked as openai: gpt-4.1)" if teacher == "openai" else ": rehearsal-teacher"
    assert f"- teacher: rehearsal{asked} ({rows} rows)\n" in card
    assert "made by the method of BioInstruct" not in card
    assert set(project.values("select distinct labelled_by from categorized_instructions")) <= {
        "teacher:rehearsal-teacher",
        "embedded-classifier",
    }
    found = shown(result, "hf_dataset")
    assert found["origin"].startswith(f"{rows} rows ({rows} replayed by the rehearsal teacher)")
    assert found["rehearsal note"].startswith(f"Rehearsal: {rows} of {rows} rows")


def test_the_page_of_an_import_says_so_and_marks_no_rehearsal(settings, tmp_path, hugging_face):
    project = Imported(settings, tmp_path)
    result = project.run(questions(30), ASSETS, novelty="auto")
    found = shown(result, "hf_dataset")
    assert found["origin"].startswith("30 rows (30 imported from the file `rows.jsonl` (sha256")
    assert found["rehearsal"] is False
    assert "rehearsal note" not in found
    assert "cost ($)" not in shown(result, "raw_instructions")
    assert "rehearsal" not in project.instance.get_run_by_id(result.run_id).tags
