"""An imported instruction set goes through the real chain up to the data set."""

import json
import os

import dagster as dg
import datasets
import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.database import Store

PUBLISHED = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"
DATA_SET = [
    "seed_tasks", "raw_instructions", "deduplicated_instructions", "categorized_instructions",
    "hf_dataset",
]  # fmt: skip

ROWS = [
    {"q": "Name the vitamin whose lack causes scurvy in adults.", "ctx": None, "a": "Vitamin C."},
    {
        "q": "Extract every drug dose from the given ward note.",
        "ctx": "Aspirin 75 mg.",
        "a": "75 mg",
    },
    {
        "q": "Explain in plain words why statins are taken for life.",
        "ctx": "N/A",
        "a": "They work ...",
    },
    {
        "q": "Name the vitamin whose lack causes scurvy in grown adults.",
        "ctx": "",
        "a": "Vitamin C.",
    },
]


def materialize(settings, folder):
    defs = build_defs(settings)
    return dg.materialize(
        [*defs.assets, *defs.asset_checks],
        selection=dg.AssetSelection.assets(*DATA_SET),
        resources=defs.resources,
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
    )


def test_a_file_with_other_column_names_can_be_imported(settings, tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    imported = settings.changed(
        import_=str(source),
        import_columns={"instruction": "q", "input": "ctx", "output": "a"},
        novelty="rouge",
    )
    assert materialize(imported, tmp_path).success
    store = Store(settings.store.path)
    kept = store.rows("select * from categorized_instructions order by ordinal")
    assert [row["input"] for row in kept] == ["", "Aspirin 75 mg.", ""]
    assert {row["labelled_by"] for row in kept} == {"embedded-classifier"}
    assert all(0 < row["confidence"] <= 1 for row in kept)
    assert not any(row["rehearsal"] for row in kept)
    [rejected] = store.rows("select * from rejected_instructions")
    assert rejected["reason"] == "repeats_kept_row"
    assert rejected["nearest_id"] == kept[0]["row_id"]
    assert rejected["score"] > 0.7


def test_a_faulty_import_is_named_with_line_and_column(settings, tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text(json.dumps({"instruction": "Name a vitamin.", "output": [7]}), "utf-8")
    result = materialize(settings.changed(import_=str(source)), tmp_path)
    assert not result.success
    (failure,) = [e for e in result.get_step_failure_events() if e.step_key == "raw_instructions"]
    message = failure.step_failure_data.error.message
    assert str(source) in message
    assert "line 1: column 'output'" in message
    assert Store(settings.store.path).rows("select * from raw_instructions") == []


def run_of_raw_instructions(settings, instance=None, **config):
    defs = build_defs(settings)
    return dg.materialize(
        defs.assets,
        selection=dg.AssetSelection.assets("seed_tasks", "raw_instructions"),
        resources=defs.resources,
        instance=instance or dg.DagsterInstance.ephemeral(),
        run_config={"ops": {"raw_instructions": {"config": config}}},
        raise_on_error=False,
    )


def shown(result):
    (event,) = result.asset_materializations_for_node("raw_instructions")
    return {name: value.value for name, value in event.metadata.items()}


def test_a_run_maps_columns_and_its_configuration_wins_over_the_settings(settings, tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    other = settings.changed(import_="/no/such/file.csv", import_columns="instruction=x,output=y")
    result = run_of_raw_instructions(
        other, import_from=str(source), import_columns="instruction=q,output=a"
    )
    assert result.success
    found = shown(result)
    assert found["columns"] == "instruction=q,input=input,output=a"
    assert found["imported from"].startswith("rows.jsonl@")
    [row, *_] = Store(settings.store.path).rows("select source, instruction from raw_instructions")
    assert row == {"source": f"import:{found['imported from']}", "instruction": ROWS[0]["q"]}


def test_the_log_says_what_was_imported(settings, tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    instance = dg.DagsterInstance.ephemeral()
    columns = "instruction=q,input=ctx,output=a"
    result = run_of_raw_instructions(
        settings, instance, import_from=str(source), import_columns=columns
    )
    said = [log.user_message for log in instance.all_logs(result.run_id) if log.level == 20]
    assert f"Imported 4 rows from {source}. Columns: {columns}" in said


def test_what_an_import_leaves_out_is_in_the_log_and_in_the_metadata(settings, tmp_path):
    source = tmp_path / "rows.jsonl"
    rows = [{**row, "ctx": "A text with several words."} for row in ROWS]
    source.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    result = run_of_raw_instructions(
        settings, import_from=str(source), import_columns="instruction=q,output=a"
    )
    note = "The column 'ctx' holds text in 4 of 4 rows, and is not imported."
    assert shown(result)["import notes"] == f"- {note}"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("q=instruction", "import_columns: 'q=instruction' is not of the form OURS=THEIRS"),
        ("instruction=qq,output=a", "No row has the column 'qq', which is mapped to instruction."),
    ],
)
def test_a_wrong_mapping_of_a_run_is_refused_in_words(settings, tmp_path, columns, said):
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    result = run_of_raw_instructions(settings, import_from=str(source), import_columns=columns)
    assert not result.success
    (failure,) = [e for e in result.get_step_failure_events() if e.step_key == "raw_instructions"]
    message = failure.step_failure_data.error.message
    assert said in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"import_from": "no/such.csv"}, "import_from: /"),
        ({"import_from": "https://x.org/rows.csv"}, "import_from: URLs"),
        ({"import_from": "~nobody-here/rows.csv"}, "import_from: ~nobody-here/rows.csv"),
        ({"import_from": "FILE"}, "columns are mapped by import_columns"),
        ({"import_from": "FILE"}, "import_columns: instruction="),
    ],
)
def test_a_bad_import_of_a_run_names_its_field_and_no_variable(settings, tmp_path, given, said):
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    given = {name: value.replace("FILE", str(source)) for name, value in given.items()}
    result = run_of_raw_instructions(settings, **given)
    message = failure_of(result)
    assert message.startswith("Run configuration of raw_instructions: ")
    assert said in message
    assert "BIOINSTRUCT_IMPORT" not in message


