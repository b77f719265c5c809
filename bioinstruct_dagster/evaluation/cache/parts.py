"""Parts: Parquet files of item results, which the model process writes as the results come.

A part is a folder with one file, because folders are what travels from another machine. It appears
by one rename, so what a killed process has left is whole. Belongs here: writing and reading parts.
Does not: results in the store (evaluation.cache.stored), or the way to the store's machine
(models.compute).
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult
from bioinstruct_dagster.new_folders import new_folder

FILE = "items.parquet"
_MOST_ROWS = 2_000
_SECONDS_BETWEEN_PARTS = 5.0
COLUMNS = tuple(ItemResult.__dataclass_fields__)
_TYPES = {
    "permutation": "integers",
    "option_tokens": "integers",
    "log_likelihoods": "numbers",
    "order": "integer",
    "answer_tokens": "integer",
    "tokens_lost": "integer",
    "ended": "truth",
    "asked": "truth",
}


def _schema() -> Any:
    import pyarrow as pa

    types = {
        "integers": pa.list_(pa.int32()),
        "numbers": pa.list_(pa.float64()),
        "integer": pa.int64(),
        "truth": pa.bool_(),
    }
    return pa.schema(
        [(name, types[_TYPES[name]] if name in _TYPES else pa.string()) for name in COLUMNS]
    )


def write_part(results: Sequence[ItemResult], folder: Path) -> None:
    """Write results as the part `folder`, which appears as a whole."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = {name: [getattr(one, name) for one in results] for name in COLUMNS}
    with new_folder(folder) as fresh:
        parquet.write_table(pa.table(columns, schema=_schema()), fresh / FILE)


def read_part(folder: Path) -> list[dict[str, Any]]:
    """The rows of a part."""
    from pyarrow import parquet

    rows: list[dict[str, Any]] = parquet.read_table(folder / FILE).to_pylist()
    return rows


def parts_in(folder: Path) -> Iterator[Path]:
    """The parts in a folder, such as those that a killed run has left."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(".") and (path / FILE).is_file():
                yield path


@dataclass
class PartWriter:
    """Collects results, and hands over a part every few seconds.

    Attributes:
        folder: of the parts.
        report: takes the message of a part, with its path and number of rows.
        clock: gives the time in seconds.
    """

    folder: Path
    report: Callable[[dict[str, Any]], None]
    clock: Callable[[], float] = time.monotonic
    _waiting: list[ItemResult] = field(default_factory=list)
    _written: float | None = None

    def add(self, result: ItemResult) -> None:
        """Take a result; it is handed over with others when the last part is some seconds old."""
        self._waiting.append(result)
        now = self.clock()
        if self._written is None:
            self._written = now
        if len(self._waiting) >= _MOST_ROWS or now - self._written >= _SECONDS_BETWEEN_PARTS:
            self.flush()

    def flush(self) -> None:
        """Hand over what is waiting."""
        if self._waiting:
            path = self.folder / uuid.uuid4().hex
            rows = len(self._waiting)
            write_part(self._waiting, path)
            self._waiting.clear()
            self.report({"kind": "items", "path": str(path), "rows": rows})
        self._written = self.clock()
