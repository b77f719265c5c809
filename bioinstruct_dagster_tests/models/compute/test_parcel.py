"""A parcel's way to the machine that trains, and what comes back."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.models.compute.delivery import Delivery
from bioinstruct_dagster.models.compute.exchange import Exchange, ExchangeError
from bioinstruct_dagster.models.compute.parcel import Parcel, ParcelError
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of_file
from bioinstruct_dagster.training.spec import TrainingSpec


@pytest.fixture
def exchange(tmp_path):
    return Exchange((tmp_path / "exchange").as_uri())


@pytest.fixture
def spec(training_spec, tmp_path):
    """The specification of a home without any model or adapter."""
    return replace(
        training_spec,
        models_dir=str(tmp_path / "home" / "models"),
        adapters_dir=str(tmp_path / "home" / "adapters"),
    )


def sent(exchange, spec, name="work"):
    parcel = Parcel(exchange, name, spec if isinstance(spec, str) else spec.to_json())
    parcel.send()
    return parcel


@pytest.fixture
def parcel(exchange, spec):
    parcel = sent(exchange, spec)
    yield parcel
    parcel.close()


@pytest.fixture
def work(tmp_path):
    """The folder of the machine that trains."""
    return tmp_path / "other machine"


def made_adapter(spec: TrainingSpec) -> Path:
    """An adapter's folder, as training leaves it on its machine."""
    folder = Path(spec.adapters_dir, "rehearsal-llama__all", "0123456789ab")
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights" * 999)
    config = {"base_model_name_or_path": f"{spec.models_dir}/rehearsal-llama-1"}
    (folder / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    return folder


def adapter_message(folder: Path) -> dict:
    sha256 = sha256_of_file(folder / "adapter_model.safetensors")
    result = {"adapter_path": str(folder), "adapter_sha256": sha256}
    return {"kind": "adapter", "experiment": "rehearsal-llama|all", "result": result}


def test_the_data_set_is_there_and_no_path_of_the_home_is_named(parcel, spec, work):
    there = TrainingSpec.from_json(Delivery(parcel.url, work).spec)
    assert read_split(Path(there.dataset_path), "train", there.dataset_fingerprint) == read_split(
        Path(spec.dataset_path), "train", spec.dataset_fingerprint
    )
    for path in (there.dataset_path, there.models_dir, there.adapters_dir):
        assert Path(path).is_relative_to(work)
    assert (there.recipe, there.base, there.seed) == (spec.recipe, spec.base, spec.seed)
    assert there.key("base") == spec.key("base")


def test_an_adapter_comes_home_under_its_name_and_names_this_machine(parcel, spec, work):
    delivery = Delivery(parcel.url, work)
    folder = made_adapter(TrainingSpec.from_json(delivery.spec))
    number = delivery.send(adapter_message(folder))
    (message,) = parcel.received({"kind": "note", "number": number})
    home = Path(spec.adapters_dir, "rehearsal-llama__all", "0123456789ab")
    assert message["result"]["adapter_path"] == str(home)
    assert message["experiment"] == "rehearsal-llama|all"
    assert (home / "adapter_model.safetensors").read_bytes() == b"weights" * 999
    config = json.loads((home / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == f"{spec.models_dir}/rehearsal-llama-1"


def test_a_result_that_names_other_weights_is_refused(parcel, work):
    delivery = Delivery(parcel.url, work)
    message = adapter_message(made_adapter(TrainingSpec.from_json(delivery.spec)))
    message["result"]["adapter_sha256"] = "0" * 64
    delivery.send(message)
    with pytest.raises(ExchangeError, match="another sha256 than its training reported"):
        list(parcel.rest())


def test_messages_come_once_and_in_order_also_if_the_log_lost_their_notes(parcel, work):
    delivery = Delivery(parcel.url, work)
    for number in range(1, 6):
        assert delivery.send({"kind": "progress", "step": number}) == number
    taken = [
        *parcel.received({"kind": "note", "number": 2}),
        *parcel.received({"kind": "note", "number": 2}),
        *parcel.received({"kind": "note", "number": 1}),
        *parcel.rest(),
        *parcel.rest(),
    ]
    assert [message["step"] for message in taken] == [1, 2, 3, 4, 5]
    error = {"kind": "error", "error": "said without the exchange"}
    assert list(parcel.received(error)) == [error]


def test_the_embedded_base_model_of_the_home_is_used_there(exchange, spec, work):
    built = Path(spec.models_dir, "rehearsal-llama-0123456789ab")
    built.mkdir(parents=True)
    (built / "model.safetensors").write_bytes(b"home's weights")
    parcel = sent(exchange, spec)
    there = Path(TrainingSpec.from_json(Delivery(parcel.url, work).spec).models_dir)
    assert (there / built.name / "model.safetensors").read_bytes() == b"home's weights"
    # Another home with other weights: the machine keeps both.
    (built / "model.safetensors").write_bytes(b"weights of another machine")
    other = sent(exchange, spec, "other work")
    again = Path(TrainingSpec.from_json(Delivery(other.url, work).spec).models_dir)
    assert (again / built.name / "model.safetensors").read_bytes() == b"weights of another machine"
    assert (there / built.name / "model.safetensors").read_bytes() == b"home's weights"
    parcel.close()
    other.close()


def test_an_embedded_base_model_that_was_made_there_comes_home(parcel, spec, work):
    delivery = Delivery(parcel.url, work)
    built = Path(TrainingSpec.from_json(delivery.spec).models_dir, "rehearsal-llama-0123456789ab")
    built.mkdir(parents=True)
    (built / "model.safetensors").write_bytes(b"made there")
    delivery.send({"kind": "progress"})
    assert [message["kind"] for message in parcel.rest()] == ["progress"]
    home = Path(spec.models_dir, built.name, "model.safetensors")
    assert home.read_bytes() == b"made there"


def test_a_local_base_model_and_a_prompt_file_travel(exchange, spec, work, tmp_path):
    base, prompt = tmp_path / "my base", tmp_path / "prompt.txt"
    base.mkdir()
    (base / "model.safetensors").write_bytes(b"base")
    prompt.write_text("{instruction}", "utf-8")
    local = replace(
        spec, base=spec.base.model_copy(update={"source": str(base), "prompt": str(prompt)})
    )
    parcel = sent(exchange, local)
    there = TrainingSpec.from_json(Delivery(parcel.url, work).spec).base
    assert Path(there.source, "model.safetensors").read_bytes() == b"base"
    assert Path(there.prompt).read_text("utf-8") == "{instruction}"
    assert Path(there.prompt).name == "prompt.txt"  # a part of the prompt's version
    assert str(tmp_path / "my base") not in there.model_dump_json()
    parcel.close()


def test_an_adapter_to_score_is_there(exchange, spec, work):
    folder = made_adapter(spec)
    values = {
        "base": spec.base.model_dump(mode="json"),
        "adapter_path": str(folder),
        "dataset_path": spec.dataset_path,
        "dataset_fingerprint": spec.dataset_fingerprint,
        "models_dir": spec.models_dir,
    }
    parcel = sent(exchange, json.dumps({"experiments": [values, values]}))
    for one in json.loads(Delivery(parcel.url, work).spec)["experiments"]:
        there = Path(one["adapter_path"])
        assert there.is_relative_to(work)
        assert {path.name for path in there.iterdir()} == {path.name for path in folder.iterdir()}
    parcel.close()


def test_a_hub_model_is_named_as_it_is(exchange, spec, work):
    hub = replace(spec, base=spec.base.model_copy(update={"source": "nobody/no-such-model"}))
    parcel = sent(exchange, hub)
    assert TrainingSpec.from_json(Delivery(parcel.url, work).spec).base.source == hub.base.source
    parcel.close()


def test_a_path_that_nothing_sends_is_refused_before_anything_starts(exchange, spec, tmp_path):
    values = json.loads(spec.to_json()) | {"cache": str(tmp_path)}
    with pytest.raises(ParcelError, match="in `cache`, and nothing sends it"):
        sent(exchange, json.dumps(values))


def test_another_version_of_the_data_set_is_refused(exchange, spec):
    with pytest.raises(ParcelError, match="was rebuilt"):
        sent(exchange, replace(spec, dataset_fingerprint="f" * 64))


def test_a_closed_or_replaced_parcel_is_not_opened(exchange, spec, work):
    first = sent(exchange, spec)
    second = sent(exchange, spec)
    with pytest.raises(ExchangeError, match="another start of the same step took its place"):
        Delivery(first.url, work)
    Delivery(second.url, work)
    second.close()
    with pytest.raises(ExchangeError, match="the run was cancelled"):
        Delivery(second.url, work)
    assert exchange.has_folder(f"datasets/{spec.dataset_fingerprint[:16]}")
    first.close()


WATCHED = """
import sys, time
from pathlib import Path
from bioinstruct_dagster.models.compute import delivery

delivery.SECONDS_BETWEEN_SIGNS, delivery.SECONDS_WITHOUT_SIGN = 0.05, float(sys.argv[3])
delivery.Delivery(sys.argv[1], Path(sys.argv[2])).end_without_home()
print("watches", flush=True)
time.sleep(float(sys.argv[4]))
"""


@pytest.mark.parametrize(("patience", "works", "status"), [("0.2", "600", -15), ("600", "0.5", 0)])
def test_a_process_ends_when_its_home_gives_no_more_signs_of_life(
    parcel, work, patience, works, status
):
    # This home gives a sign each minute, so with little patience it seems to be gone.
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, parcel.url, str(work), patience, works],
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert done.stdout == "watches\n"
    assert ("No sign of life" in done.stderr) is (status != 0)


@pytest.fixture
def scoring(exchange, training_spec, tmp_path):
    """The specification of an evaluation, as JSON, and its folders at home."""
    from bioinstruct_dagster.evaluation.spec import AdapterSpec, BaseSpec, EvaluationSpec
    from bioinstruct_dagster.evaluation.tasks.keys import Conditions

    home = tmp_path / "home"
    (home / "questions").mkdir(parents=True)
    (home / "questions" / "questions.json").write_text("{}", "utf-8")
    adapters = []
    for name in ("one", "two"):  # equal weights, other configs
        folder = home / "adapters" / name
        folder.mkdir(parents=True)
        (folder / "adapter_model.safetensors").write_bytes(b"weights")
        (folder / "adapter_config.json").write_text(name, "utf-8")
        adapters.append(AdapterSpec(f"rehearsal-llama|{name}", str(folder), name))
    spec = EvaluationSpec(
        (
            BaseSpec(
                base=training_spec.base,
                quantization="none",
                conditions=Conditions("base", "none", "alpaca/1", "auto", None, 1),
                models_dir=str(home / "models"),
                questions_path=str(home / "questions"),
                results_dir=str(home / "parts"),
                adapters=tuple(adapters),
            ),
        )
    )
    parcel = sent(exchange, spec.to_json())
    yield parcel, spec, home
    parcel.close()


def test_questions_and_adapters_travel_and_no_path_of_the_home_is_named(scoring, work):
    from bioinstruct_dagster.evaluation.spec import EvaluationSpec

    parcel, spec, home = scoring
    text = Delivery(parcel.url, work).spec
    assert str(home) not in text
    [base] = EvaluationSpec.from_json(text).bases
    assert Path(base.questions_path, "questions.json").read_text("utf-8") == "{}"
    configs = [Path(one.adapter_path, "adapter_config.json").read_text() for one in base.adapters]
    assert configs == ["one", "two"]
    assert base.conditions == spec.bases[0].conditions


def test_parts_of_results_come_home_and_no_other_folder_does(scoring, work):
    from bioinstruct_dagster.evaluation.cache.parts import read_part, write_part
    from bioinstruct_dagster.evaluation.spec import EvaluationSpec
    from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

    parcel, _, home = scoring
    delivery = Delivery(parcel.url, work)
    [base] = EvaluationSpec.from_json(delivery.spec).bases
    part = Path(base.results_dir, "0123")
    write_part([ItemResult("key", "medqa", "1", "base", "answer")], part)
    number = delivery.send({"kind": "items", "path": str(part), "rows": 1})
    [message] = parcel.received({"kind": "note", "number": number})
    assert message["path"] == str(home / "parts" / "0123")
    assert [row["key"] for row in read_part(Path(message["path"]))] == ["key"]
    delivery.send({"kind": "items", "path": base.questions_path, "rows": 1})
    [other] = parcel.rest()
    assert other["path"] == str(home / "questions")  # named, and not sent back
