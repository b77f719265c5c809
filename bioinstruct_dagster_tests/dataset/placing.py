"""A data set in a test's store and folder, from rows as `hf_dataset` has them.

Belongs here: what the tests of the data set, of its version and of the report share. Does not: what
they assert.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.build import BuiltDataset, build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

PLACED = ("row_id", "split", "category", "rehearsal")
TEXTS = ("instruction", "input", "output")


def place(store: Store, settings: Settings, rows: Sequence[Mapping[str, Any]]) -> BuiltDataset:
    """Write the rows as raw, kept, labelled and placed rows, and build the folder."""
    card = Card(teacher="a teacher", template="test/1", seeds_fingerprint="none")
    built = build_dataset(rows, settings.store.data_dir / "hf_dataset", card)
    numbered = [{**row, "ordinal": number} for number, row in enumerate(rows)]
    known = ("row_id", "ordinal", *TEXTS, "rehearsal")
    store.replace(
        {
            "raw_instructions": [
                {name: row[name] for name in (*known, "source", "completion_id")}
                | {"position": row["ordinal"]}
                for row in numbered
            ],
            "deduplicated_instructions": [
                {name: row[name] for name in known} | {"repaired": [], "flags": []}
                for row in numbered
            ],
            "categorized_instructions": [
                {name: row[name] for name in (*known, "category", "labelled_by")}
                | {"needs_review": False}
                for row in numbered
            ],
            "hf_dataset": [
                {name: row[name] for name in PLACED} | {"dataset_fingerprint": built.fingerprint}
                for row in built.rows
            ],
        }
    )
    return built
