"""`python -m benchmarks.training.gpu`: useful tokens per second on one GPU, beside TRL's defaults.

It trains a randomly initialised Llama-2 of the shapes 7B and 13B in bfloat16, with rank 16 on all
linear layers, and ends within eight minutes on one H200. Nothing is downloaded but TRL, unless the
present interpreter or `--peer-python` already has it. Without a GPU it says so and ends.
`--device cpu --shape small` shows on any machine that it works.

Belongs here: the session on a GPU and its table. Does not: the modes (ours, peers).
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.documents import machine, table_head, table_line
from benchmarks.environments import PeerInstallError
from benchmarks.training.law import made_rows
from benchmarks.training.material import HELD_OUT, SEED, Material, write_base, write_rows
from benchmarks.training.runs import MODES, RunError, Session

GPU_MODES = ("ours", "trl_defaults")
ROWS_PER_UPDATE = 32  # the largest effective batch of the recipes of today's evidence
UPDATES, WARM_UPDATES = 10, 2
MINUTES = 8.0
_SECONDS_OF_A_RUN = 60.0  # no run is started with less time left
_GIB, _TERA = 1 << 30, 1e12
H200_TFLOPS = 790.0  # bfloat16, measured on a product of two matrices of 8,192 x 8,192


@dataclass(frozen=True)
class GpuShape:
    """A shape of Llama, and the goal for it in useful tokens per second on an H200."""

    config: dict[str, int]
    goal: float | None = None


def _llama(hidden: int, layers: int, heads: int, intermediate: int) -> dict[str, int]:
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": intermediate,
        "vocab_size": 32_000,
        "max_position_embeddings": 4_096,
    }


SHAPES = {
    "7b": GpuShape(_llama(4_096, 32, 32, 11_008), 15_000),
    "13b": GpuShape(_llama(5_120, 40, 40, 13_824), 7_600),
    "small": GpuShape(_llama(64, 2, 4, 176)),
}


@dataclass(frozen=True)
class GpuRun:
    """What one mode reached with one shape, or the reason for none."""

    shape: str
    mode: str
    values: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table."""
    options = _parser().parse_args(arguments)
    if reason := no_device(options.device):
        print(f"Skipped: {reason}.")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="bench-gpu-", dir=options.scratch))
    python = options.peer_python or (Path(sys.executable) if find_spec("trl") else None)
    session = Session(folder, threads=options.threads, peer_python=python)
    where = machine([_device_name(options.device)])
    try:
        runs = list(_measured(session, options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        lines = (json.dumps(vars(run)) + "\n" for run in runs)
        options.json.write_text("".join(lines), "utf-8")
    print(render(runs, where, options.tflops))
    return 0


def no_device(device: str) -> str | None:
    """The reason why the device can't be used; None if it can."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        return "torch sees no CUDA device on this machine"
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training.gpu", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--shape", nargs="+", choices=tuple(SHAPES), default=["7b", "13b"])
    parser.add_argument("--only", nargs="+", choices=GPU_MODES, default=list(GPU_MODES))
    parser.add_argument("--updates", type=int, default=UPDATES, help="of 32 rows each")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for the whole session")
    parser.add_argument("--tflops", type=float, default=H200_TFLOPS, help="limit of the device")
    parser.add_argument("--threads", type=int, default=4, help="CPU threads of each process")
    parser.add_argument("--peer-python", type=Path, help="an interpreter that has TRL")
    parser.add_argument("--json", type=Path, help="write every run's figures here, as JSON lines")
    parser.add_argument("--scratch", type=Path, help="a folder for the session")
    return parser


def _measured(session: Session, options: argparse.Namespace) -> Iterator[GpuRun]:
    ends = time.monotonic() + 60 * options.minutes
    for shape in options.shape:
        material = _material(session.folder / shape, SHAPES[shape], options.updates)
        for mode in options.only:
            left = ends - time.monotonic()
            if left < _SECONDS_OF_A_RUN:
                yield GpuRun(shape, mode, error=f"{max(0.0, left):.0f} s of the session were left")
                continue
            run = _run(session, (shape, mode), material, device=options.device, seconds=left)
            print(f"{shape} {mode}: {run.error or _short(run)}", file=sys.stderr, flush=True)
            yield run


def _run(
    session: Session, name: tuple[str, str], material: Material, *, device: str, seconds: float
) -> GpuRun:
    shape, mode = name
    job = {
        "device": device,
        "dtype": "bfloat16",
        "rows_per_update": ROWS_PER_UPDATE,
        "warm_updates": WARM_UPDATES,
        "rank": 16,
        "learning_rate": 2e-4,
        "plan": True,
    }
    try:
        values = session.train(mode, material, f"{shape}-{mode}", job, timeout=seconds)
    except (RunError, PeerInstallError) as error:
        return GpuRun(shape, mode, error=str(error))
    return GpuRun(shape, mode, values)


def _material(folder: Path, shape: GpuShape, updates: int) -> Material:
    folder.mkdir(parents=True)
    count = updates * ROWS_PER_UPDATE
    rows = list(made_rows(count + HELD_OUT, SEED))
    return Material(
        base=write_base(folder / "base", shape.config, weights=False),
        rows=write_rows(folder / "rows.jsonl", rows[:count]),
        held_out=write_rows(folder / "held_out.jsonl", rows[count:]),
        count=count,
        tokens=sum(len(row.input_ids) for row in rows[:count]),
    )


def render(runs: Sequence[GpuRun], where: str, tflops: float) -> str:
    """The table as Markdown.

    The limit of a shape is the device's speed over the operations that a useful token needs. Ours
    counts them, and the modes of a shape share them.
    """
    heads = (
        "shape", "mode", "useful tokens/s", "goal", "of the counted limit", "useful share",
        "peak memory", "estimate before loading", "estimate/peak", "held-out loss",
    )  # fmt: skip
    lines = table_head(heads)
    for run in runs:
        if run.error:
            cells = [run.shape, MODES[run.mode].title, f"not measured: {run.error}"]
            lines.append(table_line([*cells, *[""] * (len(heads) - len(cells))]))
            continue
        values, goal = run.values, SHAPES[run.shape].goal
        needs = next(
            (one.values["flops_per_token"] for one in runs
             if one.shape == run.shape and one.values.get("flops_per_token")),
            None,
        )  # fmt: skip
        peak, estimate = values["peak_bytes"], values.get("estimated_bytes")
        lines.append(
            table_line(
                [
                    run.shape,
                    MODES[run.mode].title,
                    f"{values['per_second']:,.0f}",
                    f"{goal:,.0f}" if goal and run.mode == "ours" else "",
                    f"{values['per_second'] * needs / (tflops * _TERA):.1%}" if needs else "-",
                    f"{values['useful']:.1%}",
                    f"{peak / _GIB:.2f} GiB",
                    f"{estimate / _GIB:.2f} GiB" if estimate else "",
                    f"{estimate / peak:.2f}" if estimate else "",
                    f"{values['loss']:.3f}",
                ]
            )
        )
    return "\n".join([f"Measured on {where} Limit: {tflops:,.0f} TFLOP/s.", "", *lines])


def _short(run: GpuRun) -> str:
    values = run.values
    return f"{values['per_second']:,.0f} useful tokens/s, {values['peak_bytes'] / _GIB:.1f} GiB"


def _device_name(device: str) -> str:
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    return f"{name}, torch {torch.__version__}"


if __name__ == "__main__":
    sys.exit(main())
