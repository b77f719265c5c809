"""`python -m benchmarks.curation`: measure curation and its peers in one session and report.

A whole session writes `docs/benchmarks.md`. With `--quick` or `--only`, the report is only printed,
because its tables cannot be compared with those of a whole session.

With `--beside COMMIT`, the measure `gates` also runs the project as it is at that commit, in turns
with the project as it is. Both are measured by the runners of this folder.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from benchmarks.curation import report
from benchmarks.curation.checkout import checked_out
from benchmarks.curation.clients import CLIENTS, PEERS, pinned
from benchmarks.curation.measures import MEASURES, QUICK, Figure, Plan, Sizes
from benchmarks.documents import machine, write_between_markers
from benchmarks.environments import CURATION, PeerInstallError
from benchmarks.sessions import parser_of, session_folder, write_figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the report. A whole session also writes it."""
    options = _parser().parse_args(arguments)
    whole = not options.quick and not options.only and not options.beside
    with session_folder("curation", options) as folder:
        beside = checked_out(options.beside, folder / "beside") if options.beside else None
        plan = Plan(
            folder=folder,
            only=frozenset(options.only),
            runs=1 if options.quick else options.runs,
            sizes=QUICK if options.quick else Sizes(),
            beside=beside,
        )
        where = machine(_versions(plan))
        figures = list(_measured(plan))
    write_figures(figures, options.json)
    if options.beside:
        where += f" The other commit is {options.beside}."
    if options.quick:
        where += " A quick session, of sizes far below those of the titles."
    text = report.render(figures, where)
    print(text)
    if whole:
        write_between_markers(text, "bench-curation")
    return 0


def _parser() -> argparse.ArgumentParser:
    names = [*MEASURES, *CLIENTS]
    parser = parser_of("benchmarks.curation", __doc__, names)
    parser.add_argument("--runs", type=int, default=3, help="runs of each client (default 3)")
    parser.add_argument(
        "--beside",
        metavar="COMMIT",
        help="measure the gates at this commit too, in the same rounds",
    )
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
