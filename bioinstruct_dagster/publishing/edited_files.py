"""What a publication says of documents that somebody has changed since they were written.

A person may have good reasons to change a card, so the change is published, and never without a
word. Belongs here: the sentence for each file. Does not: the hashes (dataset.written_files).
"""

from collections.abc import Iterable
from pathlib import Path

from bioinstruct_dagster.dataset.written_files import changed_since_written


def edited_files(folder: Path, published: Iterable[str], anew: str) -> list[str]:
    """A sentence for each published file that differs from what the project wrote.

    Args:
        folder: of the data set or the adapter.
        published: paths in the folder that go to the hub.
        anew: what writes them again, as a command to the reader.
    """
    present = [name for name in published if (folder / name).is_file()]
    changed = changed_since_written(folder)
    if changed is None:
        if not present:
            return []
        unknown = (
            f"Nobody knows whether the documents in {folder} were changed by hand: an earlier "
            "version of the project wrote them. They are published as they are, so check what they "
            "say."
        )
        return [unknown]
    return [
        f"{folder / name} was changed after the project wrote it. It is published with this "
        f"change, so check what it says. To undo the change, {anew}"
        for name in changed
        if name in present
    ]
