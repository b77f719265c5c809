"""The specification of one adapter: everything that determines it, its key and its folder.

Belongs here: facts that are known before training. Does not: training (training.train), or the
files of a trained adapter (models.adapters). The model process reads the specification, so this
module does not import store.database.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Self

from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.models.adapters import experiment_folder
from bioinstruct_dagster.models.experiments import BaseModelSpec, ExperimentMatrix, Recipe
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.models.prompts import stated_version
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.fingerprints import sha256_of

TrackerKind = Literal["off", "mlflow", "trackio"]
TRAINER_VERSION = 2  # raise it if the same specification would give another adapter


@dataclass(frozen=True)
class TrainingSpec:
    """Everything that determines an adapter, the folders, and what its card and trackers need."""

    experiment: str
    base: BaseModelSpec
    recipe: Recipe
    dataset_path: str
    dataset_fingerprint: str
    dataset_rehearsal: bool
    seed: int
    models_dir: str
    adapters_dir: str
    # The rows of the train split to learn from, in place of those that the recipe draws.
    row_ids: tuple[str, ...] = ()
    # These do not change the adapter, so they are no part of its key.
    tracker: TrackerKind = "off"
    hyperparameters: str = ""  # the named set, its source, and what differs, for the card
    origins: Mapping[str, str] = field(default_factory=dict)  # of each value of the recipe
    dataset_origin: str = ""  # where the rows come from, in words
    dataset_imported: bool = False

    @property
    def rehearsal(self) -> bool:
        """Whether the data or the base model is rehearsal-made."""
        return bool(self.rehearsal_parts)

    @property
    def rehearsal_parts(self) -> tuple[str, ...]:
        """What is rehearsal-made, in words; nothing if nothing is."""
        return ("the base model is the embedded one",) * self.base.rehearsal + (
            "the data set has rows of the rehearsal teacher",
        ) * self.dataset_rehearsal

    def key(self, base_fingerprint: str) -> str:
        """The sha256 of everything that determines the adapter. Equal keys mean equal adapters."""
        named = [list(self.row_ids)] if self.row_ids else []
        return sha256_of(
            [
                TRAINER_VERSION,
                stated_version(self.base),
                base_fingerprint,
                self.recipe.model_dump(mode="json"),
                self.dataset_fingerprint,
                self.seed,
                *named,
            ]
        )

    def folder(self, base_fingerprint: str) -> Path:
        """The folder of the adapter."""
        of_experiment = experiment_folder(Path(self.adapters_dir), self.experiment)
        return of_experiment / self.key(base_fingerprint)[:12]

    def working_folder(self, base_fingerprint: str) -> Path:
        """The folder for what training needs until the adapter is whole, such as checkpoints."""
        return Path(self.adapters_dir) / ".training" / self.key(base_fingerprint)[:12]

    def to_json(self) -> str:
        """The specification as JSON for the model process. `from_json` reads it."""
        values = asdict(self)
        values["base"] = self.base.model_dump(mode="json")
        values["recipe"] = self.recipe.model_dump(mode="json")
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification that `to_json` wrote."""
        values = json.loads(text)
        values["base"] = BaseModelSpec.model_validate(values["base"])
        values["recipe"] = Recipe.model_validate(values["recipe"])
        values["row_ids"] = tuple(values["row_ids"])
        return cls(**values)


def training_spec(
    matrix: ExperimentMatrix,
    base_model: str,
    recipe: str,
    dataset: DatasetVersion,
    settings: Settings,
) -> TrainingSpec:
    """The specification of one experiment on one version of the data set."""
    return TrainingSpec(
        experiment=partition_key((base_model, recipe)),
        base=matrix.base_models[base_model],
        recipe=matrix.recipe(base_model, recipe),
        dataset_path=str(dataset.path),
        dataset_fingerprint=dataset.fingerprint,
        dataset_rehearsal=dataset.rehearsal,
        dataset_origin=dataset.origin,
        dataset_imported=dataset.imported,
        seed=settings.runs.seed,
        models_dir=str(settings.store.data_dir / "models"),
        adapters_dir=str(settings.store.data_dir / "adapters"),
        tracker=settings.models.tracker,
        hyperparameters=_source_of(matrix, base_model, recipe),
        origins={name: one.shown() for name, one in matrix.origins(base_model, recipe).items()},
    )


def _source_of(matrix: ExperimentMatrix, base_model: str, recipe: str) -> str:
    """The named set of hyper-parameters with its source and deviations; empty if there is none.

    A value that the base model or the recipe puts in place of the set's is a deviation too.
    """
    found = matrix.hyperparameters_of(recipe)
    if not found:
        return ""
    name, about = found
    recipe_values = matrix.recipe(base_model, recipe).model_dump(mode="json")
    deviations = list(about.deviations)
    for field_name, origin in matrix.origins(base_model, recipe).items():
        if origin.replaced:
            value = recipe_values[field_name]
            words = ", ".join(value) if isinstance(value, list) else str(value)
            deviations.append(f"{field_name} is {words} ({origin.shown()}).")
    listed = f" Deviations: {' '.join(deviations)}" if deviations else ""
    return f"the set {name}. {about.source}{listed}"
