"""The privacy gate: what it rejects, lets pass, redacts, and writes down."""

import json
import logging
import socket
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.gates import TEXT_FIELDS, GateResult, RowTexts
from bioinstruct_dagster.curation.privacy.entities.language_model import (
    USUAL_MODELS,
    PrivacyModelError,
    chosen_model,
    model_state,
)
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate, redact
from bioinstruct_dagster.curation.privacy.kinds import KINDS, Span, resolve_overlaps
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS

IDENTIFIED = RowTexts(
    "Summarise the note.",
    "Harold Finch, DOB 03/14/1961, MRN: 4839201, was seen on April 3, 2021.",
    "Mr. Finch was seen in clinic.",
)


def checked(text: str, action: str = "reject") -> GateResult:
    return PrivacyGate(action).check([RowTexts("Summarise.", text, "")])[0]


def rules(text: str) -> set[str]:
    return {finding.rule for finding in checked(text).findings}


def placed(task: RowTexts, result: GateResult) -> list[tuple[str, str]]:
    return [
        (place["kind"], getattr(task, place["field"])[place["start"] : place["end"]])
        for finding in result.findings
        for place in finding.evidence["found"]
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("name", "Patient: Oluwaseun Adeyemi, MRN 4839201"),
        ("location", "She lives at 12 Oak Street, Apt 4, Dayton, OH 45402."),
        ("location", "Address: 221B Baker Street, London NW1 6XE"),
        ("date", "Date of birth: 5 May 1980"),
        ("date", "The patient was admitted on 2021-03-04."),
        ("age_over_89", "A 93-year-old man with dyspnea."),
        ("phone", "Call her on (937) 555-0142."),
        ("phone", "Tel. +49 30 1234567"),
        ("fax", "Fax: 937-555-0143"),
        ("email", "Write to h.finch61@gmail.com"),
        ("ssn", "SSN 219-09-9999"),
        ("mrn", "Medical record number (MRN) is 0012345."),
        ("health_plan", "Medicare number 1EG4-TE5-MK73"),
        ("account", "Card 4111 1111 1111 1111 was charged."),
        ("license", "Driver's license: D1234567"),
        ("vehicle", "VIN 1HGCM82633A004352"),
        ("device", "Pacemaker serial number PM-88213-X"),
        ("url", "See https://www.facebook.com/harold.finch.61"),
        ("ip", "Login from 203.0.113.77."),
        ("biometric", "Fingerprint ID FP-88123"),
        ("photo", "Full-face photograph attached to the chart."),
        ("other_id", "Passport no. X12345678"),
    ],
)
def test_one_identifier_of_each_kind_rejects(kind, text):
    result = checked(text)
    assert kind in {finding.rule for finding in result.findings}
    assert result.rejected


@pytest.mark.parametrize(
    "text",
    [
        "Parkinson disease, Hodgkin lymphoma, Down syndrome, Crohn's disease and Bell's palsy.",
        "Guillain-Barre syndrome; Wilson's disease; a Foley catheter; the Allen test.",
        "NCT01234567, PMID: 23456789, doi 10.1056/NEJMoa2034577, rs28934578, NM_000546.6.",
        "ICD-10 E11.9, CPT 99213, SNOMED 73211009, LOINC 4548-4.",
        "Patients were followed between 2010 and 2015; the 2017 guideline was revised.",
        "Enrollment ran from June 1, 2014 to May 31, 2016 at 12 centers.",
        "The FDA approved it on December 11, 2020.",
        "Platelets 150,000-400,000/uL, glucose 150-400, Na 135-145, CK 1200-1500 U/L.",
        "Metformin 500-1000 mg twice daily; BP 128/76; pain 7/10; BMI 18.5-24.9.",
        "Adults aged 90 years or older; patients over 95 years of age; aged 85-95 years.",
        "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC6350527/ and https://www.who.int/news/item/1",
        "For poisoning, call 1-800-222-1222; in a crisis, 988.",
        "Facial photographs were rated; DNA fingerprinting; retinal scans show drusen.",
        "First dose on 3 March; onset 17 March, 14 days after the first dose.",
        "Version 2.1.0.3 of the software was used.",
        "",
    ],
)
def test_what_only_looks_like_an_identifier_passes(text):
    assert rules(text) == {"no_identifier"}
    assert not checked(text).rejected


@pytest.mark.parametrize(
    "text",
    [
        "John Doe, 45, presents with a sore throat.",
        "Jane Smith has asthma.",
        "Mr. X is a smoker.",
        "Patient A had a rash; Patient B did not.",
        "Mrs. Johnson has hypertension and takes lisinopril.",
    ],
)
def test_a_name_alone_is_flagged_as_a_placeholder(text):
    (finding,) = checked(text).findings
    assert (finding.rule, finding.verdict) == ("placeholder_person", "flag")


