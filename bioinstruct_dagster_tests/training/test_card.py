"""The card beside an adapter: front matter, result, recipe, and a warning on a rehearsal."""

from dataclasses import replace
from pathlib import Path

from bioinstruct_dagster.training.card import render_card


def test_the_card_warns_of_a_rehearsal(adapter):
    card = (Path(adapter["adapter_path"]) / "README.md").read_text("utf-8")
    assert card.startswith("---\nlibrary_name: peft\n")
    assert "must not be published" in card
    assert f"- adapter_sha256: {adapter['adapter_sha256']}\n" in card
    assert "- lora_rank: 4\n" in card


def test_the_card_of_real_training_carries_no_warning(training_spec):
    base = training_spec.base.model_copy(update={"source": "owner/name"})
    real = replace(training_spec, base=base, dataset_rehearsal=False)
    card = render_card(real, {"device": "cpu", "losses": [1.0, 0.5]})
    assert card.startswith("---\nlibrary_name: peft\ntags: [lora, biomedical]\n---\n")
    assert "must not be published" not in card
    assert "- device: cpu\n" in card
    assert "losses" not in card