def test_a_variable_that_gave_the_wrong_columns_keeps_its_name(settings, tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    other = settings.changed(import_columns="instruction=x,output=y")
    message = failure_of(run_of_raw_instructions(other, import_from=str(source)))
    assert "columns are mapped by BIOINSTRUCT_IMPORT_COLUMNS" in message
    by_settings = settings.changed(import_="no/such.csv")
    assert "BIOINSTRUCT_IMPORT: " in failure_of(run_of_raw_instructions(by_settings))


def failure_of(result):
    (failure,) = [e for e in result.get_step_failure_events() if e.step_key == "raw_instructions"]
    return failure.step_failure_data.error.message


def test_a_moved_and_renamed_file_gives_the_same_data_set(settings, tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    mapping = {"import_columns": "instruction=q,input=ctx,output=a"}
    first = shown(run_of_raw_instructions(settings, import_from=str(source), **mapping))
    (tmp_path / "else").mkdir()
    moved = source.rename(tmp_path / "else" / "mine.jsonl")
    second = shown(run_of_raw_instructions(settings, import_from=str(moved), **mapping))
    assert first["fingerprint"] == second["fingerprint"]
    assert first["imported from"] != second["imported from"]
    moved.write_text(moved.read_text("utf-8") + "\n", "utf-8")
    third = shown(run_of_raw_instructions(settings, import_from=str(moved), **mapping))
    assert third["fingerprint"] != second["fingerprint"]


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published sample is not at hand")
def test_published_rows_keep_to_their_own_rule(settings, tmp_path):
    settings = settings.changed(import_=os.path.relpath(PUBLISHED, PROJECT_ROOT), novelty="rouge")
    assert materialize(settings, tmp_path).success
    store = Store(settings.store.path)
    # The published rows passed BioInstruct's own novelty filter; only likeness to our seeds can
    # reject.
    [counts] = store.rows(
        "select count_if(reason = 'repeats_kept_row') as repeats from rejected_instructions"
    )
    assert counts["repeats"] == 0
    cache = str(tmp_path / "hf_cache")
    loaded = datasets.load_dataset(str(settings.store.data_dir / "hf_dataset"), cache_dir=cache)
    # About one row in twenty is faulty by its own text: ungrounded, seen in no picture, cut.
    assert sum(len(split) for split in loaded.values()) > 1_180
    assert not any(row.strip().lower() in {"n/a", "none"} for row in loaded["train"]["input"])
