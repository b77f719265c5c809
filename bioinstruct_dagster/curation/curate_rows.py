"""Curates raw rows in memory. Generation uses it to count how many of its rows would be kept.

The row gates check each row by itself. The novelty filter then compares the rows that pass, so that
a rejected row never makes a sound row a repetition. Belongs here: this order for rows in memory,
and making the gates by the settings. Does not: what a gate rejects (the gates' packages), or
bringing a whole store up to date (curation.curate_store).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bioinstruct_dagster.curation.gates import TEXT_FIELDS, Finding, Gate, GateResult, RowTexts
from bioinstruct_dagster.curation.novelty.gate import novelty_finding
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter, check_embeddings_installed
from bioinstruct_dagster.curation.novelty.methods import ROUGE, NoveltyMethod
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.novelty.stored_index import CheckNovelty
from bioinstruct_dagster.curation.verdicts import StoredResults
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.gate_order import ROW_GATES


@dataclass
class CuratedRows:
    """Raw rows after the gates' decisions: each is either kept or rejected.

    `kept` holds rows of `deduplicated_instructions`. `rejected` holds the other rows, with the
    first gate that rejected each and its rule.
    """

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)


class RowCurator:
    """Applies all gates to raw rows that arrive in canonical order, in portions of any size.

    The canonical order is that of the request's number and the row's position in the reply. So the
    result does not depend on which reply arrived first, or on the number of runs, and new rows
    change no earlier decision.

    Args:
        seeds: instructions that no row may repeat.
        gates: the row gates, in their order.
        stored_results: results of these gates from earlier runs.
        novelty: how rows are compared with earlier rows.
    """

    def __init__(
        self,
        seeds: Sequence[NamedInstruction],
        gates: Sequence[Gate],
        stored_results: StoredResults | None = None,
        novelty: NoveltyMethod = ROUGE,
    ) -> None:
        self.curated = CuratedRows()
        self._gates = gates
        self._results_of = stored_results or StoredResults(None, gates)
        self._seed_ids = frozenset(seed.id for seed in seeds)
        self._novelty = novelty.filter(seeds)

    def extend(self, raw: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Check the next raw rows; return for each whether it is kept."""
        texts = [RowTexts.of(row) for row in raw]
        results_by_gate = [self._results_of(gate, texts) for gate in self._gates]
        passed: list[dict[str, Any]] = []
        places: list[int] = []
        kept = [False] * len(raw)
        for place, row in enumerate(raw):
            results = [of_gate[place] for of_gate in results_by_gate]
            if (reject := self._first_reject(results)) is not None:
                self._reject(row, *reject)
            else:
                passed.append(_repaired(row, self._gates, results))
                places.append(place)
        verdicts = self._novelty.check(
            [
                NamedInstruction(row["row_id"], row["instruction"], row["input"], row["output"])
                for row in passed
            ]
        )
        for place, row, verdict in zip(places, passed, verdicts, strict=True):
            kept[place] = verdict.novel
            if verdict.novel:
                self.curated.kept.append(row)
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
        self.curated.rejected.append(
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
    """The row with its repairs.

    If two gates repair a field, an empty text is used, or else the later gate's text: it holds no
    identifier, whatever the earlier gate left. The view `repaired_instructions` has the same rule.
    """
    repairs: dict[str, str] = {}
    for result in results:
        repairs |= {name: text for name, text in result.repairs.items() if repairs.get(name) != ""}
    flags = {
        f"{gate.name}: {finding.rule}"
        for gate, result in zip(gates, results, strict=True)
        for finding in result.findings
        if finding.verdict == "flag"
    }
    return {
        "row_id": row["row_id"],
        "ordinal": row["ordinal"],
        **{name: repairs.get(name, row[name]) for name in TEXT_FIELDS},
        "repaired": sorted(repairs),
        "flags": sorted(flags),
        "rehearsal": row["rehearsal"],
    }


def curate_raw_rows(
    raw: Sequence[Mapping[str, Any]],
    seeds: Sequence[NamedInstruction],
    gates: Sequence[Gate],
    novelty: NoveltyMethod = ROUGE,
) -> CuratedRows:
    """Apply all gates to raw rows in canonical order."""
    curator = RowCurator(seeds, gates, novelty=novelty)
    curator.extend(raw)
    curator.curated.rejected.sort(key=lambda row: row["ordinal"])
    return curator.curated


def row_gates(settings: Settings) -> list[Gate]:
    """The gates that check each row by itself, made by the settings, in their order."""
    from bioinstruct_dagster.curation.contamination.gate import ContaminationGate
    from bioinstruct_dagster.curation.contamination.limits import compared_items
    from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
    from bioinstruct_dagster.curation.quality.gate import QualityGate

    gates: list[Gate] = [
        QualityGate(settings.curation.quality_rules),
        PrivacyGate(settings.curation.privacy, settings.curation.privacy_model),
        ContaminationGate(compared_items(settings), settings.curation.contamination),
    ]
    return sorted(gates, key=lambda gate: ROW_GATES.index(gate.name))


def meaning_filter(settings: Settings) -> MeaningFilter | None:
    """The comparison of meanings, the second stage of novelty; None if it is switched off.

    Raises:
        MeaningModelError: the setting names no model, or sentence-transformers is not installed.
    """
    if settings.curation.meaning_model is None:
        return None
    # Checked at once: the model is loaded only if there are new rows to compare.
    check_embeddings_installed()
    return MeaningFilter(settings.curation.meaning_model, settings.curation.meaning_threshold)


def novelty_method(settings: Settings, *, imported: bool) -> NoveltyMethod:
    """How the rows of a set are compared: as set, or by where the set comes from.

    Self-Instruct's rule is made for what a teacher generates: its rows must differ in their
    instructions. An imported set may have one instruction for thousands of inputs.
    """
    name = settings.curation.novelty
    if name == "auto":
        name = "exact" if imported else "rouge"
    return NoveltyMethod(name, settings.curation.novelty_threshold)


def novelty_checker(settings: Settings) -> CheckNovelty | None:
    """The function that checks novelty of very many rows on a Ray cluster; None for this process.

    Raises:
        RayClusterError: an address is set, but Ray is not installed.
    """
    if not settings.curation.ray_address:
        return None
    from bioinstruct_dagster.curation.novelty.cluster.driver import check_on_cluster
    from bioinstruct_dagster.curation.novelty.cluster.ray_cluster import check_ray_installed

    # Checked at once: the cluster is used only if there are very many new rows.
    check_ray_installed()
    return partial(
        check_on_cluster,
        workers=settings.curation.ray_workers,
        address=settings.curation.ray_address,
        threshold=settings.curation.novelty_threshold,
    )


def curator_maker(settings: Settings, store: Store) -> Callable[[Sequence[SeedTask]], RowCurator]:
    """A function that makes the curator of generation, which asks until enough rows are kept."""

    def curator_of(seeds: Sequence[SeedTask]) -> RowCurator:
        gates = row_gates(settings)
        texts = [
            NamedInstruction(seed.id, seed.instruction, seed.input, seed.output) for seed in seeds
        ]
        method = novelty_method(settings, imported=False)
        return RowCurator(texts, gates, StoredResults(store, gates), method)

    return curator_of
