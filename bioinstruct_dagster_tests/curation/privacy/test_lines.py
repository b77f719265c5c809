"""Single lines as clinical texts write them: each identifier is found, and sound lines pass.

The patterns were tuned on these lines: they show that a way of writing is handled, not how often.
"""

import re
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.privacy.kinds import KINDS

INSTRUCTION = "Summarize the text for a colleague."
MARK = re.compile(r"\[(\w+)\|([^\]]*)\]")


def lines_of(name: str) -> list[str]:
    text = Path(__file__).with_name(name).read_text("utf-8")
    return [line.replace("\\n", "\n") for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("line", lines_of("planted_lines.txt"))
def test_each_marked_identifier_is_found_whole(line):
    text, kinds, spans = "", set(), []
    for plain, kind, marked in re.findall(r"(.*?)(?:\[(\w+)\|([^\]]*)\]|$)", line, re.DOTALL):
        text += plain
        if kind:
            kinds.add(kind)
            spans.append((len(text), len(text) + len(marked)))
            text += marked
    assert text == MARK.sub(r"\2", line)
    assert kinds
    assert kinds <= KINDS.keys()
    (result,) = PrivacyGate().check([RowTexts(INSTRUCTION, text, "")])
    found = {
        place
        for finding in result.findings
        for span in finding.evidence["found"]
        for place in range(span["start"], span["end"])
    }
    assert [
        text[start:end] for start, end in spans if not found.issuperset(range(start, end))
    ] == []
    assert result.rejected or kinds == {"name"}


@pytest.mark.parametrize("line", lines_of("sound_lines.txt"))
def test_a_sound_line_is_not_rejected(line):
    (result,) = PrivacyGate().check([RowTexts(INSTRUCTION, line, "")])
    assert not result.rejected
