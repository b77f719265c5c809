"""Item results in the store: added once, found by key, and replaced in another precision."""

from dataclasses import replace

from bioinstruct_dagster.evaluation.cache import stored
from bioinstruct_dagster.evaluation.cache.parts import write_part
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

RESULT = ItemResult(
    "k1", "medqa", "1", "base", "options", 1, (1, 0), (-1.5, -2.25), (1, 1), precision="float32"
)


def test_a_part_is_taken_once_and_removed(store, tmp_path):
    write_part([RESULT], tmp_path / "part")
    assert stored.take(store, tmp_path / "part") == 1
    assert not (tmp_path / "part").exists()
    assert stored.take(store, tmp_path / "part") == 0  # another run was faster
    assert stored.results(store, ["k1", "k2"]) == {"k1": RESULT}
    assert stored.precisions(store, ["k2", "k1"]) == {"k1": "float32"}


def test_a_result_in_another_precision_replaces_the_first(store, tmp_path):
    for precision in ("float32", "bfloat16"):
        write_part([replace(RESULT, precision=precision)], tmp_path / precision)
        stored.take(store, tmp_path / precision)
    assert stored.precisions(store, ["k1"]) == {"k1": "bfloat16"}
    assert store.rows("select count(*) as n from eval_items") == [{"n": 1}]


def test_all_parts_of_a_folder_are_taken(store, tmp_path):
    for name in "ab":
        write_part([replace(RESULT, key=name)], tmp_path / name)
    assert stored.take_all(store, tmp_path) == 2
    assert set(stored.results(store, ["a", "b"])) == {"a", "b"}
    assert stored.take_all(store, tmp_path) == 0


def test_an_answer_with_characters_that_the_store_can_not_hold_is_stored(store, tmp_path):
    write_part([replace(RESULT, answer="a\0b")], tmp_path / "part")
    stored.take(store, tmp_path / "part")
    assert stored.results(store, ["k1"])["k1"].answer == "a?b"


def test_nothing_is_found_in_an_empty_store(store):
    store.replace({})
    assert stored.results(store, []) == {}
    assert stored.precisions(store, ["k1"]) == {}
