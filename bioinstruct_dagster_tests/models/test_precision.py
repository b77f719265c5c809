"""The precision of the weights: what `auto` means, and what QLoRA needs."""

import importlib.util

import pytest
import torch

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_checks.findings import BaseModelError
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.precision import dtype_of, four_bit_fault


def test_the_dtype_of_a_cpu_is_float32_unless_the_file_says_otherwise():
    assert dtype_of("auto", "cpu") == ("float32", None)
    assert dtype_of("bfloat16", "cpu") == ("bfloat16", None)
    dtype, note = dtype_of("float16", "cpu")
    assert dtype == "float16"
    assert "overflow" in note


def test_four_bits_name_all_that_is_missing():
    message = four_bit_fault("cpu")
    assert "there is no GPU" in message
    assert "`quantization: none`" in message
    installed = importlib.util.find_spec("bitsandbytes") is not None
    assert ("bioinstruct-dagster[qlora]" in message) is not installed
    assert (four_bit_fault("cuda") is None) is installed


@pytest.mark.skipif(torch.cuda.is_available(), reason="four bits work on this machine")
def test_four_bits_without_a_gpu_are_refused_before_anything_is_loaded(tmp_path):
    with pytest.raises(BaseModelError, match="QLoRA"):
        base_models.check(
            BaseModelSpec(source="rehearsal", pretraining_steps=1), tmp_path, lambda _: None, "nf4"
        )
