"""Out of memory becomes a message; other errors stay what they are."""

import pytest

from bioinstruct_dagster.training.memory import ExecutionPlan, killed_message, memory_fault

PLAN = ExecutionPlan(1_024, False, 3 * 2**30)


def out_of_memory():
    """The error of torch's CPU allocator."""
    import torch

    try:
        torch.empty(2**50, dtype=torch.int8)
    except RuntimeError as error:
        return error
    raise AssertionError("this machine has a pebibyte of memory")


def test_the_allocators_of_torch_and_python_are_recognised():
    import torch

    for error in (out_of_memory(), torch.OutOfMemoryError("CUDA out of memory."), MemoryError()):
        message = str(memory_fault(error, PLAN))
        assert "The estimate was 3.0 GiB" in message
        assert "passes of 1,024 tokens without activation checkpointing" in message
        assert all(f"({number})" in message for number in (1, 2, 3))


@pytest.mark.parametrize(
    "error", [ValueError("out of memory"), RuntimeError("a fault"), KeyError()]
)
def test_other_errors_are_no_memory_faults(error):
    assert memory_fault(error, PLAN) is None


def test_without_a_plan_the_message_still_says_what_to_change():
    assert "max_length" in str(memory_fault(MemoryError()))


def test_a_killed_process_is_explained():
    message = killed_message(PLAN)
    assert "SIGKILL" in message
    assert "3.0 GiB" in message
    assert "(3)" in message
