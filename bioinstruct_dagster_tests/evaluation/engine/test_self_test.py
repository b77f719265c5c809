"""Models of many architectures compute log-likelihoods as trees, or are found out."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from bioinstruct_dagster.evaluation.engine import tree_attention
from bioinstruct_dagster.evaluation.engine.log_likelihoods import log_likelihoods
from bioinstruct_dagster.evaluation.engine.self_test import way_of
from bioinstruct_dagster_tests.evaluation.engine.architectures import (
    ARCHITECTURES,
    BLOOM,
    FALCON_H1,
    GEMMA2,
    MAMBA,
    small_model,
)
from bioinstruct_dagster_tests.evaluation.engine.test_log_likelihoods import (
    alone,
    made_requests,
)

REQUESTS = made_requests(12)


def made(name, **changes):
    model = small_model(name, **changes)
    for weight in model.parameters():
        if weight.ndim > 1:  # so that it matters what a token sees
            torch.nn.init.normal_(weight, std=0.2)
    return SimpleNamespace(model=model, device="cpu", tokenizer=SimpleNamespace(pad_token_id=0))


def greatest_difference(base):
    subjects = SimpleNamespace(alone=lambda _: nullcontext(base.model))
    found = log_likelihoods(
        subjects, base, {"base": REQUESTS}, tokens_per_pass=700, tell=lambda _: None
    )
    values = {result.key: result.log_likelihoods for _, result in found}
    return max(
        abs(one - two)
        for request in REQUESTS
        for one, two in zip(values[request.key], alone(base.model, request), strict=True)
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *ARCHITECTURES,
        (
            "qwen3_moe",
            {
                "head_dim": 8,
                "num_experts": 4,
                "num_experts_per_tok": 2,
                "moe_intermediate_size": 24,
            },
        ),
    ],
)
def test_trees_give_what_rows_alone_give(name, changes):
    base = made(name, **changes)
    assert way_of(base, REQUESTS).name == "tree"
    assert greatest_difference(base) < 1e-4


@pytest.mark.parametrize(
    ("name", "changes", "way"),
    [
        (*MAMBA, "batches"),
        (*BLOOM, "batches"),
        (*GEMMA2, "batches"),  # caps the scores
        (*FALCON_H1, "batches"),
        (
            "llama",
            {
                "rope_parameters": {
                    "rope_type": "dynamic",
                    "factor": 2.0,
                    "rope_theta": 10_000.0,
                },
                "max_position_embeddings": 64,
            },
            "rows",
        ),
    ],
)
def test_a_model_that_can_t_compute_trees_is_found_and_computed_otherwise(name, changes, way):
    base = made(name, **changes)
    found = way_of(base, REQUESTS)
    assert found.name == way
    assert found.reason
    assert greatest_difference(base) < 1e-4


def test_a_leak_between_requests_is_found_in_16_bits_too(monkeypatch):
    base = made("llama")
    base.model.to(torch.bfloat16)
    assert way_of(base, REQUESTS).name == "tree"
    whole = tree_attention.TreeMasks.attend

    def leaking(self, heads, scaling, window):
        """Each token is mixed with a thousandth of the first."""
        output = whole(self, heads, scaling, window)
        return output + 0.001 * output[:, :30].mean(1, keepdim=True)

    monkeypatch.setattr(tree_attention.TreeMasks, "attend", leaking)
    found = way_of(base, REQUESTS)
    assert found.name != "tree"


def test_in_bfloat16_log_likelihoods_agree_as_far_as_rounding_allows():
    base = made("llama")
    base.model.to(torch.bfloat16)
    assert greatest_difference(base) < 0.2  # of sums over up to seven tokens
