"""A run that trains an adapter of a tiny Llama, in this process or in one of its own.

`python -m bioinstruct_dagster_tests.training.loop.tiny_training FOLDER OPTIONS` writes what came of
it into the folder. It says `update N` before it goes on after each update, and never goes on after
the update `stop_at`, so that it can be killed there.
"""

import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field, fields
from pathlib import Path

from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import IGNORED_LABEL, Example
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.training.loop import Optimized, optimize
from bioinstruct_dagster.training.loop.ranks import joined_ranks
from bioinstruct_dagster.training.loop.training_run import CHECKPOINT_SECONDS

MODULE = "bioinstruct_dagster_tests.training.loop.tiny_training"
VOCABULARY = 100
DROPOUT = {"dtype": "float32", "lora_dropout": 0.1}
RECIPE = {
    "lora_rank": 4, "lora_alpha": 8, "lora_dropout": 0.0, "target_modules": "all-linear",
    "learning_rate": 1e-2, "epochs": 2, "rows_per_update": 8, "warmup": 0.1, "max_length": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How updates are computed."""

    tokens_per_pass: int = 128
    activation_checkpointing: bool = False


@dataclass
class Observer:
    """Keeps what it is told."""

    updates: list = field(default_factory=list)
    validations: list = field(default_factory=list)

    def update(self, update, updates, loss, *, learning_rate, tokens, padding):
        self.updates.append((update, updates, loss, learning_rate, tokens, padding))

    def validation(self, update, loss):
        self.validations.append((update, loss))


class HaltingObserver(Observer):
    """Never returns from the update `stop_at`."""

    stop_at = 0

    def update(self, update, *args, **values):
        print("update", update, flush=True)  # noqa: T201  # the test reads it
        while update == self.stop_at:
            time.sleep(1)


@dataclass
class Trained:
    """What came of a run."""

    outcome: Optimized
    weights: dict
    log: list
    observer: Observer
    model: object


def row(name, ids, prompt_tokens):
    labels = [IGNORED_LABEL] * prompt_tokens + ids[prompt_tokens:]
    values = {"row_id": name, "input_ids": ids, "labels": labels, "prompt_tokens": prompt_tokens}
    return Example(**{one.name: values[one.name] for one in fields(Example)})


def rows(count, name="row", seed=0):
    """Rows of 5 to 40 tokens, which two sequences of tokens rule: a model can learn them."""
    draw = random.Random(f"{name}{seed}")
    result = []
    for number in range(count):
        length, first, step = draw.randint(5, 40), draw.randrange(90), draw.choice((1, 3))
        ids = [(first + step * at) % VOCABULARY for at in range(length)]
        result.append(row(f"{name}-{number}", ids, length // 2))
    return result


def tiny_model(dtype="float64", **config):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {
        "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "initializer_range": 0.2,  # so large that logits, and with them losses, can differ
    }  # fmt: skip
    return LlamaForCausalLM(LlamaConfig(**shape | config)).to(getattr(torch, dtype))


def with_adapter(model, recipe):
    import peft
    import torch

    torch.manual_seed(recipe.seed)
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        use_rslora=recipe.rslora,
        target_modules=recipe.target_modules,
    )
    return peft.get_peft_model(model, config)


def loaded(model):
    values = {"model": model, "path": "tiny", "fingerprint": "tiny", "device": "cpu"}
    return LoadedBaseModel(**{one.name: values.get(one.name) for one in fields(LoadedBaseModel)})


def weights_of(model):
    return {n: w.detach().clone() for n, w in model.named_parameters() if w.requires_grad}


def train(
    *,
    dtype="float64",
    plan=None,
    checkpoints=None,
    checkpoint_seconds=CHECKPOINT_SECONDS,
    train_rows=None,
    validation_rows=(),
    observer=None,
    model=None,
    seed=1,
    **recipe,
):
    values = Recipe(**RECIPE | recipe)
    adapted = with_adapter(model or tiny_model(dtype), values)
    log, observer = [], observer or Observer()
    outcome = optimize(
        adapted,
        loaded(adapted.get_base_model()),
        rows(44) if train_rows is None else train_rows,
        validation_rows,
        values,
        seed=seed,
        plan=plan or Plan(),
        checkpoints=checkpoints,
        progress=observer,
        log=log.append,
        checkpoint_seconds=checkpoint_seconds,
    )
    return Trained(outcome, weights_of(adapted), log, observer, adapted)


def equal(weights, others):
    assert weights.keys() == others.keys()
    return all(weights[name].equal(others[name]) for name in weights)


def difference(weights, others):
    """The greatest relative difference of a weight."""
    return max(float((w - others[n]).norm() / others[n].norm()) for n, w in weights.items())


def child(folder, *launcher, **options):
    """A process that trains in the folder."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", MODULE, str(folder), json.dumps(options)],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def result_of(folder):
    from safetensors.torch import load_file

    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    return facts, load_file(folder / "weights.safetensors")


def main(folder: Path, options: dict) -> None:
    from safetensors.torch import save_file

    observer = HaltingObserver()
    observer.stop_at = options.pop("stop_at", 0)
    with joined_ranks() as ranks:
        trained = train(observer=observer, checkpoints=folder / "checkpoints", **options)
        if ranks.first:
            save_file(trained.weights, folder / "weights.safetensors")
            facts = {
                "losses": trained.outcome.losses,
                "validation_losses": trained.outcome.validation_losses,
                "log": trained.log,
                "resumed_from": trained.outcome.resumed_from,
                "ranks": ranks.count,
            }
            (folder / "facts.json").write_text(json.dumps(facts), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
