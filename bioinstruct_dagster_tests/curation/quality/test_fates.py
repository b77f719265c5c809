"""Rows of each kind of fault, sound ones beside junk, and the fate that each should have.

The rows in `fates.jsonl` were written for this test. Other rows were found in the instruction sets
of other groups; they are not part of the project.
"""

import json
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate

FATES = Path(__file__).with_name("fates.jsonl")
FOUND_ROWS = PROJECT_ROOT.parent / "shared" / "cases" / "rows.jsonl"
IMPORTED = "import:rows.jsonl@0123456789ab"
OTHER_KINDS = {"ungrounded", "off_domain", "privacy"}  # each has tests of its own
GENERATED_KINDS = {"odd_first_character"}  # the rule judges generated rows only


@cache
def rows_of(path: Path) -> dict[str, list[dict]]:
    rows = defaultdict(list)
    # Texts in a wrong encoding may hold characters at which `splitlines` splits.
    for line in path.read_text("utf-8").rstrip("\n").split("\n") if path.exists() else ():
        row = json.loads(line)
        if row["kind"] not in OTHER_KINDS:
            rows[row["kind"]].append(row)
    return rows


def fate(row: dict, source: str) -> str:
    (result,) = shipped_gate().check([RowTexts.of(row | {"source": source})])
    verdicts = {one.verdict for one in result.findings if one.rule != "off_domain"}
    return "drop" if "reject" in verdicts else "flag" if "flag" in verdicts else "keep"


def wrong(rows: list[dict], source: str) -> list[tuple[str, str, str]]:
    return [
        (row["instruction"], row["output"], row["want"])
        for row in rows
        if fate(row, source) != row["want"]
    ]


@pytest.mark.parametrize("kind", sorted(rows_of(FATES)))
def test_every_row_has_its_fate(kind):
    rows = rows_of(FATES)[kind]
    assert len({row["want"] for row in rows}) > 1 or kind == "length"
    assert wrong(rows, "completion") == []
    if kind not in GENERATED_KINDS:
        assert wrong(rows, IMPORTED) == []


@pytest.mark.skipif(not FOUND_ROWS.exists(), reason="the found rows are not part of the project")
def test_every_found_row_has_its_fate():
    assert rows_of(FOUND_ROWS)
    for rows in rows_of(FOUND_ROWS).values():
        assert wrong(rows, "completion") == []
        assert wrong(rows, IMPORTED) == []
