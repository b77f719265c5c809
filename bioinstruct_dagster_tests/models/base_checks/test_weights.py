"""Names and shapes of weights: nothing is filled with random numbers without a word."""

import pytest
import torch

from bioinstruct_dagster.models.base_checks.findings import BaseModelError
from bioinstruct_dagster_tests.models.base_checks.conftest import (
    check,
    edit_json,
    edit_weights,
    in_parts,
    refusal,
)

UP = "model.layers.0.mlp.up_proj.weight"


def without(*names):
    return lambda weights: {name: weights[name] for name in weights if name not in names}


def prefixed(prefix):
    return lambda weights: {prefix + name: weight for name, weight in weights.items()}


def test_a_whole_model_has_no_faults_and_loads(folder):
    checked, lines = check(folder)
    assert lines == []
    assert checked.load(lines.append).model.num_parameters() > 0
    assert lines == []


def test_a_model_in_parts_has_no_faults(folder):
    assert len(in_parts(folder)) > 2
    check(folder)


def test_a_missing_weight_is_named(folder):
    edit_weights(folder, without(UP))
    message = refusal(folder)
    assert f"1 of 21 weights are missing: {UP}" in message
    assert "random numbers" in message


def test_a_missing_layer_is_counted(folder):
    edit_weights(
        folder, lambda weights: {n: w for n, w in weights.items() if ".layers.1." not in n}
    )
    assert "9 of 21 weights are missing: model.layers.1." in refusal(folder)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "base_model.model."])
def test_names_of_a_wrapped_model_are_recognised(folder, prefix):
    edit_weights(folder, prefixed(prefix))
    message = refusal(folder)
    assert "21 of 21 weights are missing, and 21 have other names" in message
    assert f"they begin with {prefix!r}" in message


def test_a_renamed_weight_is_named_beside_the_wanted_one(folder):
    def rename(weights):
        weights["model.layers.0.mlp.w3.weight"] = weights.pop(UP)
        return weights

    edit_weights(folder, rename)
    message = refusal(folder)
    assert f"'model.layers.0.mlp.w3.weight' seems to stand for {UP!r}" in message


def test_more_weights_than_the_configuration_has_layers(folder):
    edit_json(folder / "config.json", num_hidden_layers=1)
    message = refusal(folder)
    assert "9 weights are not of this architecture: model.layers.1." in message
    assert "fewer layers" in message


def test_a_weight_of_another_shape_is_named_with_both(folder):
    edit_json(folder / "config.json", intermediate_size=64)
    message = refusal(folder)
    assert "model.layers.0.mlp.down_proj.weight has the shape (32, 48)" in message
    assert "(32, 64)" in message


def test_a_head_that_is_tied_need_not_be_there(folder):
    edit_weights(folder, without("lm_head.weight"))
    assert "Set `tie_word_embeddings` to true" in refusal(folder)
    edit_json(folder / "config.json", tie_word_embeddings=True)
    check(folder)


def test_buffers_of_old_checkpoints_are_no_fault(folder):
    def add(weights):
        weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(4)
        return weights

    edit_weights(folder, add)
    checked, _ = check(folder)
    checked.load(lambda _: None)


def test_all_faults_are_listed_at_once(folder):
    edit_weights(folder, without(UP))
    edit_json(folder / "tokenizer_config.json", eos_token=None)
    edit_json(folder / "config.json", eos_token_id=None)
    (folder / "generation_config.json").unlink()
    message = refusal(folder, context=4_000)
    assert "3 faults" in message
    assert "1 of 21 weights are missing" in message
    assert "no end-of-sequence token" in message
    assert "`context: 4000`" in message


@pytest.mark.parametrize(("value", "words"), [(float("nan"), "hold NaN"), (0.0, "all equal")])
def test_weights_without_meaning_are_refused_when_they_are_read(folder, value, words):
    edit_weights(folder, lambda weights: {n: torch.full_like(w, value) for n, w in weights.items()})
    checked, _ = check(folder)
    with pytest.raises(BaseModelError, match=words):
        checked.load(lambda _: None)


def test_the_dtype_of_the_experiment_file_holds(folder):
    for name, dtype in (("auto", torch.float32), ("bfloat16", torch.bfloat16)):
        checked, _ = check(folder, dtype=name)
        assert {p.dtype for p in checked.load(lambda _: None).model.parameters()} == {dtype}
