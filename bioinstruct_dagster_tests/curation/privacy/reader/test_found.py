"""What the reader adds to the gate: details whose form no pattern knows, as flags."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.reader import found
from bioinstruct_dagster.curation.privacy.texts import ScannedText

GATE = PrivacyGate()


def flagged(text: str) -> tuple[set[str], list[str]]:
    """The verdicts of a row with this input, and what is found in it."""
    row = RowTexts("Summarize the note.", text, "A summary.")
    (result,) = GATE.check([row])
    spans = [
        text[span["start"] : span["end"]]
        for finding in result.findings
        for span in finding.evidence.get("found", ())
        if span["field"] == "input"
    ]
    return {finding.verdict for finding in result.findings}, spans


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("He works as a driver for Tolland & Sons Haulage and smokes.", "Tolland & Sons Haulage"),
        ("Her wheelchair is serviced by the Carnmore Mobility Hub.", "Carnmore Mobility Hub"),
        ("She plays for Ashdell Grove Academy and is never ill.", "Ashdell Grove Academy"),
        ("The boy was brought in from Kothavaram by his aunt.", "Kothavaram"),
    ],
)
def test_a_detail_that_nothing_announces_is_flagged_and_the_row_is_kept(text, wanted):
    verdicts, spans = flagged(text)
    assert verdicts == {"flag"}
    assert any(wanted in span or span in wanted for span in spans)


@pytest.mark.parametrize(
    "text",
    [
        "She takes Zocor and Lexapro, and was started on Eliquis.",
        "He has Parkinson's disease and a positive Babinski sign.",
        "The Framingham score was high, so a Foley catheter was left in.",
        "Escherichia coli grew in the culture; Gram stain was negative.",
        "The KEYNOTE-024 trial compared pembrolizumab with chemotherapy.",
        "Doctor: Any fever? Patient: No, but I cough a lot. Doctor: Okay.",
        "HISTORY OF PRESENT ILLNESS: The patient denies chest pain.",
        "All patients received 5 mg daily from week 2 to week 12.",
    ],
)
def test_look_alikes_are_not_flagged(text):
    assert flagged(text) == ({"keep"}, [])


def test_beside_a_surer_detail_less_is_enough():
    alone = flagged("Seen by Osgarby in the clinic.")
    beside = flagged("MRN 88213377. Seen by Osgarby in the clinic.")
    assert beside[0] == {"reject"}
    assert any("Osgarby" in span for span in beside[1])
    assert "reject" not in alone[0]


def test_a_text_of_groups_is_flagged_for_what_is_surer_than_the_hospital_of_a_study():
    study = "The trial compared groups of patients treated at {}, and all groups improved."
    assert flagged(study.format("the Osgarby Hospital")) == ({"keep"}, [])
    person = "The groups were alike. Queries of participants go to r.tolland-quist@osgarby.example."
    assert flagged(person)[0] != {"keep"}


def test_what_belongs_to_a_name_is_part_of_it():
    text = "MRN 88213377. The list reads: QUIBELL, Orlaith, of the Kilbride post office."
    assert any("QUIBELL" in span for span in flagged(text)[1])


def test_beside_a_detail_what_a_language_model_saw_needs_less():
    text = ScannedText("Circ done with Feldquist, then home.")
    start = text.raw.index("Feldquist")
    label = [Span("name", start, start + len("Feldquist"), 0.65)]
    facts = found.facts_of(text)
    scores = [dict(found._read(text, facts, seen, told=True)) for seen in ([], label)]
    margins = [
        next(score.margin for one, score in read.items() if one.start == start) for read in scores
    ]
    assert margins[1] == margins[0] + found.SEEN_BONUS
    assert found.read_spans(ScannedText("It was Quist-like."), told=False, seen=label) == []


def test_the_same_text_gives_the_same_findings():
    text = "He works for Tolland & Sons Haulage in Kothavaram. Seen 3/11 by Osgarby."
    assert flagged(text) == flagged(text)


def test_redaction_covers_what_the_reader_finds_beside_an_identifier():
    text = "MRN 88213377. His wheelchair is serviced by the Carnmore Mobility Hub."
    (result,) = PrivacyGate("redact").check([RowTexts("Summarize the note.", text, "A summary.")])
    assert "Carnmore" not in result.repairs["input"]
