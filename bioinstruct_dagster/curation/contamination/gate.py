"""The contamination gate: no model is trained on rows that repeat an evaluation item.

Any of the rules can reject a row, since no single rule suffices for short medical questions. The
rule `reordered` is `rouge_l` for the same words in another order. docs/contamination.md says which
texts each rule compares. Belongs here: the findings about a hit. Does not: loading the items
(eval_sets.items), the numbers of the rules (limits), or measuring the overlap of rows and items
(overlap).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from bioinstruct_dagster.curation.contamination.limits import ComparedItems
from bioinstruct_dagster.curation.contamination.overlap import (
    EncodedRows,
    Hit,
    ItemIndex,
    OverlapRule,
)
from bioinstruct_dagster.curation.gates import Finding, GateResult, RowTexts
from bioinstruct_dagster.curation.versions import code_version
from bioinstruct_dagster.store.fingerprints import sha256_of

# The strongest evidence first.
RULES: tuple[OverlapRule, ...] = ("whole_item", "ngram_13", "coverage_8", "rouge_l", "reordered")
MOST_FINDINGS = 5
_LONGEST_EVIDENCE = 200


class ContaminationGate:
    """The gate that compares each row with all evaluation items.

    Args:
        items: from `compared_items`. Without items every row is `clean`, and the evidence says that
            it was compared with 0 items.
        action: the verdict on a row that repeats an item.
    """

    name = "contamination"

    def __init__(self, items: ComparedItems, action: Literal["reject", "flag"] = "reject") -> None:
        self.items = items
        self._action = action
        limits = items.limits.model_dump(mode="json")
        self._code = code_version("curation.contamination.gate.ContaminationGate")
        self.version = _short_hash([self._code, action, limits, items.fingerprint])
        self._rule_versions = {
            rule: _short_hash(
                [self._code, rule, action, _limits_of(rule, limits), items.fingerprint]
            )
            for rule in RULES
        }
        self._clean_result = GateResult(
            (Finding("clean", self.version, "keep", None, {"items": len(items.items)}),)
        )

    @property
    def made_of(self) -> dict[str, Any]:
        """The code, the items by task, the missing tasks, the rules' numbers, and the action."""
        return {
            **self._code._asdict(),
            "action": self._action,
            "items": dict(self.items.counts),
            "missing": list(self.items.missing),
            "items_sha256": self.items.fingerprint,
            "limits": self.items.limits.model_dump(mode="json"),
        }

    @cached_property
    def _index(self) -> ItemIndex:
        # Built when the first row is checked, since most runs have no row to check.
        return ItemIndex(self.items)

    def check(self, tasks: Sequence[RowTexts]) -> list[GateResult]:
        """A result per task, in their order."""
        results = [self._clean_result] * len(tasks)
        if not tasks or not self.items.items:
            return results
        rows = self._index.encode(tasks)
        by_row: dict[int, list[Hit]] = {}
        for hit in self._index.scan(rows):
            by_row.setdefault(hit.row, []).append(hit)
        for row, hits in by_row.items():
            results[row] = GateResult(
                tuple(self._finding(rows, hit) for hit in _strongest_hits(hits))
            )
        return results

    def _finding(self, rows: EncodedRows, hit: Hit) -> Finding:
        item = self.items.items[hit.item]
        field, words, size = self._index.evidence_of(rows, hit)
        return Finding(
            rule=hit.rule,
            version=self._rule_versions[hit.rule],
            verdict=self._action,
            score=float(size) if hit.rule == "ngram_13" else hit.score,
            evidence={
                "task": item.task,
                "item": item.id,
                "field": field,
                "text": words[:_LONGEST_EVIDENCE],
            },
        )


@dataclass(frozen=True)
class ContaminationReport:
    """Whether rows repeat evaluation items.

    Attributes:
        rows: number of rows that were compared.
        items: number of items that they were compared with.
        missing: tasks without files, so nothing is known about their items.
        leaks: by position of a row, the findings about the items that it repeats.
    """

    rows: int
    items: int
    missing: tuple[str, ...]
    leaks: Mapping[int, tuple[Finding, ...]]

    @property
    def passed(self) -> bool:
        """Whether no row repeats a loaded item."""
        return not self.leaks

    @property
    def leaks_by_task(self) -> dict[str, int]:
        """By task, the number of rows that repeat an item of that task."""
        return dict(
            Counter(
                task
                for findings in self.leaks.values()
                for task in sorted({finding.evidence["task"] for finding in findings})
            )
        )


def contamination_report(tasks: Sequence[RowTexts], items: ComparedItems) -> ContaminationReport:
    """The result of comparing rows with all items, by the rules of the gate."""
    results = ContaminationGate(items).check(tasks)
    return ContaminationReport(
        rows=len(tasks),
        items=len(items.items),
        missing=items.missing,
        leaks={row: result.findings for row, result in enumerate(results) if result.rejected},
    )


def _strongest_hits(hits: Sequence[Hit]) -> list[Hit]:
    """The strongest hits, at most `MOST_FINDINGS`; one for each pair of rule and item."""
    best: dict[tuple[int, OverlapRule], Hit] = {}
    for hit in hits:
        known = best.setdefault((hit.item, hit.rule), hit)
        if hit.score > known.score:
            best[hit.item, hit.rule] = hit
    order = sorted(best.values(), key=lambda hit: (RULES.index(hit.rule), -hit.score, hit.item))
    return order[:MOST_FINDINGS]


def _limits_of(rule: OverlapRule, limits: Mapping[str, Any]) -> list[Any]:
    match rule:
        case "ngram_13":
            return [limits["ngram"], limits["boilerplate"]]
        case "coverage_8":
            return [limits["coverage"], limits["boilerplate"]]
        case "reordered":  # applies only if `rouge_l` does not
            return [limits["reordered"], limits["rouge_l"]]
        case _:
            return [limits[rule]]


def _short_hash(value: Any) -> str:
    return sha256_of(value)[:12]
