"""The proof: a good adapter passes with its figures, and each planted fault is refused by name."""

import json
import math
import pickle
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bioinstruct_dagster.models.adapter_proof import (
    AdapterFaultError,
    check_folder,
    check_targets,
    open_proven,
    prove,
    read_canaries,
)
from bioinstruct_dagster.models.adapters import CONFIG_FILE, RESULT_FILE, WEIGHTS_FILE
from bioinstruct_dagster_tests.models.adapter_proof.conftest import (
    RECIPE,
    Planted,
    llama,
    lora,
    save,
)

LAYERS = 2
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
A_LAYER = "base_model.model.model.layers.0.self_attn.q_proj"


def of(tensors, side):
    return {name: one for name, one in tensors.items() if f".lora_{side}." in name}


def renamed(tensors, old, new):
    return {name.replace(old, new): one for name, one in tensors.items()}


def without_layer(tensors):
    return {name: one for name, one in tensors.items() if "layers.1." not in name}


def swapped(tensors):
    first, second = f"{A_LAYER}.lora_A.weight", f"{A_LAYER}.lora_B.weight"
    return tensors | {first: tensors[second], second: tensors[first]}


def lying_header(data: bytes, change) -> bytes:
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def other_shape(header):
    header[f"{A_LAYER}.lora_A.weight"]["shape"][0] += 1


def overlap(header):
    one, other = (header[f"{A_LAYER}.lora_{side}.weight"] for side in "AB")
    one["data_offsets"] = [at - 4 for at in other["data_offsets"]]


