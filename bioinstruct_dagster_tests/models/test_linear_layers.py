"""The linear layers of a model, and those that a recipe targets, are those that peft adapts."""

import peft
import pytest
import torch
from peft.tuners.lora import LoraLayer

from bioinstruct_dagster.models.linear_layers import (
    base_of,
    linear_layers,
    lora_matrices,
    output_layer,
    targeted,
    turned,
)


def llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, intermediate_size=24,
        )
    )  # fmt: skip


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=4))


def adapted(model, targets):
    return peft.get_peft_model(
        model, peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=targets)
    )


TARGETS = ["all-linear", "ALL-LINEAR", ["q_proj", "v_proj"], ["self_attn.q_proj"], ["lm_head"],
           r".*layers\.1\.mlp\..*_proj"]  # fmt: skip


@pytest.mark.parametrize("targets", TARGETS, ids=str)
def test_the_targets_of_a_llama_are_those_that_peft_adapts(targets):
    of_base = targeted(llama(), targets if isinstance(targets, str) else tuple(targets))
    model = adapted(llama(), targets)
    layers = {
        name: (layer.in_features, layer.out_features)
        for name, layer in base_of(model).named_modules()
        if isinstance(layer, LoraLayer)
    }
    assert {name: tuple(size) for name, size in of_base.items()} == layers
    assert targeted(model, targets if isinstance(targets, str) else tuple(targets)) == of_base


@pytest.mark.parametrize("targets", ["all-linear", ["c_attn"]], ids=str)
def test_the_targets_of_a_gpt2_are_those_that_peft_adapts(targets):
    of_base = targeted(gpt2(), targets if isinstance(targets, str) else tuple(targets))
    model = adapted(gpt2(), targets)
    layers = {n for n, layer in base_of(model).named_modules() if isinstance(layer, LoraLayer)}
    assert of_base.keys() == layers
    assert of_base["transformer.h.0.attn.c_attn"] == (16, 48)


def test_an_adapter_does_not_change_the_list_of_layers():
    plain = linear_layers(llama())
    assert linear_layers(adapted(llama(), "all-linear")) == plain
    assert len(plain) == 2 * 7 + 1
    assert plain["lm_head"] == (16, 50)
    assert plain["lm_head"].weights == 800


def test_turned_weights_are_those_of_gpt2_with_and_without_an_adapter():
    assert turned(gpt2(), linear_layers(gpt2())) == {False, True}  # its head is not turned
    assert turned(gpt2(), targeted(gpt2(), ("c_attn",))) == {True}
    assert turned(adapted(gpt2(), ["c_attn"]), targeted(gpt2(), ("c_attn",))) == {True}
    assert turned(adapted(llama(), "all-linear"), linear_layers(llama())) == {False}


def test_the_output_layer_is_named_with_and_without_an_adapter_on_it():
    assert output_layer(llama()) == "lm_head"
    assert output_layer(adapted(llama(), ["lm_head"])) == "lm_head"


def test_the_matrices_of_the_adapter_alone_are_given():
    model = adapted(llama(), ["q_proj"])
    assert [tuple(one.shape) for one in lora_matrices(model)] == [(2, 16), (16, 2)] * 2
    assert list(lora_matrices(llama())) == []
