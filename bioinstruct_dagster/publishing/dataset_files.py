"""The files of a published data set.

Belongs here: which files of the folder go to the hub, and which of them are filled in. Does not:
why they may not (dataset_refusals), or sending them (hub.push).
"""

import json
from collections.abc import Iterator
from pathlib import Path

from bioinstruct_dagster.dataset.build import (
    CARD_FILE,
    CROISSANT_FILE,
    DATASHEET_FILE,
    FIGURES_FOLDER,
    shards_of,
)
from bioinstruct_dagster.dataset.written_files import RECORD
from bioinstruct_dagster.publishing.broken_documents import (
    DOCUMENTS_ANEW,
    header_of,
    reading,
)
from bioinstruct_dagster.publishing.dataset_documents import (
    Release,
    published_card,
    published_croissant,
)
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster.publishing.staged_files import StagedFile

# Files of an earlier version in the repository, which a push replaces.
REPLACED = ("data/*.parquet",)

NO_FIGURES = (
    "There are no figures beside the card, so the page will show none. Materialize "
    "key:dataset_figures to add them."
)


def dataset_files(
    folder: Path, fingerprint: str, to: HubRepository, release: Release
) -> list[StagedFile]:
    """The files of this version of the data set, with filled-in card and croissant.json.

    Args:
        folder: of the data set.
        fingerprint: of the version.
        to: the repository.
        release: the day and the version.

    Raises:
        BrokenDocumentError: card or croissant.json can't be read.
    """
    files = [StagedFile(f"data/{path.name}", path) for path in shards_of(folder, fingerprint)]
    files += _documents(folder, to, release)
    pictures = sorted((folder / FIGURES_FOLDER).glob("*.png"))  # the card shows them
    files += [StagedFile(f"{FIGURES_FOLDER}/{path.name}", path) for path in pictures]
    return files


def _documents(folder: Path, to: HubRepository, release: Release) -> Iterator[StagedFile]:
    if (path := folder / CARD_FILE).is_file():
        with reading(path, DOCUMENTS_ANEW):
            card = path.read_text("utf-8")
            header_of(card)
            filled = published_card(card, to, release)
        yield StagedFile(CARD_FILE, filled.encode())
    if (path := folder / CROISSANT_FILE).is_file():
        with reading(path, DOCUMENTS_ANEW):
            described = published_croissant(json.loads(path.read_text("utf-8")), to, release)
        text = json.dumps(described, indent=1, ensure_ascii=False)
        yield StagedFile(CROISSANT_FILE, f"{text}\n".encode())
    if (path := folder / DATASHEET_FILE).is_file():
        with reading(path, DOCUMENTS_ANEW):
            path.read_text("utf-8")
        yield StagedFile(DATASHEET_FILE, path)


def missing_figures(folder: Path, fingerprint: str) -> list[str]:
    """A note if the version has no figures beside its card: a new build removes them."""
    if not fingerprint or any((folder / FIGURES_FOLDER).glob("*.png")):
        return []
    return [NO_FIGURES]


def left_files(folder: Path, files: list[StagedFile]) -> list[str]:
    """The paths in the folder that are not published, because the project did not write them."""
    published = {one.path for one in files}
    present = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        name
        for path in present
        if (name := path.relative_to(folder).as_posix()) not in {*published, RECORD}
    ]
