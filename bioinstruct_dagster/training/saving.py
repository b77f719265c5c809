"""The folder of an adapter: weights, result and card, which appear together or not at all.

Belongs here: the values of the result, and the way to disk. Does not: training (training.train),
the text of the card (training.card), or reading the folder (models.adapters).
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.written_files import record_written
from bioinstruct_dagster.models.adapter_proof import CanaryLogits, prove
from bioinstruct_dagster.models.adapters import (
    CONFIG_FILE,
    RESULT_FILE,
    portable_base,
    sealed,
    stored_path,
)
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.linear_layers import lora_matrices
from bioinstruct_dagster.new_folders import new_folder, remove_unfinished
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.training.card import render_card
from bioinstruct_dagster.training.loop import Optimized
from bioinstruct_dagster.training.loop.checkpoints import CHECKPOINTS, remove_checkpoints
from bioinstruct_dagster.training.loop.disk_space import stating_full_disk
from bioinstruct_dagster.training.rows import ExperimentRows
from bioinstruct_dagster.training.spec import TrainingSpec

TENSORBOARD = "tensorboard"  # the folder of metrics, which training.reporting fills
LOGGED_STEPS = 200  # the most values of a loss curve, which is stored in one row


def save_adapter(  # noqa: PLR0917  # all that is known of an adapter
    spec: TrainingSpec,
    base: LoadedBaseModel,
    model: Any,
    rows: ExperimentRows,
    optimized: Optimized,
    facts: Mapping[str, Any],
    base_before: CanaryLogits,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """Prove that a trained adapter acts, and save it. Its checkpoints are removed then.

    Args:
        spec: what determines the adapter.
        base: its base model.
        model: the base model in peft's wrapper.
        rows: what it was trained on.
        optimized: how training went.
        facts: of the run, for the column `run_facts`.
        base_before: what the base model computed before training.
        log: takes one line.

    Returns:
        The result, which is also in the folder. There it holds no absolute path.

    Raises:
        AdapterFaultError: the adapter does not act as its recipe says. Nothing is saved.
        DiskFullError: there is no room for it. Nothing is saved.
    """
    needed = sum(matrix.nbytes for matrix in lora_matrices(model))
    folder, working = spec.folder(base.fingerprint), spec.working_folder(base.fingerprint)
    base_path = portable_base(base.path, Path(spec.models_dir))
    remove_unfinished(folder)
    no_room = stating_full_disk(f"The adapter of {spec.experiment}", folder, needed)
    with no_room, new_folder(folder) as fresh:
        for config in model.peft_config.values():
            config.base_model_name_or_path = base_path
        model.save_pretrained(fresh, safe_serialization=True, save_embedding_layers=False)
        proof = prove(model, base, fresh, recipe=spec.recipe, base_before=base_before)
        log(f"{spec.experiment}: {proof.line()}")
        result = sealed(
            {
                "experiment": spec.experiment,
                "adapter_sha256": proof.adapter_sha256,
                "adapter_path": stored_path(folder, Path(spec.adapters_dir).parent),
                "base_path": base_path,
                "base_fingerprint": base.fingerprint,
                "dataset_fingerprint": spec.dataset_fingerprint,
                "recipe_sha256": sha256_of(spec.recipe.model_dump(mode="json")),
                "prompt_version": base.prompt.version,
                **rows.counts(),
                **_course(optimized),
                "proof": proof.to_json(),
                "run_facts": dict(facts),
                "device": base.device,
                "rehearsal": spec.rehearsal,
                "rehearsal_parts": list(spec.rehearsal_parts),
                "dataset_origin": spec.dataset_origin,
                "dataset_imported": spec.dataset_imported,
                "trained_at": datetime.now(UTC).isoformat(),
            }
        )
        (fresh / RESULT_FILE).write_text(json.dumps(result, indent=1), "utf-8")
        (fresh / "README.md").write_text(render_card(spec, result), "utf-8")
        record_written(fresh, ("README.md", CONFIG_FILE))
        if (working / TENSORBOARD).is_dir():
            shutil.move(working / TENSORBOARD, fresh / TENSORBOARD)
    remove_checkpoints(working / CHECKPOINTS)
    shutil.rmtree(working, ignore_errors=True)
    return result | {"adapter_path": str(folder)}


def _course(optimized: Optimized) -> dict[str, Any]:
    """How training went, by column."""
    losses = _means(optimized.losses)
    return {
        "train_tokens": optimized.tokens,
        "steps": optimized.updates,
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "losses": losses,
        "validation_losses": [list(one) for one in optimized.validation_losses],
        "kept_update": optimized.kept_update,
        "train_seconds": optimized.seconds,
    }


def _means(losses: Sequence[float]) -> list[float]:
    """At most LOGGED_STEPS values: each is the mean of as many neighbours."""
    stride = -(-len(losses) // LOGGED_STEPS)
    groups = [losses[start : start + stride] for start in range(0, len(losses), stride)]
    return [sum(group) / len(group) for group in groups]
