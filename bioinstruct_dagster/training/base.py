"""A base model for the adapters of a study: checked first, and loaded when training begins.

Belongs here: what experiments of one base model share. Does not: finding and loading a model
(models.base_models), or which experiments share it (training.study.trainer).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.training import memory
from bioinstruct_dagster.training.memory.machine import memory_of
from bioinstruct_dagster.training.rows import DatasetRows, RowEncoder
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.throughput import memory_after_imports


class SharedBase:
    """A base model that adapters are trained on, one after the other.

    Attributes:
        encoder: gives each experiment its rows. It needs no weights.
        fingerprint: of the base model.
        memory_before: bytes that the process held after its imports; 0 on a GPU, whose memory is
            counted instead.
    """

    def __init__(self, spec: TrainingSpec, rows: DatasetRows, log: Callable[[str], None]) -> None:
        """Check the base model of an experiment.

        Raises:
            BaseModelError: it can't be used.
        """
        self._log = log
        after_imports = memory_after_imports()
        self._checked = base_models.check(
            spec.base, Path(spec.models_dir), log, spec.recipe.quantization
        )
        # Free memory is looked up before the weights are there, and once: the plan of an adapter
        # must not depend on what was trained before it.
        self._memory = memory_of(self._checked.device)
        self.memory_before = 0 if self._checked.device == "cuda" else after_imports
        self._loaded: LoadedBaseModel | None = None
        self._fault: StatedError | None = None
        self.encoder = RowEncoder(self._checked, rows)
        self.fingerprint = self._checked.fingerprint

    def plan(
        self, spec: TrainingSpec, rows: Sequence[Example], log: Callable[[str], None]
    ) -> memory.ExecutionPlan:
        """How an experiment is computed on this machine. Logs the estimate of its memory.

        Raises:
            NotEnoughMemoryError: it needs much more memory than there is.
        """
        return memory.plan(self._checked, spec.recipe, rows, log, memory=self._memory)

    def loaded(self) -> LoadedBaseModel:
        """The base model in memory. The first call reads the weights.

        Raises:
            BaseModelError: the weights can't be used. Later calls repeat the error.
        """
        if self._fault is not None:
            raise self._fault
        if self._loaded is None:
            try:
                self._loaded = self._checked.load(self._log)
            except StatedError as error:
                self._fault = error
                raise
        return self._loaded
