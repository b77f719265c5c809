"""Base models: the embedded model, a local folder, and an unreachable hub."""

import json
import shutil
from pathlib import Path

import pytest

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_models import (
    BaseModelError,
    load,
    local_fingerprint,
    local_folder,
)
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of_file


@pytest.fixture
def model_folder(tiny_base, tmp_path) -> Path:
    """A copy of the embedded model's folder, as a user's own model."""
    return shutil.copytree(tiny_base.path, tmp_path / "model")


def load_folder(folder):
    return load(BaseModelSpec(source=str(folder)), folder.parent / "models", lambda _: None)


def test_the_embedded_model_is_built_where_it_is_asked_for(tiny_base, training_spec):
    assert Path(tiny_base.path).parent == Path(training_spec.models_dir)
    assert tiny_base.fingerprint == local_fingerprint(training_spec.base)
    assert tiny_base.tokenizer.pad_token_id != tiny_base.tokenizer.eos_token_id


def test_pre_training_longer_is_another_embedded_model(training_spec):
    longer = training_spec.base.model_copy(update={"pretraining_steps": 4})
    assert local_fingerprint(longer) != local_fingerprint(training_spec.base)


def test_a_local_folder_is_loaded_as_it_is(model_folder, tiny_base):
    import torch

    loaded = load_folder(model_folder)
    assert loaded.path == str(model_folder)
    ids = torch.tensor([loaded.tokenizer("Fever and cough.")["input_ids"]])
    with torch.inference_mode():
        ours, theirs = loaded.model(ids).logits, tiny_base.model(ids).logits
    assert torch.equal(ours.cpu(), theirs.cpu())


def test_a_folder_is_named_by_its_content_wherever_it_lies(model_folder, tmp_path):
    elsewhere = shutil.copytree(model_folder, tmp_path / "elsewhere")
    prints = {local_fingerprint(BaseModelSpec(source=str(p))) for p in (model_folder, elsewhere)}
    assert len(prints) == 1
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        content = (elsewhere / name).read_bytes()
        (elsewhere / name).write_bytes(content + b" ")
        prints.add(local_fingerprint(BaseModelSpec(source=str(elsewhere))))
    assert len(prints) == 4


def test_the_files_of_a_folder_are_read_once_until_one_changes(model_folder, monkeypatch):
    read = []

    def counted(path):
        read.append(path.name)
        return sha256_of_file(path)

    monkeypatch.setattr(base_models, "sha256_of_file", counted)
    spec = BaseModelSpec(source=str(model_folder))
    first = local_fingerprint(spec)
    assert "model.safetensors" in read
    read.clear()
    assert local_fingerprint(spec) == first
    assert read == []
    content = bytearray((model_folder / "model.safetensors").read_bytes())
    content[-1] ^= 1  # as large as before
    (model_folder / "model.safetensors").write_bytes(content)
    assert local_fingerprint(spec) != first
    assert read == ["model.safetensors"]


def test_another_end_of_text_is_another_model(model_folder):
    # The end-of-text token closes every training example.
    spec = BaseModelSpec(source=str(model_folder))
    before = local_fingerprint(spec)
    path = model_folder / "tokenizer_config.json"
    settings = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(settings | {"eos_token": "<pad>"}), "utf-8")
    assert local_fingerprint(spec) != before


def test_a_chat_template_in_a_file_of_its_own_makes_another_model(model_folder):
    spec = BaseModelSpec(source=str(model_folder), prompt="chat")
    before = local_fingerprint(spec)
    template = "{% for m in messages %}[{{ m['content'] }}]{% endfor %}</s>"
    (model_folder / "chat_template.jinja").write_text(template, "utf-8")
    assert local_fingerprint(spec) != before
    loaded = load(spec, model_folder.parent / "models", lambda _: None)
    assert loaded.prompt.prompt_of("Name a drug.", "") == "[Name a drug.]</s>"
    assert loaded.prompt.version.startswith("chat/")


def test_rows_end_where_the_models_own_generation_stops(model_folder):
    path = model_folder / "generation_config.json"
    stated = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(stated | {"eos_token_id": [5, 1]}), "utf-8")
    loaded = load_folder(model_folder)
    assert loaded.tokenizer.eos_token_id == 1
    assert (loaded.prompt.end_id, loaded.prompt.stop_ids) == (1, (1, 5))


def test_a_loaded_model_says_its_prompt_and_its_context(tiny_base, model_folder):
    assert tiny_base.prompt.version == "alpaca/1"
    assert tiny_base.prompt.end_id == tiny_base.tokenizer.eos_token_id
    assert tiny_base.prompt.stop_ids == (tiny_base.tokenizer.eos_token_id,)
    assert tiny_base.context == tiny_base.model.config.max_position_embeddings
    spec = BaseModelSpec(source=str(model_folder), context=99)
    assert load(spec, model_folder.parent / "models", lambda _: None).context == 99


def test_a_tokenizer_without_padding_pads_with_a_special_token_that_is_not_the_end(model_folder):
    path = model_folder / "tokenizer_config.json"
    settings = json.loads(path.read_text("utf-8"))
    del settings["pad_token"]
    path.write_text(json.dumps(settings), "utf-8")
    tokenizer = load_folder(model_folder).tokenizer
    # The token is among the added tokens still.
    assert tokenizer.pad_token_id == tokenizer.convert_tokens_to_ids("<pad>")


def test_relative_folders_start_at_the_project():
    assert local_folder("bioinstruct_dagster/training") == (
        PROJECT_ROOT / "bioinstruct_dagster" / "training"
    )
    assert local_folder("owner/name") is None


@pytest.mark.parametrize(
    "source", ["./nowhere", "../nowhere", "~/nowhere-at-all", "/nowhere/at/all"]
)
def test_a_path_to_nowhere_is_refused_before_any_loading(source):
    with pytest.raises(BaseModelError, match="is not a folder") as raised:
        local_fingerprint(BaseModelSpec(source=source))
    assert "nowhere" in str(raised.value)


def test_pickled_weights_are_not_loaded(model_folder):
    (model_folder / "model.safetensors").rename(model_folder / "pytorch_model.bin")
    with pytest.raises(BaseModelError, match=r"no \.safetensors"):
        load_folder(model_folder)


def truncate_weights(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1_000])


def forget_tokenizer(folder):
    for path in folder.glob("tokenizer*"):
        path.unlink()


def break_config(folder):
    (folder / "config.json").write_text("{", "utf-8")


def unknown_architecture(folder):
    (folder / "config.json").write_text('{"model_type": "no-such-model"}', "utf-8")


@pytest.mark.parametrize(
    "damage", [truncate_weights, forget_tokenizer, break_config, unknown_architecture]
)
def test_a_folder_that_cannot_be_loaded_is_named(model_folder, damage):
    damage(model_folder)
    with pytest.raises(BaseModelError) as raised:
        load_folder(model_folder)
    assert str(model_folder) in str(raised.value)


def test_a_hub_model_needs_a_revision_for_its_fingerprint():
    assert local_fingerprint(BaseModelSpec(source="owner/name")) is None
    pinned = BaseModelSpec(source="owner/name", revision="abc123")
    assert local_fingerprint(pinned) == "owner/name@abc123"
