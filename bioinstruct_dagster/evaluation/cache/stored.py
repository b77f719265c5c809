"""Item results in the store, by their keys: what a model need not be asked again.

Belongs here: finding, adding and reading results. Does not: what a key covers
(evaluation.tasks.keys), or the files of the model process (evaluation.cache.parts).
"""

import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioinstruct_dagster.evaluation.cache.parts import COLUMNS, parts_in, read_part
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.storable_text import storable

_LISTS = ("permutation", "log_likelihoods", "option_tokens")


def precisions(store: Store, keys: Sequence[str]) -> dict[str, str]:
    """The precision of each result that the store has, by key."""
    return {row["key"]: row["precision"] for row in _selected(store, keys, "key, precision")}


def results(store: Store, keys: Sequence[str]) -> dict[str, ItemResult]:
    """The results that the store has, by key."""
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    found = _selected(store, keys, columns)
    return {
        row["key"]: ItemResult(**{**row, **{name: tuple(row[name]) for name in _LISTS}})
        for row in found
    }


def take(store: Store, part: Path) -> int:
    """Add a part's results to the store and remove the part. Returns how many rows it has.

    A part that is not there has been taken by another run. A result that the store has already is
    replaced: the model process computes one again only if it was computed in another precision.
    """
    try:
        rows = read_part(part)
    except FileNotFoundError:
        return 0
    now = datetime.now(UTC)
    with store.write() as connection:
        connection.execute(
            "delete from eval_items where key in (select unnest($keys::varchar[]))",
            {"keys": [row["key"] for row in rows]},
        )
        insert(
            connection,
            "eval_items",
            [{**row, "answer": storable(row["answer"]), "made_at": now} for row in rows],
        )
    shutil.rmtree(part, ignore_errors=True)
    return len(rows)


def take_all(store: Store, folder: Path) -> int:
    """Add all parts of a folder, which an earlier run has left. Returns the number of rows."""
    return sum(take(store, part) for part in parts_in(folder))


def _selected(store: Store, keys: Iterable[str], columns: str) -> list[dict[str, Any]]:
    import pyarrow as pa

    table = pa.table({"key": pa.array(list(keys), pa.string())})
    with store.read() as connection:
        connection.register("wanted", table)
        found = connection.execute(f"select {columns} from eval_items semi join wanted using (key)")
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
