"""Each subject computes what peft computes for it, alone and in a mixed batch."""

import shutil

import pytest
import torch

from bioinstruct_dagster.evaluation.engine.subjects import AdapterSource, Subjects
from bioinstruct_dagster.models.adapter_proof import AdapterFaultError, open_proven
from bioinstruct_dagster.models.adapter_removal import adapter_removed_after
from bioinstruct_dagster.models.adapters import WEIGHTS_FILE
from bioinstruct_dagster_tests.evaluation.engine.conftest import RECIPES, made_adapter

IDS = torch.arange(3, 3 + 4 * 9).view(4, 9)  # four rows of nine tokens


def logits(model, ids=IDS):
    with torch.inference_mode():
        return model(input_ids=ids, use_cache=False).logits


@pytest.fixture(scope="module")
def by_peft(own_base, sources):
    """The logits of each subject by peft, one after another."""
    found = {"base": logits(own_base.model)}
    for name, source in sources.items():
        with adapter_removed_after(own_base.model):
            model, _ = open_proven(own_base, source.folder, recipe=source.recipe)
            found[name] = logits(model)
    return found


def test_each_subject_alone_computes_what_peft_computes(subjects, by_peft):
    assert subjects.names == ("base", *RECIPES)
    for name in subjects.names:
        with subjects.alone(name) as model:
            assert torch.allclose(logits(model), by_peft[name], atol=1e-5, rtol=0)
    assert len({round(float(one.sum()), 3) for one in by_peft.values()}) == len(by_peft)


@pytest.mark.parametrize(
    "rows",
    [
        ["plain", "plain", "rank 8", "rank 8"],  # in blocks as they are
        ["rank 8", "base", "plain", "rank 8"],
        ["attention", "down", "rslora", "base"],
        ["rank 1", "other draw", "dropout", "down"],
        ["plain", "plain", "plain", "base"],  # blocks with places without rows
        ["rslora"] * 4,
    ],
)
def test_each_row_of_a_mixed_batch_is_computed_as_alone(subjects, by_peft, rows):
    with subjects.mixed(rows) as model:
        found = logits(model)
    expected = torch.stack([by_peft[name][row] for row, name in enumerate(rows)])
    assert torch.allclose(found, expected, atol=1e-5, rtol=0)


def test_each_token_of_a_step_is_computed_as_alone(subjects, by_peft):
    """A batch of one token a row, as generation computes it."""
    rows = ["base", "rank 8", "plain", "down", "rank 8"]
    ids = IDS.flatten()[: len(rows), None]
    with subjects.mixed(rows) as model:
        found = logits(model, ids)
    for row, name in enumerate(rows):
        with subjects.alone(name) as model:
            assert torch.allclose(found[row], logits(model, ids)[row], atol=1e-5, rtol=0)


def test_a_choice_ends_with_its_block_and_may_lie_in_another(subjects, by_peft):
    with subjects.alone("plain") as model:
        with subjects.mixed(["base", "plain", "down", "base"]):
            pass
        assert torch.allclose(logits(model), by_peft["plain"], atol=1e-5, rtol=0)
    assert logits(subjects.base.model).equal(by_peft["base"])


def test_training_mode_of_the_caller_changes_nothing(subjects, by_peft):
    """Dropout belongs to training; an evaluation has none, whatever mode the model is in."""
    subjects.base.model.train()
    try:
        with subjects.alone("dropout") as model:
            assert torch.allclose(logits(model), by_peft["dropout"], atol=1e-5, rtol=0)
    finally:
        subjects.base.model.eval()


def test_a_faulty_adapter_is_refused_by_name_and_the_others_go_on(own_base, sources, tmp_path):
    broken = shutil.copytree(sources["plain"].folder, tmp_path / "broken")
    path = broken / WEIGHTS_FILE
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # one flipped bit
    path.write_bytes(data)
    missing = AdapterSource(tmp_path / "missing")
    given = {"good": sources["plain"], "flipped": AdapterSource(broken), "missing": missing}
    with Subjects(own_base, given) as opened:
        assert opened.names == ("base", "good")
        assert opened.proofs["good"].change > opened.proofs["good"].noise
        assert {name: error.fault for name, error in opened.failures.items()} == {
            "flipped": "changed weights",
            "missing": "missing folder",
        }
        assert all(isinstance(error, AdapterFaultError) for error in opened.failures.values())
        with pytest.raises(KeyError, match="'flipped' is not open"), opened.alone("flipped"):
            pass
        with pytest.raises(KeyError, match="'missing'"), opened.mixed(["good", "missing"]):
            pass


def test_close_gives_the_base_model_back(own_base, sources, by_peft):
    before = dict(own_base.model.state_dict())
    forwards = {name: vars(one).get("forward") for name, one in own_base.model.named_modules()}
    opened = Subjects(own_base, {"plain": sources["plain"]})
    opened.close()
    assert own_base.model.state_dict().keys() == before.keys()
    assert {
        name: vars(one).get("forward") for name, one in own_base.model.named_modules()
    } == forwards
    assert logits(own_base.model).equal(by_peft["base"])


def test_the_name_of_the_base_model_is_not_for_adapters(own_base, sources):
    with pytest.raises(ValueError, match="can't be named 'base'"):
        Subjects(own_base, {"base": sources["plain"]})


def test_an_adapter_that_does_not_act_outside_of_peft_is_refused(
    own_base, sources, tmp_path, monkeypatch
):
    """A model that reads a layer's weights itself would pass over the layer's forward pass."""
    from bioinstruct_dagster.evaluation.engine import mixed_adapters

    monkeypatch.setattr(mixed_adapters, "_added", lambda result, *_: result)
    with Subjects(own_base, {"plain": sources["plain"]}) as opened:
        assert "outside of peft" in str(opened.failures["plain"])


def test_layers_with_turned_weights(tmp_path):
    """GPT-2 keeps the weights of its linear layers as (inputs, outputs)."""
    from dataclasses import replace

    from transformers import GPT2Config, GPT2LMHeadModel

    from bioinstruct_dagster_tests.models.adapter_proof.conftest import RECIPE, llama

    torch.manual_seed(0)
    config = GPT2Config(vocab_size=90, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    config._name_or_path = "made/llama"
    base = replace(llama(), model=GPT2LMHeadModel(config).eval())
    recipe = RECIPE.model_copy(update={"target_modules": ("c_attn", "c_proj")})
    folder = made_adapter(base, tmp_path / "gpt2", recipe, 3)
    with adapter_removed_after(base.model):
        expected = logits(open_proven(base, folder)[0])
    with Subjects(base, {"gpt2": AdapterSource(folder)}) as opened:
        assert not opened.failures
        with opened.mixed(["gpt2", "base", "base", "gpt2"]) as model:
            found = logits(model)
    assert torch.allclose(found[[0, 3]], expected[[0, 3]], atol=1e-5, rtol=0)
    assert not torch.allclose(found[1], expected[1], atol=1e-3, rtol=0)
