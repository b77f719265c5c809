"""The rule of the split is decided at the first build, so that no row moves later."""

import pytest

from bioinstruct_dagster.dataset.split_rule import rule_for, stored_rule
from bioinstruct_dagster.dataset.splits import split_of, split_of_row


@pytest.fixture(autouse=True)
def _with_tables(store):
    store.replace({})


ONE = "Answer the question of the patient."


def rows_of(instructions, start=0):
    return [
        {"row_id": f"row-{n}", "instruction": text, "input": f"Is number {n} high?"}
        for n, text in enumerate(instructions, start)
    ]


def of_one_instruction(count, start=0):
    return rows_of([ONE] * count, start)


def of_own_instructions(count, start=0):
    return rows_of([f"Explain finding number {n}." for n in range(count)], start)


def build(store, rows):
    """Write the rows as the asset does; returns the split of each."""
    rule = rule_for(store, rows)
    splits = {row["row_id"]: split_of_row(row, rule) for row in rows}
    placed = [
        {"row_id": row_id, "split": split, "category": "other", "rehearsal": False}
        | {"dataset_fingerprint": "f"}
        for row_id, split in splits.items()
    ]
    store.replace({"hf_dataset": placed, "dataset_split_rule": [{"split_by": rule}]})
    assert stored_rule(store) == rule
    return splits


def test_no_row_moves_when_a_set_of_one_instruction_grows(store):
    first = of_one_instruction(300)
    before = build(store, first)
    assert set(before.values()) == {"train", "validation", "test"}
    # With so many other instructions, a new store would be split by instruction.
    grown = build(store, [*first, *of_own_instructions(9_000, start=300)])
    assert stored_rule(store) == "instruction_and_input"
    assert {row_id: grown[row_id] for row_id in before} == before


def test_no_row_moves_when_a_set_of_own_instructions_gets_repeated_ones(store):
    first = of_own_instructions(300)
    before = build(store, first)
    assert before == {row["row_id"]: split_of(row["instruction"]) for row in first}
    grown = build(store, [*first[150:], *of_one_instruction(3_000, start=300)])
    assert all(grown[row["row_id"]] == before[row["row_id"]] for row in first[150:])


def test_a_set_of_an_earlier_version_keeps_its_split_by_instruction(store):
    rows = of_one_instruction(100)
    build(store, rows)
    store.replace({"dataset_split_rule": []})
    assert set(build(store, rows).values()) == {split_of(ONE)}


def test_another_set_in_the_same_store_is_decided_anew(store):
    build(store, of_own_instructions(100))
    assert stored_rule(store) == "instruction"
    splits = build(store, of_one_instruction(300, start=1_000))
    assert stored_rule(store) == "instruction_and_input"
    assert set(splits.values()) == {"train", "validation", "test"}


@pytest.mark.parametrize("rows", [[], of_own_instructions(1)])
def test_a_store_without_a_data_set_is_split_by_instruction(store, rows):
    assert rule_for(store, rows) == stored_rule(store) == "instruction"
