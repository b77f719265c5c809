"""`seed_tasks` through Dagster: the table, the metadata, and the refusal of a malformed file."""

import json

import dagster as dg
import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.seeds.checks import seeds_are_valid_and_balanced
from bioinstruct_dagster.settings import INPUTS, Settings
from bioinstruct_dagster.store.database import Store


@pytest.fixture
def materialize(tmp_path, experiments):
    """Materialize `seed_tasks` with its checks from a seed file, through the production graph."""

    def run(seeds=INPUTS / "seed_tasks.jsonl"):
        settings = Settings.of(data_dir=tmp_path / "data", experiments=experiments, seeds=seeds)
        return (
            build_defs(settings)
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                asset_selection=[dg.AssetKey("seed_tasks")],
                raise_on_error=False,
                instance=dg.DagsterInstance.ephemeral(),
            )
        )

    return run


@pytest.fixture
def edited_seeds(tmp_path):
    """The shipped seed file with its first task changed."""

    def edit(**changed):
        first, *others = (INPUTS / "seed_tasks.jsonl").read_text("utf-8").splitlines()
        path = tmp_path / "mine.jsonl"
        path.write_text("\n".join([json.dumps({**json.loads(first), **changed}), *others]), "utf-8")
        return path

    return edit


def metadata_of(result) -> dict:
    (event,) = result.get_asset_materialization_events()
    return event.materialization.metadata


def test_the_table_holds_the_file(materialize, store):
    result = materialize()
    assert result.success
    rows = store.rows("select * from seed_tasks order by ordinal")
    lines = [json.loads(line) for line in (INPUTS / "seed_tasks.jsonl").open(encoding="utf-8")]
    assert [row["seed_id"] for row in rows] == [line["id"] for line in lines]
    assert [row["output"] for row in rows] == [line["output"].strip() for line in lines]
    assert all(check.passed for check in result.get_asset_check_evaluations())


def test_the_ui_shows_summary_count_schema_rows_and_fingerprint(materialize):
    metadata = metadata_of(materialize())
    assert metadata["dagster/row_count"].value == 80
    columns = metadata["table columns"].value.columns
    assert [column.name for column in columns][:3] == ["seed_id", "ordinal", "category"]
    assert metadata["five seeds"].value.count("### seed") == 5
    sentence = metadata["summary"].value.split("\n\n")[0].replace("\\\n", " ")
    assert sentence == "80 seed tasks of 32 kinds. Fewest: other, 11.2\xa0%."
    assert len(metadata["fingerprint"].value) == 64


def test_the_data_version_changes_only_with_the_content(materialize, edited_seeds):
    before = metadata_of(materialize())["fingerprint"].value
    assert metadata_of(materialize())["fingerprint"].value == before
    assert metadata_of(materialize(edited_seeds()))["fingerprint"].value == before
    assert metadata_of(materialize(edited_seeds(output="Other.")))["fingerprint"].value != before


@pytest.mark.parametrize("materialized_before", [True, False])
def test_with_a_malformed_file_nothing_is_written(
    materialize, edited_seeds, store, materialized_before
):
    if materialized_before:
        assert materialize().success
    path = edited_seeds(category="qa", output="")
    result = materialize(path)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    message = failure.step_failure_data.user_failure_data.description
    assert f"{path}:1: category: 'qa' is not one of" in message
    assert f"{path}:1: output: empty" in message
    if materialized_before:
        assert store.rows("select count(*) as n from seed_tasks") == [{"n": 80}]
    else:
        assert not store.path.exists()


def test_a_category_without_seeds_is_a_warning(store: Store):
    store.replace(
        {
            "seed_tasks": [
                {"seed_id": str(i), "ordinal": i, "category": category, "source_family": "f",
                 "instruction": "i", "input": "", "output": "o"}
                for i, category in enumerate(["other", "generation", "question_answering"])
            ]
        }
    )  # fmt: skip
    result = seeds_are_valid_and_balanced(store=store)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert result.metadata["information_extraction"].value == 0
    assert result.metadata["other"].value == 1
    assert "information extraction: 0.0\N{NO-BREAK SPACE}%. Add seed tasks" in result.description
