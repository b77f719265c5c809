"""Writing the data set folder: Parquet shards and a card, swapped in whole.

Belongs here: the folder that `datasets.load_dataset(path)` opens. Does not: which rows are in it.
"""

import shutil
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.card import Card, render_card
from bioinstruct_dagster.dataset.splits import SPLITS, split_of
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.fingerprints import sha256_of_rows

COLUMNS = (
    "row_id", "instruction", "input", "output", "category", "labelled_by", "source",
    "completion_id", "rehearsal",
)  # fmt: skip
CONTENT = ("split", *COLUMNS)
ROWS_PER_SHARD = 50_000


class DatasetError(StatedError):
    """The data set folder is not what was asked for."""


@dataclass(frozen=True)
class BuiltDataset:
    """What was written: folder, fingerprint (sha256 over the rows of all splits), rows by split."""

    path: Path
    fingerprint: str
    rows: list[dict[str, Any]]
    sizes: Mapping[str, int]


def build_dataset(rows: Sequence[Mapping[str, Any]], folder: Path, card: Card) -> BuiltDataset:
    """Write the rows to `folder`, in place of what was there.

    The new folder is complete before the old one goes, so no reader ever sees half of one.
    """
    import datasets

    datasets.disable_progress_bars()
    placed = [{**row, "split": split_of(row["instruction"])} for row in rows]
    fingerprint = sha256_of_rows(placed, CONTENT)
    sizes = Counter(row["split"] for row in placed)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    data = fresh / "data"
    data.mkdir(parents=True)
    try:
        features = datasets.Features(
            {name: datasets.Value("bool" if name == "rehearsal" else "string") for name in COLUMNS}
        )
        for split in SPLITS:
            members = [
                {name: row[name] for name in COLUMNS} for row in placed if row["split"] == split
            ]
            shards = -(-len(members) // ROWS_PER_SHARD)  # none for an empty split
            for shard in range(shards):
                part = members[shard * ROWS_PER_SHARD : (shard + 1) * ROWS_PER_SHARD]
                columns = {name: [row[name] for row in part] for name in COLUMNS}
                datasets.Dataset.from_dict(columns, features=features).to_parquet(
                    data / shard_name(split, shard, shards, fingerprint)
                )
        (fresh / "README.md").write_text(render_card(card, placed, sizes, fingerprint), "utf-8")
        _swap(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return BuiltDataset(folder, fingerprint, placed, dict(sizes))


def shard_name(split: str, shard: int, shards: int, fingerprint: str) -> str:
    """File name of a shard.

    It holds the fingerprint because `datasets.load_dataset` caches a local folder by its card's
    file patterns, not by the files: with constant names it would go on serving the first version
    it saw, of any folder with the same card, and train on rows that are no longer there.
    """
    return f"{split}-{shard:05d}-of-{shards:05d}-{fingerprint[:16]}.parquet"


def read_split(folder: Path, split: str, fingerprint: str) -> list[dict[str, Any]]:
    """Rows of one split, straight from the files, in their order.

    Raises:
        DatasetError: the folder holds another version of the data set than `fingerprint`.
    """
    import pyarrow.parquet as pq

    present = sorted((folder / "data").glob(f"*-{fingerprint[:16]}.parquet"))
    shards = [path for path in present if path.name.startswith(f"{split}-")]
    if not present:
        raise DatasetError(
            f"{folder} does not hold version {fingerprint[:16]} of the data set. It was rebuilt "
            "meanwhile: materialize key:lora_adapter and key:eval_scores anew."
        )
    return [row for shard in shards for row in pq.read_table(shard).to_pylist()]


def _swap(fresh: Path, folder: Path) -> None:
    # A folder can't be replaced in one step; between the two renames a reader finds none, not half.
    old = folder.with_name(f".{folder.name}.old-{uuid.uuid4().hex}")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
