"""The mix of rows: target shares beside requested shares and the shares that rows show."""

import pytest

from bioinstruct_dagster.generation.controls.mix import mix


def row(instruction, text="", output="o"):
    return {"instruction": instruction, "input": text, "output": output}


def test_the_mix_compares_target_asked_and_achieved(small):
    asked = {"kind": "write", "topic": "heart", "audience": "nurse", "length": "none"}
    table = {
        (line["dimension"], line["value"]): line
        for line in mix(
            small,
            [
                (row("Write on cardiac care"), asked),
                (row("Write on cardiac and lung care"), asked),
                (row("Write on the liver", "x"), {**asked, "topic": "lung"}),
                (row("Which heart?"), None),
            ],
        )
    }
    assert table["topic", "heart"] == {
        "dimension": "topic",
        "value": "heart",
        "target": 0.5,
        "asked": pytest.approx(2 / 3),
        "achieved": 1.5 / 4,
        "n": 2,
        "agreement": 1.0,
        "dimension_agreement": pytest.approx(2 / 3),
    }
    assert (table["topic", "lung"]["n"], table["topic", "lung"]["agreement"]) == (1, 0.0)
    assert table["kind", "choose"]["agreement"] is None  # never asked for
    assert table["kind", "write"]["dimension_agreement"] == 1.0
    assert table["audience", "nurse"]["agreement"] is None  # can't be measured
    assert table["audience", "nurse"]["dimension_agreement"] is None
    assert table["audience", "nurse"]["achieved"] == 3 / 4
    assert table["length", "none"]["agreement"] == pytest.approx(2 / 3)
    assert sum(line["target"] for line in table.values()) == pytest.approx(4)


def test_the_mix_of_no_rows_has_targets_only(small):
    for line in mix(small, []):
        assert line["target"] > 0
        assert (line["asked"], line["achieved"], line["n"]) == (None, 0, 0)
        assert line["agreement"] is None
