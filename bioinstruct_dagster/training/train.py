"""Training one LoRA adapter: from a specification to a folder with weights and a result.

It runs in the model process (`python -m bioinstruct_dagster.training`) or in a notebook, without
Dagster. Belongs here: the order of work on one adapter. Does not: the optimization (training.loop),
the folder (training.saving), or several adapters of one base model (training.study).
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof import check_targets, read_canaries
from bioinstruct_dagster.models.adapter_removal import adapter_removed_after
from bioinstruct_dagster.models.adapters import intact_result
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.experiments.subsets import training_seed
from bioinstruct_dagster.models.linear_layers import lora_config, targeted
from bioinstruct_dagster.training.base import SharedBase
from bioinstruct_dagster.training.loop import optimize
from bioinstruct_dagster.training.loop.checkpoints import CHECKPOINTS, newest_update
from bioinstruct_dagster.training.loop.lock_file import held_alone
from bioinstruct_dagster.training.loop.ranks import Ranks
from bioinstruct_dagster.training.loop.schedule import OPTIMIZER
from bioinstruct_dagster.training.memory import ExecutionPlan, memory_fault
from bioinstruct_dagster.training.progress import TrainingProgress
from bioinstruct_dagster.training.reporting import open_progress
from bioinstruct_dagster.training.rows import ExperimentRows, read_rows
from bioinstruct_dagster.training.saving import save_adapter
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.throughput import restart_peak

Log = Callable[[str], None]


def finished(spec: TrainingSpec) -> dict[str, Any] | None:
    """The result of an intact adapter that was trained from this specification before, or None."""
    fingerprint = base_models.local_fingerprint(spec.base, Path(spec.models_dir))
    if fingerprint is None:
        return None
    return intact_result(spec.folder(fingerprint))


def last_update(spec: TrainingSpec) -> int | None:
    """The update of the newest checkpoint from which this training can go on.

    Returns:
        None if there is no checkpoint on this machine. A machine of a cluster keeps its own.
    """
    fingerprint = base_models.local_fingerprint(spec.base, Path(spec.models_dir))
    if fingerprint is None:
        return None
    return newest_update(spec.working_folder(fingerprint) / CHECKPOINTS)


def train(spec: TrainingSpec, log: Log) -> dict[str, Any]:
    """Load the base model, train one adapter and save it.

    Returns:
        The adapter's result, which is also saved as `result.json`.
    """
    return train_adapter(spec, SharedBase(spec, read_rows(spec), log), log)


def train_adapter(spec: TrainingSpec, shared: SharedBase, log: Log) -> dict[str, Any]:
    """Train one adapter of a base model that others share, and save it.

    Afterwards, also after a failure, the base model is as it was: the adapter of the next
    experiment does not depend on this one. If training fails, there is no adapter folder, but the
    last checkpoint is kept, and the next call continues from it.

    Args:
        spec: what determines the adapter.
        shared: the base model that the specification names, and its rows.
        log: takes one line.

    Returns:
        The adapter's result, which is also saved as `result.json`.
    """
    ranks = Ranks.current()
    say = _named(spec, log) if ranks.first else _silent
    rows = shared.encoder.rows_of(spec)
    say(f"{len(rows.train)} rows to train on, {rows.summary()}")
    with _only_trainer(spec, shared.fingerprint, ranks, say) as waited:
        made_meanwhile = intact_result(spec.folder(shared.fingerprint)) if waited else None
        if made_meanwhile is not None:
            return made_meanwhile
        plan = ranks.same(shared.plan(spec, [*rows.train, *rows.validation], say))
        restart_peak()
        try:
            base = shared.loaded()
            with adapter_removed_after(base.model):
                return _trained(spec, shared, rows, plan, ranks, log if ranks.first else _silent)
        except Exception as error:
            if fault := memory_fault(error, plan):
                raise fault from error
            raise


def _trained(  # noqa: PLR0917  # all that an adapter is made from
    spec: TrainingSpec,
    shared: SharedBase,
    rows: ExperimentRows,
    plan: ExecutionPlan,
    ranks: Ranks,
    log: Log,
) -> dict[str, Any]:
    import torch

    base = shared.loaded()
    check_targets(base.model, spec.recipe)
    if note := _useless_rank(base.model, spec.recipe):
        _named(spec, log)(note)
    base_before = read_canaries(base.model, base)
    model = _adapted(base, spec.recipe, training_seed(spec.seed, spec.recipe))
    working = spec.working_folder(base.fingerprint)
    progress = (
        open_progress(
            spec,
            base,
            model,
            rows.train,
            folder=working,
            log=log,
            ranks=ranks.count,
            memory_before=shared.memory_before,
        )
        if ranks.first
        else TrainingProgress.silent()
    )
    try:
        optimized = optimize(
            model,
            base,
            rows.train,
            rows.validation,
            spec.recipe,
            seed=training_seed(spec.seed, spec.recipe),
            plan=plan,
            checkpoints=working / CHECKPOINTS,
            progress=progress,
            log=_named(spec, log),
            ranks=ranks,
        )
    finally:
        progress.close()
    facts = {
        **progress.facts(optimized),
        "threads": torch.get_num_threads(),
        "ranks": ranks.count,
        "validation_rows": len(rows.validation),
        "rows_sha256": rows.fingerprint,
        "trained_weights": sum(one.numel() for one in model.parameters() if one.requires_grad),
        "dtype": str(base.model.dtype).removeprefix("torch."),
        "optimizer": OPTIMIZER,
        "tokens_per_pass": plan.tokens_per_pass,
        "activation_checkpointing": plan.activation_checkpointing,
        "estimated_bytes": plan.estimated_bytes,
        "packed": optimized.packed,
        "resumed_from": optimized.resumed_from,
        "ended_early": optimized.ended_early,
    }
    saved: dict[str, Any] = {}
    if ranks.first:
        saved = save_adapter(spec, base, model, rows, optimized, facts, base_before, log)
    return ranks.same(saved)


def _useless_rank(model: Any, recipe: Recipe) -> str | None:
    """What to say of a rank that is larger than a layer's own; None if there is no such layer."""
    rank = recipe.lora_rank
    layers = targeted(model, recipe.target_modules)
    small = {name: size for name, size in layers.items() if rank > min(size)}
    if not small:
        return None
    name, size = min(small.items(), key=lambda one: min(one[1]))
    return (
        f"warning: lora_rank {rank} is larger than the smaller side of {len(small)} of "
        f"{len(layers)} adapted layers, such as {name} ({size.inputs} x {size.outputs}). A rank "
        f"above {min(size)} adds nothing there but memory and time."
    )


def _adapted(base: LoadedBaseModel, recipe: Recipe, seed: int) -> Any:
    """The base model in peft's wrapper, with a fresh adapter."""
    import peft
    from transformers import set_seed

    set_seed(seed)  # the first weights of the adapter are drawn here
    return peft.get_peft_model(
        base.model,
        lora_config(recipe),
    )


@contextmanager
def _only_trainer(spec: TrainingSpec, fingerprint: str, ranks: Ranks, log: Log) -> Iterator[bool]:
    """Keep out other runs that train the same adapter: they would share its checkpoints.

    Yields:
        Whether another run trained it meanwhile.
    """
    with ExitStack() as held:
        waited = False
        if ranks.first:
            # Beside the folder, so that the folder can be removed while the lock is held.
            path = spec.working_folder(fingerprint).with_suffix(".lock")
            waited = held.enter_context(
                held_alone(path, lambda: log("another run trains this adapter; waiting for it"))
            )
        yield ranks.same(waited)


def _named(spec: TrainingSpec, log: Log) -> Log:
    """A log whose lines begin with the experiment."""
    return lambda line: log(f"{spec.experiment}: {line}")


def _silent(_: str) -> None:
    """Say nothing."""
