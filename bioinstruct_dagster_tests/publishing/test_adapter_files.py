"""A published adapter loads from the hub, and its scores name their page."""

import json

import jsonschema
import pytest
import yaml
from huggingface_hub import ModelCard

from bioinstruct_dagster.models.adapters import RESULT_FILE, WEIGHTS_FILE
from bioinstruct_dagster.publishing.adapter_documents import published_adapter_card
from bioinstruct_dagster.publishing.adapter_files import adapter_files, notes_on
from bioinstruct_dagster.publishing.adapter_refusals import adapter_named
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster_tests.dataset.test_older_results import NEW
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import SCHEMA
from bioinstruct_dagster_tests.publishing.made_adapter import (
    CARD,
    EXPERIMENT,
    made_adapter,
    made_matrix,
)
from bioinstruct_dagster_tests.publishing.made_dataset import by_path

TO = HubRepository("lab/smol-bio", "model")
PAGE = "https://huggingface.co/lab/smol-bio"


@pytest.fixture
def adapter(store, settings, tmp_path):
    """An adapter with scores."""
    matrix = made_matrix(tmp_path)
    made_adapter(store, settings, matrix, NEW)
    return adapter_named(EXPERIMENT, store, settings, matrix)


@pytest.fixture
def files(adapter, settings):
    """Its published files, by path."""
    return by_path(adapter_files(adapter, settings.store.data_dir, TO))


def test_weights_are_as_on_the_disk_and_the_result_file_stays_here(adapter, files):
    assert files[WEIGHTS_FILE] == adapter.folder / WEIGHTS_FILE
    assert RESULT_FILE not in files
    assert ".eval_results/medqa.yaml" in files


def test_the_card_loads_adapter_and_base_model_from_the_hub(files):
    card = files["README.md"].decode()
    assert "PeftModel.from_pretrained(base, 'lab/smol-bio').eval()" in card
    assert "AutoTokenizer.from_pretrained('owner/smol', revision='c0ffee')" in card
    assert "AutoModelForCausalLM.from_pretrained('owner/smol', revision='c0ffee')" in card
    assert "BIOINSTRUCT_DATA_DIR" not in card
    assert "'models/" not in card
    assert ModelCard(card).data.eval_results  # the scores are still there


def test_a_base_model_in_a_folder_stays_as_it_is():
    card = published_adapter_card(CARD, TO, None, None)
    assert "from_pretrained('models/smol')" in card
    assert "BIOINSTRUCT_DATA_DIR" in card


def test_the_configuration_names_the_base_model_on_the_hub(files):
    config = json.loads(files["adapter_config.json"])
    assert config == {
        "base_model_name_or_path": "owner/smol", "revision": "c0ffee", "peft_type": "LORA", "r": 4,
    }  # fmt: skip


def test_results_name_the_page_as_their_source(files):
    (entry,) = yaml.safe_load(files[".eval_results/medqa.yaml"])
    assert entry["source"]["url"] == PAGE
    assert entry["value"] == pytest.approx(0.61234)


def test_documents_name_the_model_on_the_hub_and_follow_the_schema(files):
    documents = {
        path.split("/")[1]: json.loads(text)
        for path, text in files.items()
        if path.startswith("every_eval_ever/")
    }
    assert set(documents) == {"adapter", "base"}
    assert documents["adapter"]["model_info"]["id"] == "lab/smol-bio"
    assert documents["adapter"]["model_info"]["developer"] == "lab"
    assert "lab_smol-bio" in documents["adapter"]["evaluation_id"]
    assert documents["base"]["model_info"]["id"] == "owner/smol"
    for document in documents.values():
        jsonschema.validate(document, SCHEMA)


def test_a_base_model_without_a_page_is_a_note(adapter):
    assert notes_on(adapter) == []
    local = adapter.base.model_copy(update={"source": "/models/mine"})
    other = type(adapter)(**{**vars(adapter), "base": local})
    (note,) = notes_on(other)
    assert "no id on the hub" in note
