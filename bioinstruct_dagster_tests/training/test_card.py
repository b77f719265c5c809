"""The card beside an adapter: header, licences, result, proof, recipe, speed, and a warning."""

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.training.card import proof_table, render_card, run_table
from bioinstruct_dagster.training.rows import read_rows
from bioinstruct_dagster.training.spec import training_spec

RUN_FACTS = {
    "useful_tokens_per_second": 1234.5,
    "flop_utilisation": 0.456,
    "speed_limit": {"name": "the measured matmul speed"},
    "padding_share": 0.0123,
    "peak_memory_bytes": 3 * 2**30,
    "peak_above_imports_bytes": 5 * 2**29,
    "estimated_bytes": 2 * 2**30,
    "hardware": {"processor": "A CPU", "threads": 2, "gpus": ["NVIDIA H200"]},
    "libraries": {"torch": "2.13.0"},
}


def card_of(adapter):
    return (Path(adapter["adapter_path"]) / "README.md").read_text("utf-8")


def real(spec, **changes):
    base = spec.base.model_copy(update={"source": "owner/name"} | changes)
    return replace(spec, base=base, dataset_rehearsal=False)


def test_a_trained_adapters_card_names_everything(adapter, training_spec):
    card = card_of(adapter)
    for fact in (
        f"- data set (fingerprint): `{training_spec.dataset_fingerprint}`\n",
        f"- fingerprint of the base model: `{adapter['base_fingerprint']}`\n",
        f"- adapter (sha256): `{adapter['adapter_sha256']}`\n",
        f"- rows trained on: {adapter['train_rows']}\n",
        "- rows left out, because they are too long: ",
        "- layers adapted: 28\n",
        "- greatest change of a logit on 8 canary prompts: ",
        "- lora_rank: 4\n",
        "- seed of the run (BIOINSTRUCT_SEED): 42\n",
        "- seed (the recipe's): 1\n",
        "- optimizer: AdamW (betas 0.9, 0.999; epsilon 1e-08)\n",
        "- type of the base model's weights: float32\n",
        f"- number of trained weights: {adapter['run_facts']['trained_weights']:,}\n",
        "- packing: several rows in one pass, none of which attends to another\n",
        f"- rows validated on: {adapter['run_facts']['validation_rows']}\n",
        "- unit of all losses: nats per response token\n",
        f"(sha256 of their ids and texts): `{adapter['run_facts']['rows_sha256']}`\n",
        "- version of bioinstruct-dagster: ",
        "## Scores\n\n<!-- scores:begin -->\nThe adapter has not been scored yet.",
        "@software{bioinstruct_dagster,",
        "- categories: `information_extraction`, `question_answering`, `generation`, `other`\n",
        "- device: cpu\n",
        "PeftModel.from_pretrained(base",
        "chat 'rehearsal-llama|all'\n",
    ):
        assert fact in card
    assert adapter["base_path"] not in card  # a path of this machine
    assert "answers well" not in card
    assert "model-FLOP utilisation" not in card  # on a CPU


def test_the_snippet_of_the_card_loads_the_adapter(adapter, training_spec, monkeypatch):
    snippet = card_of(adapter).split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(Path(training_spec.adapters_dir).parent)
    found = {}
    exec(snippet, found)  # noqa: S102  # the code that the card shows
    assert found["model"].peft_config["default"].r == 4
    trained = sum(one.numel() for name, one in found["model"].named_parameters() if "lora_" in name)
    assert trained == adapter["run_facts"]["trained_weights"]


def test_the_fingerprint_of_the_rows_is_that_of_ids_and_texts(adapter, dataset_rows, training_spec):
    left_out = {row["row_id"] for row in adapter["left_out"]}
    rows = [row for row in read_rows(training_spec).train if row["row_id"] not in left_out]
    columns = ["row_id", "instruction", "input", "output"]
    assert adapter["run_facts"]["rows_sha256"] == sha256_of_rows(rows, columns)
    assert len(rows) == adapter["train_rows"]


def test_the_card_warns_of_a_rehearsal(adapter):
    data = ModelCard(card_of(adapter)).data
    assert "must not be published" in card_of(adapter)
    assert data.tags == ["lora", "biomedical", "rehearsal"]
    assert data.library_name == "peft"
    assert data.base_model is None


def test_the_card_of_real_training_carries_no_warning(training_spec):
    card = render_card(real(training_spec, licence="Apache-2.0"), {"device": "cpu"})
    data = ModelCard(card).data
    assert data.tags == ["lora", "biomedical"]
    assert data.base_model == "owner/name"
    assert data.license == "apache-2.0"
    assert "must not be published" not in card
    assert "- rehearsal: no\n" in card
    assert "None" not in card
    assert "- rows: all rows of the train split" in card
    assert "- lora_plus_ratio: none: A and B have the same learning rate" in card


def test_the_card_says_what_is_a_rehearsal(adapter, training_spec):
    both, base = rehearsed(training_spec), replace(training_spec, dataset_rehearsal=False)
    data = replace(real(training_spec), dataset_rehearsal=True)
    embedded, rows = "the base model is the embedded one", "the data set has rows of the rehearsal"
    for spec, said, not_said in ((base, embedded, rows), (data, rows, embedded)):
        card = render_card(spec, {})
        assert f"This is a rehearsal, because {said}" in card
        assert not_said not in card
    assert f"because {embedded} and {rows} teacher. It shows" in both
    assert f"because {embedded} and {rows} teacher. It shows" in card_of(adapter)


