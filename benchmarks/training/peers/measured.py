"""The frame of each run: read the job, load the model, mark the clock at each update, and report.

Every mode trains the same rows from the same first weights, in a process of its own. Figures begin
at the end of the warm-up updates, so imports, the first allocations and a trainer's preparations
are left out. It uses nothing but torch, transformers and peft, because each peer's interpreter
runs it.
"""

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

IGNORED = -100  # torch's cross-entropy leaves out tokens with this label


@dataclass(frozen=True)
class Job:
    """The job of a runner, as the harness writes it."""

    runner: str
    base: Path  # a model's folder; without weights, the model gets random ones
    rows: Path
    held_out: Path
    result: Path
    folder: Path  # the run's own
    options: Mapping[str, Any]

    @property
    def device(self) -> str:
        """Where the model is: cpu or cuda."""
        return str(self.options.get("device", "cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """Of the base's weights."""
        return getattr(torch, str(self.options.get("dtype", "float32")))

    @property
    def rows_per_update(self) -> int:
        """The effective batch."""
        return int(self.options["rows_per_update"])

    @property
    def updates(self) -> int:
        """Of the whole run, warm-up included."""
        return -(-len(self.read(self.rows)) // self.rows_per_update)

    def read(self, path: Path) -> list[dict[str, Any]]:
        """The lines of a file of the material."""
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def read_job(path: Path) -> Job:
    """The job in this file."""
    job = json.loads(path.read_text("utf-8"))
    paths = {name: Path(job[name]) for name in ("base", "rows", "held_out", "result", "folder")}
    return Job(runner=job["runner"], options=job["options"], **paths)


def labels_of(row: Mapping[str, Any]) -> list[int]:
    """The row's labels: the loss is on the response only."""
    ids, prompt = row["input_ids"], row["prompt_tokens"]
    return [IGNORED] * prompt + list(ids[prompt:])


@dataclass
class Marks:
    """The clocks and the tokens at the end of each update.

    Attributes:
        useful: tokens of rows that the model has seen.
        positions: tokens that the model has computed, padding included.
    """

    useful: int = 0
    positions: int = 0
    ends: list[tuple[float, float, int, int]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def saw(self, useful: int, positions: int) -> None:
        """Count the tokens of a pass."""
        self.useful += useful
        self.positions += positions

    def update_ended(self) -> None:
        """Mark the end of an update. On a GPU, waits until its work is done."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = (time.process_time(), time.perf_counter(), self.useful, self.positions)
        self.ends.append(now)

    def counts(self, model: torch.nn.Module) -> None:
        """Count the tokens of every pass of this model from now on."""

        def seen(_model: torch.nn.Module, _args: Any, given: dict[str, Any]) -> None:
            if not self.counting:
                return
            ids, mask = given["input_ids"], given.get("attention_mask")
            self.saw(int(mask.sum()) if mask is not None else ids.numel(), ids.numel())

        self.counting = True
        model.register_forward_pre_hook(seen, with_kwargs=True)

    counting: bool = False

    def figures(self, warm: int) -> dict[str, Any]:
        """The figures from the end of the warm-up updates to the end of the last one."""
        start, end = self.ends[warm - 1], self.ends[-1]
        cpu, wall, useful, positions = (b - a for a, b in zip(start, end, strict=True))
        return {
            "cpu": cpu,
            "wall": wall,
            "tokens": useful,
            "per_cpu_second": useful / cpu,
            "per_second": useful / wall,
            "useful": useful / positions,
            "updates": len(self.ends),
        }


def base_model(job: Job, attention: str = "sdpa") -> Any:
    """The base model on its device. Without weights in the folder, the weights are random."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    if any(job.base.glob("*.safetensors")):
        model = AutoModelForCausalLM.from_pretrained(
            job.base, dtype=job.dtype, attn_implementation=attention
        )
    else:
        config = AutoConfig.from_pretrained(job.base)
        with torch.device(job.device):
            model = AutoModelForCausalLM.from_config(
                config, dtype=job.dtype, attn_implementation=attention
            )
    return model.to(job.device)


def lora_config(job: Job) -> Any:
    """The adapter that all modes train: all linear layers, no dropout."""
    from peft import LoraConfig

    rank = int(job.options["rank"])
    return LoraConfig(task_type="CAUSAL_LM", r=rank, lora_alpha=rank, target_modules="all-linear")


def lora_model(job: Job, attention: str = "sdpa") -> Any:
    """The base model with an adapter of the same first weights in every mode."""
    from peft import get_peft_model

    model = get_peft_model(base_model(job, attention), lora_config(job))
    reset(model)
    return model


def reset(model: torch.nn.Module) -> None:
    """Give the adapter the first weights that it has in every mode, however it was made."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if "lora_A" in name:
                bound = 1 / math.sqrt(weight.shape[1])  # as peft: Kaiming-uniform, a = sqrt(5)
                fresh = torch.empty(weight.shape).uniform_(-bound, bound, generator=generator)
                weight.copy_(fresh)
            elif "lora_B" in name:
                weight.zero_()


def held_out_loss(model: Any, job: Job) -> float:
    """The mean loss per response token on rows that no mode trains, row by row."""
    total, count = 0.0, 0
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        for row in job.read(job.held_out):
            ids = torch.tensor([row["input_ids"]], device=job.device)
            prompt = row["prompt_tokens"]
            logits = model(input_ids=ids, use_cache=False).logits[0, prompt - 1 : -1].float()
            total += torch.nn.functional.cross_entropy(
                logits, ids[0, prompt:], reduction="sum"
            ).item()
            count += ids.shape[1] - prompt
    model.train(was_training)
    return total / count


def peak_bytes(device: str) -> int:
    """The most memory that this process held: on a GPU its allocations, else of the machine."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


@dataclass
class Trained:
    """What a runner gives back: the model, its marks, and figures of its own."""

    model: Any
    marks: Marks
    more: dict[str, Any] = field(default_factory=dict)


Runner = Callable[[Job], Trained]


def run(runners: Mapping[str, Runner], packages: tuple[str, ...], path: str = "") -> None:
    """Run the job named on the command line, and write its figures."""
    job = read_job(Path(path or sys.argv[1]))
    torch.set_num_threads(int(job.options.get("threads", 1)))
    trained = runners[job.runner](job)
    figures = trained.marks.figures(int(job.options["warm_updates"])) | trained.more
    figures["peak_bytes"] = peak_bytes(job.device)
    trained.marks.counting = False
    figures["loss"] = held_out_loss(trained.model, job)
    figures["versions"] = {name: version(name) for name in packages}
    job.result.write_text(json.dumps(figures), "utf-8")
