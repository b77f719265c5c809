"""Identifiers are masked in every text that a reviewer sees, whatever gate rejected the row."""

from bioinstruct_dagster.review.masking import masked, masked_texts
from bioinstruct_dagster.review.population import PopulationRow

NOTE = "Patient with MRN: 4839201 takes colchicine."
SPAN = {"field": "output", "kind": "mrn", "start": 18, "end": 25}


def row(output=NOTE, **changed):
    texts = {"instruction": "Say how gout is treated.", "input": "", "output": output}
    as_written = texts | {"output": NOTE}
    parts = {"gate": "privacy", "rule": "mrn", "category": None, "identifiers": (SPAN,)}
    return PopulationRow(
        row_id="a", ordinal=0, texts=texts, as_written=as_written, evidence={}, uncertain=False,
        rehearsal=False, **{**parts, **changed},
    )  # fmt: skip


def test_an_identifier_is_replaced_by_its_kind():
    assert masked_texts(row())["output"] == "Patient with MRN: [mrn] takes colchicine."


def test_a_text_that_a_gate_repaired_is_masked_by_the_identifier_itself():
    shown = masked_texts(row(f"Answer: {NOTE}"))["output"]
    assert shown == "Answer: Patient with MRN: [mrn] takes colchicine."


def test_several_identifiers_of_a_text_are_masked_at_their_places():
    spans = [
        {"field": "input", "kind": "name", "start": 0, "end": 3},
        {"field": "input", "kind": "date", "start": 8, "end": 18},
        {"field": "output", "kind": "phone", "start": 0, "end": 2},
    ]
    assert masked("Ann was 12.03.2019 here", "Ann was 12.03.2019 here", "input", spans) == (
        "[name] was [date] here"
    )


def test_the_id_of_an_item_changes_with_its_texts_and_is_no_number():
    assert row().item_id != row("Other.").item_id
    assert row().item_id.startswith("row-a-")
