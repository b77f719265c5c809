"""The execution plan of a run: tokens per pass and activation checkpointing, so that it fits.

A plan never changes what an update learns. Belongs here: the choice. Does not: the estimate
(training.memory.estimate), or the loop that executes the plan (training.loop).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bioinstruct_dagster.models.base_models import CheckedBaseModel
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.memory.estimate import Estimator, MemoryEstimate, size
from bioinstruct_dagster.training.memory.faults import NotEnoughMemoryError, things_to_change
from bioinstruct_dagster.training.memory.machine import Memory, memory_of

# Steps of tokens per pass. The memory that is free changes from minute to minute; a plan that
# followed it would give other roundings, and no checkpoint would fit the next run.
_LADDER = (256, 512, 1_024, 2_048, 4_096, 8_192, 16_384)
# Beyond this many tokens, a pass of a CPU is no faster, and a GPU is busy.
_ENOUGH = {"cpu": 1_024, "cuda": 16_384}
# Below this many tokens, a GPU waits for its kernels to be started; checkpointing costs less.
_FEWEST = {"cpu": 256, "cuda": 2_048}
# An estimate that is this much above the free memory is not worth a try.
_TOO_MUCH = 1.25
# How many standard deviations above the mean share of responses a pass is estimated with.
_DEVIATIONS = 2.5


@dataclass(frozen=True)
class ExecutionPlan:
    """How updates are computed on this machine.

    Attributes:
        tokens_per_pass: the most tokens of a pass, unless a single row has more.
        activation_checkpointing: whether activations are computed twice to save memory.
        estimated_bytes: the estimated peak above what the process held after its imports.
        lines: what the log says of the estimate.
    """

    tokens_per_pass: int
    activation_checkpointing: bool
    estimated_bytes: int
    lines: tuple[str, ...] = ()


def plan(
    base: CheckedBaseModel,
    recipe: Recipe,
    examples: Sequence[Example],
    log: Callable[[str], None],
    *,
    memory: Memory | int | None = None,
    most_tokens: int | None = None,
) -> ExecutionPlan:
    """Choose how a run is executed, before the base model's weights are read. Logs the estimate.

    Args:
        base: the checked base model.
        recipe: of the run.
        examples: the rows to train on and to validate with.
        log: gets the lines of the plan.
        memory: what was free at an earlier time, or the bytes that the run may use; None for what
            is free on this machine now.
        most_tokens: the most tokens of a pass; None for what is enough for the device.

    Raises:
        NotEnoughMemoryError: the run needs much more than there is.
    """
    if isinstance(memory, int):
        memory = Memory(memory, memory, "memory")
    there = memory or memory_of(base.device)
    longest = max(example.length for example in examples)
    sizes = _sizes(base.device, longest, examples, recipe, most_tokens)
    estimator = Estimator(base, recipe)
    tried: MemoryEstimate | None = None
    for checkpointing in (False, True):
        fewest = longest if checkpointing else max(longest, _FEWEST[base.device])
        for tokens in sizes:
            if tokens < min(fewest, sizes[0]):
                continue
            predicted = predicted_tokens(examples, tokens)
            tried = estimator.estimate(tokens, predicted, checkpointing=checkpointing)
            if tried.peak <= there.usable:
                return _planned(base, tokens, tried, there, log, checkpointing=checkpointing)
    smallest = sizes[-1]
    if tried is None or tried.peak > there.free * _TOO_MUCH:
        needed = tried.describe() if tried else "unknown"
        raise NotEnoughMemoryError(
            f"Training needs an estimated {needed}, even with activation checkpointing and passes "
            f"of {smallest:,} tokens, and {size(there.free)} of {there.where} is free. "
            f"{things_to_change(longest, base.device)}"
        )
    return _planned(base, smallest, tried, there, log, checkpointing=True)


def predicted_tokens(examples: Sequence[Example], tokens: int) -> int:
    """The response tokens that a pass of this many tokens has at most, but for rare packs."""
    shares = [1 - example.prompt_tokens / example.length for example in examples]
    lengths = [example.length for example in examples]
    total = sum(lengths)
    mean = sum(share * length for share, length in zip(shares, lengths, strict=True)) / total
    spread = math.sqrt(
        sum((s - mean) ** 2 * n for s, n in zip(shares, lengths, strict=True)) / total
    )
    rows = max(1.0, tokens / (total / len(lengths)))
    share = min(max(shares), mean + _DEVIATIONS * spread / math.sqrt(rows))
    return max(1, math.ceil(share * tokens))


def _sizes(
    device: str,
    longest: int,
    examples: Sequence[Example],
    recipe: Recipe,
    most_tokens: int | None,
) -> list[int]:
    """Tokens per pass to try, in descending order. No pass is smaller than the longest row."""
    lengths = sorted((example.length for example in examples), reverse=True)
    # An update can't have more tokens than its number of longest rows.
    update = sum(lengths[: recipe.rows_per_update])
    enough = max(most_tokens or _ENOUGH[device], longest)
    steps = [step for step in _LADDER if longest < step <= enough]
    # The smallest step that holds a whole update is enough.
    whole = next((at for at, step in enumerate(steps) if step >= update), len(steps) - 1)
    return sorted({*steps[: whole + 1], longest}, reverse=True)


def _planned(
    base: CheckedBaseModel,
    tokens: int,
    estimate: MemoryEstimate,
    there: Memory,
    log: Callable[[str], None],
    *,
    checkpointing: bool,
) -> ExecutionPlan:
    how = "with" if checkpointing else "without"
    free = f"{size(there.free)} of {there.where} is free"
    # On a GPU, nothing but the run is counted.
    above = "" if base.device == "cuda" else ", above the process after its imports"
    lines = [
        f"estimated peak memory of training{above}: {estimate.describe()}; {free}",
        f"passes of {tokens:,} tokens, {how} activation checkpointing",
    ]
    if estimate.peak > there.usable:
        lines.append("the estimate is close to all memory that is free, so training may fail")
    for line in lines:
        log(line)
    return ExecutionPlan(tokens, checkpointing, estimate.peak, tuple(lines))
