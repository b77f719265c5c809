"""From raw rows to kept and rejected rows: the gates in their order.

Belongs here: which gate looks when, and the rows of the two tables. Does not: what a gate rejects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.curation.novelty import THRESHOLD, Text, judge_novelty
from bioinstruct_dagster.curation.quality import find_fault, normalized_input

_CARRIED = ("row_id", "ordinal", "instruction", "output", "rehearsal")


@dataclass(frozen=True)
class Selection:
    """Rows of `deduplicated_instructions` and `rejected_instructions`; each raw row is in one."""

    kept: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    inputs_normalized: int


def select(raw: Sequence[Mapping[str, Any]], seeds: Sequence[Text]) -> Selection:
    """Judge raw rows, given in canonical order: quality first, then novelty among those that pass.

    The order is that of request number and place in the reply, so that the result depends neither
    on which reply came first nor on how many runs it took, and growing the set changes no earlier
    decision.
    """
    rejected: list[dict[str, Any]] = []
    passed: list[dict[str, Any]] = []
    inputs_normalized = 0
    for source in raw:
        row = {name: source[name] for name in _CARRIED}
        row["input"] = normalized_input(source["input"])
        inputs_normalized += row["input"] != source["input"]
        fault = find_fault(row["instruction"], row["input"], row["output"])
        if fault:
            rejected.append(
                row | {"gate": "quality", "reason": fault.reason, "detail": fault.detail}
            )
        else:
            passed.append(row)

    kept: list[dict[str, Any]] = []
    verdicts = judge_novelty(seeds, [Text(row["row_id"], row["instruction"]) for row in passed])
    seed_ids = {seed.id for seed in seeds}
    for row, verdict in zip(passed, verdicts, strict=True):
        judged = row | {"nearest_id": verdict.nearest_id, "nearest_score": verdict.score}
        if verdict.novel:
            kept.append(judged)
        else:
            of_seed = verdict.nearest_id in seed_ids
            rejected.append(
                judged
                | {
                    "gate": "novelty",
                    "reason": "repeats_seed" if of_seed else "repeats_kept_row",
                    "detail": f"ROUGE-L F1 {verdict.score:.3f} is above {THRESHOLD}",
                }
            )
    rejected.sort(key=lambda row: row["ordinal"])
    return Selection(kept, rejected, inputs_normalized)
