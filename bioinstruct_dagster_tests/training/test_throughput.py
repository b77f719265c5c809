"""Counted operations agree with the counter of torch; the facts are those of the machine."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.training.throughput import (
    DATA_SHEET_TFLOPS,
    _data_sheet,
    flops_per_token,
    hardware,
    library_versions,
    measured_limit,
    memory_in_use,
    peak_memory,
    restart_peak,
)


def llama(device="cpu", **shape):
    from transformers import LlamaConfig, LlamaForCausalLM

    usual = {
        "vocab_size": 300,
        "hidden_size": 64,
        "num_hidden_layers": 12,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 160,
        "max_position_embeddings": 256,
    }
    with torch.device(device):
        return LlamaForCausalLM(LlamaConfig(**usual | shape, attn_implementation="eager"))


def adapted(model, rank=4, targets="all-linear"):
    import peft

    config = peft.LoraConfig(task_type="CAUSAL_LM", r=rank, target_modules=targets)
    return peft.get_peft_model(model, config)


def example(length, prompt):
    return Example("row", list(range(1, length + 1)), prompt)


def counted(model, length, predicting, device="cpu"):
    """The operations of a training pass on one row, by torch's own counter."""
    ids = torch.ones(1, length, dtype=torch.long, device=device)
    model.train()
    with FlopCounterMode(display=False) as counter:
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=predicting).logits
        logits.float().sum().backward()
    return counter.get_total_flops() / length


@pytest.mark.parametrize(
    ("rank", "targets"), [(4, "all-linear"), (16, "all-linear"), (8, ["q_proj", "v_proj"])]
)
@pytest.mark.parametrize(("length", "prompt"), [(40, 1), (200, 60)])
def test_the_formula_agrees_with_torchs_counter(rank, targets, length, prompt):
    model = adapted(llama(), rank, targets)
    ours = flops_per_token(model, [example(length, prompt)])
    assert ours == pytest.approx(counted(model, length, length - prompt), rel=0.03)


def test_the_formula_agrees_with_the_counted_table_of_llama_2_7b():
    # Counted on meta tensors with T = 200 and all logits: 26.88 billion operations a token.
    shape = {"vocab_size": 32_000, "hidden_size": 4096, "num_hidden_layers": 32}
    shape |= {"num_attention_heads": 32, "num_key_value_heads": 32, "intermediate_size": 11_008}
    model = adapted(llama("meta", **shape), rank=16)
    assert flops_per_token(model, [example(200, 1)]) == pytest.approx(26.88e9, rel=0.01)


def test_rows_of_several_lengths_count_by_their_tokens():
    model = adapted(llama())
    one, other = example(40, 10), example(200, 60)
    alone = [flops_per_token(model, [row]) for row in (one, other)]
    both = flops_per_token(model, [one, other])
    assert both == pytest.approx((40 * alone[0] + 200 * alone[1]) / 240)


def test_a_mixture_of_experts_is_not_counted():
    model = adapted(llama())
    model.config.num_local_experts = 8
    assert flops_per_token(model, [example(40, 10)]) is None


def test_the_limit_is_measured_without_touching_the_seeded_draws():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    limit = measured_limit("cpu", "float32")
    assert torch.equal(state, torch.get_rng_state())
    assert 1e8 < limit.flops_per_second < 1e15
    assert limit.to_json()["data_sheet"] is None
    assert limit.name == "the measured matmul speed"


@pytest.mark.parametrize(
    ("name", "tflops"),
    [
        ("NVIDIA H200", 989.4),
        ("NVIDIA H100 80GB HBM3", 989.4),
        ("NVIDIA H100 PCIe", 756.0),
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA L4", 121.0),
        ("NVIDIA L40S", 362.05),
        ("Tesla V100-SXM2-16GB", 125.0),
        ("Tesla T4", 65.0),
        ("NVIDIA GeForce RTX 4090", 165.2),
    ],
)
def test_a_gpu_is_found_in_the_table_by_its_name(name, tflops):
    assert _data_sheet(name) == tflops * 1e12


def test_an_unknown_gpu_has_no_data_sheet():
    assert _data_sheet("NVIDIA T400 4GB") is None
    assert DATA_SHEET_TFLOPS["A10"] > DATA_SHEET_TFLOPS["A10G"]


def test_memory_is_that_of_this_process():
    before = peak_memory()
    block = torch.ones(64 * 2**20 // 4)
    assert memory_in_use() > block.nbytes
    assert peak_memory() >= max(before, block.nbytes)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")
def test_the_peak_can_begin_anew():
    block = torch.ones(256 * 2**20 // 4)
    assert peak_memory() >= block.nbytes
    del block
    restart_peak()
    assert peak_memory() - memory_in_use() < 64 * 2**20


def test_hardware_and_libraries_are_named():
    facts = hardware()
    assert facts["processor"]
    assert facts["threads"] == torch.get_num_threads()
    assert facts["memory_bytes"] > 2**30
    assert library_versions()["torch"] == torch.__version__
