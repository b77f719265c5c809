"""`python -m bioinstruct_dagster.curation why <row id>`: what each gate says of a row."""

import argparse
import sys

from bioinstruct_dagster.curation.verdicts import why
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import canonical_json


def main() -> int:
    """Print what each gate says of a row, a line per finding."""
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.curation")
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("why", help="why a row is in the data set, or why not")
    asked.add_argument("row_id", help="of raw_instructions: 24 hex digits")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        found = why(Store(settings.store.path, settings.store.lock_timeout), arguments.row_id)
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    if not found:
        print("No gate has looked at this row yet. Materialize key:deduplicated_instructions.")
    for row in found:
        score = "" if row["score"] is None else f" {row['score']:.3f}"
        evidence = canonical_json(row["evidence"]) if row["evidence"] else ""
        print(f"{row['gate']:<14}{row['verdict']:<8}{row['rule']}{score} {evidence}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
