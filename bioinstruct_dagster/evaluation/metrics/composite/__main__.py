"""`python -m bioinstruct_dagster.evaluation.metrics.composite IN.jsonl OUT.jsonl`."""

import argparse
import sys
from pathlib import Path

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.metrics.composite.files import score_file

PROGRAM = "python -m bioinstruct_dagster.evaluation.metrics.composite"


@quiet_on_closed_pipe
def main() -> int:
    """Score the summaries of a file without a judge; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Add `composite` (0 to 1, higher is better) and `factual_errors` (higher means "
        "that an error is more likely) to each line of a file of summaries.",
    )
    parser.add_argument(
        "read",
        type=Path,
        metavar="IN.jsonl",
        help="lines with dialogue or source (one of them), reference, and summary",
    )
    parser.add_argument(
        "written",
        type=Path,
        metavar="OUT.jsonl",
        help="the file to write: another file than IN.jsonl",
    )
    arguments = parser.parse_args()
    try:
        count = score_file(arguments.read, arguments.written)
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{arguments.written}: {count} summaries scored.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
