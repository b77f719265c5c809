"""P-values corrected for the number of tests, over the families that rows of scores belong to.

Belongs here: which rows count together. Does not: Holm's method (closed_forms), or what a family is
(evaluation.scoring, evaluation.judge).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bioinstruct_dagster.evaluation.statistics.closed_forms import holm

# Which items a row of scores covers, as it stands in the store.
ALL_ITEMS = "all"
CLEAN_ITEMS = "without_contaminated"
_NAMED_BY = ("base_model", "recipe", "task", "metric", "category", "estimate")


def corrected_over_families(
    rows: Iterable[Mapping[str, Any]], family_of: Callable[[Mapping[str, Any]], Any]
) -> list[dict[str, Any]]:
    """The rows with `p_holm`: p-values corrected by Holm's method over each family.

    Scores without contaminated items are corrected over the same family as those of all items: a
    score that has no such counterpart stands in for it. Otherwise a score would look surer only
    because few tasks have contaminated items.

    Args:
        rows: of scores. Those without a p-value get None.
        family_of: the family of a row, whatever its items are.
    """
    corrected = [dict(row) for row in rows]
    families: dict[Any, list[dict[str, Any]]] = {}
    for row in corrected:
        row["p_holm"] = None
        if row.get("p_value") is not None:
            families.setdefault(family_of(row), []).append(row)
    for members in families.values():
        whole = [row for row in members if row["items"] == ALL_ITEMS]
        clean = [row for row in members if row["items"] != ALL_ITEMS]
        with_clean = {_name(row) for row in clean}
        _correct(whole, [])
        _correct(clean, [row for row in whole if _name(row) not in with_clean])
    return corrected


def _correct(rows: list[dict[str, Any]], stand_ins: list[dict[str, Any]]) -> None:
    p_values = holm([row["p_value"] for row in [*rows, *stand_ins]])
    for row, p_value in zip(rows, p_values, strict=False):  # those of the stand-ins are left
        row["p_holm"] = p_value


def _name(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(part) for part in _NAMED_BY)
