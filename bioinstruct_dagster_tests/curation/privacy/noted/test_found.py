"""Details of one person in a light context: each is flagged, and sound lines of notes are kept.

The rules were tuned on these lines: they show that a way of writing is handled, not how often.
"""

import re
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate

INSTRUCTION = "Summarise the note."
GOES_ON = " The patient is doing well otherwise."
PARTS = re.compile(r"(.*?)(?:\[\w+\|([^\]]*)\]|$)")


def lines_of(name: str) -> list[str]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("line", lines_of("noted_lines.txt"))
def test_each_marked_detail_is_flagged_or_rejected(line):
    text, marked = "", []
    for plain, detail in PARTS.findall(line):
        text += plain
        if detail:
            marked.append((len(text), len(text) + len(detail)))
            text += detail
    assert marked
    (result,) = PrivacyGate().check([RowTexts(INSTRUCTION, text + GOES_ON, "")])
    found = [
        (place["start"], place["end"])
        for finding in result.findings
        if finding.verdict != "keep"
        for place in finding.evidence["found"]
        if place["field"] == "input"
    ]
    assert [
        text[start:end]
        for start, end in marked
        if not any(begin < end and finish > start for begin, finish in found)
    ] == []


@pytest.mark.parametrize("line", lines_of("unnoted_lines.txt"))
def test_a_sound_line_of_a_note_is_kept(line):
    (result,) = PrivacyGate().check([RowTexts(INSTRUCTION, line, "")])
    assert [finding.rule for finding in result.findings] == ["no_identifier"]


def test_a_report_about_many_needs_a_person_beside_a_town():
    told = "Patients were treated in {}. A {} was cured."
    many = RowTexts(INSTRUCTION, told.format("Leeds", "majority"), "")
    one = RowTexts(INSTRUCTION, told.format("two arms", "farmer from Leeds, an old man,"), "")
    kept, flagged = PrivacyGate().check([many, one])
    assert [finding.verdict for finding in kept.findings] == ["keep"]
    assert [finding.verdict for finding in flagged.findings] == ["flag"]


def test_a_long_text_of_capitals_and_digits_is_read_to_its_end():
    text = "Seen at St. Ann Bo Cy Di of the 12-34-5 A1 " * 4_000
    (result,) = PrivacyGate().check([RowTexts(INSTRUCTION, text, "")])
    assert result.findings
