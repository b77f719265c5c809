"""No gate fails on characters that stand for others, or change their number in small letters.

An expression that ignores case takes the long s for an s, and the Kelvin sign for a k. A list of
words does not. The capital İ has two characters in small letters, so that places shift.
"""

import json
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.curate_rows import row_gates
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.settings import PROJECT_ROOT

FATES = Path(__file__).with_name("quality") / "fates.jsonl"
PUBLISHED = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"
EVERY = 3  # each way reads a third of the rows, and the ways take turns
DOSES = {
    "instruction": "Calculate the total dose per day. Is it safe for this patient?",
    "input": "Ibuprofen 400 mg, twice daily; Paracetamol 500 mg, four times daily.",
    "output": "The patient takes 800 mg of ibuprofen and 2,000 mg of paracetamol per day.",
}
WAYS = {
    "long s": {"s": "\u017f"},
    "Kelvin sign": {"k": "\u212a"},
    "i without a dot": {"i": "\u0131"},
    "I with a dot": {"i": "\u0130", "I": "\u0130"},
    "lines": {" ": "\n"},
    "fixed blanks": {" ": "\u00a0"},
    "digits of full width": {str(n): chr(0xFF10 + n) for n in range(10)},
    "Arabic digits": {str(n): chr(0x660 + n) for n in range(10)},
    "raised digits": {"2": "\u00b2", "3": "\u00b3"},
    "minus signs": {"-": "\u2212"},
}


def rows():
    found = [DOSES]
    for path in (FATES, PUBLISHED):
        if path.exists():
            lines = path.read_text("utf-8").rstrip("\n").split("\n")
            found += [row for n, row in enumerate(map(json.loads, lines)) if n % EVERY == 0]
    return found


@pytest.mark.parametrize("way", WAYS)
def test_every_gate_judges_every_row(settings, way):
    table = str.maketrans(WAYS[way])
    texts = [
        RowTexts(*(row[name].translate(table) for name in ("instruction", "input", "output")))
        for row in rows()
    ]
    for gate in row_gates(settings):
        results = gate.check(texts)
        assert len(results) == len(texts)
        assert all(result.findings for result in results)
