"""The gates in the order in which they check a row: one list for Python and SQL.

The first gate that rejects a row gives the reason, so the order decides which reason is shown.
Python reads the tuples below. SQL reads the table `gates`, which holds the same list. The store
writes this table when it is created, and when it is opened with a different list. Does not belong
here: the interface of a gate (curation.gates), or the classes that check rows
(curation.curate_rows).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# The gates that check a row by itself. They check every raw row.
ROW_GATES = ("quality", "privacy", "contamination")
# The gates that can reject a row. The novelty gate compares the rows that pass the row gates.
DROPPING_GATES = (*ROW_GATES, "novelty")
# All gates. The category gate labels kept rows and rejects none.
GATE_ORDER = (*DROPPING_GATES, "category")

GATES = "select gate, gate_order, by_row from gates order by gate_order"
DELETE_GATES = "delete from gates"
INSERT_GATE = "insert into gates (gate, gate_order, by_row) values (?, ?, ?)"

_GATE_ROWS = [(gate, place, gate in ROW_GATES) for place, gate in enumerate(GATE_ORDER)]


def lists_gates(connection: "duckdb.DuckDBPyConnection") -> bool:
    """Whether the store has the table `gates` and it holds the current list."""
    import duckdb

    try:
        return connection.execute(GATES).fetchall() == _GATE_ROWS
    except duckdb.CatalogException:
        return False


def write_gates(connection: "duckdb.DuckDBPyConnection") -> None:
    """Write the current list into the store's table `gates`."""
    connection.execute(DELETE_GATES)
    connection.executemany(INSERT_GATE, _GATE_ROWS)