class Exploding:
    """A pickle of this would write a file if anything unpickled it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (self.path, "unpickled", "utf-8"))


def gpt2_adapter(folder: Path) -> None:
    """Put the weights of an adapter of another architecture into the folder."""
    from safetensors.torch import save_file

    save_file(
        {
            f"base_model.model.transformer.h.{at}.attn.c_attn.lora_{side}.weight": torch.ones(4, 4)
            for at in range(2)
            for side in "AB"
        },
        folder / WEIGHTS_FILE,
    )


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def edit_result(folder: Path, **changes) -> None:
    """Change values of the result as a person would, who does not know of the seal."""
    path = folder / RESULT_FILE
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def plant_pickle_as_safetensors(planted: Planted) -> None:
    path = planted.folder / WEIGHTS_FILE
    path.write_bytes(pickle.dumps(Exploding(planted.folder / "unpickled")))


def plant_pickle_alone(planted: Planted) -> None:
    torch.save({}, planted.folder / "adapter_model.bin")
    (planted.folder / WEIGHTS_FILE).unlink()


def plant_config_of_dora(planted: Planted) -> None:
    planted.config(use_dora=True)


def modify_base(planted: Planted) -> None:
    with torch.no_grad():
        planted.base.model.model.layers[0].mlp.up_proj.weight.mul_(1.5)


def modify_base_a_little(planted: Planted) -> None:
    with torch.no_grad():
        planted.base.model.lm_head.weight[:45] += 0.02


NAN, INF = float("nan"), float("inf")
FAULTS = {
    # What the weights hold.
    "zero weights": {
        "all B": lambda p: p.weights(lambda t: t | {n: o * 0 for n, o in of(t, "B").items()}),
        "one B": lambda p: p.weights(
            lambda t: t | {f"{A_LAYER}.lora_B.weight": t[f"{A_LAYER}.lora_B.weight"] * 0}
        ),
        "all A": lambda p: p.weights(lambda t: t | {n: o * 0 for n, o in of(t, "A").items()}),
    },
    "infinite weights": {
        "no number": lambda p: p.weights(
            lambda t: t | {f"{A_LAYER}.lora_A.weight": t[f"{A_LAYER}.lora_A.weight"] * NAN}
        ),
        "infinite": lambda p: p.weights(
            lambda t: t | {f"{A_LAYER}.lora_B.weight": t[f"{A_LAYER}.lora_B.weight"] + INF}
        ),
    },
    "no effect": {
        "tiny B": lambda p: p.weights(lambda t: t | {n: o * 1e-12 for n, o in of(t, "B").items()})
    },
    # Names and shapes of weights.
    "renamed weights": {
        "no prefix of peft": lambda p: p.weights(lambda t: renamed(t, "base_model.model.", "")),
        "half a prefix": lambda p: p.weights(lambda t: renamed(t, "base_model.model.", "model.")),
        "prefix twice": lambda p: p.weights(
            lambda t: renamed(t, "base_model.model.", "base_model.model.base_model.model.")
        ),
        "name of an adapter": lambda p: p.weights(
            lambda t: renamed(t, ".weight", ".default.weight")
        ),
        "one layer": lambda p: p.weights(lambda t: renamed(t, "layers.1.", "layers.7.")),
        "nested model": lambda p: p.weights(
            lambda t: renamed(t, "model.layers", "model.language_model.layers")
        ),
    },
    "missing weights": {
        "a layer": lambda p: p.weights(without_layer),
        "a matrix": lambda p: p.weights(
            lambda t: {n: o for n, o in t.items() if n != f"{A_LAYER}.lora_B.weight"}
        ),
    },
    "too many weights": {
        "a third layer": lambda p: p.weights(
            lambda t: t | {n.replace("layers.1", "layers.2"): o.clone() for n, o in t.items()}
        ),
        "an output layer": lambda p: p.weights(
            lambda t: t | {"base_model.model.lm_head.weight": torch.ones(2, 2)}
        ),
    },
    "swapped A and B": {
        "one layer": lambda p: p.weights(swapped),
        "turned": lambda p: p.weights(
            lambda t: t | {f"{A_LAYER}.lora_A.weight": t[f"{A_LAYER}.lora_A.weight"].T}
        ),
    },
    "shape of weights": {
        "another rank": lambda p: p.weights(
            lambda t: t | {f"{A_LAYER}.lora_A.weight": t[f"{A_LAYER}.lora_A.weight"][:2]}
        )
    },
    "type of weights": {
        "integers": lambda p: p.weights(
            lambda t: t | {f"{A_LAYER}.lora_A.weight": torch.ones(4, 32, dtype=torch.int64)}
        )
    },
    "other architecture": {"GPT-2": lambda p: gpt2_adapter(p.folder)},
    # The bytes of the file.
    "truncated file": {
        "a byte less": lambda p: p.bytes(lambda data: data[:-1]),
        "half": lambda p: p.bytes(lambda data: data[: len(data) // 2]),
        "half a header": lambda p: p.bytes(lambda data: data[:100]),
        "four bytes": lambda p: p.bytes(lambda data: data[:4]),
    },
    "false header": {
        "another shape": lambda p: p.bytes(lambda data: lying_header(data, other_shape)),
        "overlap": lambda p: p.bytes(lambda data: lying_header(data, overlap)),
        "bytes of no tensor": lambda p: p.bytes(lambda data: data + b"\0" * 16),
    },
    "not safetensors": {
        "a page": lambda p: p.bytes(lambda _: b"<!doctype html><title>404</title>" * 9),
        "no object": lambda p: p.bytes(lambda _: struct.pack("<Q", 4) + b"null"),
    },
    "empty file": {
        "weights": lambda p: (p.folder / WEIGHTS_FILE).write_bytes(b""),
        "config": lambda p: (p.folder / CONFIG_FILE).write_bytes(b""),
    },
    "pickle": {
        "under the name of safetensors": plant_pickle_as_safetensors,
        "instead of safetensors": plant_pickle_alone,
        "beside safetensors": lambda p: torch.save({}, p.folder / "optimizer.pt"),
    },
    # The config.
    "wrong rank": {"8": lambda p: p.config(r=8), "true": lambda p: p.config(r=True)},
    "wrong alpha": {"16": lambda p: p.config(lora_alpha=16)},
    "wrong rsLoRA": {"on": lambda p: p.config(use_rslora=True)},
    "other method": {
        "DoRA": lambda p: p.config(use_dora=True),
        "IA3": lambda p: p.config(peft_type="IA3"),
        "none": lambda p: p.config(peft_type=None),
    },
    "other config": {
        "rank of one layer": lambda p: p.config(rank_pattern={"q_proj": 2}),
        "alpha of one layer": lambda p: p.config(alpha_pattern={"q_proj": 99}),
        "some layers": lambda p: p.config(layers_to_transform=[0]),
        "saved modules": lambda p: p.config(modules_to_save=["lm_head"]),
        "PiSSA, which changes the base": lambda p: p.config(init_lora_weights="pissa"),
        "bias": lambda p: p.config(bias="all"),
        "turned weights": lambda p: p.config(fan_in_fan_out=True),
        "a number for no": lambda p: p.config(fan_in_fan_out=0),
        "dropout": lambda p: p.config(lora_dropout=0.5),
        "in training": lambda p: p.config(inference_mode=False),
        "revision": lambda p: p.config(revision="main"),
    },
    "wrong modules": {
        "fewer": lambda p: p.config(target_modules=["q_proj"]),
        "a number": lambda p: p.config(target_modules=3),
        "no pattern": lambda p: p.config(target_modules="("),
    },
    "remote code": {
        "auto mapping": lambda p: p.config(
            auto_mapping={"base_model_class": "X", "parent_library": "os"}
        ),
        "trust": lambda p: p.config(trust_remote_code=True),
        "a module": lambda p: (p.folder / "modeling.py").write_text("raise SystemExit", "utf-8"),
    },
    "unknown config field": {"typo": lambda p: p.config(lora_rank=8)},
    "other base path": {"changed": lambda p: p.config(base_model_name_or_path="evil/model")},
    "config is no JSON": {
        "text": lambda p: (p.folder / CONFIG_FILE).write_text("{", "utf-8"),
        "list": lambda p: (p.folder / CONFIG_FILE).write_text("[]", "utf-8"),
        "deep": lambda p: (p.folder / CONFIG_FILE).write_text("[" * 99_999, "utf-8"),
    },
    # The base.
    "wrong base": {"another seed": lambda p: setattr(p, "base", llama(seed=1))},
    "changed base": {"much": modify_base, "little": modify_base_a_little},
    # The result.
    "edited result": {
        "loss": lambda p: edit_result(p.folder, last_loss=0.1),
        "proof": lambda p: edit_result(
            p.folder,
            proof=json.loads((p.folder / RESULT_FILE).read_text("utf-8"))["proof"] | {"noise": 0},
        ),
    },
    "changed weights": {
        "since training": lambda p: p.result(adapter_sha256="f" * 64),
        "since the store": lambda p: setattr(p, "adapter_sha256", "f" * 64),
    },
    "other recipe": {
        "rate": lambda p: setattr(p, "recipe", RECIPE.model_copy(update={"learning_rate": 1.0}))
    },
    "no proof": {"earlier version": lambda p: p.result(proof={})},
    "result is no JSON": {
        "text": lambda p: (p.folder / RESULT_FILE).write_text("{", "utf-8"),
        "values": lambda p: (p.folder / RESULT_FILE).write_text("{}", "utf-8"),
    },
    # Files and links.
    "missing file": {
        name: lambda p, name=name: (p.folder / name).unlink()
        for name in (WEIGHTS_FILE, CONFIG_FILE, RESULT_FILE)
    },
    "link without a target": {
        name: lambda p, name=name: link_to_itself(p.folder / name)
        for name in (WEIGHTS_FILE, CONFIG_FILE, RESULT_FILE)
    },
    "missing folder": {"gone": lambda p: setattr(p, "folder", p.folder / "gone")},
    "not a file": {
        "folder": lambda p: ((p.folder / CONFIG_FILE).unlink(), (p.folder / CONFIG_FILE).mkdir())
    },
}


@pytest.mark.parametrize(
    ("fault", "plant"),
    [
        pytest.param(fault, plant, id=f"{fault}: {what}")
        for fault, plants in FAULTS.items()
        for what, plant in plants.items()
    ],
)
def test_each_planted_fault_is_refused_by_name(planted, fault, plant):
    plant(planted)
    with pytest.raises(AdapterFaultError) as raised:
        planted.open()
    assert raised.value.fault == fault
    text = str(raised.value)
    assert text.startswith(f"The adapter is refused ({fault}): ")
    assert str(planted.folder.parent) in text or "the experiment file" in text
    advice = ("aterialize key:lora_adapter", "Delete", "the experiment file", "base model again")
    assert any(words in text for words in advice)
    assert not (planted.folder / "unpickled").exists()


def test_many_faults_are_planted():
    assert len(FAULTS) >= 20


def test_a_good_adapter_is_proven(planted):
    model, proof = planted.open()
    assert not model.training
    assert sorted(proof.modules) == sorted(
        f"model.layers.{at}.{'self_attn' if end in LINEAR[:4] else 'mlp'}.{end}"
        for at in range(LAYERS)
        for end in LINEAR
    )
    assert proof.scaling == 2.0
    assert proof.change > 100 * proof.noise > 0
    assert len(proof.changes) == 8
    assert proof.least_b_norm > 0
    stored = json.loads((planted.folder / RESULT_FILE).read_text("utf-8"))["proof"]
    again = json.loads(json.dumps(proof.to_json()))
    assert {name: stored[name] for name in again} == again
    assert "14 of 14 layers" in proof.line()


def test_an_adapter_of_a_forgotten_recipe_is_proven_by_its_own_result(planted):
    planted.recipe = None
    _, proof = planted.open()
    assert proof.expected.rank == RECIPE.lora_rank


def test_a_link_to_an_adapter_is_followed(planted, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(planted.folder)
    planted.folder = link
    planted.open()


def test_the_proof_changes_neither_weights_nor_random_numbers(planted):
    model = lora(planted.base.model)
    model.train()
    before = [one.detach().clone() for one in model.parameters()]
    torch.manual_seed(3)
    state = torch.get_rng_state()
    prove(model, planted.base, planted.folder, recipe=RECIPE)
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert all(map(torch.equal, before, model.parameters()))


def test_weights_that_differ_from_the_file_are_refused(planted):
    model = lora(planted.base.model)
    with torch.no_grad():
        next(p for n, p in model.named_parameters() if "lora_B" in n)[0, 0] += 1e-3
    with pytest.raises(AdapterFaultError) as raised:
        prove(model, planted.base, planted.folder, recipe=RECIPE)
    assert raised.value.fault == "weights not loaded"


def test_a_base_that_training_changed_is_refused(planted):
    before = read_canaries(planted.base.model, planted.base)
    model = lora(planted.base.model)
    prove(model, planted.base, planted.folder, recipe=RECIPE, base_before=before)
    with torch.no_grad():
        model.get_base_model().model.norm.weight.mul_(1.1)
    with pytest.raises(AdapterFaultError) as raised:
        prove(model, planted.base, planted.folder, recipe=RECIPE, base_before=before)
    assert raised.value.fault == "changed base"


def merge(model):
    model.merge_adapter()
    return model


def add_another(model):
    import peft

    model.add_adapter("other", peft.LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"))
    return model


def switch_off(model):
    model.base_model.disable_adapter_layers()
    return model


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (merge, "inactive adapter"),
        (switch_off, "inactive adapter"),
        (add_another, "several adapters"),
        (lambda model: model.unload(), "several adapters"),
    ],
)
def test_a_model_that_does_not_use_the_adapter_is_refused(planted, state, fault):
    model = state(lora(planted.base.model))
    with pytest.raises(AdapterFaultError) as raised:
        prove(model, planted.base, planted.folder, recipe=RECIPE)
    assert raised.value.fault == fault


def test_an_adapter_on_fewer_layers_than_its_recipe_is_refused_after_training(planted):
    recipe = RECIPE.model_copy(update={"target_modules": ("q_proj", "v_proj")})
    model = lora(planted.base.model, recipe)
    model.save_pretrained(planted.folder, save_embedding_layers=False)
    with pytest.raises(AdapterFaultError) as raised:
        prove(model, planted.base, planted.folder, recipe=RECIPE)
    assert raised.value.fault == "wrong modules"


def test_a_recipe_without_a_layer_of_the_base_is_refused(planted):
    recipe = RECIPE.model_copy(update={"target_modules": ("c_attn",)})
    model = lora(planted.base.model)
    with pytest.raises(AdapterFaultError, match=r"no target.*c_attn"):
        prove(model, planted.base, planted.folder, recipe=recipe)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (("c_attn",), "names no linear layer"),
        (("q_proj", "c_attn"), "'c_attn' names no linear layer.*linear layers are: .*q_proj"),
        (("q_porj",), "names no linear layer"),
        (("self_attn",), "names no linear layer"),
        (("q_proj", "input_layernorm"), "'input_layernorm' names no linear layer"),
        ("all_linear", "names no linear layer"),
        (r".*\.mlp\..*", "also names .*act_fn, which is no linear layer"),
        ("(", "is no pattern"),
        ("q_proj", "names no linear layer"),
    ],
)
def test_targets_that_peft_can_not_adapt_are_refused_before_training(planted, targets, words):
    recipe = RECIPE.model_copy(update={"target_modules": targets})
    with pytest.raises(AdapterFaultError, match=f"no target.*{words}"):
        check_targets(planted.base.model, recipe)


def test_targets_that_peft_adapts_pass(planted):
    for targets in ("all-linear", ("q_proj",), r".*\.mlp\..*_proj"):
        check_targets(planted.base.model, RECIPE.model_copy(update={"target_modules": targets}))


@pytest.mark.parametrize(
    "changes",
    [
        {"rslora": True},
        {"target_modules": ("q_proj", "v_proj")},
        {"target_modules": r".*\.mlp\..*_proj"},
        {"lora_rank": 1, "lora_alpha": 3},
        {"target_modules": ("lm_head", "o_proj")},
    ],
)
def test_adapters_of_other_recipes_are_proven(tmp_path, changes):
    recipe = RECIPE.model_copy(update=changes)
    base = llama()
    folder = save(base, lora(base.model, recipe), tmp_path / "adapter", recipe)
    _, proof = open_proven(llama(), folder, recipe=recipe)
    rank = recipe.lora_rank
    wanted = recipe.lora_alpha / (math.sqrt(rank) if recipe.rslora else rank)
    assert proof.scaling == pytest.approx(wanted)


def test_an_adapter_of_bfloat16_weights_is_proven(planted):
    planted.base.model.to(torch.bfloat16)
    planted.weights(lambda tensors: {n: o.to(torch.bfloat16) for n, o in tensors.items()})
    planted.recipe = None
    _, proof = planted.open()
    assert proof.base_logits.dtype == "bfloat16"
    assert proof.change > proof.noise > 1e-3


def test_an_adapter_of_gpt2_is_proven_though_its_weights_are_turned(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    def gpt2():
        torch.manual_seed(0)
        config = GPT2Config(vocab_size=90, n_embd=32, n_layer=2, n_head=4, n_positions=64)
        config._name_or_path = "made/llama"
        return replace(llama(), model=GPT2LMHeadModel(config).eval())

    base = gpt2()
    folder = save(base, lora(base.model), tmp_path / "adapter")
    _, proof = open_proven(gpt2(), folder, recipe=RECIPE)
    assert len(proof.modules) == 2 * 4


def test_a_fault_that_needs_no_model_is_found_without_one(planted):
    assert check_folder(planted.folder)["base_path"] == "made/llama"
    planted.bytes(lambda data: data[:-1])
    with pytest.raises(AdapterFaultError, match="truncated file"):
        check_folder(planted.folder)
