"""A store whose data set grew by a refresh: rows of two runs, and of an import if asked for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.store.database import Store

FIRST, SECOND = "run-one-0123456789", "run-two-0123456789"
AT = {
    FIRST: datetime(2026, 11, 2, 6, tzinfo=UTC),
    SECOND: datetime(2026, 11, 9, 6, tzinfo=UTC),
}
NEEDED = """
    select column_name, data_type
    from information_schema.columns
    where table_name = $table and is_nullable = 'NO'
"""
ANYTHING = {
    "VARCHAR": "x", "BOOLEAN": False, "BIGINT": 0, "INTEGER": 0, "DOUBLE": 1.0,
    "DOUBLE[]": [1.0], "JSON": "{}", "VARCHAR[]": [],
    "TIMESTAMP WITH TIME ZONE": AT[FIRST],
}  # fmt: skip


def filled(store: Store, table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with something in each column that must not be null."""
    needed = {row["column_name"]: row["data_type"] for row in store.rows(NEEDED, {"table": table})}
    return [{name: ANYTHING[kind] for name, kind in needed.items()} | dict(row) for row in rows]


def refreshed(store: Store, runs: Mapping[str, str | None], placed: Sequence[Any] = ()) -> None:
    """Fill the store.

    Args:
        store: to fill.
        runs: by row, the run that paid for its completion; None for an imported row.
        placed: the rows of the table `hf_dataset`; without them, all are in the train split.
    """
    store.replace({})
    rows = placed or [{"row_id": one, "split": "train"} for one in runs]
    raw = [
        {"row_id": one, "completion_id": f"of {run}" if run else None} for one, run in runs.items()
    ]
    completions = [
        {"completion_id": f"of {run}", "run_id": run, "completed_at": AT[run]}
        for run in dict.fromkeys(filter(None, runs.values()))
    ]
    store.replace(
        {
            "hf_dataset": filled(store, "hf_dataset", rows),
            "raw_instructions": filled(store, "raw_instructions", raw),
            "completions": filled(store, "completions", completions),
        }
    )
