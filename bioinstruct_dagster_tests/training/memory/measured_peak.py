"""Trains in this process as a run does, and prints the estimate and the measured peak as JSON.

Run `python -m bioinstruct_dagster_tests.training.memory.measured_peak CASE`. CASE is JSON: source,
models_dir, recipe, rows and limits of the plan. The peak is that of the resident memory above what
the process held after its imports.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any


class Silent:
    """A progress that nobody reads."""

    def update(self, *_args: Any, **_values: Any) -> None:
        """Ignore an update."""

    def validation(self, *_args: Any) -> None:
        """Ignore a validation."""


def resident(field: str) -> int:
    """A field of /proc/self/status in bytes: VmRSS, or its highest value VmHWM."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def examples(rows: int, vocabulary: int, longest: int) -> list[Any]:
    """Rows of random tokens; half of each is a response."""
    from bioinstruct_dagster.models.encoding import Example

    draw = random.Random(0)
    made = []
    for number in range(rows):
        length = draw.randrange(40, longest)
        ids = [draw.randrange(3, vocabulary) for _ in range(length)]
        made.append(Example(f"row-{number}", ids, length // 2))
    return made


def main(case: dict[str, Any]) -> dict[str, Any]:
    import peft
    import torch
    import transformers.models.llama.modeling_llama  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed  # noqa: F401

    from bioinstruct_dagster.models import base_models
    from bioinstruct_dagster.models.experiments import BaseModelSpec, Recipe
    from bioinstruct_dagster.models.linear_layers import lora_config
    from bioinstruct_dagster.models.process.large_blocks import return_large_blocks
    from bioinstruct_dagster.training.loop import optimize
    from bioinstruct_dagster.training.memory import plan

    torch.set_num_threads(1)
    return_large_blocks()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # VmHWM begins anew
    lines: list[str] = []
    recipe = Recipe(**case["recipe"])
    spec = BaseModelSpec(source=case["source"], pretraining_steps=1, prompt="alpaca")
    checked = base_models.check(spec, Path(case["models_dir"]), lines.append)
    rows = examples(case["rows"], checked.config.vocab_size, recipe.max_length)
    chosen = plan(checked, recipe, rows, lines.append, **case.get("limits", {}))
    base = checked.load(lines.append)
    loaded = resident("VmHWM") - before
    set_seed(1)
    model = peft.get_peft_model(
        base.model,
        lora_config(recipe),
    )
    optimize(
        model, base, rows, [], recipe, seed=1, plan=chosen, checkpoints=None, progress=Silent()
    )
    return {
        "estimated": chosen.estimated_bytes,
        "measured": resident("VmHWM") - before,
        "loaded": loaded,
        "tokens_per_pass": chosen.tokens_per_pass,
        "activation_checkpointing": chosen.activation_checkpointing,
        "lines": lines,
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))  # noqa: T201
