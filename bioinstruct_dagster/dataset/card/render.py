"""The data set card: the text of `README.md` in the data set folder.

Belongs here: the header, and the order of the sections. Does not: the sections themselves
(card.sections, card.licence, card.review),
writing the folder (dataset.build), or the card of an adapter (training.card).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.licence import (
    citation_section,
    licence_header,
    licence_section,
)
from bioinstruct_dagster.dataset.card.sections.content import (
    categories_section,
    example_section,
    fields_section,
    lengths_section,
    loading_section,
    splits_section,
)
from bioinstruct_dagster.dataset.card.sections.cost import cost_section
from bioinstruct_dagster.dataset.card.sections.diversity import diversity_section
from bioinstruct_dagster.dataset.card.sections.gates import (
    contamination_section,
    funnel_section,
    novelty_section,
    privacy_section,
)
from bioinstruct_dagster.dataset.card.sections.origin import (
    introduction,
    limits_section,
    prompt_section,
    provenance_section,
    rehearsal_notes,
)
from bioinstruct_dagster.dataset.card.statistics import TextStatistics, text_statistics
from bioinstruct_dagster.dataset.origins import RowOrigins, origins_of
from bioinstruct_dagster.dataset.splits import SPLITS
from bioinstruct_dagster.markdown import one_line

_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}


def render_card(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
    fingerprint: str,
    measured: TextStatistics | None = None,
) -> str:
    """The text of README.md, with the YAML header that `datasets` and the hub read.

    Args:
        card: what the rows do not hold.
        rows: of all splits.
        sizes: the number of rows by split.
        fingerprint: of the content.
        measured: on the rows; measured here if it is not given.
    """
    measured = measured or text_statistics(rows)
    origins = origins_of(rows)
    header = _header(card, rows, sizes, fingerprint, origins)
    name = one_line(header["pretty_name"])
    sections = [
        f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---\n\n# {name}\n\n",
        rehearsal_notes(origins),
        introduction(origins),
        loading_section(),
        limits_section(card, origins, rows),
        splits_section(card, sizes),
        fields_section(origins),
        example_section(rows),
        categories_section(rows),
        lengths_section(measured),
        diversity_section(measured),
        provenance_section(card, fingerprint, origins),
        cost_section(card, origins),
        funnel_section(card, origins),
        novelty_section(card, measured),
        contamination_section(card),
        privacy_section(card),
        card.review,
        licence_section(card, origins),
        citation_section(card, origins, name, fingerprint),
        prompt_section(card),
    ]
    return "".join(sections).rstrip("\n") + "\n"


def _header(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
    fingerprint: str,
    origins: RowOrigins,
) -> dict[str, Any]:
    header: dict[str, Any] = {"pretty_name": set_name(origins)}
    header |= licence_header(card.licence)
    if is_english(card, origins):
        header["language"] = ["en"]
    # Nobody knows the subject and the tasks of a set that a user imports.
    tags, tasks = ["instruction-tuning"], ["text-generation"]
    if not origins.only_imported:
        tags = ["biology", "medical", *tags, "synthetic"]
        asked = {row["category"] for row in rows if row["source"] == "completion"}
        tasks += ["question-answering"] * ("question_answering" in asked)
    return header | {
        "task_categories": tasks,
        "size_categories": [_size_category(len(rows))],
        "tags": tags + ["rehearsal"] * bool(origins.replayed),
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*-{fingerprint[:16]}.parquet"}
                    for split in SPLITS
                    if sizes.get(split)  # a pattern without files can't be loaded
                ],
            }
        ],
    }


def is_english(card: Card, origins: RowOrigins) -> bool:
    """Whether all rows are known to be English: nobody says it of an imported row."""
    return bool(origins.total) and not origins.from_import and card.other_language == 0


def set_name(origins: RowOrigins) -> str:
    """The name of the set, by where its rows come from."""
    imported = ", ".join(source.name or "a file" for source in origins.imported)
    if origins.only_imported:
        return f"Imported instruction set {imported}"
    name = f"BioInstruct rebuild, mixed with {imported}" if imported else "BioInstruct rebuild"
    if not origins.replayed:
        return name
    return f"{name} ({'rehearsal' if origins.replayed == origins.total else 'partly rehearsal'})"


def _size_category(rows: int) -> str:
    """The hub's name for a data set of this many rows."""
    return next((name for bound, name in _SIZES.items() if rows < bound), "1M<n<10M")
