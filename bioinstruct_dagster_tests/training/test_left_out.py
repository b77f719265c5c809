"""The table `rows_left_out`: what training did not see of each experiment."""

import pytest

from bioinstruct_dagster.models.encoding import LeftOutRow
from bioinstruct_dagster.training.left_out import left_out_table

LEFT_OUT = [
    LeftOutRow("row-1", 900, 900, "left_out"),
    LeftOutRow("row-2", 600, 88, "input_shortened"),
]
EXPERIMENT = {"base_model": "llama", "recipe": "all"}


def rows_of(**experiment):
    return left_out_table(**(EXPERIMENT | experiment), left_out=LEFT_OUT, rehearsal=True)


def stored(store):
    return store.rows("select base_model, row_id, tokens, tokens_lost, action from rows_left_out")


def test_the_store_holds_what_encoding_lists(store):
    store.replace({"rows_left_out": rows_of()}, part=EXPERIMENT)
    assert [tuple(row.values()) for row in stored(store)] == [
        ("llama", "row-1", 900, 900, "left_out"),
        ("llama", "row-2", 600, 88, "input_shortened"),
    ]


@pytest.mark.parametrize("again", [[], LEFT_OUT[:1]])
def test_training_again_replaces_the_rows_of_its_experiment_alone(store, again):
    for base_model in ("llama", "smollm"):
        part = EXPERIMENT | {"base_model": base_model}
        store.replace({"rows_left_out": rows_of(base_model=base_model)}, part=part)
    fresh = left_out_table(**EXPERIMENT, left_out=again, rehearsal=True)
    store.replace({"rows_left_out": fresh}, part=EXPERIMENT)
    counts = [row["base_model"] for row in stored(store)]
    assert counts.count("llama") == len(again)
    assert counts.count("smollm") == 2
