"""`python -m bioinstruct_dagster.store "select * from funnel"`: run one read-only SQL statement.

The command waits while a run writes to the store. A DuckDB shell fails instead.
"""

import argparse
import sys

import duckdb

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.settings import SettingsError, load_settings
from bioinstruct_dagster.store.database import Store, StoreError

# DuckDB leaves out columns of a wider table. Wrapped lines can still be read.
WIDEST = 10_000
WIDEST_COLUMN = 80


@quiet_on_closed_pipe
def main() -> int:
    """Print the result of the statement. Returns exit status 1 if it fails."""
    parser = argparse.ArgumentParser(
        prog="python -m bioinstruct_dagster.store", description=__doc__
    )
    parser.add_argument("statement", help="an SQL statement; the store is opened read-only")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        with Store(settings.store.path, settings.store.lock_timeout).read() as connection:
            result = connection.sql(arguments.statement)
            if result is not None:
                result.show(max_width=WIDEST, max_col_width=WIDEST_COLUMN, max_rows=1000)
    except (SettingsError, StoreError, duckdb.Error) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
