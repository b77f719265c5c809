"""The ablation as a heat map: a row for each training set, a column for each evaluation category.

Belongs here: what stands in a cell. Does not: the rows (ablation), or drawing (heat_map).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.families import MOST_CATEGORIES
from bioinstruct_dagster.findings.figures.heat_map import EMPTY, Cell, heat_map
from bioinstruct_dagster.findings.stored_scores import improvement, measure_key
from bioinstruct_dagster.findings.wording import (
    REHEARSAL,
    amount,
    difference_ends,
    has_interval,
    is_certain,
    items_mark,
    measure_name,
    percent,
    shade,
    span,
    task_order,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHORT = {
    "information_extraction": "extraction",
    "question_answering": "QA",
    "generation": "generation",
    "other": "other",
}
_NOTES = (
    "Cell: difference to the base model, its 95 % interval (other items and seeds), relative gain.",
    "Blue: better. Orange and hatched: worse. Losses: less is better.",
    "White with grey numbers: the interval holds 0, or there is none.",
    "Framed: no training set is significantly better (a tie). (=) Trained on this category.",
)


def chosen_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of one figure: those of the base model and values with the most scored training
    sets. The table and the CSV file hold all.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["base_model"], row["variant"]), []).append(row)
    return max(
        groups.values(),
        key=lambda found: (len({row["trained_on"] for row in found}), len(found)),
        default=[],
    )


def ablation_figure(rows: Sequence[Mapping[str, Any]]) -> "Figure":
    """The heat map of one base model of the table `category_ablation`.

    Args:
        rows: of the table; the figure shows those that `chosen_rows` gives.
    """
    mine = chosen_rows(rows)
    best: dict[tuple[str, tuple[str, str, str]], Mapping[str, Any]] = {}
    for row in mine:  # of results on two data sets, that on the present one; then the most seeds
        key = (row["trained_on"], measure_key(row))
        other = best.get(key)
        if other is None or _rank(row) > _rank(other):
            best[key] = row
    names = sorted(
        {row["trained_on"]: row for row in mine}.values(),
        key=lambda row: (len(row["categories"]), row["trained_on"]),
    )
    columns = sorted(
        {measure_key(row): row for row in mine}.items(),
        key=lambda item: (task_order(item[0][0]), item[0]),
    )
    scales = {
        # Tasks share a scale, and so do the parts of the test split: their units are equal.
        of_losses: max(
            (
                abs(improvement(row) or 0)
                for row in mine
                if is_certain(row) and (row["metric"] == "loss") == of_losses
            ),
            default=0,
        )
        for of_losses in (True, False)
    }
    cells = [
        [_cell(best.get((name["trained_on"], key)), scales) for key, _ in columns] for name in names
    ]
    base = mine[0]["base_model"] if mine else ""
    return heat_map(
        f"What each training category helps: {base}",
        [_label(row, mine) for row in names],
        [_heading(row, mine) for _, row in columns],
        cells,
        notes=_NOTES,
        watermark=REHEARSAL if any(row["rehearsal"] for row in mine) else "",
    )


def training_set(row: Mapping[str, Any]) -> str:
    """The training set in short words, such as `extraction + QA`."""
    if len(row["categories"]) > MOST_CATEGORIES:
        return "all categories"
    return " + ".join(_SHORT.get(name, name) for name in row["categories"])


def _rank(row: Mapping[str, Any]) -> tuple[bool, int]:
    return row["older"] is None, row["seeds"]


def _label(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    mine = [one for one in rows if one["trained_on"] == row["trained_on"]]
    size = f"{row['train_rows']:,.0f} rows, " if row["train_rows"] else ""
    seeds = max(one["seeds"] for one in mine)
    older = ", older data" if all(one["older"] for one in mine) else ""
    return f"{training_set(row)}\n{size}{number_of(seeds, 'seed')}{older}"


def _heading(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    same = [one for one in rows if measure_key(one) == measure_key(row)]
    metric = row["metric"]
    could = span((one["detectable"] for one in same), metric)
    could = could and f"\ndetectable\n{could}"
    name = measure_name(row).replace("average of ", "average of\n").replace(": ", ":\n")
    return f"{name}\nn = {row['n']:,}{items_mark(row)}{could}"


def _cell(row: Mapping[str, Any] | None, scales: Mapping[bool, float]) -> Cell:
    if row is None or row["difference"] is None:
        return EMPTY
    metric, change = row["metric"], improvement(row)
    own = " (=)" if row["trained_on_it"] else ""
    return Cell(
        shade(change, scales[metric == "loss"], row),
        [
            f"{amount(row['difference'], metric, sign=True)}{own}",
            difference_ends(row),
            percent(row["relative_gain"]),
        ],
        outlined=bool(row["tied_with_best"]) and has_interval(row),
        muted=not is_certain(row),
    )
