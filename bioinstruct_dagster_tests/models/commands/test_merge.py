"""Merging: the merged model computes what the adapter computes, and nothing is overwritten."""

from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard

from bioinstruct_dagster.models.adapter_proof import AdapterFaultError
from bioinstruct_dagster.models.commands import merge as merge_module
from bioinstruct_dagster.models.commands.found_adapter import AdapterCommandError, find_adapter
from bioinstruct_dagster.models.commands.merge import merge
from bioinstruct_dagster_tests.models.commands.conftest import EXPERIMENT


@pytest.fixture
def found(trained):
    return find_adapter(trained, EXPERIMENT)


def test_the_merged_model_computes_what_the_adapter_computes(found, tmp_path, adapter):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    lines = []
    difference = merge(found, tmp_path / "deep" / "merged", lines.append)
    assert difference < 1e-4
    assert f"{difference:.2g}; the adapter itself changes" in lines[-1]
    assert not any("Warning" in line for line in lines)

    opened = found.open(lines.append)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "deep" / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "deep" / "merged")
    ids = tokenizer("Fever and cough.", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        assert torch.allclose(merged(ids).logits, opened.model(ids).logits, atol=1e-4)
    assert merged.generation_config.eos_token_id == opened.base.prompt.stop_ids[0]
    names = {path.name for path in (tmp_path / "deep" / "merged").iterdir()}
    assert not {name for name in names if name.startswith("adapter")}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["merged"]
    (tmp_path / "new").touch()
    modes = {path.stat().st_mode for path in (tmp_path / "deep" / "merged").iterdir()}
    assert modes == {(tmp_path / "new").stat().st_mode}

    card = ModelCard.load(tmp_path / "deep" / "merged" / "README.md")
    assert card.data.tags == ["merged", "biomedical", "rehearsal"]
    assert "must not be published" in card.text
    assert adapter["adapter_sha256"] in card.text
    assert adapter["dataset_fingerprint"] in card.text


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to(path)])
def test_nothing_is_overwritten(found, tmp_path, make):
    target = tmp_path / "there"
    make(target)
    with pytest.raises(AdapterCommandError, match="there already, and nothing is overwritten"):
        merge(found, target, lambda _: None)


def test_merging_in_bfloat16_is_warned_of(found, tmp_path, monkeypatch):
    # The type of the weights is that of the base model in memory, however it was loaded.
    plain = merge_module.FoundAdapter.load_base

    def in_bfloat16(self, log):
        base = plain(self, log)
        base.model.to(torch.bfloat16)
        return base

    monkeypatch.setattr(merge_module.FoundAdapter, "load_base", in_bfloat16)
    lines = []
    difference = merge(found, tmp_path / "merged", lines.append)
    assert any("Warning: merging in bfloat16" in line for line in lines)
    assert difference > 1e-3
    assert "- type of the weights: bfloat16\n" in (tmp_path / "merged" / "README.md").read_text()


def test_a_merge_that_damages_the_model_is_refused_and_writes_nothing(found, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_module, "greatest_difference", lambda one, other: 1e3)
    with pytest.raises(AdapterCommandError, match="the merged model would be another one"):
        merge(found, tmp_path / "merged", lambda _: None)
    assert list(tmp_path.glob("*merged*")) == []


def test_an_adapter_with_a_fault_is_not_merged(copied, tmp_path):
    found = find_adapter(copied, EXPERIMENT)
    (found.folder / "adapter_config.json").write_text("{}", "utf-8")
    with pytest.raises(AdapterFaultError):
        merge(found, tmp_path / "merged", lambda _: None)
    assert not (tmp_path / "merged").exists()
