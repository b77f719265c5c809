"""One weight that is no number refuses a base model, and is named."""

import pytest

from bioinstruct_dagster.models.base_checks.findings import BaseModelError, Findings
from bioinstruct_dagster.models.base_checks.values import check_values, stored_weights
from bioinstruct_dagster.models.base_checks.weight_files import WEIGHTS
from bioinstruct_dagster_tests.models.base_checks.conftest import check

QUERY = "model.layers.1.self_attn.q_proj.weight"


def faults_of(weights):
    findings = Findings("test", "test")
    check_values(weights, findings)
    return findings.faults


def damaged(folder, value):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / WEIGHTS)
    weights[QUERY][0, 0] = value
    save_file(weights, folder / WEIGHTS, {"format": "pt"})


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("place", [(0, 0), (60, 70), (-1, -1)])
def test_one_value_that_is_not_finite_is_found(dtype, value, place):
    import torch

    weight = torch.ones(64, 80, dtype=getattr(torch, dtype))
    assert faults_of([("whole", weight), ("step", torch.zeros(3, dtype=torch.int64))]) == []
    weight[place] = float(value)
    (fault,) = faults_of([("whole", torch.ones(2)), ("broken", weight)])
    assert fault.startswith("1 of 2 weights hold NaN or infinity: broken.")


def test_a_model_with_one_nan_is_refused_by_the_name_of_the_weight(folder):
    damaged(folder, float("nan"))
    with pytest.raises(BaseModelError, match=f"1 of .* hold NaN or infinity: {QUERY}"):
        check(folder)[0].load(print)


def test_the_files_are_read_for_a_model_in_4_bits(folder):
    assert faults_of(stored_weights(folder, "cpu")) == []
    damaged(folder, float("inf"))
    (fault,) = faults_of(stored_weights(folder, "cpu"))
    assert QUERY in fault
