"""`python -m benchmarks.privacy`: how well and how fast the privacy gate finds identifiers.

It prints the tables and writes them into `docs/privacy.md` between the page's markers. The notes
are made as for the tests, but from another seed.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

from benchmarks.documents import DOCS, table_head, table_line, write_between_markers
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.privacy.kinds import KINDS
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster_tests.curation.privacy.notes import Counts, notes, score

SEED, NOTES, ROWS = 7, 1000, 25_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.privacy", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the speed measure")
    parser.add_argument("--no-write", action="store_true", help="leave docs/privacy.md as it is")
    options = parser.parse_args(arguments)
    text = f"{_speed(options.rows)}\n\n{_table()}"
    print(text)
    if not options.no_write:
        write_between_markers(text, "bench-privacy", DOCS / "privacy.md")
    return 0


def _speed(rows: int) -> str:
    """A sentence with the CPU-seconds for many rows and for loading the libraries."""
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    tasks = [RowTexts(seed.instruction, seed.input, seed.output) for seed in seeds]
    tasks = [tasks[place % len(tasks)] for place in range(rows)]
    tasks[::100] = [
        RowTexts("Summarise the note.", note.text, "")
        for note in notes(SEED, "held_out", len(tasks[::100]))
    ]
    mean = sum(len(text) for task in tasks for text in task) / rows
    gate = PrivacyGate()
    loading = _cpu(lambda: gate.check(tasks[:1]))
    checking = _cpu(lambda: gate.check(tasks))
    return (
        f"{rows:,} rows of {mean:.0f} characters on average (the seed tasks, repeated; every"
        f" hundredth row a note with identifiers): {checking:.1f} CPU-seconds"
        f" ({rows / checking:,.0f} rows a CPU-second), {loading:.1f} for loading the"
        f" libraries, once. {platform.machine()}, {os.cpu_count()} cores, load"
        f" {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, Presidio"
        f" {version('presidio-analyzer')}, phonenumbers {version('phonenumbers')}, pycountry"
        f" {version('pycountry')}."
    )


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _table() -> str:
    halves = [score(notes(SEED, half, NOTES)) for half in ("held_out", "tune")]
    heads = ["kind", "planted", "recall", "precision", "planted (tuned on)", "recall", "precision"]
    lines = table_head(heads)
    lines += (
        table_line([f"`{name}`" if name in KINDS else "**all**", *_cells(halves, name)])
        for name in (*KINDS, "all")
    )
    return "\n".join(lines)


def _cells(halves: Sequence[dict[str, Counts]], name: str) -> list[str]:
    cells = []
    for counts in halves:
        of_kind = counts[name]
        cells += [f"{of_kind.planted:,}", f"{of_kind.recall:.3f}", f"{of_kind.precision:.3f}"]
    return cells


if __name__ == "__main__":
    sys.exit(main())
