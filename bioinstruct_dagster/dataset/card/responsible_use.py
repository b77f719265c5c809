"""The RAI fields of `croissant.json`: what can be counted on responsible use, and nothing else.

Belongs here: the fields' values. Does not: the rest of the document (card.croissant).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.parts import percent, some_of
from bioinstruct_dagster.dataset.card.statistics import TextStatistics
from bioinstruct_dagster.dataset.origins import RowOrigins
from bioinstruct_dagster.figures.values import number_of

# What the set was made for: the method's purpose, and none that a user states of a set.
_USE = "Instruction tuning of language models for biomedical text. Not for clinical use."


def responsible_use(
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
        "dataCollection": f"{plain_origins(origins)}.",
        "dataCollectionType": _kinds(origins),
        "dataCollectionTimeFrame": sorted(
            {day for one in asked for day in (one.first.isoformat(), one.last.isoformat())}
        )[:: max(1, 2 * len(asked) - 1)],
        "dataCollectionRawData": None if raw is None else f"{number_of(raw, 'raw row')}.",
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


def plain_origins(origins: RowOrigins) -> str:
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
