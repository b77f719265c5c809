"""Verdicts in the store: rows are checked once, and again after a change; no verdict is lost."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bioinstruct_dagster.curation.gates import Finding, GateResult, RowTexts
from bioinstruct_dagster.curation.privacy.gate import DOUBTFUL_RULES
from bioinstruct_dagster.curation.verdicts import (
    WITHHELD_TEXT,
    StoredResults,
    UnknownRowError,
    check_outdated_rows,
    findings_of_row,
    text_sha256,
    withhold_identifiers,
    write_results,
)

FINDINGS = (
    "select row_id, rule, verdict, version, gate_version from verdicts order by row_id, place"
)


@dataclass
class WordGate:
    """A gate that rejects one word, flags another and repairs a third."""

    rejected: str = "forbidden"
    name: str = "quality"
    looked: list[RowTexts] = field(default_factory=list)

    @property
    def version(self) -> str:
        return f"word-{self.rejected}"

    @property
    def made_of(self) -> dict[str, str]:
        return {"rejected": self.rejected}

    def check(self, tasks: Sequence[RowTexts]) -> list[GateResult]:
        self.looked += tasks
        return [self._check(task) for task in tasks]

    def _check(self, task: RowTexts) -> GateResult:
        found = []
        if self.rejected in task.instruction:
            found.append(Finding("word", "1", "reject", 1.0, {"saw": self.rejected}))
        if "odd" in task.instruction:
            found.append(Finding("odd", "1", "flag"))
        repairs = {}
        if task.input == "N/A":
            repairs["input"] = ""
            found.append(Finding("no_input", "1", "repair"))
        return GateResult(tuple(found) or (Finding("sound", self.version, "keep"),), repairs)


def raw_row(ordinal, instruction="Name the drug.", task_input="", output="An answer."):
    return {
        "row_id": f"row-{ordinal}",
        "ordinal": ordinal,
        "position": ordinal,
        "source": "completion",
        "instruction": instruction,
        "input": task_input,
        "output": output,
        "rehearsal": True,
    }


@pytest.fixture
def rows():
    return [
        raw_row(0),
        raw_row(1, "A forbidden odd thing."),
        raw_row(2, task_input="N/A"),
        raw_row(3, "An odd thing of Ünïcode 血圧."),
    ]


@pytest.fixture
def filled(store, rows):
    store.replace({"raw_instructions": rows})
    return store


def test_each_row_is_checked_once(filled):
    gate = WordGate()
    assert check_outdated_rows(filled, gate) == 4
    assert check_outdated_rows(filled, gate) == 0
    assert len(gate.looked) == 4
    assert [(row["row_id"], row["rule"], row["verdict"]) for row in filled.rows(FINDINGS)] == [
        ("row-0", "sound", "keep"),
        ("row-1", "word", "reject"),
        ("row-1", "odd", "flag"),
        ("row-2", "no_input", "repair"),
        ("row-3", "odd", "flag"),
    ]


def test_the_store_and_python_agree_on_the_hash_of_a_text(filled, rows):
    statement = (
        "select sha256(instruction || chr(31) || input || chr(31) || output)[:16] as sha "
        "from raw_instructions order by ordinal"
    )
    expected = [text_sha256([row["instruction"], row["input"], row["output"]]) for row in rows]
    assert [row["sha"] for row in filled.rows(statement)] == expected


def test_only_new_rows_are_checked_when_the_set_grows(filled, rows):
    gate = WordGate()
    check_outdated_rows(filled, gate)
    gate.looked.clear()
    filled.replace({"raw_instructions": [*rows, raw_row(4, "Name the test.")]})
    assert check_outdated_rows(filled, gate) == 1
    assert [task.instruction for task in gate.looked] == ["Name the test."]


def test_a_changed_text_is_checked_again(filled, rows):
    gate = WordGate()
    check_outdated_rows(filled, gate)
    changed = [{**rows[0], "instruction": "A forbidden change."}, *rows[1:]]
    filled.replace({"raw_instructions": changed})
    assert check_outdated_rows(filled, gate) == 1
    assert filled.rows(FINDINGS)[0]["verdict"] == "reject"


def test_a_changed_rule_rechecks_its_own_gate_only(filled):
    quality, privacy = WordGate(), WordGate("secret", "privacy")
    check_outdated_rows(filled, quality)
    check_outdated_rows(filled, privacy)
    quality.looked.clear()
    privacy.looked.clear()
    quality.rejected = "odd"
    assert check_outdated_rows(filled, quality) == 4
    assert check_outdated_rows(filled, privacy) == 0
    assert not privacy.looked
    rejected = (
        "select row_id from verdicts where gate = 'quality' and verdict = 'reject' order by 1"
    )
    assert [row["row_id"] for row in filled.rows(rejected)] == ["row-1", "row-3"]


def test_replaced_verdicts_are_kept_apart(filled):
    gate = WordGate()
    check_outdated_rows(filled, gate)
    before = filled.rows(FINDINGS)
    gate.rejected = "odd"
    check_outdated_rows(filled, gate)
    superseded = FINDINGS.replace("from verdicts", "from superseded_verdicts")
    assert filled.rows(superseded) == before


def test_a_repair_that_no_longer_holds_is_gone(filled, rows):
    gate = WordGate()
    check_outdated_rows(filled, gate)
    texts = "select input, repaired from repaired_instructions where row_id = 'row-2'"
    assert filled.rows(texts) == [{"input": "", "repaired": ["input"]}]
    filled.replace({"raw_instructions": [*rows[:2], {**rows[2], "input": "Na 135"}, rows[3]]})
    check_outdated_rows(filled, gate)
    assert filled.rows(texts) == [{"input": "Na 135", "repaired": []}]


def test_portions_are_written_one_by_one(filled, monkeypatch):
    monkeypatch.setattr("bioinstruct_dagster.curation.verdicts.ROWS_PER_WRITE", 3)

    class Failing(WordGate):
        def check(self, tasks):
            if self.looked:
                raise RuntimeError("killed")
            return super().check(tasks)

    with pytest.raises(RuntimeError):
        check_outdated_rows(filled, Failing())
    assert len({row["row_id"] for row in filled.rows(FINDINGS)}) == 3
    monkeypatch.undo()
    assert check_outdated_rows(filled, WordGate()) == 1


def test_stored_results_are_used_again(filled, rows):
    gate = WordGate()
    check_outdated_rows(filled, gate)
    gate.looked.clear()
    stored_results = StoredResults(filled, [gate])
    tasks = [RowTexts(row["instruction"], row["input"], row["output"]) for row in rows]
    results = stored_results(gate, [*tasks, RowTexts("Something new.", "", "o")])
    assert gate.looked == [RowTexts("Something new.", "", "o")]
    assert results[:4] == WordGate().check(tasks)
    assert stored_results(gate, tasks) == results[:4]


def test_results_on_imported_rows_are_not_used_for_generated_ones(filled, rows):
    with filled.write() as connection:
        connection.execute("update raw_instructions set source = 'import:a.csv@0123456789ab'")
    gate = WordGate()
    check_outdated_rows(filled, gate)
    assert all(task.imported for task in gate.looked)
    gate.looked.clear()
    tasks = [RowTexts(row["instruction"], row["input"], row["output"]) for row in rows]
    StoredResults(filled, [gate])(gate, tasks)
    assert gate.looked == tasks


def test_another_version_is_not_remembered(filled, rows):
    check_outdated_rows(filled, WordGate())
    gate = WordGate("odd")
    StoredResults(filled, [gate])(gate, [RowTexts(rows[3]["instruction"], "", "An answer.")])
    assert len(gate.looked) == 1


def test_why_says_what_each_gate_says_in_their_order(filled):
    check_outdated_rows(filled, WordGate("secret", "privacy"))
    check_outdated_rows(filled, WordGate())
    said = [(row["gate"], row["rule"], row["verdict"]) for row in findings_of_row(filled, "row-1")]
    assert said == [
        ("quality", "word", "reject"),
        ("quality", "odd", "flag"),
        ("privacy", "odd", "flag"),
    ]
    assert findings_of_row(filled, "row-1")[0]["evidence"] == {"saw": "forbidden"}


def test_an_unknown_row_id_says_how_to_find_one(filled):
    with pytest.raises(UnknownRowError, match=r"No row 'row-99'.*ilike"):
        findings_of_row(filled, "row-99")


def test_each_version_stores_what_it_is_computed_from(filled):
    gate = WordGate()
    check_outdated_rows(filled, gate)
    check_outdated_rows(filled, gate)
    gate.rejected = "odd"
    check_outdated_rows(filled, gate)
    made = filled.rows("select gate, version, made_of from gate_versions order by first_used_at")
    assert [(row["version"], json.loads(row["made_of"])) for row in made] == [
        ("word-forbidden", {"rejected": "forbidden"}),
        ("word-odd", {"rejected": "odd"}),
    ]


@pytest.mark.parametrize("rule", [*DOUBTFUL_RULES, "mrn"])
def test_evidence_is_withheld_beside_an_identifier_and_not_beside_a_doubtful_detail(store, rule):
    row = raw_row(1, task_input="Number 4839201 is his.")
    store.replace({"raw_instructions": [row]})
    span = {"kind": "mrn", "field": "input", "start": 7, "end": 14}
    said = {
        "quality": Finding("odd", "1", "flag", None, {"saw": "4839201"}),
        "privacy": Finding(rule, "1", "flag", None, {"found": [span]}),
    }
    for name, finding in said.items():
        gate = WordGate(name=name)
        write_results(store, gate, [row], [GateResult((finding,))])
    withhold_identifiers(store)
    shown = {one["gate"]: one["evidence"] for one in findings_of_row(store, "row-1")}
    assert shown["quality"] == {"saw": WITHHELD_TEXT if rule == "mrn" else "4839201"}
