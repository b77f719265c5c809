"""The quality gate: what a row alone shows to be wrong, by the rules of `data/quality_rules.yaml`.

Belongs here: from rules to findings. Does not: what a kind of rule looks for (wording, grounding,
arithmetic), the file of rules (rules), or likeness to other rows (novelty).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bioinstruct_dagster.curation.gates import Decision, Finding, GateResult, RowTexts
from bioinstruct_dagster.curation.quality import grounding, wording
from bioinstruct_dagster.curation.quality.arithmetic.check import arithmetic_check
from bioinstruct_dagster.curation.quality.rules import (
    ArithmeticRule,
    LacksRule,
    LengthRule,
    LlmRule,
    MarkerRule,
    PatternRule,
    QualityRule,
    RepeatedRule,
    TruncatedRule,
    UngroundedRule,
    UntoldRule,
    read_rules,
)
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch
from bioinstruct_dagster.curation.versions import code_version
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import sha256_of

QUALITY_RULES = INPUTS / "quality_rules.yaml"
SOUND_ROW = "sound"
# Parts of the gate that its own code does not count: what each kind of rule finds is in the rule's
# version, and what the file of rules says is read into the rules' settings.
SEPARATE_VERSIONS = frozenset({"curation.quality.gate.CHECKS", "curation.quality.rules.read_rules"})

CHECK_MAKERS: dict[type[QualityRule], Callable[[Any], RowCheck]] = {
    PatternRule: wording.pattern_check,
    LengthRule: wording.length_check,
    LacksRule: wording.lacks_check,
    MarkerRule: wording.marker_check,
    RepeatedRule: wording.repeated_check,
    TruncatedRule: wording.truncated_check,
    UntoldRule: wording.untold_check,
    UngroundedRule: grounding.ungrounded_check,
    ArithmeticRule: arithmetic_check,
}


@dataclass(frozen=True)
class ActiveRule:
    """A rule that looks at rows, ready to."""

    id: str
    version: str
    verdict: Decision
    look: RowCheck

    def finding(self, seen: RuleMatch) -> Finding:
        """The finding for what the rule matched."""
        return Finding(self.id, self.version, self.verdict, seen.score, seen.evidence)


class QualityGate:
    """Checks rows by a file of rules (see gates.Gate).

    Texts are put right first, and the rules that drop or flag see them so. Rules of the kind `llm`
    are checked where the teacher's answers are (llm_checks).
    """

    name = "quality"

    def __init__(self, rules_path: Path = QUALITY_RULES) -> None:
        """Raises QualityRulesError where the file is malformed."""
        self.rules = read_rules(rules_path)
        on = [rule for rule in self.rules if rule.action != "off"]
        # A rule that is off changes nothing.
        self._code = code_version("curation.quality.gate.QualityGate", without=SEPARATE_VERSIONS)
        self.version = sha256_of([self._code, [[rule.id, rule.version] for rule in on]])[:12]
        active = [_active_rule(rule) for rule in on if not isinstance(rule, LlmRule)]
        self._repairing = [rule for rule in active if rule.verdict == "repair"]
        self._checking = [rule for rule in active if rule.verdict != "repair"]

    @property
    def made_of(self) -> dict[str, Any]:
        """The rules: what each does, and its version; and the code."""
        return {
            **self._code._asdict(),
            "rules": {
                rule.id: {"action": rule.action, "version": rule.version} for rule in self.rules
            },
        }

    def check(self, tasks: Sequence[RowTexts]) -> list[GateResult]:
        """A result per task: a finding of every rule that fires, or one `keep`."""
        return [self._check(task) for task in tasks]

    def _check(self, task: RowTexts) -> GateResult:
        findings: list[Finding] = []
        repairs: dict[str, str] = {}
        for rule in self._repairing:
            seen = rule.look(task)
            if seen is not None and seen.emptied:
                findings.append(rule.finding(seen))
                repairs[seen.emptied] = ""
                task = task._replace(**{seen.emptied: ""})
        for rule in self._checking:
            seen = rule.look(task)
            if seen is not None:
                findings.append(rule.finding(seen))
        if not findings:
            findings.append(Finding(SOUND_ROW, self.version, "keep"))
        return GateResult(tuple(findings), repairs)


def _active_rule(rule: QualityRule) -> ActiveRule:
    verdict: Decision = "keep" if rule.action == "off" else rule.action
    return ActiveRule(rule.id, rule.version, verdict, CHECK_MAKERS[type(rule)](rule))


@cache
def shipped_gate() -> QualityGate:
    """The gate by the rules that ship with the project."""
    return QualityGate(QUALITY_RULES)


@dataclass(frozen=True)
class FirstReject:
    """Why a row is rejected: the rule's name, and what it saw."""

    reason: str
    detail: str


def normalized_input(text: str) -> str:
    """The input, or the empty string where it only says that there is none."""
    (result,) = shipped_gate().check([RowTexts("", text, "")])
    return result.repairs.get("input", text)


def find_fault(instruction: str, task_input: str, output: str) -> FirstReject | None:
    """The first of the shipped rules that rejects the row, or None."""
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    for finding in result.findings:
        if finding.verdict == "reject":
            detail = ", ".join(f"{name}: {value}" for name, value in finding.evidence.items())
            return FirstReject(finding.rule, detail)
    return None
