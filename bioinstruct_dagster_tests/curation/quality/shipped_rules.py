"""The quality gate with the shipped rules, and short forms of its results for tests."""

from functools import cache

from bioinstruct_dagster.curation.gates import Finding, RowTexts
from bioinstruct_dagster.curation.quality.gate import QUALITY_RULES, QualityGate


@cache
def shipped_gate() -> QualityGate:
    """The gate with the rules that ship with the project."""
    return QualityGate(QUALITY_RULES)


def repaired_input(text: str) -> str:
    """The input as the gate repairs it: empty if it only says that there is no input."""
    (result,) = shipped_gate().check([RowTexts("", text, "")])
    return result.repairs.get("input", text)


def first_reject(instruction: str, task_input: str, output: str) -> Finding | None:
    """The finding of the first rule that rejects the row, or None."""
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    return next((one for one in result.findings if one.verdict == "reject"), None)


def rejects(instruction: str, task_input: str, output: str) -> set[str]:
    """The rules that reject the row."""
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    return {one.rule for one in result.findings if one.verdict == "reject"}


def seen(instruction: str, task_input: str, output: str = "The patient improved.") -> str | None:
    """What the rule `ungrounded_input` takes the input for; None if it does not apply."""
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    found = [one.evidence for one in result.findings if one.rule == "ungrounded_input"]
    return found[0]["as"] if found else None
