"""`python -m benchmarks.evaluation`: measure evaluation and its peer in one session and report.

A whole session writes `docs/benchmarks.md`. With `--quick` or `--only`, the report is only printed.
Give the folder of real items by `--items`: without it, the items are made, of the same law of
lengths.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.documents import machine, write_between_markers
from benchmarks.environments import EVALUATION
from benchmarks.evaluation import generation, report
from benchmarks.evaluation.material import has_items
from benchmarks.evaluation.measures import MEASURES, QUICK, WHOLE, Figure, Measure, Plan
from benchmarks.evaluation.runs import PEER
from benchmarks.sessions import model_versions, parser_of, session_folder, write_figures
from benchmarks.training.runs import Session
from bioinstruct_dagster.settings import load_settings

_ALL: dict[str, Measure] = MEASURES | {generation.NAME: generation.answers}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the report. A whole session also writes it."""
    options = _parser().parse_args(arguments)
    whole = not (options.quick or options.only)
    items = options.items if has_items(options.items) else None
    if items is None:
        print(
            f"There are no real items ({options.items or '--items is not given'}), so that the "
            "items are made. Equality with the harness on real items is not shown.",
            file=sys.stderr,
        )
    with session_folder("evaluation", options) as folder:
        plan = Plan(
            session=Session(folder),
            only=frozenset(options.only),
            sizes=QUICK if options.quick else WHOLE,
            lanes=options.lanes,
            models=options.models,
            real_base=options.real_base or options.models / "smollm2-135m",
            items=items,
        )
        where = machine(model_versions(PEER, EVALUATION)) + (
            f" {options.lanes} process(es) at a time, one thread each. "
            f"{'Real' if items else 'Made'} items. Medians over the runs, in brackets the smallest "
            "and the largest; ratios are medians over the rounds."
        )
        if plan.only != {generation.NAME}:  # the harness has no part in it
            plan.tools.prepare()
        figures = list(_measured(plan))
    write_figures(figures, options.json)
    text = "\n\n".join(filter(None, (report.render(figures, where), generation.render(figures))))
    print(text)
    if whole:
        write_between_markers(text, "bench-evaluation")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("benchmarks.evaluation", __doc__, tuple(_ALL))
    parser.add_argument("--items", type=Path, help="the evaluation folder with the real items")
    parser.add_argument("--lanes", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument(
        "--models",
        type=Path,
        default=load_settings().store.data_dir / "models",
        help="the folder of models, where the embedded one is built if it is missing",
    )
    parser.add_argument(
        "--real-base",
        type=Path,
        help="the folder of SmolLM2-135M (default: that of `make real-base`)",
    )
    return parser


def _measured(plan: Plan) -> Iterator[Figure]:
    for name, measure in _ALL.items():
        if plan.only and name not in plan.only:
            continue
        for figure in measure(plan):
            said = figure.error or _short(figure)
            line = f"{figure.measure} {figure.set} {figure.mode}: {said}"
            print(line, file=sys.stderr, flush=True)
            yield figure


def _short(figure: Figure) -> str:
    values = figure.values
    keys = ("items_per_cpu_second", "cpu", "whole_cpu", "difference")
    return ", ".join(f"{key} {values[key]:.4g}" for key in keys if key in values)


if __name__ == "__main__":
    sys.exit(main())
