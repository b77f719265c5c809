"""The gates in the order in which they check a row: the one list, for Python and for SQL.

A row is rejected by the first gate that rejects it, so the order decides which reason is shown.
Python reads the tuples below. SQL reads the table `gates`, which holds the same list and is written
when a store is made, or opened by a version of the project whose list differs. Does not belong
here: what a gate is (curation.gates), or which class checks rows (curation.curate_rows).
"""

import duckdb

# The gates that check a row by itself: they look at every raw row.
ROW_GATES = ("quality", "privacy", "contamination")
# The gates that can drop a row: novelty compares the rows that the row gates let pass.
DROPPING_GATES = (*ROW_GATES, "novelty")
# All gates: category labels the kept rows and drops none.
GATE_ORDER = (*DROPPING_GATES, "category")

GATES = "select gate, gate_order, by_row from gates order by gate_order"
FORGET_GATES = "delete from gates"
WRITE_GATE = "insert into gates (gate, gate_order, by_row) values (?, ?, ?)"

_ROWS = [(gate, place, gate in ROW_GATES) for place, gate in enumerate(GATE_ORDER)]


def lists_gates(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the store's table `gates` is there and holds the present list."""
    try:
        return connection.execute(GATES).fetchall() == _ROWS
    except duckdb.CatalogException:
        return False


def write_gates(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the store's table `gates` hold the present list."""
    connection.execute(FORGET_GATES)
    connection.executemany(WRITE_GATE, _ROWS)
