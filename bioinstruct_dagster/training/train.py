"""Training one LoRA adapter: from a specification to a folder with weights and a result.

It runs in the model process (`python -m bioinstruct_dagster.training`) or in a notebook, without
Dagster. Belongs here: the order of work, from rows to a saved adapter. Does not: the optimization
(training.loop), or scoring the adapter (evaluation).
"""

import json
import shutil
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof import check_targets, prove, read_canaries
from bioinstruct_dagster.models.adapters import RESULT_FILE, intact_result, sealed
from bioinstruct_dagster.models.encoding import encode_rows
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.training.card import render_card
from bioinstruct_dagster.training.loop import optimize
from bioinstruct_dagster.training.spec import TrainingSpec


class TrainingError(StatedError):
    """No adapter can be trained from the specification. The message gives the reason."""


def finished(spec: TrainingSpec) -> dict[str, Any] | None:
    """The result of an intact adapter that was trained from this specification before, or None."""
    fingerprint = base_models.local_fingerprint(spec.base)
    if fingerprint is None:
        return None
    return intact_result(spec.folder(fingerprint))


def train(spec: TrainingSpec, log: Callable[[str], None]) -> dict[str, Any]:
    """Train and save the adapter. Returns its result, which is also saved as `result.json`."""
    import peft
    from transformers import set_seed

    base = base_models.load(spec.base, Path(spec.models_dir), log)
    rows = _train_rows(spec)
    encoded = encode_rows(rows, base, spec.recipe.max_length, spec.recipe.too_long)
    examples, dropped = encoded.examples, encoded.dropped
    if not examples:
        raise TrainingError(
            f"{spec.experiment}: there are no training rows of the categories "
            f"{', '.join(spec.recipe.categories)} ({dropped} rows were too long). Generate more "
            "rows, or change the recipe's categories or max_length in data/experiments.yaml."
        )
    log(
        f"{spec.experiment}: {len(examples)} rows to train on, {dropped} too long; "
        f"device {base.device}"
    )
    check_targets(base.model, spec.recipe)
    base_before = read_canaries(base.model, base)
    set_seed(spec.seed)
    modules = spec.recipe.target_modules
    model = peft.get_peft_model(
        base.model,
        peft.LoraConfig(
            task_type="CAUSAL_LM",
            r=spec.recipe.lora_rank,
            lora_alpha=spec.recipe.lora_alpha,
            lora_dropout=spec.recipe.lora_dropout,
            target_modules=modules if isinstance(modules, str) else list(modules),
        ),
    )
    started = time.monotonic()
    losses, steps = optimize(model, base, examples, spec, log)
    seconds = time.monotonic() - started

    folder = spec.folder(base.fingerprint)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        model.save_pretrained(fresh, safe_serialization=True, save_embedding_layers=False)
        proof = prove(model, base, fresh, recipe=spec.recipe, base_before=base_before)
        log(f"{spec.experiment}: {proof.line()}")
        result = {
            "adapter_sha256": proof.adapter_sha256,
            "adapter_path": str(folder),
            "base_path": base.path,
            "base_fingerprint": base.fingerprint,
            "dataset_fingerprint": spec.dataset_fingerprint,
            "recipe_sha256": sha256_of(spec.recipe.model_dump(mode="json")),
            "prompt_version": base.prompt.version,
            "train_rows": len(examples),
            "train_tokens": round(sum(example.length for example in examples) * spec.recipe.epochs),
            "rows_left_out": dropped,
            "rows_shortened": encoded.shortened,
            "steps": steps,
            "first_loss": losses[0],
            "last_loss": losses[-1],
            "losses": losses,
            "validation_losses": [],
            "kept_update": steps,
            "proof": proof.to_json(),
            "run_facts": {},
            "train_seconds": seconds,
            "device": base.device,
            "rehearsal": spec.rehearsal,
            "trained_at": datetime.now(UTC).isoformat(),
        }
        result = sealed(result)
        (fresh / RESULT_FILE).write_text(json.dumps(result, indent=1), "utf-8")
        (fresh / "README.md").write_text(render_card(spec, result), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return result


def _train_rows(spec: TrainingSpec) -> list[dict[str, Any]]:
    rows = read_split(Path(spec.dataset_path), "train", spec.dataset_fingerprint)
    return [row for row in rows if row["category"] in spec.recipe.categories]
