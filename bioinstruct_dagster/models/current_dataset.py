"""The current version of the data set: adapters are trained and scored on it.

Belongs here: the query with which training and evaluation start, and whether an adapter is of this
version. Does not: reading the rows (dataset.build), which the model process does without the store.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.build import DatasetError, read_columns
from bioinstruct_dagster.dataset.older_results import of_older_data
from bioinstruct_dagster.dataset.origins import RowOrigins, origins_of
from bioinstruct_dagster.dataset.sources import content_source
from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

DATASET = """
    select any_value(dataset_fingerprint) as fingerprint, bool_or(rehearsal) as rehearsal
    from hf_dataset
"""
TRAIN_ROWS = """
    select count(*) as n from hf_dataset
    where split = 'train' and list_contains($categories, category)
"""
SOURCES = "select distinct source from raw_instructions where source <> 'completion'"
NO_DATA_SET = "There is no data set yet. Materialize key:hf_dataset first."
_ORIGIN_COLUMNS = ("source", "rehearsal", "labelled_by")


def current_dataset(store: Store, settings: Settings) -> DatasetVersion:
    """The last materialized version of the data set.

    Raises:
        StatedError: no version has been materialized yet.
    """
    found = store.rows(DATASET)[0]
    if found["fingerprint"] is None:
        raise StatedError(NO_DATA_SET)
    folder, fingerprint = settings.store.data_dir / "hf_dataset", found["fingerprint"]
    origins = _origins(store, folder, fingerprint)
    return DatasetVersion(
        folder,
        fingerprint,
        found["rehearsal"],
        origin=origins.sentence() if origins else "",
        imported=bool(origins and origins.from_import),
    )


def present_fingerprint(store: Store) -> str | None:
    """The fingerprint of the present data set; None if no data set is known.

    A folder of adapters may have been copied without the store.
    """
    if not store.path.exists():
        return None
    fingerprint: str | None = store.rows(DATASET)[0]["fingerprint"]
    return fingerprint


def why_of_older_data(trained_on: Any, present: str | None) -> str | None:
    """Why an adapter is not one of the present data set, in words; None if it is one.

    Args:
        trained_on: the fingerprint in the adapter's result.
        present: from `present_fingerprint`. If it is None, there is nothing to compare with.
    """
    return None if present in {None, trained_on} else of_older_data(str(trained_on), str(present))


def train_rows(store: Store, categories: Sequence[str]) -> int:
    """The number of rows of these categories in the train split of the current version."""
    return int(store.rows(TRAIN_ROWS, {"categories": list(categories)})[0]["n"])


def _origins(store: Store, folder: Path, fingerprint: str) -> RowOrigins | None:
    """The origins of the rows in the files; None if the folder does not hold this version.

    The files hold the hash of an imported file without its name. The store knows the name, as long
    as it holds the import.
    """
    try:
        rows = read_columns(folder, fingerprint, _ORIGIN_COLUMNS)
    except DatasetError:
        return None  # training and evaluation say so when they read the rows
    named = {content_source(row["source"]): row["source"] for row in store.rows(SOURCES)}
    return origins_of(row | {"source": named.get(row["source"], row["source"])} for row in rows)
