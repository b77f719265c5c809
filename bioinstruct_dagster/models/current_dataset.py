"""The data set that the store knows now: what an adapter is trained on, and scored on.

Belongs here: the one query that training and evaluation both start from. Does not: anything that
runs in the model process, which never opens the store.
"""

from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

DATASET = """
    select any_value(dataset_fingerprint) as fingerprint, bool_or(rehearsal) as rehearsal
    from hf_dataset
"""


def current_dataset(store: Store, settings: Settings) -> DatasetVersion:
    """The version of the data set that was materialized last.

    Raises:
        StatedError: there is none yet.
    """
    found = store.rows(DATASET)[0]
    if found["fingerprint"] is None:
        raise StatedError("There is no data set. Materialize key:hf_dataset first.")
    return DatasetVersion(
        settings.store.data_dir / "hf_dataset", found["fingerprint"], found["rehearsal"]
    )
