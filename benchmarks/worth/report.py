"""The report of `benchmarks.worth`: how often each kind of refresh was flagged.

Belongs here: the sentences and the table. Does not: the trials (benchmarks.worth.trials).
"""

from collections.abc import Sequence
from statistics import median

from benchmarks.documents import table_head, table_line
from benchmarks.worth.trials import TrialFigures
from bioinstruct_dagster.findings.worth.verdict import BY_FIT, BY_LOSS

_HEADS = (
    "refresh", "trials", "worse", "tied", "better", "worse by the loss", "worse by the fit",
    "difference in loss, median and range (nats/token)", "half-width of its interval, median",
    "fit before, added (medians)",
)  # fmt: skip


def render(figures: Sequence[TrialFigures], where: str) -> str:
    """The report as Markdown.

    Args:
        figures: of all trials.
        where: machine and versions.
    """
    first = figures[0]
    about = (
        f"Each trial trains {first.seeds} pairs of adapters of the embedded model on about "
        f"{first.train_rows:.0f} rows, of which about {first.train_rows_added:.0f} are of the "
        f"refresh in one adapter of each pair. The loss is that of {_range(figures)} held-out rows "
        "from before the refresh."
    )
    lines = [where, "", about, "", *table_head(_HEADS)]
    for kind, words in (
        ("shuffled", "half of the set, outputs shuffled"),
        ("sound", "half of the set, as it is"),
    ):
        found = [one for one in figures if one.kind == kind]
        if found:
            lines.append(table_line((words, *_cells(found))))
    return "\n".join(lines)


def _cells(found: Sequence[TrialFigures]) -> list[str]:
    counts = [sum(one.verdict == verdict for one in found) for verdict in _VERDICTS]
    counts += [
        sum(one.verdict == "worse" and reason in one.reason for one in found)
        for reason in (BY_LOSS, BY_FIT)
    ]
    differences = [one.difference for one in found]
    half = median((one.ci_high - one.ci_low) / 2 for one in found)
    return [
        str(len(found)),
        *map(str, counts),
        f"{median(differences):+.3f} ({min(differences):+.3f} to {max(differences):+.3f})",
        f"{half:.3f}",
        ", ".join(
            f"{median(fits):.3f}"
            for fits in ([one.fit_before for one in found], [one.fit_added for one in found])
        ),
    ]


_VERDICTS = ("worse", "tied", "better")


def _range(figures: Sequence[TrialFigures]) -> str:
    low, high = min(one.n for one in figures), max(one.n for one in figures)
    return f"{low}" if low == high else f"{low} to {high}"
