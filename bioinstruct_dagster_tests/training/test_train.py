"""Training: an adapter depends only on its specification, and peft opens it."""

import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.dataset.build import DatasetError, build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.splits import split_of
from bioinstruct_dagster.dataset.written_files import RECORD
from bioinstruct_dagster.models.adapters import WEIGHTS_FILE
from bioinstruct_dagster.store.fingerprints import sha256_of_file
from bioinstruct_dagster.training.rows import TrainingError
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.train import finished, train

EXTRACTION = ("information_extraction",)


def run(spec, **changes):
    return train(replace(spec, **changes), lambda _: None)


def with_recipe(spec, **changes):
    return replace(spec, recipe=spec.recipe.model_copy(update=changes))


@pytest.fixture
def elsewhere(training_spec, adapter, tmp_path) -> TrainingSpec:
    """The specification with a copy of all adapters in a folder of the test's own."""
    shutil.copytree(training_spec.adapters_dir, tmp_path / "adapters")
    return replace(training_spec, adapters_dir=str(tmp_path / "adapters"))


def test_the_adapter_is_safetensors_and_holds_no_pickle(adapter):
    folder = Path(adapter["adapter_path"])
    names = {path.name for path in folder.rglob("*")}
    assert names == {WEIGHTS_FILE, "adapter_config.json", "result.json", "README.md", RECORD}
    assert sha256_of_file(folder / WEIGHTS_FILE) == adapter["adapter_sha256"]
    assert list(folder.parent.iterdir()) == [folder]


def test_others_can_read_what_new_files_let_them_read(adapter, tiny_base, tmp_path):
    (tmp_path / "new").touch()
    for folder in (adapter["adapter_path"], tiny_base.path):
        modes = {path.stat().st_mode for path in Path(folder).rglob("*") if path.is_file()}
        assert modes == {(tmp_path / "new").stat().st_mode}


def test_peft_opens_the_adapter_and_it_changes_the_output(adapter, training_spec):
    import peft
    import torch

    from bioinstruct_dagster.models.base_models import load

    base = load(training_spec.base, Path(training_spec.models_dir), lambda _: None)
    ids = torch.tensor([base.tokenizer("Fever and cough.")["input_ids"]]).to(base.device)
    with torch.inference_mode():
        plain = base.model(ids).logits
        model = peft.PeftModel.from_pretrained(base.model, adapter["adapter_path"]).eval()
        adapted = model(ids).logits
    assert model.peft_config["default"].r == training_spec.recipe.lora_rank
    assert not torch.allclose(plain, adapted)


def test_the_result_accounts_for_the_training(adapter, training_spec, dataset_rows):
    folder = Path(adapter["adapter_path"])
    stored = json.loads((folder / "result.json").read_text("utf-8"))
    # The folder may be moved with its data folder, so the file says where it is within that.
    within = folder.relative_to(Path(training_spec.adapters_dir).parent).as_posix()
    assert stored == adapter | {"adapter_path": within}
    train_rows = [row for row in dataset_rows if split_of(row["instruction"]) == "train"]
    assert adapter["train_rows"] + adapter["rows_left_out"] == len(train_rows)
    assert adapter["steps"] == len(adapter["losses"])
    assert adapter["first_loss"] == adapter["losses"][0]
    assert adapter["last_loss"] == adapter["losses"][-1]
    assert all(math.isfinite(loss) and loss > 0 for loss in adapter["losses"])
    assert adapter["dataset_fingerprint"] == training_spec.dataset_fingerprint
    assert adapter["rehearsal"] is True


def test_the_run_has_one_speed_and_one_basis_of_memory(adapter):
    facts = adapter["run_facts"]
    speed = adapter["train_tokens"] / adapter["train_seconds"]
    assert facts["useful_tokens_per_second"] == pytest.approx(speed)
    assert 0 < facts["peak_above_imports_bytes"] < facts["peak_memory_bytes"]
    assert facts["flop_utilisation"] is None


def test_the_same_specification_gives_the_same_adapter(adapter, training_spec, tmp_path):
    again = run(training_spec, adapters_dir=str(tmp_path))
    assert again["adapter_sha256"] == adapter["adapter_sha256"]
    assert again["losses"] == adapter["losses"]


def test_another_seed_gives_another_adapter(adapter, training_spec, tmp_path):
    other = run(training_spec, seed=43, adapters_dir=str(tmp_path))
    assert other["adapter_sha256"] != adapter["adapter_sha256"]
    assert Path(other["adapter_path"]).name != Path(adapter["adapter_path"]).name


def is_learned_from(row):
    return row["category"] in EXTRACTION and split_of(row["instruction"]) == "train"


