"""Every raw row becomes a kept or a rejected row, and no row is checked twice."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.curate_rows import (
    RowCurator,
    curate_raw_rows,
    curator_maker,
    novelty_method,
    row_gates,
)
from bioinstruct_dagster.curation.gates import Finding, GateResult
from bioinstruct_dagster.curation.novelty.methods import NoveltyMethod
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.quality.gate import QualityGate
from bioinstruct_dagster.curation.verdicts import StoredResults, check_outdated_rows
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster_tests.curation.sound_rows import SOUND_ROWS

SEEDS = [NamedInstruction("seed-1", "Name the antidote for a paracetamol overdose.")]
GATES = [QualityGate()]
SOUND = "Explain sepsis to the family in two plain sentences."


def raw_row(ordinal, instruction=SOUND, task_input="", output="An answer."):
    return {
        "row_id": f"row-{ordinal}",
        "ordinal": ordinal,
        "completion_id": "completion",
        "position": ordinal,
        "source": "completion",
        "instruction": instruction,
        "input": task_input,
        "output": output,
        "rehearsal": True,
    }


@st.composite
def raw_sets(draw):
    instructions = st.sampled_from(
        [
            SOUND,
            SOUND.upper(),
            SEEDS[0].instruction,
            "Rank these four drugs by half-life.",
            "Rank these five drugs by half-life.",
            "Draw the heart with all four chambers.",
            "Too short.",
            "",
            "¿Qué significa este resultado de laboratorio?",
        ]
    )
    inputs = st.sampled_from(["", "N/A", "https://example.org", "Na 135 mmol/L"])
    outputs = st.sampled_from(["An answer.", "", "None"])
    tasks = draw(st.lists(st.tuples(instructions, inputs, outputs), max_size=25))
    return [raw_row(number, *task) for number, task in enumerate(tasks)]


@given(raw_sets())
def test_every_raw_row_is_in_one_table_in_order(raw):
    selection = curate_raw_rows(raw, SEEDS, GATES)
    kept = [row["ordinal"] for row in selection.kept]
    rejected = [row["ordinal"] for row in selection.rejected]
    assert kept == sorted(kept)
    assert rejected == sorted(rejected)
    assert sorted(kept + rejected) == [row["ordinal"] for row in raw]


@given(raw_sets())
def test_only_no_input_markers_change_a_text(raw):
    source = {row["row_id"]: row for row in raw}
    for row in curate_raw_rows(raw, SEEDS, GATES).kept:
        before = source[row["row_id"]]
        assert [row[name] for name in ("ordinal", "instruction", "output", "rehearsal")] == [
            before[name] for name in ("ordinal", "instruction", "output", "rehearsal")
        ]
        marked = before["input"] == "N/A"
        assert row["input"] == ("" if marked else before["input"])
        assert row["repaired"] == (["input"] if marked else [])


@given(raw_sets(), st.data())
def test_growing_the_raw_rows_changes_no_earlier_decision(raw, data):
    cut = data.draw(st.integers(0, len(raw)))
    earlier, whole = curate_raw_rows(raw[:cut], SEEDS, GATES), curate_raw_rows(raw, SEEDS, GATES)
    assert earlier.kept == [row for row in whole.kept if row["ordinal"] < cut]
    assert earlier.rejected == [row for row in whole.rejected if row["ordinal"] < cut]


@given(raw_sets(), st.lists(st.integers(0, 25), max_size=6))
def test_portions_of_any_size_give_the_same_decisions(raw, cuts):
    curator = RowCurator(SEEDS, GATES)
    edges = [0, *sorted(cuts), len(raw)]
    verdicts = [
        kept
        for start, end in itertools.pairwise(edges)
        for kept in curator.extend(raw[start : max(start, end)])
    ]
    whole = curate_raw_rows(raw, SEEDS, GATES)
    kept = {row["row_id"] for row in whole.kept}
    assert verdicts == [row["row_id"] in kept for row in raw]
    assert curator.curated.kept == whole.kept
    assert sorted(curator.curated.rejected, key=lambda r: r["ordinal"]) == whole.rejected


def test_the_gates_of_generation_are_those_of_curation(settings, store):
    seed = SeedTask("seed-1", "other", "f", SEEDS[0].instruction, "", "Acetylcysteine.")
    raw = [
        raw_row(0, SEEDS[0].instruction),
        raw_row(1),
        raw_row(2, SOUND.upper()),
        raw_row(3, "Draw the heart with all four chambers."),
        raw_row(4, "Write a letter to the patient.", "Maria Keller, MRN 00482913, 555-0142"),
    ]
    found = curator_maker(settings, store)([seed])
    assert found.extend(raw) == [False, True, False, False, False]
    assert [row["gate"] for row in found.curated.rejected] == [
        "quality", "privacy", "novelty", "novelty",
    ]  # fmt: skip


def test_stored_verdicts_are_not_made_again(store):
    raw = [raw_row(0), raw_row(1, "Draw the heart with all four chambers.")]
    store.replace({"raw_instructions": raw})
    check_outdated_rows(store, GATES[0])

    class Silent(QualityGate):
        def check(self, tasks):
            assert not tasks
            return []

    curator = RowCurator(SEEDS, [Silent()], StoredResults(store, GATES))
    assert curator.extend(raw) == [True, False]


def test_a_repeated_seed_and_a_repeated_row_are_told_apart():
    raw = [raw_row(0, SEEDS[0].instruction), raw_row(1), raw_row(2, SOUND.upper())]
    selection = curate_raw_rows(raw, SEEDS, GATES)
    assert [row["row_id"] for row in selection.kept] == ["row-1"]
    assert [
        (row["row_id"], row["gate"], row["reason"], row["detail"]["nearest_id"], row["score"])
        for row in selection.rejected
    ] == [
        ("row-0", "novelty", "repeats_seed", "seed-1", 1.0),
        ("row-2", "novelty", "repeats_kept_row", "row-1", 1.0),
    ]


def test_a_rejected_row_does_not_make_another_a_repetition():
    selection = curate_raw_rows([raw_row(0, output=""), raw_row(1)], SEEDS, GATES)
    assert [row["row_id"] for row in selection.kept] == ["row-1"]
    (rejected,) = selection.rejected
    assert (rejected["gate"], rejected["reason"]) == ("quality", "empty_output")


def test_the_input_is_normalised_before_it_is_checked():
    (kept,) = curate_raw_rows([raw_row(0, task_input="N/A")], SEEDS, GATES).kept
    assert kept["input"] == ""


def test_a_flag_is_written_on_the_kept_row():
    dose = "Compute the daily dose."
    raw = [raw_row(0, dose, "Naproxen 250 mg twice daily", "400 mg per day")]
    (kept,) = curate_raw_rows(raw, SEEDS, GATES).kept
    assert kept["flags"] == ["quality: wrong_arithmetic"]


def test_kept_rows_fit_their_table(store):
    raw = [raw_row(0, task_input="N/A"), raw_row(1), raw_row(2, "Too short.")]
    store.replace({"deduplicated_instructions": curate_raw_rows(raw, SEEDS, GATES).kept})
    assert store.rows("select row_id, repaired from deduplicated_instructions") == [
        {"row_id": "row-0", "repaired": ["input"]}
    ]


@pytest.mark.parametrize("method", ["rouge", "exact"])
@pytest.mark.parametrize("language", SOUND_ROWS)
def test_sound_rows_of_any_script_pass_every_gate(settings, language, method):
    raw = [raw_row(number, *texts) for number, texts in enumerate(SOUND_ROWS[language])]
    assert len(raw) >= 20
    found = curate_raw_rows(raw, SEEDS, row_gates(settings), NoveltyMethod(method))
    assert found.rejected == []
    assert [row["flags"] for row in found.kept] == [[]] * len(raw)


@pytest.mark.parametrize("language", SOUND_ROWS)
def test_sound_questions_as_inputs_of_one_instruction_pass_every_gate(settings, language):
    raw = [
        raw_row(number, "Answer the question of the patient.", instruction, output)
        for number, (instruction, _, output) in enumerate(SOUND_ROWS[language])
    ]
    method = novelty_method(settings, imported=True)
    assert curate_raw_rows(raw, SEEDS, row_gates(settings), method).rejected == []


@pytest.mark.parametrize(
    ("novelty", "imported", "expected"),
    [
        ("auto", False, NoveltyMethod("rouge", 0.6)),
        ("auto", True, NoveltyMethod("exact", 0.6)),
        ("rouge", True, NoveltyMethod("rouge", 0.6)),
        ("exact", False, NoveltyMethod("exact", 0.6)),
        ("off", True, NoveltyMethod("off", 0.6)),
    ],
)
def test_the_source_decides_the_method_unless_it_is_set(settings, novelty, imported, expected):
    changed = settings.changed(novelty=novelty, novelty_threshold=0.6)
    assert novelty_method(changed, imported=imported) == expected


def test_generation_counts_rows_by_the_method_that_is_set(settings, store):
    raw = [raw_row(n, SOUND, f"The patient has sign {n} of gout.") for n in range(3)]
    kept = {}
    for novelty in ("auto", "exact", "off"):
        curator = curator_maker(settings.changed(novelty=novelty), store)([])
        kept[novelty] = curator.extend([*raw, raw[0] | {"row_id": "again"}])
    assert kept == {
        "auto": [True, False, False, False],
        "exact": [True, True, True, False],
        "off": [True, True, True, True],
    }


@dataclass
class OneRepair:
    """A gate that gives the output of each row one text."""

    name: str
    text: str
    version: str = "1"
    made_of: Mapping[str, str] = field(default_factory=dict)

    def check(self, rows):
        return [GateResult((Finding("mended", "1", "repair"),), {"output": self.text})] * len(rows)


@pytest.mark.parametrize(
    ("first", "second", "used"),
    [("cut, by Ann", "whole, by [NAME]", "whole, by [NAME]"), ("", "[NAME]", "")],
)
def test_of_two_repairs_the_later_holds_no_identifier_and_an_empty_text_stays(first, second, used):
    gates = [OneRepair("quality", first), OneRepair("privacy", second)]
    row = {"row_id": "a", "ordinal": 0, "rehearsal": False, "source": "completion"}
    row |= {"instruction": "Name the writer.", "input": "", "output": "whole, by Ann"}
    [kept] = curate_raw_rows([row], [], gates).kept
    assert (kept["output"], kept["repaired"]) == (used, ["output"])
