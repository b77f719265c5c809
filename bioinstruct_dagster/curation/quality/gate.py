"""The quality gate: checks each row by the rules of `data/quality_rules.yaml`.

Belongs here: applying the rules, and their findings. Does not: the check behind each kind of rule
(wording, grounding, arithmetic), reading the rules (rules), or similarity to other rows (novelty).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import Any, TypeGuard

from bioinstruct_dagster.curation.collector import paused_collector
from bioinstruct_dagster.curation.gates import (
    TEXT_FIELDS,
    Decision,
    Finding,
    GateResult,
    RowTexts,
)
from bioinstruct_dagster.curation.quality.batches.batch import BatchReader, ReadRow
from bioinstruct_dagster.curation.quality.domain import DomainCheck
from bioinstruct_dagster.curation.quality.languages import RuleLanguage
from bioinstruct_dagster.curation.quality.output_rules import OtherLanguageRule
from bioinstruct_dagster.curation.quality.rule_settings import QualityRule, RowOrigin
from bioinstruct_dagster.curation.quality.rules import LlmRule, read_rules
from bioinstruct_dagster.curation.quality.wording import (
    PatternCheck,
    RowCheck,
    RuleMatch,
    with_plain_apostrophes,
)
from bioinstruct_dagster.curation.versions import code_version
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.sign_clauses import ALWAYS
from bioinstruct_dagster.signs import clause_bits
from bioinstruct_dagster.store.fingerprints import sha256_of

QUALITY_RULES = INPUTS / "quality_rules.yaml"
SOUND_ROW = "sound"
NOT_JUDGED = "not_judged"
NO_RULES: frozenset[str] = frozenset()
# Code that the gate's own version leaves out: each rule's version covers the settings that are read
# from the file, and the function that `checked_by` names.
SEPARATE_VERSIONS = frozenset({"curation.quality.rules.read_rules"})


@dataclass(frozen=True)
class ActiveRule:
    """A rule with the check that its settings make.

    A row is checked only if one of `fields` has a bit of `telling`, or if there are no fields.
    """

    id: str
    version: str
    verdict: Decision
    check: RowCheck
    language: RuleLanguage
    rows: RowOrigin
    fields: tuple[str, ...] = ()
    telling: int = ALWAYS

    def judges(self, *, imported: bool) -> bool:
        """Whether the rule is meant for rows of this origin."""
        return self.rows == "all" or (self.rows == "imported") == imported

    def finding(self, match: RuleMatch) -> Finding:
        """The finding for a match of the rule."""
        return Finding(self.id, self.version, self.verdict, match.score, match.evidence)


class QualityGate:
    """Checks rows by a file of rules (see gates.Gate).

    Rules that repair come first. The rules that reject or flag check the repaired texts. Rules of
    the kind `llm` are applied to the teacher's answers instead (llm_checks).
    """

    name = "quality"

    def __init__(self, rules_path: Path = QUALITY_RULES) -> None:
        """Raises QualityRulesError if the file is malformed."""
        self.rules = read_rules(rules_path)
        on = [rule for rule in self.rules if rule.action != "off"]
        # A rule that is off has no part in the version.
        self._code = code_version("curation.quality.gate.QualityGate", without=SEPARATE_VERSIONS)
        self.version = sha256_of([self._code, [[rule.id, rule.version] for rule in on]])[:12]
        self._sound = GateResult((Finding(SOUND_ROW, self.version, "keep"),))
        active = [_active_rule(rule) for rule in on if not isinstance(rule, LlmRule)]
        domain = [(one.id, one.check) for one in active if _reads_whole_row(one.check)][:1]
        self._reader = BatchReader(domain[0][1] if domain else None)
        english = [rule.id for rule in on if isinstance(rule, OtherLanguageRule)]
        # The rules that need not read a row within the domain, or one with an output in English.
        self._settled = {
            (is_within, is_english): frozenset(
                [*(name for name, _ in domain if is_within), *(english if is_english else ())]
            )
            for is_within in (False, True)
            for is_english in (False, True)
        }
        self._searched = list({rule.fields: None for rule in active})
        judging = {
            imported: [rule for rule in active if rule.judges(imported=imported)]
            for imported in (False, True)
        }
        self._repairing = {
            imported: [rule for rule in rules if rule.verdict == "repair"]
            for imported, rules in judging.items()
        }
        self._checking = {
            imported: [
                (rule, rule.check, rule.telling, self._searched.index(rule.fields))
                for rule in rules
                if rule.verdict != "repair"
            ]
            for imported, rules in judging.items()
        }

    @property
    def made_of(self) -> dict[str, Any]:
        """The gate's code, and the action and version of each rule."""
        return {
            **self._code._asdict(),
            "rules": {
                rule.id: {"action": rule.action, "version": rule.version} for rule in self.rules
            },
        }

    def check(self, rows: Sequence[RowTexts]) -> list[GateResult]:
        """One result per row: a finding for each rule that fires, or one `keep`.

        If rules can't judge the row's script or language, a finding names them.
        """
        with paused_collector():
            return [self._check(*each) for each in zip(rows, self._reader.read(rows), strict=True)]

    def _check(self, row: RowTexts, read: ReadRow | None) -> GateResult:
        if read is not None:
            read.remember_bits(row)
        findings: list[Finding] = []
        repairs: dict[str, str] = {}
        imported = row.imported
        for rule in self._repairing[imported]:
            match = rule.check(row)
            if match is not None and match.corrected is not None:
                findings.append(rule.finding(match))
                field, text = match.corrected
                repairs[field] = text
                row = row._replace(**{field: text})
        unjudged: dict[str, list[str]] = {}
        # What was read of a row does not hold for its repaired text.
        settled = (
            NO_RULES if read is None or repairs else self._settled[read.is_within, read.is_english]
        )
        for rule, match in self._matches(row, settled, imported=imported):
            if why := rule.language.not_judged(row, fired=match is not None):
                unjudged.setdefault(why, []).append(rule.id)
            elif match is not None:
                findings.append(rule.finding(match))
        if not findings and not unjudged:
            return self._sound  # most rows, so one result serves them all
        evidence = {"not_judged_by": unjudged} if unjudged else {}
        if not findings:
            findings.append(Finding(SOUND_ROW, self.version, "keep", None, evidence))
        elif unjudged:
            findings.append(Finding(NOT_JUDGED, self.version, "keep", None, evidence))
        return GateResult(tuple(findings), repairs)

    def _matches(
        self, row: RowTexts, settled: frozenset[str], *, imported: bool
    ) -> Iterator[tuple[ActiveRule, RuleMatch | None]]:
        """The rules that match; those that do not match only if the row's language may be why."""
        # Every rule can judge ASCII, unless it fires because words are missing.
        is_ascii = all(map(str.isascii, row))
        texts = row if is_ascii else map(with_plain_apostrophes, row)
        bits = dict(zip(TEXT_FIELDS, map(clause_bits, texts), strict=True))
        held = [reduce(or_, map(bits.__getitem__, fields), ALWAYS) for fields in self._searched]
        for rule, check, telling, place in self._checking[imported]:
            match = check(row) if telling & held[place] and rule.id not in settled else None
            if match is not None or not is_ascii:
                yield rule, match


def _active_rule(rule: QualityRule) -> ActiveRule:
    verdict: Decision = "keep" if rule.action == "off" else rule.action
    check = _check_of(rule)
    active = ActiveRule(rule.id, rule.version, verdict, check, RuleLanguage(rule), rule.rows)
    if isinstance(check, PatternCheck):
        return replace(active, check=check.check, fields=check.fields, telling=check.telling)
    return active


def _reads_whole_row(check: RowCheck) -> TypeGuard[DomainCheck]:
    """Whether the check sums up the words of all fields, as a batch of rows does."""
    return isinstance(check, DomainCheck) and set(check.fields) == set(TEXT_FIELDS)


def _check_of(rule: QualityRule) -> RowCheck:
    """The check that the function named by `checked_by` makes from the rule's settings.

    That name is the only place that says which function checks a kind of rule, so a rule's version
    always covers the code that runs.
    """
    module, _, name = rule.checked_by.rpartition(".")
    check: RowCheck = getattr(import_module(f"bioinstruct_dagster.{module}"), name)(rule)
    return check