@pytest.mark.parametrize(
    "detail", ["DOB 03/14/1961", "MRN 4839201", "phone 937-555-0142", "12 Oak Street, Dayton, OH"]
)
def test_a_name_beside_another_identifier_identifies(detail):
    text = f"Jane Smith, {detail}, has asthma."
    assert "name" in rules(text)
    assert checked(text).rejected


def test_a_weak_detail_counts_only_beside_a_real_name():
    visit = "came from {} and was seen again on 3 March."
    assert rules("The patient " + visit.format("hospital")) == {"possible_date"}
    assert rules("Mr. X " + visit.format("hospital")) == {"placeholder_person"}
    assert {"name", "date"} <= rules("Jane Smith " + visit.format("hospital"))


def test_a_name_and_a_number_in_two_fields_belong_together():
    task = RowTexts("Write to Harold Finch.", "", "Your record, MRN 4839201, is ready, Mr. Finch.")
    (result,) = PrivacyGate().check([task])
    assert placed(task, result) == [
        ("name", "Harold Finch"),
        ("name", "Finch"),
        ("mrn", "4839201"),
    ]


def test_evidence_holds_kind_and_span_and_no_text(caplog):
    with caplog.at_level(logging.DEBUG):
        (result,) = PrivacyGate().check([IDENTIFIED])
    written = json.dumps([dict(finding.evidence) for finding in result.findings]) + caplog.text
    for secret in ("Finch", "Harold", "03/14", "4839201", "April"):
        assert secret not in written
    for finding in result.findings:
        assert finding.rule in KINDS
        for place in finding.evidence["found"]:
            assert place.keys() == {"kind", "field", "start", "end"}
            assert place["kind"] == finding.rule
            assert place["field"] in TEXT_FIELDS


def test_redaction_replaces_the_text_by_its_kind():
    (result,) = PrivacyGate("redact").check([IDENTIFIED])
    assert {finding.verdict for finding in result.findings} == {"repair"}
    assert not result.rejected
    assert result.repairs == {
        "input": "<NAME>, DOB <DATE>, MRN: <MRN>, was seen on <DATE>.",
        "output": "Mr. <NAME> was seen in clinic.",
    }


@pytest.mark.parametrize(
    ("noted", "told", "redacted"),
    [
        ("MRN: 88213774, Carlos Mendes", "Mendes (88213774) is well.", "<NAME> (<MRN>) is well."),
        ("MRN: 88213774, day 2", "No. 8821 3774: stable.", "No. <MRN>: stable."),
        ("MRN: 88213774, day 2", "id88213774, not 188213774.", "id<MRN>, not <OTHER_ID>."),
        ("MRN 0045213. Phone 555-0142.", "- 0045213\n- 555-0142: nr", "- <MRN>\n- <PHONE>: nr"),
        ("Insurance member ID XK4471902.", "Member - xk4471902", "Member - <HEALTH_PLAN>"),
        ("Account number 90017264.", "90017264 (billing)", "<ACCOUNT> (billing)"),
        ("Pacemaker serial number PKM558120.", "PKM558120 paces.", "<DEVICE> paces."),
        ("MRN 6620183, INR 4.8, 66 years.", "INR 4.8 at 66 years.", "INR 4.8 at 66 years."),
    ],
)
@pytest.mark.parametrize("place", ["instruction", "output"])
def test_what_is_found_in_one_text_is_redacted_in_all(noted, told, redacted, place):
    row = RowTexts("Say it.", noted, "Done.")._replace(**{place: told})
    (result,) = PrivacyGate("redact").check([row])
    assert result.repairs.get(place, told) == redacted
    # Also `curation why` hides by these places, whatever the gate does.
    (rejected,) = PrivacyGate().check([row])
    places = [place for finding in result.findings for place in finding.evidence["found"]]
    assert places == [p for finding in rejected.findings for p in finding.evidence["found"]]


def test_a_redacted_row_is_found_clean():
    (result,) = PrivacyGate("redact").check([IDENTIFIED])
    (again,) = PrivacyGate().check([IDENTIFIED._replace(**result.repairs)])
    assert not again.rejected


def test_the_action_flag_keeps_and_shows():
    (result,) = PrivacyGate("flag").check([IDENTIFIED])
    assert {finding.verdict for finding in result.findings} == {"flag"}
    assert not result.repairs


def test_the_action_off_says_that_nothing_was_looked_at():
    (finding,) = PrivacyGate("off").check([IDENTIFIED])[0].findings
    assert (finding.rule, finding.verdict) == ("off", "keep")


