"""From raw rows to kept and rejected rows: the gates in their order.

Belongs here: which gate looks when, and the rows of the two tables. Does not: what a gate rejects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.curation.novelty import THRESHOLD, NoveltyFilter, Text, Verdict
from bioinstruct_dagster.curation.quality import find_fault, normalized_input
from bioinstruct_dagster.seeds.tasks import SeedTask

_CARRIED = ("row_id", "ordinal", "instruction", "output", "rehearsal")


@dataclass
class Selection:
    """Rows of `deduplicated_instructions` and `rejected_instructions`; each raw row is in one."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    inputs_normalized: int = 0


class Selector:
    """The gates over raw rows that come in canonical order, in portions of any size.

    The order is that of request number and place in the reply, so that the result depends neither
    on which reply came first nor on how many runs it took, and growing the set changes no earlier
    decision. Generation uses the same object to know how many rows would be kept.
    """

    def __init__(self, seeds: Sequence[Text]) -> None:
        self.selection = Selection()
        self._seed_ids = {seed.id for seed in seeds}
        self._novelty = NoveltyFilter(seeds)

    def extend(self, raw: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Judge the next raw rows, quality first, then novelty; whether each is kept."""
        passed: list[dict[str, Any]] = []
        places: list[int] = []
        kept = [False] * len(raw)
        for place, source in enumerate(raw):
            row = {name: source[name] for name in _CARRIED}
            row["input"] = normalized_input(source["input"])
            self.selection.inputs_normalized += row["input"] != source["input"]
            fault = find_fault(row["instruction"], row["input"], row["output"])
            if fault:
                self.selection.rejected.append(
                    row | {"gate": "quality", "reason": fault.reason, "detail": fault.detail}
                )
            else:
                passed.append(row)
                places.append(place)
        verdicts = self._novelty.judge([Text(row["row_id"], row["instruction"]) for row in passed])
        for place, row, verdict in zip(places, passed, verdicts, strict=True):
            kept[place] = verdict.novel
            self._place(row, verdict)
        return kept

    def _place(self, row: dict[str, Any], verdict: Verdict) -> None:
        judged = row | {"nearest_id": verdict.nearest_id, "nearest_score": verdict.score}
        if verdict.novel:
            self.selection.kept.append(judged)
            return
        of_seed = verdict.nearest_id in self._seed_ids
        self.selection.rejected.append(
            judged
            | {
                "gate": "novelty",
                "reason": "repeats_seed" if of_seed else "repeats_kept_row",
                "detail": f"ROUGE-L F1 {verdict.score:.3f} is above {THRESHOLD}",
            }
        )


def select(raw: Sequence[Mapping[str, Any]], seeds: Sequence[Text]) -> Selection:
    """Judge raw rows, given in canonical order."""
    selector = Selector(seeds)
    selector.extend(raw)
    selector.selection.rejected.sort(key=lambda row: row["ordinal"])
    return selector.selection


def gate_of(seeds: Sequence[SeedTask]) -> Selector:
    """The gates for generation, which asks until they keep enough rows."""
    return Selector([Text(seed.id, seed.instruction) for seed in seeds])
