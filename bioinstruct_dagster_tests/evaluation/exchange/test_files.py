"""The files of an experiment's scores: written once more, they replace those before."""

import json

import pytest
from huggingface_hub import ModelCard

from bioinstruct_dagster.evaluation.exchange.files import DOCUMENTS, write_shared_results
from bioinstruct_dagster.evaluation.tasks.keys import adapter_content
from bioinstruct_dagster.models.adapters import CONFIG_FILE, WEIGHTS_FILE
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.score_place import score_place
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import CATALOGUE, rows_of


@pytest.fixture
def folder(tmp_path):
    """An adapter's folder with a card."""
    adapter = tmp_path / "adapters" / "m__all" / "abc"
    adapter.mkdir(parents=True)
    (adapter / WEIGHTS_FILE).write_bytes(b"weights")
    (adapter / CONFIG_FILE).write_text("{}")
    (adapter / "README.md").write_text(f"---\nmodel_name: m\n---\n\n# m\n\n{score_place()}## End\n")
    return adapter


def write(folder, rows, tmp_path, **whole):
    return write_shared_results(
        experiment="m|all",
        adapter=folder,
        base=BaseModelSpec(source="owner/name"),
        rows=rows,
        tasks=CATALOGUE.tasks,
        whole_tasks=whole,
        data_dir=tmp_path,
    )


def test_each_format_is_written_and_the_adapter_stays_the_same(folder, tmp_path):
    before = adapter_content(folder)
    written = write(folder, rows_of(), tmp_path, medqa=True)
    assert all(path.is_file() for path in written)
    assert adapter_content(folder) == before
    card = ModelCard((folder / "README.md").read_text("utf-8"))
    (result,) = card.data.eval_results
    assert result.metric_value == 0.6123
    assert "| medqa | accuracy |" in card.text
    assert "not been scored yet" not in card.text
    assert card.text.rstrip().endswith("## End")
    assert (folder / ".eval_results" / "medqa.yaml").is_file()
    documents = sorted((tmp_path / DOCUMENTS).rglob("*.json"))
    models = [json.loads(path.read_text("utf-8"))["model_info"]["id"] for path in documents]
    assert models == ["unpublished/m__all", "owner/name"]


def test_new_scores_replace_those_before(folder, tmp_path):
    write(folder, rows_of(), tmp_path, medqa=True)
    write(folder, rows_of("medmcqa", n=50), tmp_path)
    card = (folder / "README.md").read_text("utf-8")
    assert "medqa |" not in card.replace("medmcqa", "")
    assert card.count("## Scores") == 1
    assert not (folder / ".eval_results").exists()
    assert len(list((tmp_path / DOCUMENTS).rglob("*.json"))) == 2


def test_an_adapter_without_a_card_gets_the_other_files(folder, tmp_path):
    (folder / "README.md").unlink()
    written = write(folder, rows_of(), tmp_path)
    assert [path.suffix for path in written] == [".json", ".json"]
    assert not (folder / "README.md").exists()


def test_no_scores_leave_no_document(folder, tmp_path):
    write(folder, rows_of(), tmp_path)
    write(folder, [], tmp_path)
    assert not list((tmp_path / DOCUMENTS).rglob("*.json"))
    assert "No main metric was scored" in (folder / "README.md").read_text("utf-8")
