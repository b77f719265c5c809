"""From raw rows to kept ones, in memory: generation counts with it how many rows would be kept.

First the gates check each row by itself, then novelty compares the rows that they let pass: a row
that is dropped anyway must not make a sound one a repetition. Belongs here: that order, over rows
in memory, and making the gates that the settings ask for. Does not: what a gate rejects (the gates'
packages), or bringing a whole store up to date (curation.curate_store).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bioinstruct_dagster.curation.gates import FIELDS, Finding, Gate, GateResult, RowTexts
from bioinstruct_dagster.curation.novelty.gate import novelty_finding
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter
from bioinstruct_dagster.curation.novelty.rule import (
    NamedInstruction,
    NoveltyFilter,
    check_in_process,
)
from bioinstruct_dagster.curation.novelty.stored_index import CheckNovelty
from bioinstruct_dagster.curation.verdicts import StoredResults
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.gate_order import ROW_GATES


@dataclass
class CuratedRows:
    """Raw rows by what the gates decided: each is either kept or rejected.

    `kept` has rows of `deduplicated_instructions`; `rejected` names the first gate that dropped a
    row, and its rule.
    """

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)


class RowCurator:
    """The gates over raw rows that come in canonical order, in portions of any size.

    The order is that of request number and place in the reply, so that the result depends neither
    on which reply came first nor on how many runs it took, and growing the set changes no earlier
    decision. Generation uses it to know how many rows would be kept.

    Args:
        seeds: what no row may repeat.
        gates: those that check each row by itself, in their order.
        remembered: what they said before.
    """

    def __init__(
        self,
        seeds: Sequence[NamedInstruction],
        gates: Sequence[Gate],
        remembered: StoredResults | None = None,
    ) -> None:
        self.selection = CuratedRows()
        self._gates = gates
        self._remembered = remembered or StoredResults(None, gates)
        self._seed_ids = frozenset(seed.id for seed in seeds)
        self._novelty = NoveltyFilter(seeds)

    def extend(self, raw: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Check the next raw rows; whether each is kept."""
        tasks = [RowTexts.of(row) for row in raw]
        said = [self._remembered(gate, tasks) for gate in self._gates]
        passed: list[dict[str, Any]] = []
        places: list[int] = []
        kept = [False] * len(raw)
        for place, row in enumerate(raw):
            results = [by_gate[place] for by_gate in said]
            if (dropped := self._first_reject(results)) is not None:
                self._reject(row, *dropped)
            else:
                passed.append(_repaired(row, self._gates, results))
                places.append(place)
        verdicts = self._novelty.check(
            [NamedInstruction(row["row_id"], row["instruction"]) for row in passed]
        )
        for place, row, verdict in zip(places, passed, verdicts, strict=True):
            kept[place] = verdict.novel
            if verdict.novel:
                self.selection.kept.append(row)
            else:
                self._reject(row, "novelty", novelty_finding(verdict, "", self._seed_ids))
        return kept

    def _first_reject(self, results: Sequence[GateResult]) -> tuple[str, Finding] | None:
        for gate, result in zip(self._gates, results, strict=True):
            for finding in result.findings:
                if finding.verdict == "reject":
                    return gate.name, finding
        return None

    def _reject(self, row: Mapping[str, Any], gate: str, finding: Finding) -> None:
        self.selection.rejected.append(
            {
                "row_id": row["row_id"],
                "ordinal": row["ordinal"],
                "gate": gate,
                "reason": finding.rule,
                "detail": dict(finding.evidence),
                "score": finding.score,
            }
        )


def _repaired(
    row: Mapping[str, Any], gates: Sequence[Gate], results: Sequence[GateResult]
) -> dict[str, Any]:
    """The row as kept; quality has the last word, as in the view `repaired_instructions`."""
    repairs: dict[str, str] = {}
    for result in reversed(results):
        repairs |= result.repairs
    flags = {
        f"{gate.name}: {finding.rule}"
        for gate, result in zip(gates, results, strict=True)
        for finding in result.findings
        if finding.verdict == "flag"
    }
    return {
        "row_id": row["row_id"],
        "ordinal": row["ordinal"],
        **{name: repairs.get(name, row[name]) for name in FIELDS},
        "repaired": sorted(repairs),
        "flags": sorted(flags),
        "rehearsal": row["rehearsal"],
    }


def select(
    raw: Sequence[Mapping[str, Any]], seeds: Sequence[NamedInstruction], gates: Sequence[Gate]
) -> CuratedRows:
    """Check raw rows, given in canonical order."""
    selector = RowCurator(seeds, gates)
    selector.extend(raw)
    selector.selection.rejected.sort(key=lambda row: row["ordinal"])
    return selector.selection


def row_gates(settings: Settings) -> list[Gate]:
    """The gates that check each row by itself, in their order, as the settings have them."""
    from bioinstruct_dagster.curation.contamination.gate import ContaminationGate
    from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
    from bioinstruct_dagster.curation.quality.gate import QualityGate
    from bioinstruct_dagster.eval_sets.items import load_items

    items = load_items(settings.eval_sets.tasks, settings.eval_sets.folder)
    gates: list[Gate] = [
        QualityGate(settings.curation.quality_rules),
        PrivacyGate(settings.curation.privacy, settings.curation.privacy_model),
        ContaminationGate(items, settings.curation.contamination),
    ]
    return sorted(gates, key=lambda gate: ROW_GATES.index(gate.name))


def meaning_filter(settings: Settings) -> MeaningFilter | None:
    """The second stage of novelty, where it is switched on."""
    if settings.curation.meaning_model is None:
        return None
    return MeaningFilter(settings.curation.meaning_model, settings.curation.meaning_threshold)


def novelty_checker(settings: Settings) -> CheckNovelty:
    """Where novelty is checked when rows are many: in this process, or on a Ray cluster."""
    if not settings.curation.ray_address:
        return check_in_process
    from bioinstruct_dagster.curation.novelty.cluster.driver import check_on_cluster

    return partial(
        check_on_cluster,
        workers=settings.curation.ray_workers,
        address=settings.curation.ray_address,
    )


def gate_maker(settings: Settings, store: Store) -> Callable[[Sequence[SeedTask]], RowCurator]:
    """The gates for generation, which asks until they keep enough rows."""

    def gate_of(seeds: Sequence[SeedTask]) -> RowCurator:
        gates = row_gates(settings)
        texts = [NamedInstruction(seed.id, seed.instruction) for seed in seeds]
        return RowCurator(texts, gates, StoredResults(store, gates))

    return gate_of
