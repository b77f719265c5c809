"""The estimate of the peak memory of a training run: weights, adapter, and one pass.

Belongs here: adding up the parts. Does not: counting a pass (training.memory.dry_run), or choosing
how a run is executed (training.memory.planning).
"""

from dataclasses import dataclass
from functools import cached_property

from bioinstruct_dagster.models.base_models import CheckedBaseModel
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.memory.dry_run import DryModel, dry_model, pass_bytes

# LoRA's weights, their gradients, and AdamW's two moments, each in float32.
_ADAPTER_BYTES = 4 * 4
# NF4: 4 bits a weight, and for each 64 weights a constant of 8 bits, itself with constants
# (QLoRA, Dettmers et al. 2023, section 3: 0.127 bits a weight).
_NF4_BYTES = (4 + 0.127) / 8
# Measured with bioinstruct_dagster_tests/training/memory/measured_peak.py on the embedded model and
# SmolLM2-135M (glibc 2.36): what the process takes besides tensors, such as code that is loaded on
# first use, the tokenizer, rows, and buffers of the matrix library.
_CPU_PROCESS = 90 * 2**20
# torch asks for blocks that are aligned to 64 bytes. glibc before 2.38 can't put such a block into
# the gap that an equal block has left, so the heap grows beyond the living tensors. Dropout's masks
# live as long as the pass and leave fewer gaps.
_CPU_GAPS = 1.35
_CPU_GAPS_WITH_DROPOUT = 1.25
# cuBLAS and the attention kernel keep workspaces of 32 MiB or more on a Hopper GPU; the allocator
# rounds blocks up to 2 MiB.
_GPU_WORKSPACE = 200 * 2**20
_GPU_GAPS = 1.02


@dataclass(frozen=True)
class MemoryEstimate:
    """The parts of the peak in bytes, above what the process holds after its imports."""

    weights: int
    adapter: int
    one_pass: int
    process: int

    @property
    def peak(self) -> int:
        """The sum of all parts."""
        return self.weights + self.adapter + self.one_pass + self.process

    def describe(self) -> str:
        """The parts in words."""
        return (
            f"{size(self.peak)} = weights {size(self.weights)} + adapter with gradients and AdamW "
            f"{size(self.adapter)} + one pass {size(self.one_pass)} + process {size(self.process)}"
        )


@dataclass(frozen=True)
class Estimator:
    """Estimates for one base model and one recipe."""

    base: CheckedBaseModel
    recipe: Recipe

    @cached_property
    def _dry(self) -> DryModel:
        return dry_model(self.base.config, self.recipe, self.base.dtype, self.base.device)

    def estimate(self, tokens: int, predicted: int, *, checkpointing: bool) -> MemoryEstimate:
        """The peak when passes have this many tokens, and predict this many of them."""
        dry = self._dry
        one_pass = pass_bytes(dry, tokens, predicted, checkpointing=checkpointing)
        weights = dry.weight_bytes
        if self.base.quantization == "nf4":
            # The embedding, the head and the norms get 32 bits.
            others = dry.weight_count - dry.linear_weights
            weights = int(others * 4 + dry.linear_weights * _NF4_BYTES)
            one_pass += dry.largest_weight * 2  # a layer's weights as they are multiplied
        adapter = dry.adapter_weights * _ADAPTER_BYTES
        if self.base.device == "cuda":
            return MemoryEstimate(weights, adapter, int(one_pass * _GPU_GAPS), _GPU_WORKSPACE)
        gaps = _CPU_GAPS_WITH_DROPOUT if self.recipe.lora_dropout else _CPU_GAPS
        return MemoryEstimate(weights, adapter, int(one_pass * gaps), _CPU_PROCESS)


def size(count: int) -> str:
    """Bytes in words: MiB below a GiB."""
    return f"{count / 2**20:,.0f} MiB" if count < 2**30 else f"{count / 2**30:,.1f} GiB"
