"""`croissant.json`: the data set in the words of Croissant 1.1, with its RAI fields.

Croissant is MLCommons' JSON-LD vocabulary for data sets; RAI is its part on responsible use. Only
fields that are measured or counted are written. What nobody has measured, such as the social impact
or a plan of maintenance, is left out. Belongs here: the document. Does not: the card
(card.render) or the data sheet (card.datasheet).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.croissant_context import CONTEXT
from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.licence import bibtex_of_set, licence_address
from bioinstruct_dagster.dataset.card.render import is_english, set_name
from bioinstruct_dagster.dataset.card.responsible_use import plain_origins, responsible_use
from bioinstruct_dagster.dataset.card.statistics import TextStatistics
from bioinstruct_dagster.dataset.origins import origins_of
from bioinstruct_dagster.dataset.splits import SPLITS

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_PARQUET = "application/x-parquet"
_FIELDS = {
    "row_id": "Identifies the row in every version of the set.",
    "instruction": "The task.",
    "input": "The text that the task is about; empty where the task needs none.",
    "output": "The answer to learn.",
    "category": "information_extraction, question_answering, generation or other.",
    "labelled_by": "Who gave the category.",
    "source": "completion, or the imported set.",
    "completion_id": "The stored reply that the row came in; empty for an imported row.",
    "rehearsal": "Whether the rehearsal teacher replayed the row.",
}


def croissant(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    files: Mapping[str, str],
    fingerprint: str,
    measured: TextStatistics | None,
) -> dict[str, Any]:
    """The document, which `json.dumps` writes.

    Args:
        card: what the rows do not hold.
        rows: of all splits.
        files: the sha256 of each Parquet file, by its path in the folder.
        fingerprint: of the content.
        measured: on the rows; None if there are none.
    """
    origins = origins_of(rows)
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": set_name(origins),
        "description": f"{plain_origins(origins)}. Content sha256: {fingerprint}.",
        "conformsTo": list(CONFORMS_TO),
        "citeAs": bibtex_of_set(card, origins, set_name(origins), fingerprint),
        "isLiveDataset": False,
        "keywords": ["instruction-tuning"] + ["rehearsal"] * bool(origins.replayed),
        "distribution": [_file(path, sha256) for path, sha256 in files.items()],
        "recordSet": [_splits(files), *map(_records, _shards(files).items())],
    }
    if card.licence:
        document["license"] = licence_address(card.licence)
    if is_english(card, origins):
        document["inLanguage"] = ["en"]
    return document | responsible_use(card, rows, origins, measured)


def _file(path: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": _PARQUET,
        "sha256": sha256,
    }


def _shards(files: Mapping[str, str]) -> dict[str, str]:
    """The name of each file's records: that of the split, and a number if it has several files."""
    of_split = Counter(_split_of(path) for path in files)
    seen: Counter[str] = Counter()
    names = {}
    for path in files:
        split = _split_of(path)
        names[path] = f"{split}_{seen[split]}" if of_split[split] > 1 else split
        seen[split] += 1
    return names


def _split_of(path: str) -> str:
    return next(split for split in SPLITS if path.rpartition("/")[2].startswith(split))


def _splits(files: Mapping[str, str]) -> dict[str, Any]:
    present = dict.fromkeys(map(_split_of, files))
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}
        ],
        "data": [{"splits/name": split} for split in present],
    }


def _records(named: tuple[str, str]) -> dict[str, Any]:
    path, name = named
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"The rows of the split {_split_of(path)} in the file {path}.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": said,
                "dataType": "sc:Boolean" if column == "rehearsal" else "sc:Text",
                "source": {"fileObject": {"@id": path}, "extract": {"column": column}},
            }
            for column, said in _FIELDS.items()
        ],
    }
