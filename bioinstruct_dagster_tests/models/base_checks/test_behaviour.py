"""What a loaded model computes. A model that reads ahead is found whatever its name says."""

import pytest

from bioinstruct_dagster.models.base_checks.behaviour import check_behaviour
from bioinstruct_dagster.models.base_checks.findings import Findings
from bioinstruct_dagster_tests.models.base_checks.conftest import tiny_config, tiny_tokenizer


def findings_of(model):
    findings = Findings("test", "test")
    check_behaviour(model.eval(), tiny_tokenizer(), findings)
    return findings.faults


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_causal_model_has_no_fault(dtype, one_thread):
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(0)
    assert findings_of(LlamaForCausalLM(tiny_config()).to(getattr(torch, dtype))) == []


def test_a_model_that_reads_ahead_is_not_causal(one_thread):
    import torch
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(0)
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
            intermediate_size=32, initializer_range=0.2,
        )
    )  # fmt: skip
    plain = model.forward
    model.forward = lambda ids, use_cache: plain(ids)
    (fault,) = findings_of(model)
    assert "not causal" in fault
