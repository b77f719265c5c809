"""`python -m benchmarks.training`: measure training and its peers in one session and report.

A whole session writes `docs/benchmarks.md`. With `--quick`, `--rows`, `--rounds` or `--only`, the
report is only printed. `python -m benchmarks.training.gpu` measures a GPU.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.documents import machine, write_between_markers
from benchmarks.environments import TRAINING
from benchmarks.sessions import model_versions, parser_of, session_folder, write_figures
from benchmarks.training import report
from benchmarks.training.measures import MEASURES, Figure, Plan
from benchmarks.training.runs import MODES, PEER, Session
from bioinstruct_dagster.settings import load_settings

ROWS, REAL_ROWS, STUDY_ROWS, ROUNDS = 80, 64, 100, 2
_QUICK_ROWS, _QUICK_STUDY_ROWS = 32, 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the report. A whole session also writes it."""
    options = _parser().parse_args(arguments)
    sizes = (options.rows, options.real_rows, options.rounds)
    whole = not (options.quick or options.only or any(sizes))
    with session_folder("training", options) as folder:
        plan = Plan(
            session=Session(folder),
            only=frozenset(options.only),
            rows=options.rows or (_QUICK_ROWS if options.quick else ROWS),
            real_rows=options.real_rows or (_QUICK_ROWS if options.quick else REAL_ROWS),
            rounds=options.rounds or (1 if options.quick else ROUNDS),
            lanes=options.lanes,
            real_base=options.real_base,
            study_rows=_QUICK_STUDY_ROWS if options.quick else STUDY_ROWS,
        )
        where = machine(model_versions(PEER, TRAINING)) + (
            f" {options.lanes} process(es) at a time, one thread each. Medians over the runs, in "
            "brackets the smallest and the largest; ratios are medians over the rounds."
        )
        figures = list(_measured(plan))
    write_figures(figures, options.json)
    text = report.render(figures, where)
    print(text)
    if whole:
        write_between_markers(text, "bench-training")
    return 0


def _parser() -> argparse.ArgumentParser:
    names = [*MEASURES, *MODES]
    parser = parser_of("benchmarks.training", __doc__, names)
    parser.add_argument("--rows", type=int, help=f"made rows, 16 to an update (default {ROWS})")
    parser.add_argument("--rounds", type=int, help=f"runs of each mode (default {ROUNDS})")
    parser.add_argument("--real-rows", type=int, help=f"of SmolLM2 (default {REAL_ROWS})")
    parser.add_argument("--lanes", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument(
        "--real-base",
        type=Path,
        default=load_settings().store.data_dir / "models" / "smollm2-135m",
        help="the folder of SmolLM2-135M (default: that of `make real-base`)",
    )
    return parser


def _measured(plan: Plan) -> Iterator[Figure]:
    for name, measure in MEASURES.items():
        if not plan.wants(name, tuple(MEASURES)):
            continue
        for figure in measure(plan):
            said = figure.error or _short(figure)
            print(f"{figure.measure} {figure.mode}: {said}", file=sys.stderr, flush=True)
            yield figure


def _short(figure: Figure) -> str:
    values = figure.values
    keys = ("per_cpu_second", "useful", "loss", "wall", "cpu")
    return ", ".join(f"{key} {values[key]:.4g}" for key in keys if key in values)


if __name__ == "__main__":
    sys.exit(main())