def rehearsed(spec):
    return render_card(replace(spec, dataset_rehearsal=True), {})


@pytest.mark.parametrize("imported", [True, False])
def test_the_card_claims_no_subject_of_imported_rows(training_spec, imported):
    origin = "60 rows (60 imported from the file `a.csv` (sha256 begins with 0123456789ab))"
    spec = replace(
        real(training_spec), dataset_imported=imported, dataset_origin=origin if imported else ""
    )
    card = render_card(spec, {})
    assert ("biomedical" in ModelCard(card).data.tags) is not imported
    assert ("biomedical" in card) is not imported
    assert (f"- data set: {origin}\n" in card) is imported


def test_speed_memory_and_libraries_are_named(training_spec):
    card = render_card(real(training_spec), {"run_facts": RUN_FACTS, "train_seconds": 61.2})
    for fact in (
        "- GPUs: NVIDIA H200\n",
        "- useful tokens a second: 1,234\n",
        "- model-FLOP utilisation: 45.6% of the measured matmul speed\n",
        "- padding: 1.23%\n",
        "- peak memory above the process after its imports: 2.5 GiB (estimated: 2.0 GiB)\n",
        "- peak memory of the process: 3.0 GiB\n",
        "- torch: 2.13.0\n",
    ):
        assert fact in card


@pytest.mark.parametrize(
    "validations", [[(5, 2.0), (9, 1.5)], [{"update_number": 5, "loss": 2.0}, [9, 1.5]]]
)
def test_the_lowest_validation_loss_is_named(training_spec, validations):
    card = render_card(training_spec, {"validation_losses": validations})
    assert "- validation loss, lowest: 1.5\n" in card
    assert "- validation losses: 2.0000, 1.5000\n" in card


def test_an_unstated_licence_is_said(training_spec):
    card = render_card(real(training_spec), {})
    assert "licence of the base model: not stated in the experiment file" in card
    assert "license" not in ModelCard(card).data.to_dict()


@pytest.mark.parametrize("content", [b"\xff", b"---\nlicense: [mit\n---\n"])
def test_a_spoilt_card_of_the_data_set_stops_no_training(training_spec, tmp_path, content):
    (tmp_path / "README.md").write_bytes(content)
    spec = replace(real(training_spec), dataset_path=str(tmp_path))
    assert "licence of the data: not chosen yet" in render_card(spec, {})


def test_the_source_of_the_hyperparameters_is_named(training_spec):
    spec = replace(training_spec, hyperparameters="the set modern. Some\nstudy: yes")
    card = render_card(spec, {})
    assert "- source of the hyper-parameters: the set modern. Some study: yes\n" in card
    assert "without a named set" in render_card(training_spec, {})


def test_each_value_names_its_origin(training_spec):
    spec = replace(training_spec, origins={"epochs": "base model tiny, instead of 3 of set a"})
    card = render_card(spec, {})
    epochs = training_spec.recipe.epochs
    assert f"- epochs: {epochs} (base model tiny, instead of 3 of set a)\n" in card


@pytest.mark.parametrize(
    "odd",
    [
        "a: b\n---\n# x",
        "`` ` ```",
        "- 'quoted\" #no",
        "{a: [1",
        "ünïcode \U0001f9ec",
        "null",
        "1e3",
    ],
)
def test_odd_names_break_neither_header_nor_text(training_spec, odd):
    spec = real(training_spec, source=odd, licence=odd, revision=odd)
    spec = replace(spec, hyperparameters=odd, dataset_fingerprint=odd)
    card = render_card(spec, {"device": "cpu", "base_fingerprint": odd})
    read = ModelCard(card)
    assert read.data.license == "other"
    headings = [line for line in read.text.splitlines() if line.startswith("#")]
    assert headings[0] == "# rehearsal-llama|all"
    assert "## Recipe" in headings
    assert "# x" not in headings


def test_the_shipped_recipes_name_their_source(settings):
    from bioinstruct_dagster.dataset.version import DatasetVersion
    from bioinstruct_dagster.models.experiments import read_experiments
    from bioinstruct_dagster.settings import INPUTS

    matrix = read_experiments(INPUTS / "experiments.yaml")
    version = DatasetVersion(Path("data"), "f" * 64, rehearsal=False)
    spec = training_spec(matrix, "llama-2-7b", "all-alpaca-lora", version, settings)
    card = render_card(spec, {})
    assert "the set alpaca-lora. tloen/alpaca-lora" in card
    assert "Deviations: Warm-up" in card
    assert ModelCard(card).data.license == "llama2"


def test_the_table_of_a_run_rounds_and_leaves_out_what_is_unknown():
    facts = RUN_FACTS | {"resumed_from": 13, "packed": True, "ranks": 1}
    table = run_table({"device": "cuda", "steps": 1234, "run_facts": facts})
    rows = {row["fact"]: row["value"] for row in table}
    assert rows["updates"] == "1,234"
    assert "estimated" in rows["peak memory above the process after its imports"]
    assert rows["went on from the checkpoint of update"] == "13"
    assert rows["model-FLOP utilisation"] == "45.6% of the measured matmul speed"
    assert "ended early" not in rows
    assert "seconds of training" not in rows


def test_the_table_of_the_proof_is_empty_without_one(adapter):
    assert proof_table({}) == []
    assert {"fact": "layers adapted", "value": 28} in proof_table(adapter)
