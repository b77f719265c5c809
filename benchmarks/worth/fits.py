"""The fit of outputs alone, on many random refreshes: no model, a few seconds for each.

Belongs here: the verdict of the fit on refreshes. Does not: trials with adapters
(benchmarks.worth.trials), or the fit itself (bioinstruct_dagster.findings.worth.fit).
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.documents import table_head, table_line
from benchmarks.worth.trials import KINDS, Kind, refreshed
from bioinstruct_dagster.findings.worth.fit import FitComparison, compared_fits

_HEADS = ("refresh", "refreshes", "worse", "added minus before, median and range", "before, added")


def fits_alone(rows: Sequence[Mapping[str, Any]], numbers: Iterable[int]) -> str:
    """A table of how often the fit alone calls a sound and a shuffled refresh worse.

    Args:
        rows: of the data set; half of them are the refresh.
        numbers: of the refreshes; each draws another half.
    """
    found: dict[Kind, list[FitComparison]] = {kind: [] for kind in KINDS}
    for number in numbers:
        for kind in KINDS:
            changed, refresh = refreshed(rows, number, kind)
            groups = (refresh.before, refresh.added)
            before, added = ([row for row in changed if row["row_id"] in one] for one in groups)
            found[kind].append(compared_fits(before, added, number))
    lines = [f"{len(rows):,} rows.", "", *table_head(_HEADS)]
    for kind, fits in found.items():
        falls = [one.difference for one in fits]
        lines.append(
            table_line(
                (
                    f"half of the set, {kind}",
                    str(len(fits)),
                    str(sum(one.is_worse for one in fits)),
                    f"{median(falls):+.3f} ({min(falls):+.3f} to {max(falls):+.3f})",
                    ", ".join(
                        f"{median(one):.3f}"
                        for one in zip(*((fit.before, fit.added) for fit in fits), strict=True)
                    ),
                )
            )
        )
    return "\n".join(lines)