def test_only_train_rows_of_the_recipes_categories_are_used(training_spec, dataset_rows, tmp_path):
    several_steps = with_recipe(training_spec, categories=EXTRACTION, epochs=1.0)
    spec = replace(several_steps, adapters_dir=str(tmp_path / "adapters"))

    def trained_with(altered):
        """An adapter trained on the rows. `altered` replaces the output of some of them."""
        card = Card(teacher="rehearsal", template="test/1", seeds_fingerprint="none")
        rows = [row | ({"output": "Another."} if altered(row) else {}) for row in dataset_rows]
        built = build_dataset(rows, tmp_path / "hf_dataset", card)
        return run(spec, dataset_path=str(built.path), dataset_fingerprint=built.fingerprint)

    usual = run(spec)
    learned_from = [row for row in dataset_rows if is_learned_from(row)]
    assert usual["train_rows"] + usual["rows_left_out"] == len(learned_from)
    others_altered = trained_with(lambda row: not is_learned_from(row))
    assert others_altered["adapter_sha256"] == usual["adapter_sha256"]
    all_altered = trained_with(lambda row: True)
    assert all_altered["adapter_sha256"] != usual["adapter_sha256"]


def test_a_folder_with_equal_weights_gives_an_equal_adapter(
    adapter, training_spec, tiny_base, tmp_path
):
    base = training_spec.base.model_copy(update={"source": tiny_base.path})
    result = run(training_spec, base=base, adapters_dir=str(tmp_path), dataset_rehearsal=False)
    assert result["adapter_sha256"] == adapter["adapter_sha256"]
    assert result["base_path"] == f"../../../models/{Path(tiny_base.path).name}"  # in a data folder
    assert result["rehearsal"] is False


def test_a_recipe_without_rows_is_refused_by_name(training_spec):
    spec = replace(with_recipe(training_spec, max_length=16), experiment="rehearsal-llama|short")
    with pytest.raises(TrainingError, match=r"rehearsal-llama\|short.*too long"):
        run(spec)


def test_a_data_set_rebuilt_since_the_specification_is_refused(training_spec):
    with pytest.raises(DatasetError, match="rebuilt"):
        run(training_spec, dataset_fingerprint="f" * 64)


def test_a_finished_adapter_is_found(adapter, training_spec):
    assert finished(training_spec) == adapter


def test_an_adapter_of_another_specification_is_not_taken_for_it(adapter, training_spec):
    for other in (
        replace(training_spec, dataset_fingerprint="another"),
        replace(training_spec, seed=7),
        with_recipe(training_spec, lora_alpha=9),
        replace(training_spec, base=training_spec.base.model_copy(update={"pretraining_steps": 4})),
    ):
        assert finished(other) is None


def test_an_adapter_whose_weights_were_altered_is_not_used(elsewhere):
    weights = Path(finished(elsewhere)["adapter_path"]).name
    (path,) = Path(elsewhere.adapters_dir).rglob(f"{weights}/{WEIGHTS_FILE}")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert finished(elsewhere) is None


@pytest.mark.parametrize("name", [WEIGHTS_FILE, "result.json"])
def test_an_adapter_that_lacks_a_file_is_not_used(elsewhere, name):
    assert finished(elsewhere) is not None
    for path in Path(elsewhere.adapters_dir).rglob(name):
        path.unlink()
    assert finished(elsewhere) is None


def test_an_adapter_is_found_where_it_now_lies(elsewhere):
    # The outputs' folder may be moved between two runs.
    assert Path(finished(elsewhere)["adapter_path"]).parents[1] == Path(elsewhere.adapters_dir)


def test_an_unpinned_hub_model_is_always_trained_anew(training_spec):
    base = training_spec.base.model_copy(update={"source": "owner/name"})
    assert finished(replace(training_spec, base=base)) is None


def test_the_log_tells_of_checkpoints_and_of_a_rank_that_is_too_large(training_spec, tmp_path):
    lines = []
    spec = replace(training_spec, adapters_dir=str(tmp_path))
    train(with_recipe(spec, lora_rank=300, epochs=0.05), lines.append)
    text = "\n".join(lines)
    assert text.count("Training starts afresh, without a checkpoint. Checkpoints are written") == 1
    assert "every 300 seconds and at the end of each epoch" in text
    assert re.search(r"lora_rank 300 is larger than the smaller side of \d+ of 28 adapted", text)


def test_the_log_does_not_warn_of_a_usual_rank(training_spec, tmp_path):
    lines = []
    spec = replace(training_spec, adapters_dir=str(tmp_path))
    train(with_recipe(spec, epochs=0.05), lines.append)
    assert "smaller side" not in "\n".join(lines)
