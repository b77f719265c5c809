"""A base model for the adapters of a study: its rows, and its weights from the first use on.

Belongs here: what experiments of one base model share. Does not: finding and loading a model
(models.base_models), or which experiments share it (training.study.trainer).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.training.rows import DatasetRows, RowEncoder
from bioinstruct_dagster.training.spec import TrainingSpec


class SharedBase:
    """A base model that adapters are trained on, one after the other."""

    def __init__(self, loaded: LoadedBaseModel, rows: DatasetRows) -> None:
        self._loaded = loaded
        self.encoder = RowEncoder(loaded, rows)

    @classmethod
    def of(cls, spec: TrainingSpec, rows: DatasetRows, log: Callable[[str], None]) -> Self:
        """The base model of an experiment.

        Raises:
            BaseModelError: it can't be used.
        """
        return cls(base_models.load(spec.base, Path(spec.models_dir), log), rows)

    def loaded(self) -> LoadedBaseModel:
        """The base model in memory."""
        return self._loaded
