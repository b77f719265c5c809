"""The report of a session: one table, and what each gate rejected.

Belongs here: the tables. Does not: taking the figures (the session itself, measured).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from benchmarks.documents import table_head, table_line
from benchmarks.imports.shapes import Shape

_REASONS_SHOWN = 4


@dataclass(frozen=True)
class Figures:
    """What the import of one set took and kept.

    Attributes:
        shape: of the set.
        rows: that the set has.
        kept: rows of the data set.
        rejected: gate, reason and number of rows, the most frequent first.
        seconds: from the start of the run to its end.
        by_step: the seconds of each asset.
        megabytes: peak memory of the process.
    """

    shape: Shape
    rows: int
    kept: int
    rejected: Sequence[dict[str, Any]]
    seconds: float
    by_step: dict[str, float]
    megabytes: float


def render(figures: Sequence[Figures], where: str) -> str:
    """The report as Markdown."""
    return "\n".join([where, "", *_table(figures)])


def _table(figures: Sequence[Figures]) -> Iterator[str]:
    heads = ("set", "rows", "kept", "seconds", "of them curation", "peak memory", "rejected by")
    yield from table_head(heads)
    for one in figures:
        yield table_line(
            [
                f"{one.shape.name}: {one.shape.what}",
                f"{one.rows:,}",
                f"{one.kept:,} ({one.kept / one.rows:.1%})",
                f"{one.seconds:,.0f}",
                f"{one.by_step['deduplicated_instructions']:,.0f}",
                f"{one.megabytes:,.0f} MB",
                _reasons(one.rejected) or "none",
            ]
        )


def _reasons(rejected: Sequence[dict[str, Any]]) -> str:
    by_gate = sorted(rejected, key=lambda found: found["gate"])
    texts = []
    for gate, group in groupby(by_gate, key=lambda found: found["gate"]):
        found = list(group)
        named = ", ".join(f"`{one['reason']}` {one['rows']:,}" for one in found[:_REASONS_SHOWN])
        more = sum(one["rows"] for one in found[_REASONS_SHOWN:])
        texts.append(f"{gate}: {named}" + (f", others {more:,}" if more else ""))
    return "; ".join(texts)
