"""Rows of the data set one by one, in constant memory.

Belongs here: reading the Parquet files of a version in portions. Does not: their form
(export.formats), or the whole set in memory (dataset.build).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.build import COLUMNS, DatasetError, shards_of
from bioinstruct_dagster.dataset.origins import REHEARSED_LABELLER

_PORTION = 1_000  # rows that are in memory at once


def rows_of(folder: Path, fingerprint: str, splits: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of some splits in their order, with all columns and the split.

    Args:
        folder: of the data set.
        fingerprint: of the version.
        splits: whose rows are read.

    Raises:
        DatasetError: the folder does not hold this version.
    """
    for split, path in _shards(folder, fingerprint, splits):
        for batch in _portions(path, list(COLUMNS)):
            for row in batch.to_pylist():
                yield {"split": split, **row}


def counts_of(
    folder: Path, fingerprint: str, splits: Sequence[str], *, categories: bool
) -> tuple[int, int]:
    """The number of rows of some splits, and how many of them are a rehearsal's.

    Args:
        folder: of the data set.
        fingerprint: of the version.
        splits: whose rows are counted.
        categories: whether a row also counts if the rehearsal teacher gave its category.

    Raises:
        DatasetError: the folder does not hold this version.
    """
    import pyarrow.compute as pc

    rows = marked = 0
    for _, path in _shards(folder, fingerprint, splits):
        for batch in _portions(path, ["rehearsal", "labelled_by"]):
            of_rehearsal = batch.column("rehearsal")
            if categories:
                labelled = pc.equal(batch.column("labelled_by"), REHEARSED_LABELLER)
                of_rehearsal = pc.or_kleene(of_rehearsal, labelled)
            rows += batch.num_rows
            marked += pc.sum(of_rehearsal).as_py() or 0
    return rows, marked


def _shards(folder: Path, fingerprint: str, splits: Sequence[str]) -> Iterator[tuple[str, Path]]:
    shards = shards_of(folder, fingerprint)
    if not shards:
        raise DatasetError(
            f"{folder} does not hold the version {fingerprint[:16]} of the data set, which the "
            "store names. Materialize key:hf_dataset again."
        )
    for path in shards:
        split = path.name.partition("-")[0]
        if split in splits:
            yield split, path


def _portions(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=_PORTION, columns=list(columns))
