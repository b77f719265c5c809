"""`python -m benchmarks.generation`: measure all clients in one session and report.

A whole session writes `docs/benchmarks.md`. With `--quick` or `--only`, the report is only printed,
because its tables cannot be compared with those of a whole session.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.documents import machine, write_between_markers
from benchmarks.environments import GENERATION, PeerInstallError
from benchmarks.generation import clients, report
from benchmarks.generation.measures import MEASURES, Figure, Plan
from benchmarks.generation.service import Service, serving
from benchmarks.sessions import parser_of, session_folder, write_figures

_QUICK_SCALE = 0.15


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the report. A whole session also writes it."""
    options = _parser().parse_args(arguments)
    whole = not options.quick and not options.only
    with session_folder("generation", options) as folder:
        plan = Plan(
            folder=folder,
            only=frozenset(options.only),
            runs=1 if options.quick else options.runs,
            kills=2 if options.quick else 20,
            cap_seeds=2 if options.quick else 5,
            scale=_QUICK_SCALE if options.quick else 1.0,
        )
        versions = _versions(plan).items()
        where = machine([f"{clients.TITLES[name]} {version}" for name, version in versions])
        with serving() as service:
            figures = list(_measured(plan, service))
    write_figures(figures, options.json)
    if options.quick:
        where += f" A quick session, of {_QUICK_SCALE:.0%} of the sizes named below."
    text = report.render(figures, where)
    print(text)
    if whole:
        write_between_markers(text, "bench-generation")
    return 0


def _parser() -> argparse.ArgumentParser:
    names = [*MEASURES, *clients.TITLES]
    parser = parser_of("benchmarks.generation", __doc__, names)
    parser.add_argument("--runs", type=int, default=5, help="runs of each client (default 5)")
    return parser


def _measured(plan: Plan, service: Service) -> Iterator[Figure]:
    for name, measure in MEASURES.items():
        if not plan.wants(name, frozenset(MEASURES)):
            continue
        for figure in measure(plan, service):
            print(f"{name} {figure.client} {figure.error or _short(figure)}", file=sys.stderr)
            yield figure


def _short(figure: Figure) -> str:
    return ", ".join(f"{name} {value:.5g}" for name, value in figure.values.items())


def _versions(plan: Plan) -> dict[str, str]:
    """The versions by client. A peer that can't be installed is left out."""
    package = "bioinstruct-dagster"
    versions = {clients.OURS: version(package)}
    for name in clients.PEERS:
        if not plan.wants(name, frozenset(clients.TITLES)):
            continue
        try:
            GENERATION.interpreter(name)
        except PeerInstallError:
            continue
        pins = (Path(__file__).parent / "peers" / f"{name}.txt").read_text("utf-8")
        pinned = next(line for line in pins.splitlines() if "==" in line)
        versions[name] = pinned.split("==")[1]
    return versions


if __name__ == "__main__":
    sys.exit(main())
