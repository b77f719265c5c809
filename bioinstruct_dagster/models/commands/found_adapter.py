"""The adapter of an experiment: found in the folder of adapters, and opened with its proof.

Belongs here: from an experiment's name to a proven model. Does not: what is done with it (the other
modules of this folder).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof import Proof, check_folder, open_proven
from bioinstruct_dagster.models.adapters import adapters_of, experiment_folder, intact_result
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.current_dataset import present_fingerprint, why_of_older_data
from bioinstruct_dagster.models.experiments import (
    BaseModelSpec,
    Experiment,
    ExperimentMatrix,
    read_experiments,
)
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

Log = Callable[[str], None]


class AdapterCommandError(StatedError):
    """The command can't be carried out. The message says why and what to do."""


@dataclass(frozen=True)
class FoundAdapter:
    """An adapter's folder and what it belongs to.

    Attributes:
        experiment: `base_model|recipe`.
        base: the base model in the experiment file.
        folder: weights, config, result and card.
        models_dir: where base models are.
    """

    experiment: str
    base: BaseModelSpec
    folder: Path
    models_dir: Path

    @property
    def base_model(self) -> str:
        """The name of the base model."""
        return self.experiment.partition("|")[0]

    def with_dtype(self, dtype: Any) -> "FoundAdapter":
        """The same adapter, whose base model is loaded with weights of this type."""
        return replace(self, base=self.base.model_copy(update={"dtype": dtype}))

    def load_base(self, log: Log) -> LoadedBaseModel:
        """The base model in memory."""
        return base_models.load(self.base, self.models_dir, log)

    def open(self, log: Log) -> "OpenedAdapter":
        """The model with its adapter, after the proof that it acts.

        Args:
            log: receives what is found.

        Raises:
            BaseModelError: the base model can't be loaded.
            AdapterFaultError: the adapter is refused.
        """
        check_folder(self.folder)
        base = self.load_base(log)
        model, proof = open_proven(base, self.folder)
        log(f"{self.experiment}: {proof.line()}")
        return OpenedAdapter(self, base, model, proof)


@dataclass(frozen=True)
class OpenedAdapter:
    """An adapter on its base model in memory, proven to act."""

    found: FoundAdapter
    base: LoadedBaseModel
    model: Any
    proof: Proof


def find_adapter(settings: Settings, experiment: str, folder: Path | None = None) -> FoundAdapter:
    """The adapter of an experiment: the newest intact one, or the one in a folder.

    Args:
        settings: the experiment file and the folder of all outputs.
        experiment: a name or a pattern that stands for one experiment.
        folder: a folder of an adapter; None for the newest one.

    Raises:
        UnknownExperimentError: the experiment file has no such experiment.
        AdapterCommandError: the name stands for several, or there is no adapter.
    """
    matrix = read_experiments(settings.models.experiments)
    meant = matrix.names_of([experiment])
    if len(meant) > 1:
        raise AdapterCommandError(
            f"{experiment!r} stands for {len(meant)} experiments. Name one of them: "
            f"{', '.join(map(partition_key, meant[:5]))}."
        )
    return _found(settings, matrix, meant[0], folder)


def existing_adapters(settings: Settings, patterns: list[str], log: Log) -> list[FoundAdapter]:
    """The newest intact adapter of each experiment that has one.

    Args:
        settings: the experiment file and the folder of all outputs.
        patterns: names, each of which needs an adapter, or patterns with `*`, `?` or `[...]`.
        log: receives a line that names the experiments of patterns without an adapter.

    Raises:
        UnknownExperimentError: the experiment file has no such experiment.
        AdapterCommandError: there is no adapter, or none for a name. The message names them all.
    """
    matrix = read_experiments(settings.models.experiments)
    found, missing = [], {}
    for experiment in matrix.names_of(patterns):
        try:
            found.append(_found(settings, matrix, experiment))
        except AdapterCommandError as error:
            missing[partition_key(experiment)] = str(error)
    if not found or missing.keys() & set(patterns):
        raise AdapterCommandError("\n".join(missing.values()))
    if missing:
        log(f"These experiments have no intact adapter: {', '.join(missing)}.")
    return found


def tell_of_older(settings: Settings, adapters: Iterable[FoundAdapter], log: Log) -> None:
    """Log each adapter that was trained on an older data set than the present one."""
    present = present_fingerprint(Store(settings.store.path, settings.store.lock_timeout))
    for found in adapters:
        trained_on = (intact_result(found.folder) or {}).get("dataset_fingerprint")
        if trained_on and (older := why_of_older_data(trained_on, present)):
            log(
                f"{found.experiment} is {older}. To train it on the present rows, materialize "
                f"key:lora_adapter with --partition '{found.experiment}'."
            )


def _found(
    settings: Settings, matrix: ExperimentMatrix, experiment: Experiment, folder: Path | None = None
) -> FoundAdapter:
    """The adapter of an experiment, in its newest intact folder if none is given."""
    name, data = partition_key(experiment), settings.store.data_dir
    return FoundAdapter(
        name,
        matrix.base_models[experiment[0]],
        folder or _newest(data / "adapters", name),
        data / "models",
    )


def _newest(adapters_dir: Path, experiment: str) -> Path:
    own = experiment_folder(adapters_dir, experiment)
    found = adapters_of(own)
    intact = [one for one in found if one.result is not None]
    own_ones = [one.path for one in intact if not one.of_other]
    if own_ones:
        return own_ones[0]
    advice = f"Materialize key:lora_adapter with --partition '{experiment}' first."
    if intact:
        raise AdapterCommandError(
            f"{experiment} has no adapter of its own: {intact[0].path} was trained as "
            f"{intact[0].of_other}, and moved here. {advice}"
        )
    if found:
        raise AdapterCommandError(
            f"{experiment} has no intact adapter: a file is missing or was changed in "
            f"{', '.join(str(one.path) for one in found[:3])}. {advice}"
        )
    raise AdapterCommandError(f"{experiment} has no adapter yet in {own}. {advice}")
