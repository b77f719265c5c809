"""The rows of a Parquet file, and of a data set on the hub.

Belongs here: what these two libraries read, and their errors in words. Does not: what the columns
mean (columns).
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.generation.imports.records import Record, SourceRecords
from bioinstruct_dagster.generation.imports.text import refuse_other_content
from bioinstruct_dagster.input_files import shown

_HUB_ID = re.compile(r"[\w][\w.-]*(?:/[\w.-]+)?", re.ASCII)
_MOST_ERROR_CHARACTERS = 300


def read_parquet(path: Path) -> SourceRecords:
    """The rows of a Parquet file as records, read in portions.

    Raises:
        ImportedSetError: it is no Parquet file, it is broken, or two columns have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as opened:
            start = opened.read(64)
        if not start.startswith(b"PAR1"):
            refuse_other_content(path, start)
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ImportedSetError(
            f"{shown(path)}: not a Parquet file, or broken ({_in_short(error)}). Download it again."
        ) from None
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ImportedSetError(
            f"{shown(path)}: two columns have the name {twice[0]!r}; rename one of them."
        )
    return SourceRecords(_parquet_records(path, file), [])


def _parquet_records(path: Path, file: Any) -> Iterator[Record]:
    import pyarrow as pa

    number = 0
    try:
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield Record(f"row {number}", row)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ImportedSetError(
            f"{shown(path)}: the Parquet file is broken after row {number} ({_in_short(error)}). "
            "Download it again."
        ) from None


def read_hub(hub_id: str, split: str) -> SourceRecords:
    """The rows of a data set on the hub as records.

    Raises:
        ImportedSetError: the id can't be one, or the data set or its split can't be loaded.
    """
    if not _HUB_ID.fullmatch(hub_id):
        raise ImportedSetError(
            f"BIOINSTRUCT_IMPORT: {shown(hub_id)} is neither a file here nor the id of a data set "
            "on the hub (owner/name). Give the path of a file, or such an id."
        )
    import datasets

    try:
        rows = datasets.load_dataset(hub_id, split=split)
    except Exception as error:
        raise ImportedSetError(
            f"BIOINSTRUCT_IMPORT: {hub_id!r} is neither a file here nor a data set that can be "
            f"loaded from the hub (split {split!r}): {type(error).__name__}: {error}"
        ) from error
    return SourceRecords((Record(f"row {number}", row) for number, row in enumerate(rows, 1)), [])


def _in_short(error: Exception) -> str:
    return str(error).partition("\n")[0][:_MOST_ERROR_CHARACTERS].rstrip(". ")