def test_each_setting_changes_the_version(tmp_path):
    folder = str(model_in(tmp_path))
    gates = [PrivacyGate(), PrivacyGate("redact"), PrivacyGate("flag"), PrivacyGate(model=folder)]
    assert len({gate.version for gate in gates}) == len(gates)
    assert PrivacyGate().version == PrivacyGate().version


def test_each_kind_has_a_version_of_its_own():
    (result,) = PrivacyGate().check([IDENTIFIED])
    assert len({finding.version for finding in result.findings}) == len(result.findings) > 1


def test_a_rows_result_depends_on_no_other_row():
    tasks = [IDENTIFIED, RowTexts("a", "", ""), RowTexts("Jane Smith", "", "")]
    gate = PrivacyGate()
    assert gate.check(tasks) == [gate.check([task])[0] for task in tasks]


def test_surer_and_longer_spans_win_where_two_overlap():
    spans = [Span("phone", 0, 8, 0.8), Span("fax", 2, 8, 0.9), Span("date", 8, 9, 0.1)]
    assert resolve_overlaps(spans) == [spans[1], spans[2]]
    assert redact("x 12345678", [Span("mrn", 2, 10, 1.0)]) == "x <MRN>"


def test_e_mail_addresses_are_checked_without_the_network(monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert rules("Write to someone@a-domain-not-seen-before.co.uk please") == {"email"}
    assert rules("Write to someone@nowhere please") == {"no_identifier"}


# A pattern that backtracks over the whole text takes hours for one of these, and pytest ends it.
@pytest.mark.parametrize(
    "piece",
    ["a", "1", "@", "a@", "a.", "Mr. ", "mrn ", "1-", "1/1/", "+1", "(", "call 1 ", "March 1 ",
     "http://", "Name: ", "12 Oak Street ", "lives in Aa ", "xxx-", "John Smith 45 ", "AB12-",
     "0a:", "ffff:", ":", "4111 ", "\n", "é", "+1 2 ", "tel +1", "fax (1)", "555-0142 "],
)  # fmt: skip
def test_hostile_repetition_is_checked_to_its_end(piece):
    text = piece * (60_000 // len(piece))
    assert len(PrivacyGate().check([RowTexts(f"{text}MRN 4839201", "", "")])) == 1


def model_in(folder: Path) -> Path:
    """A real spaCy pipeline of the smallest kind: it knows a person and a place by heart."""
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "PERSON", "pattern": "Zyx Qwertin"},
            {"label": "GPE", "pattern": "Lower Wobbling"},
            {"label": "GPE", "pattern": "Germany"},
            {"label": "PERSON", "pattern": "Kaposi"},
        ]
    )
    pipeline.to_disk(folder / "model")
    return folder / "model"


def test_a_spacy_model_adds_persons_and_places(tmp_path):
    task = RowTexts(
        "yesterday zyx said", "zyx", "Then Zyx Qwertin left for Lower Wobbling. MRN 4839201."
    )
    (without,) = PrivacyGate().check([task])
    (result,) = PrivacyGate(model=str(model_in(tmp_path))).check([task])
    # A number beside them identifies, so the reader finds both, but takes the name for a place.
    assert placed(task, without) == [
        ("location", "Zyx Qwertin"),
        ("location", "Lower Wobbling"),
        ("mrn", "4839201"),
    ]
    assert placed(task, result) == [
        ("name", "Zyx Qwertin"),
        ("location", "Lower Wobbling"),
        ("mrn", "4839201"),
    ]


def test_a_models_place_or_eponym_alone_identifies_nobody(tmp_path):
    gate = PrivacyGate(model=str(model_in(tmp_path)))
    tasks = [RowTexts("A study in Lower Wobbling, Germany.", "Kaposi sarcoma", "")]
    assert [finding.rule for finding in gate.check(tasks)[0].findings] == ["no_identifier"]


def test_a_models_person_counts_only_where_the_text_confirms_it(tmp_path):
    """A model takes diseases and headings for persons; a known name or a verb must confirm one."""
    gate = PrivacyGate(model=str(model_in(tmp_path)))
    tasks = [
        RowTexts("The test of Zyx Qwertin, then.", "", ""),
        RowTexts("Then Zyx Qwertin says that it hurts.", "", ""),
        RowTexts("Then Zyx Qwertin has a role.", "MRN 4839201", ""),
    ]
    rules = [[finding.rule for finding in result.findings] for result in gate.check(tasks)]
    assert rules == [["no_identifier"], ["placeholder_person"], ["name", "mrn"]]


def test_the_usual_model_is_used_where_it_is_installed_and_can_be_turned_off():
    installed = chosen_model("auto")
    assert installed in ("", *USUAL_MODELS)
    assert PrivacyGate(model="auto").made_of["model"] == model_state(installed)
    assert PrivacyGate(model="off").made_of["model"] == PrivacyGate().made_of["model"] == ""
    assert (PrivacyGate(model="auto").version == PrivacyGate().version) == (not installed)


