"""`python -m bioinstruct_dagster.curation why <row id>` explains why a row is kept or rejected."""

import argparse
import sys

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.curation.explanation import explanation
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store


@quiet_on_closed_pipe
def main() -> int:
    """Print the row, the findings of every gate and the conclusion; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bioinstruct_dagster.curation")
    commands = parser.add_subparsers(dest="command", required=True)
    why = commands.add_parser("why", help="show why a row is in the data set, or why not")
    why.add_argument("row_id", help="id of the row in raw_instructions: 24 hex digits")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        store = Store(settings.store.path, settings.store.lock_timeout)
        for line in explanation(store, arguments.row_id):
            print(line)
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
