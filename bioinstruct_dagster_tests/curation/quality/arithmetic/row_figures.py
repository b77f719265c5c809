"""The arithmetic rule's finding on a row, for the tests of the modules that compute figures."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate

RULE = "wrong_arithmetic"
ASKS = "Calculate or convert the figures, such as the body mass index or total dose."


def figures(instruction, task_input, output):
    """(check, stated, computed), or None."""
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    found = [finding for finding in result.findings if finding.rule == RULE]
    if not found:
        return None
    evidence = found[0].evidence
    assert found[0].verdict == "flag"
    assert evidence["saw"]
    return evidence["check"], evidence["stated"], evidence["computed"]


def doubted_where_wrong(task_input, output, right, wrong, check):
    """The right figure passes; the wrong figure is found, with the computed value."""
    assert figures(ASKS, task_input, output.format(right)) is None
    found = figures(ASKS, task_input, output.format(wrong))
    stated, computed = (float(text.replace(",", "")) for text in (wrong, right))
    assert found == (check, stated, pytest.approx(computed, rel=0.02))
