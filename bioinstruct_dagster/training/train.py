"""Training one LoRA adapter: from a specification to a folder with weights and a result.

It runs in the model process (`python -m bioinstruct_dagster.training`) or in a notebook, without
Dagster. Belongs here: the order of work on one adapter, from rows to a saved folder. Does not: the
optimization (training.loop), or several adapters of one base model (training.study).
"""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapters import RESULT_FILE, WEIGHTS_FILE, intact_result
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.prompt import PROMPT_VERSION
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file
from bioinstruct_dagster.training.card import render_card
from bioinstruct_dagster.training.loop import optimize
from bioinstruct_dagster.training.rows import ExperimentRows, RowEncoder, read_rows
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.subsets import training_seed

Log = Callable[[str], None]


def finished(spec: TrainingSpec) -> dict[str, Any] | None:
    """The result of an intact adapter that was trained from this specification before, or None."""
    fingerprint = base_models.local_fingerprint(spec.base)
    if fingerprint is None:
        return None
    return intact_result(spec.folder(fingerprint))


def train(spec: TrainingSpec, log: Log) -> dict[str, Any]:
    """Load the base model, train one adapter and save it.

    Returns:
        The adapter's result, which is also saved as `result.json`.
    """
    base = base_models.load(spec.base, Path(spec.models_dir), log)
    return train_adapter(spec, base, RowEncoder(base, read_rows(spec)), log)


def train_adapter(
    spec: TrainingSpec, base: LoadedBaseModel, encoder: RowEncoder, log: Log
) -> dict[str, Any]:
    """Train one adapter of a loaded base model and save it.

    Afterwards, also after a failure, the base model is as it was: the adapter of the next
    experiment does not depend on this one. If training fails, there is no adapter folder, but the
    last checkpoint is kept, and the next call continues from it.

    Args:
        spec: what determines the adapter.
        base: the base model that the specification names. Its weights do not change.
        encoder: gives the rows of the experiment.
        log: takes one line.

    Returns:
        The adapter's result, which is also saved as `result.json`.
    """
    rows = encoder.rows_of(spec)
    log(
        f"{spec.experiment}: {len(rows.train)} rows to train on, {len(rows.left_out)} too long; "
        f"device {base.device}"
    )
    folder = spec.folder(base.fingerprint)
    with _only_trainer(spec, base.fingerprint, log), _adapted(spec, base) as model:
        result = _trained(spec, base, model, rows, log)
    return result | {"adapter_path": str(folder)}


def _trained(
    spec: TrainingSpec, base: LoadedBaseModel, model: Any, rows: ExperimentRows, log: Log
) -> dict[str, Any]:
    recipe = spec.recipe
    started = time.monotonic()
    losses, steps = optimize(model, base, rows.train, spec, log)
    seconds = time.monotonic() - started

    folder = spec.folder(base.fingerprint)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        model.save_pretrained(fresh, safe_serialization=True, save_embedding_layers=False)
        result = {
            "adapter_sha256": sha256_of_file(fresh / WEIGHTS_FILE),
            "adapter_path": str(folder),
            "base_path": base.path,
            "base_fingerprint": base.fingerprint,
            "dataset_fingerprint": spec.dataset_fingerprint,
            "recipe_sha256": sha256_of(recipe.model_dump(mode="json")),
            "prompt_version": PROMPT_VERSION,
            "train_rows": len(rows.train),
            "train_tokens": round(sum(example.length for example in rows.train) * recipe.epochs),
            "rows_left_out": len(rows.left_out),
            "rows_shortened": 0,
            "left_out": rows.left_out,
            "steps": steps,
            "first_loss": losses[0],
            "last_loss": losses[-1],
            "losses": losses,
            "validation_losses": [],
            "kept_update": steps,
            "proof": {},
            "run_facts": {},
            "train_seconds": seconds,
            "device": base.device,
            "rehearsal": spec.rehearsal,
            "trained_at": datetime.now(UTC).isoformat(),
        }
        (fresh / RESULT_FILE).write_text(json.dumps(result, indent=1), "utf-8")
        (fresh / "README.md").write_text(render_card(spec, result), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(spec.checkpoints(base.fingerprint), ignore_errors=True)
    return result


@contextmanager
def _adapted(spec: TrainingSpec, base: LoadedBaseModel) -> Iterator[Any]:
    """The base model with a fresh adapter, which is taken off at the end."""
    import peft
    from transformers import set_seed

    recipe = spec.recipe
    modules = recipe.target_modules
    set_seed(training_seed(spec.seed, recipe))  # the first weights of the adapter are drawn here
    model = peft.get_peft_model(
        base.model,
        peft.LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe.lora_rank,
            lora_alpha=recipe.lora_alpha,
            lora_dropout=recipe.lora_dropout,
            target_modules=modules if isinstance(modules, str) else list(modules),
            use_rslora=recipe.rslora,
        ),
    )
    try:
        yield model
    finally:
        model.unload()
        # peft leaves its mark on the model, and warns of a second adapter if it finds it.
        if hasattr(base.model, "peft_config"):
            del base.model.peft_config
        base.model.eval()


@contextmanager
def _only_trainer(spec: TrainingSpec, fingerprint: str, log: Log) -> Iterator[None]:
    """Keep out other processes that train the same adapter: they would share its checkpoints."""
    path = spec.checkpoints(fingerprint).with_name("lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log(f"{spec.experiment}: another process trains this adapter; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
