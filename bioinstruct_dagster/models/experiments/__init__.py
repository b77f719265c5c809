"""The experiments: each base model with each recipe, read from `data/experiments.yaml`.

Belongs here: reading the file, expanding its recipes into names, and finding experiments by name.
Does not: running an experiment (training.train), or experiments as partitions (models.partitions).
"""

from bioinstruct_dagster.models.experiments.base_model_spec import REHEARSAL, BaseModelSpec
from bioinstruct_dagster.models.experiments.hyperparameters import HyperparameterSet
from bioinstruct_dagster.models.experiments.matrix import ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import Experiment, UnknownExperimentError
from bioinstruct_dagster.models.experiments.reading import ExperimentFileError, read_experiments
from bioinstruct_dagster.models.experiments.recipe import Recipe

__all__ = [
    "REHEARSAL",
    "BaseModelSpec",
    "Experiment",
    "ExperimentFileError",
    "ExperimentMatrix",
    "HyperparameterSet",
    "Recipe",
    "UnknownExperimentError",
    "read_experiments",
]
