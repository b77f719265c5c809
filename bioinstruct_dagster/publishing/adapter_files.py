"""The files of a published adapter.

Belongs here: which files go to the hub, and which of them are filled in. Does not: why they may not
(adapter_refusals), or sending them (hub.push).
"""

import json
from collections.abc import Iterator
from pathlib import Path

from bioinstruct_dagster.evaluation.exchange import every_eval_ever
from bioinstruct_dagster.evaluation.exchange.files import DOCUMENTS
from bioinstruct_dagster.evaluation.exchange.hub_results import FOLDER
from bioinstruct_dagster.models.adapters import CONFIG_FILE, WEIGHTS_FILE, folder_name
from bioinstruct_dagster.models.card_text import hub_id
from bioinstruct_dagster.publishing.adapter_documents import (
    published_adapter_card,
    published_config,
    published_document,
    published_hub_result,
)
from bioinstruct_dagster.publishing.adapter_refusals import PublishedAdapter
from bioinstruct_dagster.publishing.broken_documents import (
    SCORED_ANEW,
    TRAINED_ANEW,
    header_of,
    reading,
)
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster.publishing.staged_files import StagedFile

_SCORES = "every_eval_ever"  # the folder of these documents in the repository
REPLACED = (f"{FOLDER}/*", f"{_SCORES}/*")
_CARD = "README.md"
NO_HUB_BASE = (
    "The base model {base} has no id on the hub, so the card names a folder: its readers must get "
    "the base model in another way."
)


def adapter_files(adapter: PublishedAdapter, data_dir: Path, to: HubRepository) -> list[StagedFile]:
    """Weights, configuration, card and scores of an adapter. What can be filled in is.

    Args:
        adapter: to publish.
        data_dir: the folder of all outputs, with the documents of scores.
        to: the repository.

    Raises:
        BrokenDocumentError: a document can't be read.
    """
    return [*_own_files(adapter, to), *_score_files(adapter, data_dir, to)]


def notes_on(adapter: PublishedAdapter) -> list[str]:
    """What whoever publishes the adapter should know, and what is no reason to refuse it."""
    notes = []
    if hub_id(adapter.base.source) is None:
        notes.append(NO_HUB_BASE.format(base=adapter.base_model))
    if not (adapter.folder / _CARD).is_file():
        notes.append(f"The folder {adapter.folder} holds no card.")
    return notes


def _own_files(adapter: PublishedAdapter, to: HubRepository) -> Iterator[StagedFile]:
    folder, base = adapter.folder, hub_id(adapter.base.source)
    if (folder / WEIGHTS_FILE).is_file():
        yield StagedFile(WEIGHTS_FILE, folder / WEIGHTS_FILE)
    if (folder / CONFIG_FILE).is_file():
        with reading(folder / CONFIG_FILE, TRAINED_ANEW):
            config = (folder / CONFIG_FILE).read_text("utf-8")
            text = published_config(config, base, adapter.base.revision)
        yield StagedFile(CONFIG_FILE, folder / CONFIG_FILE if text == config else text.encode())
    if (folder / _CARD).is_file():
        with reading(folder / _CARD, TRAINED_ANEW):
            card = (folder / _CARD).read_text("utf-8")
            header_of(card)
            text = published_adapter_card(card, to, base, adapter.base.revision)
        yield StagedFile(_CARD, text.encode())


def _score_files(
    adapter: PublishedAdapter, data_dir: Path, to: HubRepository
) -> Iterator[StagedFile]:
    for path in sorted((adapter.folder / FOLDER).glob("*.yaml")):
        with reading(path, SCORED_ANEW):
            text = published_hub_result(path.read_text("utf-8"), to)
        yield StagedFile(f"{FOLDER}/{path.name}", text.encode())
    place = data_dir / DOCUMENTS / every_eval_ever.BENCHMARK / folder_name(adapter.experiment)
    for path in sorted(place.glob("*/*.json")):
        with reading(path, SCORED_ANEW):
            document = published_document(path.read_text("utf-8"), to)
            name = every_eval_ever.file_name(document)
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        yield StagedFile(f"{_SCORES}/{path.parent.name}/{name}", text.encode())
