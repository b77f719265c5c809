"""What is known of the published BioInstruct data set, to stand beside our own figures.

They are never ours: each table that shows them names their source. Belongs here: reading
published.yaml. Does not: measuring rows (card.statistics).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bioinstruct_dagster.dataset.card.statistics import Diversity, Lengths, TextStatistics

_FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class PublishedSet:
    """A published set.

    Attributes:
        name: as a table's heading.
        source: of its figures, in sentences.
        categories: the share of each category, as its authors state it.
        measured: of a part of its rows, by the definitions of card.statistics.
    """

    name: str
    source: str
    categories: Mapping[str, float]
    measured: TextStatistics


@cache
def published_set() -> PublishedSet:
    """The published BioInstruct."""
    content: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    measured = content["measured"]
    diversity = measured["diversity"]
    return PublishedSet(
        content["name"],
        content["source"],
        content["stated"]["categories"],
        TextStatistics(
            measured["rows"],
            {name: Lengths(**lengths) for name, lengths in measured["lengths"].items()},
            measured["shares"],
            Diversity(
                **diversity
                | {"distinct": tuple(diversity["distinct"]), "nearest": tuple(diversity["nearest"])}
            ),
        ),
    )
