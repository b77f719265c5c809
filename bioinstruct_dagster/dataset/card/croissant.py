"""`croissant.json`: the data set in the words of Croissant 1.1, with its RAI fields.

Croissant is MLCommons' JSON-LD vocabulary for data sets; RAI is its part on responsible use. Only
fields that are measured or counted are written. What nobody has measured, such as the social impact
or a plan of maintenance, is left out. Belongs here: the document. Does not: the card
(card.render) or the data sheet (card.datasheet).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.licence import bibtex_of_set, licence_address
from bioinstruct_dagster.dataset.card.parts import counted, percent, some_of
from bioinstruct_dagster.dataset.card.render import is_english, set_name
from bioinstruct_dagster.dataset.card.statistics import TextStatistics
from bioinstruct_dagster.dataset.origins import RowOrigins, origins_of
from bioinstruct_dagster.dataset.splits import SPLITS

# The context that the specification of Croissant 1.1 prescribes.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
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
# What the set was made for: the method's purpose, and none that a user states of a set.
_USE = "Instruction tuning of language models for biomedical text. Not for clinical use."


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
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": set_name(origins),
        "description": f"{_plain(origins)}. Content sha256: {fingerprint}.",
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
    return document | _responsible_use(card, rows, origins, measured)


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


def _responsible_use(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    origins: RowOrigins,
    measured: TextStatistics | None,
) -> dict[str, Any]:
    """The RAI fields that can be counted. A field without a value is left out."""
    asked = [one for one in card.stored.requests if one.purpose == "generation"]
    labellers = Counter(row["labelled_by"] for row in rows)
    raw = next((one["rows"] for one in card.funnel if one["stage"] == "raw_instructions"), None)
    without = measured.shares["empty_input"] if measured else None
    values: dict[str, Any] = {
        "dataCollection": f"{_plain(origins)}.",
        "dataCollectionType": _kinds(origins),
        "dataCollectionTimeFrame": sorted(
            {day for one in asked for day in (one.first.isoformat(), one.last.isoformat())}
        )[:: max(1, 2 * len(asked) - 1)],
        "dataCollectionRawData": None if raw is None else f"{counted(raw, 'raw row')}.",
        "dataCollectionMissingData": None
        if without is None
        else f"{percent(without)} of the rows have no input.",
        "dataPreprocessingProtocol": [f"{name}: {said}" for name, said in card.gates.items()],
        "dataAnnotationProtocol": ["Each row has one category."] if rows else None,
        "machineAnnotationTools": [f"{name}: {n:,} rows" for name, n in labellers.most_common()],
        "annotationsPerItem": "1" if rows else None,
        "dataBiases": _biases(rows, measured),
        "dataLimitations": _limitations(card, origins),
        "dataUseCases": None if origins.only_imported else [_USE],
        "personalSensitiveInformation": _personal(card),
    }
    return {f"rai:{name}": value for name, value in values.items() if value}


def _plain(origins: RowOrigins) -> str:
    """The origins without the marks of Markdown."""
    return origins.sentence().replace("`", "")


def _kinds(origins: RowOrigins) -> list[str]:
    """Kinds of collection in the words of the RAI specification."""
    kinds = [
        (origins.generated, "Web API"),
        (origins.replayed, "Others"),
        (origins.from_import, "Secondary data analysis"),
    ]
    return [kind for count, kind in kinds if count]


def _biases(rows: Sequence[Mapping[str, Any]], measured: TextStatistics | None) -> list[str] | None:
    if measured is None:
        return None
    shares = Counter(row["category"] for row in rows).most_common()
    told = ", ".join(f"{name} {percent(count / len(rows))}" for name, count in shares)
    given = percent(measured.shares["begins_with_given"])
    return [f"Categories: {told}.", f"{given} of the instructions begin with “Given”."]


def _limitations(card: Card, origins: RowOrigins) -> list[str]:
    told = ["Outputs may be wrong. Not for clinical use."] if origins.total else []
    if not card.review and origins.total:
        told.append("No person reviewed the rows.")
    missing = card.stored.contamination.settings.get("missing", [])
    if missing:
        told.append(f"Not compared with these evaluation sets: {', '.join(missing)}.")
    return told + list(card.marked)


def _personal(card: Card) -> list[str] | None:
    gate = card.stored.privacy
    if not gate.settings:
        return None
    if gate.action == "off":
        return ["The rows were not checked for identifiers of persons."]
    told = f"A gate checked {gate.checked:,} raw rows for identifiers of persons and rejected "
    left = [f"Kept rows with marks: {some_of(sorted(gate.flagged))}."] if gate.flagged else []
    return [f"{told}{gate.rejected_rows:,}. It may have missed some.", *left]
