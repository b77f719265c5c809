"""Keys of item results: they cover all that determines a result, and nothing else."""

import json
import shutil
from dataclasses import replace

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.evaluation.held_out import HELD_OUT
from bioinstruct_dagster.evaluation.tasks import keys as module
from bioinstruct_dagster.evaluation.tasks.keys import (
    Conditions,
    adapter_content,
    item_key,
    measures_of,
    question_keys,
    task_version,
)

CONDITIONS = Conditions("base", "none", "alpaca/1", "auto", None, 42)
ITEM = EvaluationItem("medqa", "1", "Which?", ("a",), ("a", "b"), ("passage",), 0)


@pytest.fixture(scope="module")
def medqa():
    return read_tasks().task("medqa")


def keys(task, item=ITEM, conditions=CONDITIONS):
    return dict(question_keys(task, [item], conditions))


def test_each_measure_and_order_of_an_item_has_a_key_of_its_own(medqa):
    found = keys(medqa)
    assert [(q.measure, q.order) for q in found] == [
        ("options", 0), ("options", 1), ("prior", 0), ("answer", 0),
    ]  # fmt: skip
    assert len(set(found.values())) == 4
    assert keys(medqa) == found


@pytest.mark.parametrize(
    "change",
    [
        {"base_fingerprint": "other"},
        {"quantization": "nf4"},
        {"prompt_version": "chat/1"},
        {"dtype": "bfloat16"},
        {"context": 512},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_conditions_have_other_keys(medqa, change):
    other = keys(medqa, conditions=replace(CONDITIONS, **change))
    assert set(other) == set(keys(medqa))
    assert not set(other.values()) & set(keys(medqa).values())


def test_another_seed_asks_only_the_orders_of_options_that_it_changes(medqa):
    four = [replace(ITEM, id=str(n), options=("a", "b", "c", "d")) for n in range(20)]
    changed = {
        (question.measure, question.order)
        for item in four
        for question, key in keys(medqa, item).items()
        if keys(medqa, item, replace(CONDITIONS, seed=43))[question] != key
    }
    assert changed == {("options", 1)}
    assert keys(medqa, conditions=replace(CONDITIONS, seed=43)) == keys(medqa)  # two options


def test_what_generates_answers_counts_for_answers_alone(medqa):
    before, after = keys(medqa), keys(medqa, conditions=replace(CONDITIONS, answer_engine="vllm"))
    assert {q.measure for q in before if before[q] != after[q]} == {"answer"}


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Which one?"},
        {"options": ("a", "c")},
        {"context": ("other passage",)},
        {"id": "2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_item_has_other_keys(medqa, change):
    other = keys(medqa, replace(ITEM, **change))
    assert not set(other.values()) & set(keys(medqa).values())


@pytest.mark.parametrize(
    "change", [{"gold": 1}, {"answers": ("b",)}, {"cluster": "trial"}], ids=str
)
def test_a_corrected_right_answer_asks_nothing_again(medqa, change):
    assert keys(medqa, replace(ITEM, **change)) == keys(medqa)


def test_the_loss_of_an_output_depends_on_the_output():
    item = replace(ITEM, task="held_out")
    before, after = keys(HELD_OUT, item), keys(HELD_OUT, replace(item, answers=("b",)))
    changed = {question.measure for question in before if before[question] != after[question]}
    assert changed == {"reference"}
    assert measures_of(HELD_OUT) == [("reference", 0), ("answer", 0)]


def test_the_version_of_a_task_covers_prompt_and_scoring_and_not_its_source(medqa):
    def with_values(**values):
        return medqa.model_copy(update=values)

    prompt = medqa.prompt.model_copy(update={"instruction": "Answer."})
    scoring = medqa.scoring.model_copy(update={"max_new_tokens": 3})
    source = medqa.source.model_copy(update={"licence": "other"})
    same = [with_values(), with_values(source=source), with_values(what="other words")]
    other = [with_values(version=9), with_values(prompt=prompt), with_values(scoring=scoring)]
    assert {task_version(one) for one in same} == {task_version(medqa)}
    assert len({task_version(one) for one in [medqa, *other]}) == 4


def test_another_engine_has_other_keys(medqa, monkeypatch):
    before = keys(medqa)
    monkeypatch.setattr(module, "ENGINE_VERSION", module.ENGINE_VERSION + 1)
    assert not set(keys(medqa).values()) & set(before.values())


def test_subjects_have_keys_of_their_own(medqa):
    (first, *_) = keys(medqa).values()
    assert len({item_key(first, "base"), item_key(first, "a"), item_key(first, "b"), first}) == 4


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_one_flipped_bit_of_an_adapter_makes_another_subject(adapter, tmp_path, name):
    folder = shutil.copytree(adapter["adapter_path"], tmp_path / "adapter")
    before = adapter_content(folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert adapter_content(folder) != before


def test_the_result_file_of_an_adapter_is_no_part_of_its_content(adapter, tmp_path):
    folder = shutil.copytree(adapter["adapter_path"], tmp_path / "adapter")
    before = adapter_content(folder)
    result = json.loads((folder / "result.json").read_text("utf-8"))
    (folder / "result.json").write_text(json.dumps(result | {"trained_at": "x"}), "utf-8")
    assert adapter_content(folder) == before


def test_answers_are_asked_of_as_many_items_as_the_conditions_say(medqa):
    items = [replace(ITEM, id=str(number)) for number in range(9)]
    whole = dict(question_keys(medqa, items, CONDITIONS))
    few = dict(question_keys(medqa, items, replace(CONDITIONS, answers=4)))
    more = dict(question_keys(medqa, items, replace(CONDITIONS, answers=6)))
    assert sum(one.measure == "answer" for one in few) == 4
    assert [one for one in few if one.measure != "answer"] == [
        one for one in whole if one.measure != "answer"
    ]
    assert few.items() < more.items() < whole.items()  # more answers never change a stored one
    none = question_keys(medqa, items, replace(CONDITIONS, answers=0))
    assert not any(one.measure == "answer" for one, _ in none)
