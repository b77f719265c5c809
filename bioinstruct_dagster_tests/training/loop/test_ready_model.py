"""A model is switched to training and back."""

import pytest

from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop.ready_model import (
    half_of,
    ready_to_train,
    repeatable_kernels,
)
from bioinstruct_dagster_tests.training.loop.tiny_training import RECIPE, tiny_model, with_adapter


def adapted(dtype="float32"):
    return with_adapter(tiny_model(dtype), Recipe(**RECIPE)).eval()


def state(model):
    """All that is switched."""
    inner = model.get_base_model()
    layer = inner.model.layers[0]
    return {
        "training": model.training,
        "attention": inner.config._attn_implementation,
        "recomputes": layer.gradient_checkpointing,
        "casts": layer.mlp.up_proj.cast_input_dtype_enabled,
        "lean": "forward" in vars(layer.mlp.up_proj),
    }


USUAL = {
    "training": False,
    "attention": "sdpa",
    "recomputes": False,
    "casts": True,
    "lean": False,
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_is_switched_on_is_switched_off_also_after_an_error(packed, recompute, dtype):
    model = adapted(dtype)
    assert state(model) == USUAL
    inside = []

    def fail():
        with ready_to_train(model, packed=packed, recompute=recompute):
            inside.append(state(model))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert inside == [
        {
            "training": True,
            "attention": "segments" if packed else "sdpa",
            "recomputes": recompute,
            "casts": dtype == "float32",
            "lean": True,
        }
    ]
    assert state(model) == USUAL


def test_a_base_of_16_bits_is_known():
    import torch

    assert half_of(adapted("bfloat16")) == torch.bfloat16
    assert half_of(adapted("float16")) == torch.float16
    assert half_of(adapted("float32")) is None
    assert half_of(adapted("float64")) is None


def test_repeatable_kernels_are_asked_for_inside_the_block_alone():
    import torch

    assert not torch.are_deterministic_algorithms_enabled()
    with repeatable_kernels():
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory
