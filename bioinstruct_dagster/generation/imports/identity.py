"""The name under which an imported set is stored: what it is called, and which content it has.

Belongs here: the value of the column `source` without its `import:`. Does not: reading the set
(read_set), or hashes of rows (store.fingerprints).
"""

from pathlib import Path

from bioinstruct_dagster.store.fingerprints import sha256_of_file
from bioinstruct_dagster.store.storable_text import storable

HASH_DIGITS = 12


def file_identity(path: Path) -> str:
    """The file's name and the first 12 digits of its content's sha256: `rows.csv@0123456789ab`.

    The folder is left out: it says nothing about the rows, and it is nobody else's business.
    """
    name = " ".join(storable(path.name).split())
    return f"{name}@{sha256_of_file(path)[:HASH_DIGITS]}"


def hub_identity(hub_id: str, split: str) -> str:
    """The id and the split of a data set on the hub: `owner/name@train`."""
    return f"{hub_id}@{split}"
