"""Figures that others have published, from `data/published_figures.yaml`: quotations with sources.

Belongs here: reading the file, and which quotation may stand beside which row. Does not: our own
scores (stored_scores).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.shown import rests_on_fixtures
from bioinstruct_dagster.findings.stored_scores import AVERAGE
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.yaml_files import (
    ExactName,
    Identifier,
    NonEmptyText,
    StrictModel,
    read_yaml,
)
from bioinstruct_dagster.yaml_lines import Fault

PUBLISHED = INPUTS / "published_figures.yaml"


class PublishedFiguresError(StatedError):
    """The file of published figures has faults. The message lists each with line and field."""


class PublishedSource(StrictModel):
    """Where figures were published."""

    title: NonEmptyText
    id: NonEmptyText = Field(description="DOI, arXiv number, or address")
    read: NonEmptyText = Field(description="which part was read")
    as_quoted_by: NonEmptyText | None = Field(None, description="the text that quotes it")


class PublishedGain(StrictModel):
    """A relative gain that a source states; 0.173 is 17.3 %."""

    source: ExactName
    category: Literal["question_answering", "extraction", "generation"]
    gain: float = Field(gt=-1, description="relative, such as 0.173 for 17.3 %")
    measured: NonEmptyText


class PublishedScore(StrictModel):
    """A score of another model on a task."""

    source: ExactName
    model: NonEmptyText
    task: Identifier
    metric: Identifier
    score: float = Field(ge=0, description="in the metric's unit, such as 0.307 for 30.7 %")
    measured: NonEmptyText


class PublishedFigures(StrictModel):
    """The whole file."""

    sources: dict[ExactName, PublishedSource]
    gains: tuple[PublishedGain, ...] = ()
    scores: tuple[PublishedScore, ...] = ()

    def told(self, one: PublishedGain | PublishedScore) -> str:
        """A figure's source in one sentence, for a column or a footnote."""
        source = self.sources[one.source]
        quoted = f", as quoted by {source.as_quoted_by}" if source.as_quoted_by else ""
        title = source.title.rstrip(".")
        return f"{title} ({source.id}; {source.read}{quoted}): {one.measured}"

    def gain_beside(self, row: Mapping[str, Any]) -> PublishedGain | None:
        """The quoted gain that may stand beside an average over the tasks of a category.

        None beside a rehearsal or fixture items, whose gain has no meaning beside a real one.
        """
        if row["task"] != AVERAGE or not is_comparable(row):
            return None
        return next((one for one in self.gains if one.category == row["category"]), None)

    def scores_beside(self, row: Mapping[str, Any]) -> list[PublishedScore]:
        """The quoted scores of the task and metric of a row; none beside a rehearsal."""
        if not is_comparable(row):
            return []
        return [
            one for one in self.scores if (one.task, one.metric) == (row["task"], row["metric"])
        ]


def is_comparable(row: Mapping[str, Any]) -> bool:
    """Whether a published figure may stand beside a row: real items, and no rehearsal."""
    return not row["rehearsal"] and not rests_on_fixtures(row["items_source"])


def read_published(path: Path = PUBLISHED) -> PublishedFigures:
    """Read and check the file.

    Raises:
        PublishedFiguresError: lists every fault with file, line, field and what to do.
    """
    return read_yaml(path, PublishedFigures, PublishedFiguresError, more_faults=_unknown_sources)


def _unknown_sources(content: Mapping[str, Any]) -> Iterator[Fault]:
    """Figures whose source is not in the list of sources."""
    sources = content.get("sources")
    known = sources if isinstance(sources, dict) else {}
    for kind in ("gains", "scores"):
        entries = content.get(kind)
        for place, entry in enumerate(entries if isinstance(entries, list) else []):
            source = entry.get("source") if isinstance(entry, dict) else None
            if isinstance(source, str) and source not in known:
                message = f"there is no source {source!r}; add it to `sources`"
                yield Fault((kind, place, "source"), message)
