"""Whether somebody has changed a document since the project wrote it.

Each folder of documents holds a record with the hash of each file that was written there. Belongs
here: the record, and the comparison with it. Does not: what a publication says of a changed file
(publishing.edited_files), or the hashes of rows and weights, which the store holds.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.store.fingerprints import sha256_of_file

RECORD = ".written.json"  # hidden, so that no reader of data sets or adapters takes it for content


def record_written(folder: Path, names: Iterable[str]) -> None:
    """Note the present content of these files as what the project wrote.

    Args:
        folder: that holds them, and gets the record.
        names: of files in the folder.
    """
    hashes = (_record(folder) or {}) | {name: sha256_of_file(folder / name) for name in names}
    with new_file(folder / RECORD) as fresh:
        fresh.write_text(json.dumps(hashes, indent=1, sort_keys=True) + "\n", "utf-8")


def changed_since_written(folder: Path) -> list[str] | None:
    """The names of recorded files whose content has changed, or that are gone.

    Returns:
        None if the folder has no record: an earlier version of the project wrote it.
    """
    record = _record(folder)
    if record is None:
        return None
    return sorted(
        name
        for name, sha256 in record.items()
        if not (folder / name).is_file() or sha256_of_file(folder / name) != sha256
    )


def missing_since_written(folder: Path) -> list[str]:
    """The names of recorded files that are gone; empty if the folder has no record."""
    return [name for name in sorted(_record(folder) or {}) if not (folder / name).is_file()]


def rewrite(path: Path, text: str) -> None:
    """Write a recorded file again. A file that somebody has changed stays marked as changed.

    Args:
        path: the file.
        text: its new content, which holds what it held before.
    """
    changed = changed_since_written(path.parent)
    with new_file(path) as fresh:
        fresh.write_text(text, "utf-8")
    if changed is not None and path.name not in changed:
        record_written(path.parent, (path.name,))


def _record(folder: Path) -> dict[str, str] | None:
    try:
        found = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return {str(name): str(sha256) for name, sha256 in found.items()}
