"""The model process: what it answers, refuses and leaves behind, without store and Dagster."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import items_of
from bioinstruct_dagster.evaluation.cache import parts as parts_module
from bioinstruct_dagster.evaluation.cache.parts import parts_in, read_part
from bioinstruct_dagster.evaluation.evaluate import evaluate_base
from bioinstruct_dagster.evaluation.evaluate_study import evaluate_study
from bioinstruct_dagster.evaluation.held_out import HELD_OUT, held_out_items
from bioinstruct_dagster.evaluation.questions import TaskQuestions, questions_of, write_questions
from bioinstruct_dagster.evaluation.spec import AdapterSpec, BaseSpec, EvaluationSpec
from bioinstruct_dagster.evaluation.tasks.keys import Conditions, adapter_content, item_key
from bioinstruct_dagster.models import base_models

NAME = "rehearsal-llama|all"


@pytest.fixture(scope="module")
def tasks(dataset_rows):
    catalogue = read_tasks()
    medqa = catalogue.task("medqa")
    items = items_of(medqa, Path("/no folder"), fixtures=catalogue.fixtures).items
    own = held_out_items(dataset_rows[:2])
    return [TaskQuestions(HELD_OUT, tuple(own)), TaskQuestions(medqa, items[:3])]


@pytest.fixture
def work(training_spec, tiny_base, adapter, tasks, tmp_path):
    """A specification of one adapter, and all of its questions."""
    conditions = Conditions(
        tiny_base.fingerprint, "none", tiny_base.prompt.version, "auto", None, 1
    )
    questions = questions_of(tasks, conditions)
    content = adapter_content(Path(adapter["adapter_path"]))
    every = list(range(len(questions.keys)))
    questions = replace(questions, missing={"base": every, content: every})
    write_questions(questions, tmp_path / "questions")
    spec = BaseSpec(
        base=training_spec.base,
        quantization="none",
        conditions=conditions,
        models_dir=training_spec.models_dir,
        questions_path=str(tmp_path / "questions"),
        results_dir=str(tmp_path / "parts"),
        adapters=(AdapterSpec(NAME, adapter["adapter_path"], content, training_spec.recipe),),
    )
    return spec, questions


def answered(spec):
    """The messages and the rows of an evaluation."""
    messages = []
    evaluate_base(spec, lambda _: None, messages.append)
    return messages, rows_in(spec)


def rows_in(spec):
    return [row for part in parts_in(Path(spec.results_dir)) for row in read_part(part)]


def changed(spec, **values):
    return replace(spec, adapters=(replace(spec.adapters[0], **values),))


def test_each_subject_answers_each_question_once(work):
    spec, questions = work
    messages, rows = answered(spec)
    subjects = ("base", spec.adapters[0].content)
    expected = {item_key(key, one) for key in questions.keys.values() for one in subjects}
    assert sorted(row["key"] for row in rows) == sorted(expected)
    assert {row["precision"] for row in rows} == {"float32 on cpu"}
    assert [message["kind"] for message in messages] == ["items", "answered"]
    assert messages[-1]["experiment"] == NAME
    assert messages[-1]["proof"]["change"] > messages[-1]["proof"]["noise"]
    losses = {row["subject"]: row for row in rows if row["measure"] == "reference"}
    assert losses["base"]["log_likelihoods"] != losses[subjects[1]]["log_likelihoods"]


def test_only_what_is_missing_is_answered(work):
    spec, questions = work
    content = spec.adapters[0].content
    write_questions(
        replace(questions, missing={"base": [], content: [0]}, known={}),
        Path(spec.questions_path),
    )
    _, rows = answered(spec)
    assert [row["key"] for row in rows] == [item_key(next(iter(questions.keys.values())), content)]


def test_another_precision_of_known_results_is_answered_again(work):
    spec, questions = work
    content = spec.adapters[0].content
    known = replace(
        questions, missing={"base": [], content: [0]}, known={"base": [0]},
        precision="bfloat16 on cuda",
    )  # fmt: skip
    write_questions(known, Path(spec.questions_path))
    _, rows = answered(spec)
    assert {row["subject"] for row in rows} == {"base", content}


def test_a_kill_leaves_whole_parts_of_all_that_was_handed_over(work, monkeypatch):
    monkeypatch.setattr(parts_module, "_SECONDS_BETWEEN_PARTS", 0.0)
    spec, _ = work
    messages = []

    def killed(message):
        messages.append(message)
        if len(messages) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_base(spec, lambda _: None, killed)
    assert len(rows_in(spec)) == sum(message["rows"] for message in messages) == 4


@pytest.fixture
def no_weights(monkeypatch):
    """Whoever reads the weights of a base model fails."""
    monkeypatch.setattr(base_models.CheckedBaseModel, "load", lambda *_: pytest.fail("loaded"))


@pytest.mark.usefixtures("no_weights")
def test_an_adapter_of_another_base_model_is_refused_before_any_weight_is_read(work):
    spec, _ = work
    other = spec.base.model_copy(update={"pretraining_steps": 2})
    messages = []
    evaluate_base(replace(spec, base=other), lambda _: None, messages.append)
    [message] = messages
    assert (message["kind"], message["experiment"]) == ("failed", NAME)
    assert "wrong base" in message["error"]


@pytest.mark.usefixtures("no_weights")
def test_an_adapter_of_another_prompt_is_refused_before_any_weight_is_read(work):
    spec, _ = work
    other = spec.base.model_copy(update={"prompt": "data/prompts/alpaca_lora.yaml"})
    messages = []
    evaluate_base(replace(spec, base=other), lambda _: None, messages.append)
    assert (
        "trained with the prompt alpaca/1, but the base model's prompt is" in messages[0]["error"]
    )


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_an_adapter_without_a_file_is_refused_by_its_path(work, tmp_path, name):
    spec, _ = work
    folder = Path(shutil.copytree(spec.adapters[0].adapter_path, tmp_path / "adapter"))
    (folder / name).unlink()
    messages = []
    evaluate_base(changed(spec, adapter_path=str(folder)), lambda _: None, messages.append)
    assert f"There is no adapter at {folder} ({name} is missing)" in messages[0]["error"]


@pytest.mark.usefixtures("no_weights")
def test_an_adapter_that_changed_while_it_waited_is_refused(work):
    spec, _ = work
    messages = []
    evaluate_base(changed(spec, content="0" * 64), lambda _: None, messages.append)
    assert "were changed while it waited" in messages[0]["error"]


def test_an_adapter_that_does_not_act_is_refused_and_the_other_is_scored(work, tmp_path):
    from safetensors.torch import load_file, save_file

    spec, questions = work
    folder = Path(shutil.copytree(spec.adapters[0].adapter_path, tmp_path / "adapter"))
    weights = folder / "adapter_model.safetensors"
    tensors = load_file(weights)
    save_file({n: t * 0 if "lora_B" in n else t for n, t in tensors.items()}, weights)
    silent = replace(
        spec.adapters[0],
        experiment="rehearsal-llama|silent",
        adapter_path=str(folder),
        content=adapter_content(folder),
    )
    missing = dict(questions.missing) | {silent.content: [0]}
    write_questions(replace(questions, missing=missing), Path(spec.questions_path))
    messages, rows = answered(replace(spec, adapters=(silent, *spec.adapters)))
    assert messages[0]["kind"] == "failed"
    assert messages[0]["experiment"] == silent.experiment
    assert messages[-1] | {"proof": None} == {
        "kind": "answered", "experiment": NAME, "proof": None,
    }  # fmt: skip
    assert silent.content not in {row["subject"] for row in rows}


def test_a_base_model_that_fails_fails_its_adapters_and_no_others(work, tmp_path):
    spec, _ = work
    broken = replace(
        changed(spec, experiment="broken|all"),
        base=spec.base.model_copy(update={"source": str(tmp_path / "nowhere")}),
    )
    messages, lines = [], []
    evaluate_study(EvaluationSpec((broken, spec)), lines.append, messages.append)
    ends = {m["experiment"]: m["kind"] for m in messages if "experiment" in m}
    assert ends == {"broken|all": "failed", NAME: "answered"}
    assert "nowhere is not a folder" in json.dumps(messages[0])
    assert all(line.startswith(("rehearsal-llama", "broken")) for line in lines)
