"""`python -m bioinstruct_dagster.curation why <row id>` explains why a row is kept or rejected."""

import argparse
import re
import sys

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.curation.explanation import explanation
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store

# An id on the review page holds the id of the row and a digest of its texts.
_REVIEWED_ID = re.compile(r"row-([0-9a-f]{24})-[0-9a-f]{8}")


@quiet_on_closed_pipe
def main() -> int:
    """Print the row, the findings of every gate and the conclusion; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.curation")
    commands = parser.add_subparsers(dest="command", required=True)
    why = commands.add_parser("why", help="show why a row is in the data set, or why not")
    why.add_argument(
        "row_id", help="id of the row in raw_instructions (24 hex digits), or in a review"
    )
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        store = Store(settings.store.path, settings.store.lock_timeout)
        row_id = arguments.row_id.strip().lower()
        if reviewed := _REVIEWED_ID.fullmatch(row_id):
            row_id = reviewed[1]
        for line in explanation(store, row_id):
            print(line)
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
