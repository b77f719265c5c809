"""Which evaluation items the rows repeat that an adapter was trained on, by the contamination gate.

The gate compares rows with the items that were at hand when the data set was made. Here the items
that are scored now are compared with the rows that were learned from. Belongs here: the comparison,
and what it is stored by. Does not: the rules (curation.contamination), or scores
(evaluation.scoring).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.curation.contamination.gate import RULES, ContaminationGate
from bioinstruct_dagster.curation.contamination.limits import ComparedItems, OverlapLimits
from bioinstruct_dagster.curation.contamination.overlap import ItemIndex
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.eval_sets.items import collect_items
from bioinstruct_dagster.evaluation.questions import TaskQuestions
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.experiments.subsets import subset
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import sha256_of

_KNOWN = "select task, hits from eval_contamination where scan_key = $key"
_TRAINED_WITHOUT = """
    select row_id from rows_left_out
    where base_model = $base_model and recipe = $recipe and action <> 'input_shortened'
"""


@dataclass(frozen=True)
class Repetition:
    """An item that a training row repeats, and the strongest rule by which it does."""

    item_id: str
    row_id: str
    rule: str


def trained_rows(
    store: Store,
    experiment: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    recipe: Recipe,
    seed: int,
) -> list[Mapping[str, Any]]:
    """The rows that an adapter was trained on.

    Args:
        store: says which rows training left out.
        experiment: base model and recipe, as columns.
        rows: the train split of the data set that the adapter was trained on.
        recipe: of the experiment.
        seed: the run seed.
    """
    without = {row["row_id"] for row in store.rows(_TRAINED_WITHOUT, experiment)}
    return [row for row in subset(rows, recipe, seed) if row["row_id"] not in without]


def repetitions(
    store: Store,
    tasks: Sequence[TaskQuestions],
    rows: Sequence[Mapping[str, Any]],
    limits: OverlapLimits,
) -> dict[str, list[Repetition]]:
    """The items that the rows repeat, by task; each task has an entry.

    A comparison of the same rows and items by the same rules is made once, and then read from the
    store.

    Args:
        store: keeps the comparisons.
        tasks: with their items.
        rows: with `row_id`, `instruction`, `input` and `output`.
        limits: the numbers of the gate's rules.
    """
    items = [item for one in tasks for item in one.items]
    gate = ContaminationGate(ComparedItems.of(collect_items(items), limits))
    key = sha256_of(["contamination", gate.version, [row["row_id"] for row in rows]])
    known = store.rows(_KNOWN, {"key": key})
    if known:
        return {row["task"]: [Repetition(**hit) for hit in row["hits"]] for row in known}
    found = _compared(tasks, rows, limits)
    now = datetime.now(UTC)
    made = [
        {
            "scan_key": key,
            "task": one.task.name,
            "items": len(one.items),
            "rows": len(rows),
            "hits": [asdict(hit) for hit in found[one.task.name]],
            "scanned_at": now,
        }
        for one in tasks
    ]
    with store.write() as connection:
        insert(connection, "eval_contamination", made)
    return found


def _compared(
    tasks: Sequence[TaskQuestions], rows: Sequence[Mapping[str, Any]], limits: OverlapLimits
) -> dict[str, list[Repetition]]:
    items = [item for one in tasks for item in one.items]
    found: dict[str, list[Repetition]] = {one.task.name: [] for one in tasks}
    if not items or not rows:
        return found
    # The gate names one item of each task that holds a repeated text, because one is enough to
    # reject a row. Here each such item counts, so each is a task of its own.
    alone = [replace(item, task=str(place)) for place, item in enumerate(items)]
    index = ItemIndex(ComparedItems.of(collect_items(alone), limits))
    texts = [RowTexts.of(row) for row in rows]
    best: dict[tuple[int, int], str] = {}
    for hit in index.scan(index.encode(texts)):
        before = best.get((hit.item, hit.row))
        if before is None or RULES.index(hit.rule) < RULES.index(before):
            best[hit.item, hit.row] = hit.rule
    for (item, row), rule in sorted(best.items()):
        found[items[item].task].append(Repetition(items[item].id, rows[row]["row_id"], rule))
    return found
