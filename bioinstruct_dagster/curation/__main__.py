"""`python -m bioinstruct_dagster.curation why <row id>` prints every gate's findings on a row."""

import argparse
import sys

from bioinstruct_dagster.curation.verdicts import findings_of_row
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import canonical_json


def main() -> int:
    """Print the findings of every gate on one row, one a line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.curation")
    commands = parser.add_subparsers(dest="command", required=True)
    why = commands.add_parser("why", help="show why a row is in the data set, or why not")
    why.add_argument("row_id", help="id of the row in raw_instructions: 24 hex digits")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        found = findings_of_row(
            Store(settings.store.path, settings.store.lock_timeout), arguments.row_id
        )
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    if not found:
        print("No gate has checked this row yet. Materialize key:deduplicated_instructions.")
    for row in found:
        score = "" if row["score"] is None else f" {row['score']:.3f}"
        evidence = canonical_json(row["evidence"]) if row["evidence"] else ""
        print(f"{row['gate']:<14}{row['verdict']:<8}{row['rule']}{score} {evidence}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
