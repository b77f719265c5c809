"""`python -m benchmarks.worth`: refreshes with and without a known fault, and the verdict on each.

In each trial, a random half of the data set is the refresh. Once it is as it is, and once its
outputs are shuffled among its rows. The embedded model is trained and scored as the asset
`data_worth` does it. A whole session writes `docs/benchmarks.md`; with `--trials`, the report is
only printed. Finished trials are kept in the scratch folder, so a session that was stopped goes on.
With `--fit-only`, no model is trained: only the fit of the outputs is compared.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.documents import machine, write_between_markers
from benchmarks.worth.fits import fits_alone
from benchmarks.worth.report import render
from benchmarks.worth.trials import KINDS, TrialFigures, Trials, recorded_rows, rows_of

TRIALS = 10
# The number of a trial draws its refresh. The margin of the fit was set when the refreshes 1 to 10
# had been seen, so they are not measured.
FIRST = 11
SEEDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the report. A whole session also writes it."""
    options = _parser().parse_args(arguments)
    if options.fit_only:
        rows = rows_of(options.rows) if options.rows else recorded_rows()
        print(fits_alone(rows, range(FIRST, FIRST + options.trials)))
        return 0
    where = machine([f"{name} {version(name)}" for name in ("bioinstruct_dagster", "torch")])
    scratch = options.scratch or Path(tempfile.mkdtemp(prefix="bench-worth-"))
    scratch.mkdir(parents=True, exist_ok=True)
    figures = list(_measured(options, scratch))
    text = render(figures, where)
    print(text)
    if options.trials == TRIALS and options.seeds == SEEDS and not options.rows:
        write_between_markers(text, "bench-worth")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worth", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each kind; default 10")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="pairs of adapters; default 3")
    parser.add_argument(
        "--rows", type=Path, help="a JSONL file of rows in place of the shipped ones"
    )
    parser.add_argument("--fit-only", action="store_true", help="train nothing")
    parser.add_argument("--scratch", type=Path, help="a folder that keeps finished trials")
    return parser


def _measured(options: argparse.Namespace, scratch: Path) -> Iterator[TrialFigures]:
    known = scratch / "trials.jsonl"
    done = {
        (found["trial"], found["kind"]): TrialFigures(**found)
        for line in (known.read_text("utf-8").splitlines() if known.exists() else ())
        for found in [json.loads(line)]
    }
    trials = Trials(scratch, options.seeds, options.rows)
    for number in range(FIRST, FIRST + options.trials):
        if (number, KINDS[-1]) not in done:
            print(f"trial {number}", file=sys.stderr, flush=True)
            for found in trials.run(number):
                with known.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(found.__dict__) + "\n")
                done[found.trial, found.kind] = found
        yield from (done[number, kind] for kind in KINDS)


if __name__ == "__main__":
    sys.exit(main())
