"""`python -m benchmarks.curation`: measure curation and its peers in one session and report.

A whole session writes `docs/benchmarks.md`. With `--quick` or `--only`, the report is only printed,
because its tables cannot be compared with those of a whole session.
"""

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.curation import report
from benchmarks.curation.clients import CLIENTS, PEERS, pinned
from benchmarks.curation.measures import MEASURES, QUICK, Figure, Plan, Sizes
from benchmarks.documents import machine, write_between_markers
from benchmarks.environments import CURATION, PeerInstallError


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the report. A whole session also writes it."""
    options = _parser().parse_args(arguments)
    whole = not options.quick and not options.only
    folder = Path(tempfile.mkdtemp(prefix="bench-curation-", dir=options.scratch))
    plan = Plan(
        folder=folder,
        only=frozenset(options.only),
        runs=1 if options.quick else options.runs,
        sizes=QUICK if options.quick else Sizes(),
    )
    where = machine(_versions(plan))
    try:
        figures = list(_measured(plan))
    finally:
        if options.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        lines = (json.dumps(dataclasses.asdict(figure)) + "\n" for figure in figures)
        options.json.write_text("".join(lines), "utf-8")
    if options.quick:
        where += " A quick session, of sizes far below those of the titles."
    text = report.render(figures, where)
    print(text)
    if whole:
        write_between_markers(text, "bench-curation")
    return 0


def _parser() -> argparse.ArgumentParser:
    names = [*MEASURES, *CLIENTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curation", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each client (default 3)")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--quick", action="store_true", help="small and once: does it all work?")
    parser.add_argument("--json", type=Path, help="write every run's figures here, as JSON lines")
    parser.add_argument("--keep", action="store_true", help="keep the material and the runs' logs")
    parser.add_argument("--scratch", type=Path, help="a folder with 3 GB of room, for the session")
    return parser


def _measured(plan: Plan) -> Iterator[Figure]:
    for name, measure in MEASURES.items():
        if not plan.wants(name, tuple(MEASURES)):
            continue
        for figure in measure(plan):
            what = f"{figure.measure} {figure.case} {figure.client}"
            print(f"{what}: {figure.error or _short(figure)}", file=sys.stderr, flush=True)
            yield figure


def _short(figure: Figure) -> str:
    return ", ".join(f"{name} {value:.5g}" for name, value in figure.values.items())


def _versions(plan: Plan) -> list[str]:
    """The versions of the measured clients. A peer that can't be installed is left out."""
    versions = [
        f"bioinstruct_dagster {version('bioinstruct-dagster')}",
        f"numba {version('numba')}",
    ]
    for peer in PEERS:
        of_peer = [name for name, client in CLIENTS.items() if client.peer == peer]
        if not any(plan.wants(name, tuple(CLIENTS)) for name in of_peer):
            continue
        try:
            CURATION.interpreter(peer)
        except PeerInstallError:
            continue
        versions.append(pinned(peer))
    return versions


if __name__ == "__main__":
    sys.exit(main())
