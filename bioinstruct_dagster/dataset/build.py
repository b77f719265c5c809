"""The data set folder: Parquet shards and documents, which replace the old folder as a whole.

Belongs here: writing and reading the folder that `datasets.load_dataset(path)` opens. Does not: the
choice of rows (dataset.assets), or the text of the documents (dataset.card).
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.card import Card, render_card
from bioinstruct_dagster.dataset.card.croissant import croissant
from bioinstruct_dagster.dataset.card.datasheet import render_datasheet
from bioinstruct_dagster.dataset.card.statistics import text_statistics
from bioinstruct_dagster.dataset.sources import content_source
from bioinstruct_dagster.dataset.splits import SPLITS, split_of_row
from bioinstruct_dagster.dataset.written_files import record_written
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.new_folders import new_folder
from bioinstruct_dagster.store.fingerprints import sha256_of_file, sha256_of_rows

COLUMNS = (
    "row_id", "instruction", "input", "output", "category", "labelled_by", "source",
    "completion_id", "rehearsal",
)  # fmt: skip
FINGERPRINT_COLUMNS = ("split", *COLUMNS)
ROWS_PER_SHARD = 50_000
CARD_FILE, CROISSANT_FILE, DATASHEET_FILE = "README.md", "croissant.json", "datasheet.md"
FIGURES_FOLDER = "figures"  # beside the card, which shows them


class DatasetError(StatedError):
    """The data set folder does not hold the expected version of the data set."""


@dataclass(frozen=True)
class BuiltDataset:
    """A data set that was written: folder, fingerprint, rows, and number of rows by split.

    The fingerprint is the sha256 over the rows of all splits.
    """

    path: Path
    fingerprint: str
    rows: list[dict[str, Any]]
    sizes: Mapping[str, int]


def build_dataset(rows: Sequence[Mapping[str, Any]], folder: Path, card: Card) -> BuiltDataset:
    """Write the rows to `folder`. An existing folder is replaced.

    The new folder is complete before the old folder is removed, so a reader never sees a part of a
    data set. The files and the fingerprint hold no name of an imported file, so the same file under
    another name gives the same bytes. Only the card names it.
    """
    import datasets

    datasets.disable_progress_bars()
    placed = [
        {**row, "source": content_source(row["source"]), "split": split_of_row(row, card.split_by)}
        for row in rows
    ]
    fingerprint = sha256_of_rows(placed, FINGERPRINT_COLUMNS)
    sizes = Counter(row["split"] for row in placed)
    with new_folder(folder) as fresh:
        data = fresh / "data"
        data.mkdir()
        features = datasets.Features(
            {name: datasets.Value("bool" if name == "rehearsal" else "string") for name in COLUMNS}
        )
        for split in SPLITS:
            members = [
                {name: row[name] for name in COLUMNS} for row in placed if row["split"] == split
            ]
            shards = -(-len(members) // ROWS_PER_SHARD)  # 0 for an empty split
            for shard in range(shards):
                part = members[shard * ROWS_PER_SHARD : (shard + 1) * ROWS_PER_SHARD]
                columns = {name: [row[name] for row in part] for name in COLUMNS}
                datasets.Dataset.from_dict(columns, features=features).to_parquet(
                    data / shard_name(split, shard, shards, fingerprint)
                )
        _write_documents(fresh, card, rows, sizes, fingerprint)
    return BuiltDataset(folder, fingerprint, placed, dict(sizes))


def _write_documents(
    folder: Path,
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
    fingerprint: str,
) -> None:
    """Write the card, the Croissant description and the data sheet beside the shards."""
    measured = text_statistics(rows)
    files = {f"data/{path.name}": sha256_of_file(path) for path in shards_of(folder, fingerprint)}
    (folder / CARD_FILE).write_text(render_card(card, rows, sizes, fingerprint, measured), "utf-8")
    described = croissant(card, rows, files, fingerprint, measured)
    (folder / CROISSANT_FILE).write_text(
        json.dumps(described, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    (folder / DATASHEET_FILE).write_text(
        render_datasheet(card, rows, sizes, fingerprint, measured), "utf-8"
    )
    record_written(folder, (CARD_FILE, CROISSANT_FILE, DATASHEET_FILE))


def shard_name(split: str, shard: int, shards: int, fingerprint: str) -> str:
    """The file name of a shard, which contains the fingerprint.

    `datasets.load_dataset` caches a local folder by the file patterns of its card. Without the
    fingerprint, it would return the first version that it loaded from a folder with that card.
    """
    return f"{split}-{shard:05d}-of-{shards:05d}-{fingerprint[:16]}.parquet"


def shards_of(folder: Path, fingerprint: str) -> list[Path]:
    """The Parquet files of a version, by split and number."""
    return [
        path
        for split in SPLITS
        for path in sorted((folder / "data").glob(f"{split}-*-{fingerprint[:16]}.parquet"))
    ]


def read_split(folder: Path, split: str, fingerprint: str) -> list[dict[str, Any]]:
    """The rows of one split, read from the Parquet files in their order.

    Raises:
        DatasetError: the folder does not hold the version with this fingerprint.
    """
    return _read(folder, fingerprint, f"{split}-", None)


def read_columns(folder: Path, fingerprint: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns of the rows of all splits, read from the Parquet files.

    Raises:
        DatasetError: the folder does not hold the version with this fingerprint.
    """
    return _read(folder, fingerprint, "", columns)


def _read(
    folder: Path, fingerprint: str, prefix: str, columns: Sequence[str] | None
) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    present = sorted((folder / "data").glob(f"*-{fingerprint[:16]}.parquet"))
    shards = [path for path in present if path.name.startswith(prefix)]
    if not present:
        raise DatasetError(
            f"{folder} does not hold version {fingerprint[:16]} of the data set, because the data "
            "set was rebuilt. Materialize key:lora_adapter and key:eval_scores again."
        )
    wanted = None if columns is None else list(columns)
    return [row for shard in shards for row in pq.read_table(shard, columns=wanted).to_pylist()]
