"""Numbers and notes of findings as tables, figures and pages show them.

Belongs here: the form of a score, and what keeps a score from being taken as it stands. Does not:
which numbers are shown (ranking, ablation, scaling).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bioinstruct_dagster.figures.forest import PlottedScore
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.stored_scores import AVERAGE, HELD_OUT

REHEARSAL = "rehearsal"
_NATS = "nats"


def amount(value: float | None, metric: str, *, sign: bool = False) -> str:
    """A score in its unit: shares in percent, losses in nats for a token."""
    if value is None:
        return "?"
    mark = "+" if sign else ""
    shown, digits = scale(metric) * value, 2 if metric == "loss" else 1
    return f"{round(shown, digits) + 0.0:{mark}.{digits}f}"  # + 0.0: no minus before a zero


def unit(metric: str) -> str:
    """The unit in which `amount` shows a metric."""
    return f"{_NATS}/token" if metric == "loss" else "%"


def difference_unit(metric: str) -> str:
    """The unit of a difference."""
    return _NATS if metric == "loss" else "points"


def ends(low: float | None, high: float | None, metric: str, *, sign: bool = False) -> str:
    """An interval as `[lower, upper]`, or that there is none."""
    if low is None or high is None:
        return "[no interval]"
    return f"[{amount(low, metric, sign=sign)}, {amount(high, metric, sign=sign)}]"


def score_text(row: Mapping[str, Any]) -> str:
    """The adapter's score with its interval."""
    metric = row["metric"]
    return f"{amount(row['score'], metric)} {ends(row['ci_low'], row['ci_high'], metric)}"


def difference_ends(row: Mapping[str, Any]) -> str:
    """The interval of a row's difference."""
    return ends(row["difference_low"], row["difference_high"], row["metric"], sign=True)


def difference_text(row: Mapping[str, Any]) -> str:
    """The difference with its interval, without the unit."""
    return f"{amount(row['difference'], row['metric'], sign=True)} {difference_ends(row)}"


def percent(value: float | None) -> str:
    """A relative gain."""
    return "" if value is None else f"{100 * value:+,.1f} %"


def measure_name(row: Mapping[str, Any]) -> str:
    """What a score measures, such as `medqa` or `average of generation`."""
    if row["task"] == AVERAGE:
        return f"average of {row['category'].replace('_', ' ')}"
    if row["task"] == HELD_OUT:
        part = "" if row["category"] == "all" else f": {row['category'].replace('_', ' ')}"
        return f"held-out{part}"
    return str(row["task"])


def task_order(task: str) -> int:
    """Averages first, then the test split, then the other tasks."""
    return {AVERAGE: 0, HELD_OUT: 1}.get(task, 2)


def items_mark(row: Mapping[str, Any], sign: str = ", ") -> str:
    """Where the items come from, after a sign, unless they are the real ones of a task."""
    source = row["items_source"]
    return "" if source in {"files", "hub", "own"} else f"{sign}{source}"


def marks(row: Mapping[str, Any], *, why: bool = False) -> str:
    """What keeps a row from being taken as it stands, in words; empty for nothing.

    Args:
        row: of the table of a finding.
        why: whether to say why a score is one on older data, which takes much room.
    """
    older = f"older: {row['older']}" if why else "older data"
    repeated = row.get("items_trained_on") or 0  # of a table that the store holds without it
    return "; ".join(
        [REHEARSAL] * row["rehearsal"]
        + [older] * bool(row["older"])
        + [f"training rows repeat {number_of(repeated, 'item')}"] * bool(repeated)
    )


def shade(change: float | None, greatest: float, row: Mapping[str, Any]) -> float | None:
    """How strongly a cell is coloured; None, so not at all, unless the change is certain.

    Args:
        change: positive for better.
        greatest: the greatest certain change, which gets full colour.
        row: with the interval of the difference.
    """
    if change is None or not is_certain(row):
        return None
    return change / greatest if greatest else 0.0


def scale(metric: str) -> int:
    """By what a score is multiplied to be in its unit."""
    return 1 if metric == "loss" else 100


def plotted_difference(row: Mapping[str, Any]) -> PlottedScore:
    """The difference of a row with an interval, in its unit."""
    by = scale(row["metric"])
    value, low, high = (by * row[f"difference{end}"] for end in ("", "_low", "_high"))
    return PlottedScore(value, low, high)


def has_interval(row: Mapping[str, Any]) -> bool:
    """Whether the difference of a row is known with its interval."""
    return None not in (row["difference"], row["difference_low"], row["difference_high"])


def is_certain(row: Mapping[str, Any]) -> bool:
    """Whether the interval of a row's difference excludes 0."""
    return has_interval(row) and (row["difference_low"] > 0 or row["difference_high"] < 0)


def span(values: Iterable[float | None], metric: str) -> str:
    """Some differences from the least to the greatest with their unit; empty without any."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    shown = dict.fromkeys(amount(value, metric) for value in (min(known), max(known)))
    return f"{' to '.join(shown)} {difference_unit(metric)}"


def table_row(row: Mapping[str, Any], first: Iterable[str]) -> dict[str, str]:
    """A row as the table of a page shows it.

    Args:
        row: of the table of a finding.
        first: the columns that name it.
    """
    metric = row["metric"]
    names = {}
    for name in first:
        value = row[name]
        names[name.replace("_", " ")] = f"{value:,.0f}" if isinstance(value, float) else str(value)
    return names | {
        "measure": measure_name(row),
        "base": amount(row["base_score"], metric),
        "score": score_text(row),
        "difference": difference_text(row),
        "gain": percent(row["relative_gain"]),
        "unit": unit(metric),
        "n": f"{row['n']:,}",
        "marks": marks(row),
    }