def test_the_usual_model_finds_a_name_that_no_list_knows():
    if not chosen_model("auto"):
        pytest.skip("en_core_web_sm is not installed (extra `names`)")
    task = RowTexts("", "Yesterday Quillon Harbottle came late. MRN 4839201.", "")
    (result,) = PrivacyGate(model="auto").check([task])
    assert ("name", "Quillon Harbottle") in placed(task, result)


@pytest.mark.parametrize("model", ["no_such_model_anywhere", "/no/such/folder"])
def test_a_missing_model_is_a_stated_error(model):
    with pytest.raises(PrivacyModelError, match="BIOINSTRUCT_PRIVACY_MODEL") as raised:
        PrivacyGate(model=model)
    assert isinstance(raised.value, StatedError)


def test_shipped_seed_tasks_carry_no_identifier():
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    tasks = [RowTexts(seed.instruction, seed.input, seed.output) for seed in seeds]
    assert not any(result.rejected for result in PrivacyGate().check(tasks))


def test_one_recorded_task_about_identifiers_is_rejected():
    rejected = []
    for recording in read_recordings():
        tasks = read_reply(recording.content, recording.finish_reason, recording.refusal).tasks
        of_reply = [RowTexts(task["instruction"], task["input"], task["output"]) for task in tasks]
        results = PrivacyGate().check(of_reply)
        rejected += [task for task, one in zip(of_reply, results, strict=True) if one.rejected]
    assert [task.instruction for task in rejected] == [
        "Detect every item of protected health information in this note and give its type."
    ]


def test_looking_for_patterns_loads_no_language_model(start_python):
    process = start_python(
        "import sys\n"
        "from bioinstruct_dagster.curation.gates import RowTexts\n"
        "from bioinstruct_dagster.curation.privacy.gate import PrivacyGate\n"
        "note = 'Call +1 212 555 0123 or write to jo.keller@clinic-mail.org'\n"
        "[said] = PrivacyGate().check([RowTexts('Summarize.', note, 'Done.')])\n"
        "loaded = [name for name in ('torch', 'transformers') if sys.modules.get(name)]\n"
        "import torch\n"
        "print(sorted(f.rule for f in said.findings), loaded, torch.__name__)\n"
    )
    output, errors = process.communicate()
    assert output == "['email', 'phone'] [] torch\n", errors


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The scan of 14 March 2011 is stable.", "possible_date"),
        ("The patient is in her nineties and lives alone.", "possible_identifier"),
        ("He lives in Wolverhampton.", "possible_identifier"),
        ("Participant 0412-017 discontinued treatment.", "possible_identifier"),
    ],
)
def test_a_doubtful_detail_alone_is_flagged_and_kept(text, rule):
    (finding,) = checked(text).findings
    assert (finding.rule, finding.verdict) == (rule, "flag")


@pytest.mark.parametrize(
    "text", ["The guideline was updated on March 3, 2021.", "Seen in March.", "He lives in Ohio."]
)
def test_what_ties_nothing_to_a_person_is_not_flagged(text):
    assert rules(text) == {"no_identifier"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Harold Finch lives in Wolverhampton.", {"name", "location"}),
        ("Harold Finch had a scan on 14 March 2011.", {"name", "date"}),
        ("MRN: 4839201. He lives in Wolverhampton.", {"mrn", "location"}),
    ],
)
def test_a_doubtful_detail_identifies_beside_a_name_or_a_surer_identifier(text, found):
    assert rules(text) == found


def test_doubtful_details_of_several_kinds_are_one_finding_with_all_places():
    (finding,) = checked("In her nineties, she lives in Wolverhampton.").findings
    assert finding.rule == "possible_identifier"
    assert {span["kind"] for span in finding.evidence["found"]} == {"age_over_89", "location"}


@pytest.mark.parametrize("action", ["reject", "redact", "flag"])
def test_a_doubtful_detail_is_flagged_and_never_redacted_by_any_action(action):
    result = checked("He lives in Wolverhampton.", action)
    assert [(finding.rule, finding.verdict) for finding in result.findings] == [
        ("possible_identifier", "flag")
    ]
    assert not result.repairs


def test_what_the_reader_finds_in_one_text_is_replaced_in_all_of_them():
    task = RowTexts(
        "List the protected details.",
        "Travelled up from Ashgrove by bus today, MRN 8827713.",
        "- Ashgrove: location",
    )
    (result,) = PrivacyGate("redact").check([task])
    assert result.repairs["output"] == "- <LOCATION>: location"
