"""How fast training could be: the operations that a token needs, and the speed of the machine.

Belongs here: counting operations from a model's shape, measuring matrix products, and reading
memory, hardware and library versions. Does not: what a user sees of it (training.progress), or the
memory that training will need (training.memory).
"""

import os
import platform
import re
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.linear_layers import linear_layers, lora_matrices, output_layer

# Dense tensor-core speed in bfloat16 with float32 sums, in TFLOP/s, without sparsity (float16 for
# V100 and T4, which have no bfloat16). Source of each: NVIDIA's data sheet of the product. The
# first name that the device's name contains counts, so longer names stand first.
DATA_SHEET_TFLOPS = {
    "B200": 2250.0,
    "H200 NVL": 835.5,
    "H200": 989.4,
    "H100 PCIe": 756.0,
    "H100 NVL": 835.5,
    "H100": 989.4,
    "A100": 312.0,
    "L40S": 362.05,
    "L40": 181.05,
    "L4": 121.0,
    "A10G": 70.0,
    "A10": 125.0,
    "A6000": 154.8,
    "V100": 125.0,
    "T4": 65.0,
    "RTX 4090": 165.2,
    "RTX 3090": 71.0,
}
_LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "numpy")
_CPU_SIDE, _GPU_SIDE = 1024, 8192  # of the square matrices that are multiplied
_REPEATS = 5
_MOST_SECONDS = 0.5  # of measuring: a processor without bfloat16 multiplies it very slowly
_MIXTURES = ("num_experts", "num_local_experts", "n_routed_experts")


@dataclass(frozen=True)
class SpeedLimit:
    """The speed of the device's matrix products, measured.

    Attributes:
        name: what the speed is, as it follows the words "45 % of".
        flops_per_second: floating-point operations a second.
        data_sheet: the device's speed by its data sheet; None if the table does not have it.
    """

    name: str
    flops_per_second: float
    data_sheet: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The limit as JSON values."""
        return asdict(self)


def flops_per_token(model: Any, examples: Sequence[Example]) -> float | None:
    """Floating-point operations that training needs for a useful token, on average over examples.

    A linear layer of n weights needs 2n operations a token forward, and 2n backward for the
    gradient of its input. The gradient of its own weight is needed only where the weight is
    trained, as LoRA's two matrices are. Attention of a row with T tokens is counted with all T x T
    pairs, as torch's FlopCounterMode counts it: 4 T d forward and 8 T d backward a token, where d
    is the width of all heads. The output layer counts for tokens that predict a response token.
    What activation checkpointing computes again is not counted: it is no use to the model.

    Args:
        model: the base model with its adapter, on any device, quantized or not.
        examples: the rows that are trained on.

    Returns:
        None for a mixture of experts, whose layers do not all see each token.
    """
    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else None
    if config is None or any(getattr(config, name, None) for name in _MIXTURES):
        return None
    frozen, trained, head = _weights(model)
    heads = config.num_attention_heads
    width = heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)
    tokens = sum(example.length for example in examples)
    pairs = sum(example.length**2 for example in examples)
    predicting = sum(example.length - example.prompt_tokens for example in examples)
    attention = 12.0 * config.num_hidden_layers * width * pairs
    total = tokens * (4.0 * frozen + 6.0 * trained) + predicting * 4.0 * head + attention
    return float(total / tokens)


def _weights(model: Any) -> tuple[int, int, int]:
    """The numbers of weights in linear layers: frozen, trained (LoRA's), and the output layer's."""
    output = output_layer(model)
    layers = linear_layers(model)
    head = layers[output].weights if output in layers else 0
    frozen = sum(size.weights for size in layers.values()) - head
    return frozen, sum(int(matrix.numel()) for matrix in lora_matrices(model)), head


@cache
def measured_limit(device: str, dtype: str) -> SpeedLimit:
    """The best of five products of square matrices on the device, in half a second at most.

    The matrices are drawn from a generator of their own, so that the seeded draws of training stay
    as they are.

    Args:
        device: a device of torch, such as `cpu` or `cuda:1`.
        dtype: the name of the weights' type in torch, such as `bfloat16`.
    """
    import torch

    cuda = device.startswith("cuda")
    side = _GPU_SIDE if cuda else _CPU_SIDE
    own = torch.Generator(device=device).manual_seed(0)
    one, other = (
        torch.randn(side, side, generator=own, device=device).to(getattr(torch, dtype))
        for _ in range(2)
    )
    best, begun = float("inf"), time.perf_counter()
    for _ in range(_REPEATS + 1):  # the first one loads the library
        if cuda:
            torch.cuda.synchronize(device)
        started = time.perf_counter()
        one @ other
        if cuda:
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - started)
        if time.perf_counter() - begun > _MOST_SECONDS:
            break
    sheet = _data_sheet(torch.cuda.get_device_name(device)) if cuda else None
    return SpeedLimit("the measured matmul speed", 2.0 * side**3 / best, sheet)


def _data_sheet(device_name: str) -> float | None:
    """The speed of a GPU by its data sheet, in FLOP/s; None if the table does not have it."""
    words = re.sub(r"[-_]", " ", device_name)
    return next(
        (
            tflops * 1e12
            for name, tflops in DATA_SHEET_TFLOPS.items()
            if re.search(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])", words)
        ),
        None,
    )


def memory_in_use() -> int:
    """Bytes in use now: on all GPUs of this process, else the resident memory of the process."""
    if cuda := _used_cuda():
        return sum(cuda.memory_reserved(at) for at in range(cuda.device_count()))
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except (OSError, ValueError):  # not Linux
        return peak_memory()


def peak_memory() -> int:
    """The most bytes that were in use since `restart_peak`, counted as by `memory_in_use`."""
    if cuda := _used_cuda():
        return sum(cuda.max_memory_reserved(at) for at in range(cuda.device_count()))
    try:
        # Not getrusage's value: that one also counts the process that started this one.
        status = Path("/proc/self/status").read_text("ascii", errors="replace")
    except OSError:
        status = ""
    if found := re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE):
        return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def restart_peak() -> None:
    """Let `peak_memory` begin anew, where the system allows it (not on macOS)."""
    if cuda := _used_cuda():
        for at in range(cuda.device_count()):
            cuda.reset_peak_memory_stats(at)
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


@cache
def memory_after_imports() -> int:
    """Bytes of main memory that this process held when it had imported what training needs.

    The estimate of training.memory counts from there. The first call imports the libraries, so it
    has to come before any weights are read.
    """
    import peft  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401

    return memory_in_use()


def _used_cuda() -> Any:
    """torch.cuda if this process uses it, else None. torch is not imported for it."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


def hardware() -> dict[str, Any]:
    """The machine: its processor, the processors and threads of this process, memory and GPUs."""
    facts: dict[str, Any] = {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }
    if torch := sys.modules.get("torch"):
        facts["threads"] = torch.get_num_threads()
    if cuda := _used_cuda():
        facts["gpus"] = [cuda.get_device_name(at) for at in range(cuda.device_count())]
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        lines = ""
    named = re.search(r"^model name\s*: (.+)$", lines, re.MULTILINE)
    return named[1].strip() if named else platform.machine()


def library_versions() -> dict[str, str]:
    """The versions of Python and of the libraries that compute."""
    found = {"python": platform.python_version()}
    return found | {name: one for name in _LIBRARIES if (one := _version(name))}


def project_version() -> str | None:
    """The version of this project; None if it runs without being installed."""
    return _version("bioinstruct-dagster")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
