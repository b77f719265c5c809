"""The current version of the data set: adapters are trained and scored on it.

Belongs here: the query with which training and evaluation start. Does not: reading the rows
(dataset.build), which the model process does without the store.
"""

from collections.abc import Sequence

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


def current_dataset(store: Store, settings: Settings) -> DatasetVersion:
    """The last materialized version of the data set.

    Raises:
        StatedError: no version has been materialized yet.
    """
    found = store.rows(DATASET)[0]
    if found["fingerprint"] is None:
        raise StatedError("There is no data set yet. Materialize key:hf_dataset first.")
    return DatasetVersion(
        settings.store.data_dir / "hf_dataset", found["fingerprint"], found["rehearsal"]
    )


def train_rows(store: Store, categories: Sequence[str]) -> int:
    """The number of rows of these categories in the train split of the current version."""
    return int(store.rows(TRAIN_ROWS, {"categories": list(categories)})[0]["n"])
